// The SDK's package as its users get it: packed by npm, in an app of its own.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  bin,
  capture,
  inRoot,
  modernNode,
  nodeModules,
  Refusal,
  read,
  say,
} from "./lib/project.mjs";

/** The packages that the SDK adapts, and those that it needs, as installed by the app. */
const PEERS = ["react", "@types", "@tanstack"];
/** The AI SDK's packages by their names in the app; version 6 is what npm gives to Node 20. */
const AI_SDKS = [
  { ai: "ai", "@ai-sdk/react": "@ai-sdk/react" },
  { ai: "ai-6", "@ai-sdk/react": "ai-react-6" },
];
const { bin: programs, dependencies = {}, exports, version } = JSON.parse(read("sdk/package.json"));
const ENTRIES = Object.keys(exports)
  .filter((path) => !path.endsWith(".json"))
  .map((path) => path.replace(".", "sessile"));

/** The entry that runs in workerd alone. */
const WORKER = "sessile/worker";

/** The limit of the package as npm sends it, in bytes; the wasm is 0.57 MB of it. */
const SIZE = 1.75 * 1024 * 1024;

/** Each entry, and the main exports where their types matter. */
const APP = `
${ENTRIES.map((entry, index) => `import * as entry${index} from "${entry}";`).join("\n")}
import { createSession, type Message, type Session } from "sessile";
import { aiSdk, createAgentSession } from "sessile/agent";
import { SessileChatTransport, toUIMessages } from "sessile/ai-sdk";
import { useSessileChat } from "sessile/ai-sdk/react";
import { useMessages } from "sessile/react";
import { sessileConnection } from "sessile/tanstack";
import { nodeListener, queueConsumer, serveWebhook, workflowOf } from "sessile/wake";

const where = { url: "https://sessions.example", session: "support-4711", token: "" };
export const session: Session = createSession(where);
export const texts = session.messages.map(({ data }: Message) => String(data));
export const agent = createAgentSession(where);
export const answer = (input: string, parts: ReadableStream<never>) =>
  agent.answer({ input }, (turn) => turn.stream(parts, aiSdk()));
export const transport = new SessileChatTransport(where);
export const useAnswers = () =>
  useSessileChat({ ...where, id: "a" }).messages.map(({ id }) => id);
export const shown = toUIMessages(session);
export const connection = sessileConnection(where);
interface Env { TOKEN: string }
const woken = (env: Env) => ({ ...where, token: env.TOKEN, secret: "whsec_AAAA" });
export const POST: (request: Request, context: { params: object }) => Promise<Response> =
  serveWebhook((turn, { input }) => turn.message(input), { ...where, secret: "whsec_AAAA" });
export const listener = nodeListener(serveWebhook(() => {}, { ...where, secret: [] }));
export const queue = queueConsumer(() => {}, woken);
declare abstract class WorkflowEntrypoint<E> {
  protected env: E;
  constructor(context: object, env: E);
}
export class Answer extends workflowOf(WorkflowEntrypoint<Env>, () => {}, woken) {}
export { useMessages, ${ENTRIES.map((_, index) => `entry${index}`).join(", ")} };
`;

/** The strictest options for the declarations that an app installs, with no newer library. */
const STRICT = {
  target: "ES2022",
  lib: ["ES2022", "DOM"],
  types: [],
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  noEmit: true,
};
const RESOLUTIONS = [
  { module: "nodenext", moduleResolution: "nodenext" },
  { module: "esnext", moduleResolution: "bundler" },
];

/** The same on the Node that runs this script, perhaps the oldest supported. */
const IMPORTS = `
for (const entry of ${JSON.stringify(ENTRIES.filter((it) => it !== WORKER))}) await import(entry);
const { createAgentSession, overFetch } = await import("sessile/agent");
const { createSession } = await import("sessile");
const where = { url: "http://127.0.0.1:1", session: "s", token: "a.b.c" };
createAgentSession({ ...where, link: overFetch }).close();
createSession(where).close();
`;

/** A test of the app, on the package's Worker; the last word that it prints is how it went. */
const TESTS = `
import { startSessile } from "sessile/testing";
try {
  await using sessile = await startSessile();
  const headers = { authorization: "Bearer " + (await sessile.token({ sub: "ada" })) };
  console.log((await fetch(sessile.url + "/v1/sessions/support-4711", { headers })).status);
} catch (error) {
  console.log(error.code ?? error);
}
`;

