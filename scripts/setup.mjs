// Installs the missing tools of the other scripts: npm's packages, the Rust toolchain that
// rust-toolchain.toml names, worker-build and wasm-bindgen. Quick when all are there.
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import {
  bin,
  capture,
  inRoot,
  isMain,
  main,
  nodeModules,
  Refusal,
  read,
  run,
  say,
} from "./lib/project.mjs";
import { installTools } from "./lib/tools.mjs";

const WASM = "wasm32-unknown-unknown";
const COMPONENTS = ["cargo-clippy", "cargo-fmt"];

/** Everything, in the order in which one thing needs another. */
export async function setup() {
  if (Number(process.versions.node.split(".")[0]) < 20) {
    throw new Refusal(`Node ${process.versions.node} is too old; install Node 20 or newer`);
  }
  await installPackages();
  await installRust();
  await installTools();
}

/** The packages for scripts that build nothing in Rust. */
export async function installPackages() {
  if (!arePackagesStale()) return;
  say("installing the npm packages of package-lock.json");
  // npm runs without node_modules/.bin in its path: it is about to replace those files.
  const path = (process.env.PATH ?? "").split(delimiter).filter((part) => part !== bin);
  // Nor for the one workspace of `npm pack -w sdk`.
  const env = { PATH: path.join(delimiter), npm_config_workspace: undefined };
  const code = await run("npm", ["ci", "--loglevel=error", "--no-audit", "--no-fund"], { env });
  if (code !== 0) throw new Refusal("npm could not install the packages; see its message above");
}

/** Whether node_modules differs from the lock file, by the list that npm keeps in it. */
function arePackagesStale() {
  const hidden = join(nodeModules, ".package-lock.json");
  if (!existsSync(hidden)) return true;
  const installed = JSON.parse(readFileSync(hidden, "utf8")).packages;
  const locked = Object.entries(JSON.parse(read("package-lock.json")).packages);
  return locked.some(([path, { version, optional }]) => {
    // The packages of the repository itself.
    if (!path.includes("node_modules/")) return false;
    const there = installed[path];
    return there ? there.version !== version || !existsSync(inRoot(path)) : !optional;
  });
}

async function installRust() {
  const channel = /channel = "([^"]+)"/.exec(read("rust-toolchain.toml"))?.[1];
  if (!channel) throw new Refusal("rust-toolchain.toml names no channel");
  if (capture("rustup", ["--version"]) === null) return requireRust(channel);
  const toolchains = (capture("rustup", ["toolchain", "list"]) ?? "").split("\n");
  if (toolchains.some((name) => name.startsWith(`${channel}-`)) && isRustComplete()) return;
  say(`installing Rust ${channel} for this project`);
  const args = ["toolchain", "install", channel, "--profile", "minimal", "--no-self-update"];
  args.push("--component", "clippy", "--component", "rustfmt", "--target", WASM);
  if ((await run("rustup", args)) !== 0) {
    throw new Refusal(`rustup could not install Rust ${channel}; see its message above`);
  }
}

function isRustComplete() {
  const sysroot = capture("rustc", ["--print", "sysroot"]);
  if (!sysroot) return false;
  const parts = [join("lib", "rustlib", WASM, "lib"), ...COMPONENTS.map((it) => join("bin", it))];
  return parts.every((part) => existsSync(join(sysroot, part)));
}

/** Without rustup: any other Rust will do, if it is complete. */
function requireRust(channel) {
  const version = capture("rustc", ["--version"])?.split(" ")[1];
  if (!version) {
    throw new Refusal("Rust is missing; install rustup as https://rustup.rs says, then try again");
  }
  const [major, minor] = version.split(".").map(Number);
  const [wantedMajor, wantedMinor] = channel.split(".").map(Number);
  const isOlder = major < wantedMajor || (major === wantedMajor && minor < wantedMinor);
  if (isOlder || !isRustComplete()) {
    throw new Refusal(
      `Rust ${channel} with clippy, rustfmt and ${WASM} is needed and rustc is ${version}; ` +
        "install rustup as https://rustup.rs says, or add them to your Rust",
    );
  }
}

if (isMain(import.meta.url)) await main(setup);
