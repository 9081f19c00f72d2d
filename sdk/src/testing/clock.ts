// The time of the session layer goes on: from one deadline to the next, as it would by itself.

import type { Advance, Runtime } from "./runtime.ts";

/**
 * Deadlines of one advance that are met one by one. Those of a longer row, such as the repeats of a
 * call that nobody answers for a year, are met at its end alone.
 */
const STEPS_MOST = 1_000;

/** An object, when its alarm rings in real time, and how much of the advance that has counted. */
interface Alarm {
  object: Record<string, string>;
  at: number;
  counted: number;
}

/** Moves the clock by so many milliseconds, and has everything done that becomes due. */
export async function advance(runtime: Runtime, advances: Advance[], ms: number): Promise<void> {
  const now: Advance = [Date.now(), 0];
  advances.push(now);
  const pass = async (alarm: Alarm) => {
    const by = String(now[1] - alarm.counted);
    const next = await runtime.control("/pass", { ...alarm.object, by });
    alarm.counted = now[1];
    alarm.at = next === "" ? Number.POSITIVE_INFINITY : Number(next);
  };
  const due = (alarm: Alarm) => alarm.at - (now[1] - alarm.counted);
  const alarms = runtime.objects().map((object) => ({ object, at: 0, counted: 0 }));
  await Promise.all(alarms.map(pass));
  for (let step = 0; step < STEPS_MOST; step += 1) {
    const next = Math.min(...alarms.map(due));
    const left = ms - now[1];
    if (left === 0 && next > Date.now()) break;
    now[1] += Math.min(left, Math.max(0, next - Date.now()));
    await runtime.control("/clock", {}, JSON.stringify(advances));
    await Promise.all(alarms.filter((alarm) => due(alarm) <= Date.now()).map(pass));
  }
  now[1] = ms;
  await runtime.control("/clock", {}, JSON.stringify(advances));
  await Promise.all(alarms.map(pass));
}
