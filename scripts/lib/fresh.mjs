// Builds that are done once for all who want them, and whose files others may read meanwhile.
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative, sep } from "node:path";

const LOCK_RETRY_MS = 200;

/** One build at a time, of all processes that name the same lock. */
export async function withLock(lock, action) {
  mkdirSync(dirname(lock), { recursive: true });
  while (!take(lock)) await new Promise((resolve) => setTimeout(resolve, LOCK_RETRY_MS));
  try {
    return await action();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** Takes the lock, unless a live process holds it. */
function take(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch {
    if (!isHeld(lock)) rmSync(lock, { force: true });
    return false;
  }
}

function isHeld(lock) {
  try {
    const holder = Number(readFileSync(lock, "utf8"));
    // Empty for a moment after its creation.
    return holder === 0 || process.kill(holder, 0);
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** A hash over the names and contents of files and folders. */
export function fingerprint(paths) {
  const hash = createHash("sha256");
  for (const path of paths.flatMap((path) => files(path))) {
    const content = readFileSync(path);
    hash.update(`${path}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

/** The files of a path, in order: itself, or all that a folder has, or none. */
export function files(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => files(join(path, name)));
}

/**
 * Makes a folder what another one is, which is gone afterwards. Each file changes at once and only
 * if it differs, so that whoever reads the folder meanwhile finds every file, and finds it whole.
 * The folders named in `keep` are left alone.
 */
export function replaceFolder(from, to, keep = []) {
  const made = new Set(files(from).map((path) => relative(from, path)));
  for (const name of made) {
    const [next, place] = [join(from, name), join(to, name)];
    if (existsSync(place) && readFileSync(place).equals(readFileSync(next))) continue;
    mkdirSync(dirname(place), { recursive: true });
    renameSync(next, place);
  }
  for (const path of files(to)) {
    const name = relative(to, path);
    if (!made.has(name) && !keep.includes(name.split(sep)[0])) rmSync(path);
  }
  rmSync(from, { recursive: true, force: true });
}
