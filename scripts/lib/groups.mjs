// Groups of checks, one after the other, up to the first that fails.
import { say } from "./project.mjs";

/** Runs `[name, action]` pairs, each action returning an exit code; prints the result in a line. */
export async function runGroups(groups) {
  const began = Date.now();
  for (const [name, action] of groups) {
    say(`\n▸ ${name}`);
    const code = await action();
    if (code !== 0) {
      say(`\nFAILED: ${name} (${groups.length} groups; the later ones did not run)`);
      return code;
    }
  }
  const seconds = Math.round((Date.now() - began) / 1000);
  say(`\nPASSED: ${groups.map(([name]) => name).join(", ")} (${seconds} s)`);
  return 0;
}
