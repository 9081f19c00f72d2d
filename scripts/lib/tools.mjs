// The compiled tools of the build: found, or else installed into cargo's home.
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { bin, capture, cargoHome, Refusal, read, run, say } from "./project.mjs";

const WORKER_BUILD = "0.8.7";
const PROBE_MS = 4000;
const DOWNLOADS = "https://github.com/wasm-bindgen/wasm-bindgen/releases/download";

/** The version of wasm-bindgen in the lock file: library and tool must match. */
export function wasmBindgenVersion() {
  const found = /name = "wasm-bindgen"\nversion = "([^"]+)"/.exec(read("Cargo.lock"));
  if (!found) throw new Refusal("Cargo.lock names no wasm-bindgen");
  return found[1];
}

/** The tools that a build uses, with the environment that tells worker-build about them. */
export function findTools() {
  const workerBuild = findTool("worker-build", WORKER_BUILD);
  const wasmBindgen = findTool("wasm-bindgen", wasmBindgenVersion());
  const env = {
    // As worker-build sets it for cargo: a different value would build everything twice.
    WASM_BINDGEN_USE_JS_SYS: "1",
    ESBUILD_BIN: join(bin, "esbuild"),
  };
  if (wasmBindgen) env.WASM_BINDGEN_BIN = wasmBindgen;
  return { workerBuild, wasmBindgen, env };
}

/** Installs the missing tools of a build. */
export async function installTools() {
  const { workerBuild, wasmBindgen } = findTools();
  if (!workerBuild) await install("worker-build", "worker-build", WORKER_BUILD);
  const version = wasmBindgenVersion();
  if (wasmBindgen || isCached(version)) return;
  if (await isDownloadable(version)) return;
  say(`wasm-bindgen ${version} cannot be downloaded here: building it`);
  await install("wasm-bindgen", "wasm-bindgen-cli", version);
}

/** The path of a tool of exactly this version, or `null`. */
function findTool(name, version) {
  const places = [join(cargoHome, "bin", name), join(ownRoot(name, version), "bin", name), name];
  return places.find((place) => isVersion(place, version)) ?? null;
}

function isVersion(tool, version) {
  if (tool.includes("/") && !existsSync(tool)) return false;
  return (capture(tool, ["--version"]) ?? "").split(/\s+/).includes(version);
}

/** A place of its own in cargo's home, so that another project's version is left alone. */
function ownRoot(name, version) {
  return join(cargoHome, "tools", `${name}-${version}`);
}

async function install(name, crate, version) {
  say(`building ${crate} ${version}; this takes some minutes, once`);
  const args = ["install", crate, "--version", version, "--root", ownRoot(name, version)];
  if ((await run("cargo", [...args, "--locked"])) === 0) return;
  say(`${crate} ${version} does not build with its own lock file: trying without it`);
  if ((await run("cargo", args)) === 0) return;
  throw new Refusal(`${crate} ${version} could not be installed; see cargo's message above`);
}

/** Whether worker-build downloaded this version of wasm-bindgen before. */
function isCached(version) {
  const caches = [
    process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"),
    join(homedir(), "Library", "Caches"),
  ];
  const name = `wasm-bindgen-${downloadTarget()}-${version}`;
  return caches.some((cache) => existsSync(join(cache, "worker-build", name, "wasm-bindgen")));
}

/** Whether worker-build could download wasm-bindgen: its own tries take half a minute to fail. */
async function isDownloadable(version) {
  const url = `${DOWNLOADS}/${version}/wasm-bindgen-${version}-${downloadTarget()}.tar.gz`;
  try {
    const response = await fetch(url, { method: "HEAD", signal: AbortSignal.timeout(PROBE_MS) });
    return response.ok;
  } catch {
    return false;
  }
}

/** The name that wasm-bindgen's releases give to this kind of machine. */
function downloadTarget() {
  const cpu = process.arch === "arm64" ? "aarch64" : "x86_64";
  return process.platform === "darwin" ? `${cpu}-apple-darwin` : `${cpu}-unknown-linux-musl`;
}
