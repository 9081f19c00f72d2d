// Tests wait on frames, never on time. The guards here only keep a broken Worker from hanging a
// run.

export const HANG_MS = 30_000;

export class Hang extends Error {}

/** Fails with what was waited for, when it does not come in a time that only a hang explains. */
export function within<T>(promise: Promise<T>, what: string, ms = HANG_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const guard = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Hang(`nothing for ${ms} ms; waited for ${what}`)), ms);
  });
  return Promise.race([promise, guard]).finally(() => clearTimeout(timer));
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Asks again until the answer is good: for what no frame tells, such as rows or an empty disk. */
export async function until<T>(
  ask: () => Promise<T> | T,
  isGood: (value: T) => boolean,
  what: string,
  ms = HANG_MS,
): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const value = await ask();
    if (isGood(value)) return value;
    if (performance.now() > end) {
      throw new Hang(`not so after ${ms} ms: ${what}; last was ${JSON.stringify(value)}`);
    }
    await sleep(25);
  }
}

/** Runs tasks at `perSecond`, catching up when the clock slips, so that the mean rate holds. */
export async function paced(
  count: number,
  perSecond: number,
  task: (index: number) => void,
): Promise<void> {
  const start = performance.now();
  for (let index = 0; index < count; index += 1) {
    const due = start + (index * 1000) / perSecond;
    const wait = due - performance.now();
    if (wait > 1) await sleep(wait);
    task(index);
  }
}
