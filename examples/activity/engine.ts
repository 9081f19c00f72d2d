// Stands for Temporal, or another engine of workflows: runs an activity as a process, and runs it
// again until an attempt succeeds. An attempt that is killed, fails or falls silent is given up.

import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface Activity {
  id: string;
  question: string;
  /** An attempt that is silent for so long is given up, though it may go on for all that. */
  heartbeatTimeoutMs: number;
  maximumAttempts: number;
  /** Hears of each attempt. */
  onAttempt?: (process: ChildProcess, attempt: number) => void;
}

const FIRST_RETRY_MS = 20;

/** Runs an activity to its end, and gives the number of the attempt that succeeded. */
export async function run(activity: Activity, env: NodeJS.ProcessEnv): Promise<number> {
  for (let attempt = 1; attempt <= activity.maximumAttempts; attempt += 1) {
    if (await succeeds(activity, attempt, env)) return attempt;
    await sleep(Math.min(FIRST_RETRY_MS * 2 ** attempt, 1_000));
  }
  throw new Error(`unable to run ${activity.id}; ${activity.maximumAttempts} attempts failed`);
}

function succeeds(activity: Activity, attempt: number, env: NodeJS.ProcessEnv): Promise<boolean> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "activity.ts")], {
    env: { ...env, ACTIVITY_ID: activity.id, QUESTION: activity.question },
    stdio: ["ignore", "pipe", "inherit"],
  });
  activity.onAttempt?.(child, attempt);
  return new Promise((done) => {
    const giveUp = () => done(false);
    const timer = setTimeout(giveUp, activity.heartbeatTimeoutMs);
    child.stdout.on("data", () => timer.refresh());
    child.once("exit", (code) => {
      clearTimeout(timer);
      done(code === 0);
    });
  });
}

if (process.argv[1] === import.meta.filename) {
  const [id = crypto.randomUUID(), question = "What is a tide?"] = process.argv.slice(2);
  const activity = { id, question, heartbeatTimeoutMs: 5_000, maximumAttempts: 20 };
  const onAttempt = ({ pid }: ChildProcess, attempt: number) =>
    console.log(`\nattempt ${attempt} of ${id} is process ${pid}: kill it`);
  const attempt = await run({ ...activity, onAttempt }, process.env);
  console.log(`\nattempt ${attempt} has brought it to its end`);
}
