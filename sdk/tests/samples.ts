// The samples of a README as programs: each as it stands there, between what the reader has.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type BuildOptions, build, type Plugin } from "esbuild";
import { ROOT } from "../../tests/support/server.ts";

const SDK = join(ROOT, "sdk");

/** The code of a README, in order: blocks of TypeScript, with JSX or not. */
export function samplesIn(file: string): string[] {
  const blocks = readFileSync(join(SDK, file), "utf8").matchAll(/^```tsx?\n(.*?)^```/gms);
  return [...blocks].map(([, code = ""]) => code);
}

/** A sample whose lines stand in a component, but for its imports. */
export function inComponent(code: string, result: string): string {
  const lines = code.split("\n");
  const isImport = (line: string) => line.startsWith("import ");
  const body = lines.filter((line) => !isImport(line)).join("\n");
  const imports = lines.filter(isImport).join("\n");
  return `${imports}\nexport function Sample() {\n${body}\nreturn ${result};\n}`;
}

/** The package's entries are the sources. */
const sessile: Plugin = {
  name: "sessile",
  setup: ({ onResolve }) => {
    onResolve({ filter: /^sessile(\/|$)/ }, ({ path }) => {
      const entry = path.replace(/^sessile\/?/, "");
      const file = entry.includes("/") ? `${entry}.ts` : join(entry, "index.ts");
      return { path: join(SDK, "src", file) };
    });
  },
};

/** Builds a program into a file. Its other imports are those of the SDK's tests. */
export async function buildSample(
  code: string,
  outfile: string,
  options: BuildOptions,
): Promise<void> {
  const stdin = { contents: code, loader: "tsx", resolveDir: join(SDK, "tests") } as const;
  const given = { bundle: true, format: "esm", jsx: "automatic", target: "es2024" } as const;
  const { outputFiles } = await build({
    ...{ stdin, plugins: [sessile], ...given, write: false },
    ...options,
  });
  mkdirSync(dirname(outfile), { recursive: true });
  writeFileSync(outfile, outputFiles?.[0]?.text ?? "");
}
