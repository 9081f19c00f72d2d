import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "./server.ts";

const exec = promisify(execFile);
const REQUIREMENTS = join(ROOT, "tests/python/requirements.txt");

/**
 * A Python with the packages of `tests/python/requirements.txt`: a virtual environment below
 * `target/`, made when it is first asked for, and anew when the list changes. Test files that run
 * at once may ask together: each makes its own, and the first to be done keeps it.
 */
export async function python(): Promise<string> {
  const list = await readFile(REQUIREMENTS);
  const version = await tell(["python3", "--version"], "install Python 3.10 or newer");
  const hash = createHash("sha256").update(version).update(list).digest("hex").slice(0, 12);
  const home = join(ROOT, "target", `python-${hash}`);
  const program = join(home, "bin", "python");
  const isDone = () =>
    access(join(home, "done")).then(
      () => true,
      () => false,
    );
  if (await isDone()) return program;
  const made = `${home}-${process.pid}`;
  await mkdir(join(ROOT, "target"), { recursive: true });
  await tell(["python3", "-m", "venv", made], "install Python's venv (Debian: python3-venv)");
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
  const packages = ["--requirement", REQUIREMENTS];
  await tell([join(made, "bin", "python"), ...pip, ...packages], "see pip's message above");
  await writeFile(join(made, "done"), "");
  try {
    await rename(made, home);
  } catch (error) {
    await rm(made, { recursive: true, force: true });
    if (!(await isDone())) throw error;
  }
  return program;
}

async function tell([program = "", ...args]: string[], advice: string): Promise<string> {
  try {
    return (await exec(program, args)).stdout;
  } catch (error) {
    throw new Error(`${program} ${args.slice(0, 3).join(" ")} failed; ${advice}`, { cause: error });
  }
}
