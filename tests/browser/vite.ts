// A page built with the React of development: StrictMode and all complaints are in it.

import { build } from "vite";

export async function buildForDevelopment(root: string, outDir: string): Promise<void> {
  const was = process.env.NODE_ENV;
  process.env.NODE_ENV = "development";
  try {
    const options = { outDir, emptyOutDir: true, minify: false };
    await build({ root, mode: "development", logLevel: "error", build: options });
  } finally {
    if (was === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = was;
  }
}