/** Packs the SDK without a build beforehand, and uses it in an app. */
export async function checkApp() {
  const app = mkdtempSync(join(tmpdir(), "sessile-app-"));
  try {
    const size = install(app);
    say(`the package has ${size} bytes; the limit is ${SIZE}`);
    if (size > SIZE) return 1;
    writeFileSync(join(app, "package.json"), JSON.stringify({ type: "module" }));
    writeFileSync(join(app, "app.ts"), APP);
    writeFileSync(join(app, "imports.js"), IMPORTS);
    const complaints = AI_SDKS.flatMap((packages) => {
      for (const name of Object.keys(packages)) link(app, packages[name], name);
      return [...RESOLUTIONS.flatMap((how) => compile(app, how)), ...start(app)];
    });
    complaints.push(...callPrograms(app), ...testApp(app));
    for (const line of complaints) say(line);
    return complaints.length > 0 ? 1 : 0;
  } finally {
    rmSync(app, { recursive: true, force: true });
  }
}

/** The state after `npm install`: the package unpacked, and its peers beside it; gives its size. */
function install(app) {
  // As in a fresh clone: the package's own script has to build it. Others may read the files.
  rmSync(inRoot("sdk", ".dist.stamp"), { force: true });
  const packed = capture("npm", ["pack", "-w", "sdk", "--pack-destination", app, "--json"]);
  const [{ filename, size } = {}] = packed ? JSON.parse(packed) : [];
  if (!filename) throw new Refusal("npm could not pack the SDK; try npm pack in sdk/");
  const modules = join(app, "node_modules");
  mkdirSync(join(modules, "sessile"), { recursive: true });
  const into = ["-C", join(modules, "sessile"), "--strip-components", "1"];
  execFileSync("tar", ["-xzf", join(app, filename), ...into]);
  mkdirSync(join(modules, "@ai-sdk"));
  for (const name of PEERS) if (existsSync(join(nodeModules, name))) link(app, name);
  for (const name of Object.keys(dependencies)) {
    // Another package of the clone may have another version of it.
    const isOwn = existsSync(inRoot("sdk", "node_modules", name));
    link(app, name, name, isOwn ? inRoot("sdk", "node_modules") : nodeModules);
  }
  return size;
}

/** Puts a package of the clone into the app. */
function link(app, from, name = from, modules = nodeModules) {
  const place = join(app, "node_modules", name);
  rmSync(place, { force: true });
  symlinkSync(join(modules, from), place);
}

/** The compiler's report on the app and on the package; a peer's mistakes are its own. */
function compile(app, how) {
  const compilerOptions = { ...STRICT, ...how };
  writeFileSync(join(app, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["app.ts"] }));
  const printed = output(modernNode(), [join(bin, "tsc"), "--pretty", "false", "-p", app], app);
  const isOurs = (line) => /^(node_modules.sessile|app\.ts|error)/.test(line);
  return printed.split("\n").filter(isOurs);
}

function start(app) {
  const printed = output(process.execPath, ["imports.js"], app).trim();
  return printed ? [`on Node ${process.versions.node}: ${printed}`] : [];
}

/** The package's commands, on the Node that runs this script. */
function callPrograms(app) {
  return Object.entries(programs).flatMap(([name, path]) => {
    const printed = output(process.execPath, [join("node_modules", "sessile", path), "-V"], app);
    return printed.trim() === version ? [] : [`${name} --version printed ${printed}`];
  });
}

/** The session layer in the app's tests: with the package that they need, and before that. */
function testApp(app) {
  writeFileSync(join(app, "tests.mjs"), TESTS);
  const call = () => output(modernNode(), ["tests.mjs"], app).trim();
  const without = call();
  link(app, "miniflare");
  const printed = `${without}, then ${call()}`;
  return printed === "no-miniflare, then 200" ? [] : [`sessile/testing said ${printed}`];
}

/** The output of a program, with any exit code. */
function output(command, args, cwd) {
  try {
    return execFileSync(command, args, {
      cwd,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  } catch ({ stdout, stderr }) {
    return `${stdout}${stderr}`;
  }
}
