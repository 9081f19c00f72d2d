// The two ways to load a stream: as fast as it is taken, and evenly by the clock.

import type { Open, Side, Stream } from "./sides.ts";

/** No measurement takes this long without a delivery; a hang must end the run, not hang it. */
const HANG_MS = 30_000;
/** Stays below one message's 1 MiB of data (P14). */
const MAX_TOKENS = 180_000;

export interface Saturation extends Open {
  /** Tokens sent and not yet held by the first reader. */
  inFlight: number;
  seconds: number;
  /** Tokens in one WebSocket message. */
  batch?: number;
}

export interface Rate {
  tokensPerSecond: number;
  /** Share of one core that the load generator used; near 1 it would be what is measured. */
  clientCpu: number;
  serverCpu: number;
}

/** Calls `fail` unless `alive` is called often enough. */
function guard(fail: (error: Error) => void): { alive(): void; stop(): void } {
  const late = (): void => fail(new Error(`nothing was delivered for ${HANG_MS} ms`));
  const timer = setTimeout(late, HANG_MS);
  return { alive: () => timer.refresh(), stop: () => clearTimeout(timer) };
}

/**
 * Tokens a second from the first one sent until every reader holds the last one. Sending stops
 * after `seconds` or `MAX_TOKENS`; what is in flight then still has to arrive.
 */
export async function saturate(side: Side, load: Saturation): Promise<Rate> {
  const stream = await side.open(load);
  const cpu = process.cpuUsage();
  const serverCpu = side.server.cpuSeconds();
  const start = performance.now();
  const { sent, end } = await fill(stream, load, start);
  stream.close();
  const used = process.cpuUsage(cpu);
  const elapsed = (end - start) / 1000;
  return {
    tokensPerSecond: sent / elapsed,
    clientCpu: (used.user + used.system) / 1e6 / elapsed,
    serverCpu: (side.server.cpuSeconds() - serverCpu) / elapsed,
  };
}

function fill(
  stream: Stream,
  load: Saturation,
  start: number,
): Promise<{ sent: number; end: number }> {
  const batch = load.batch ?? 1;
  const held = new Array<number>(load.readers).fill(0);
  let sent = 0;
  let sending = true;
  return new Promise((resolve, reject) => {
    const hang = guard(reject);
    const top = (first: number, at: number): void => {
      if (at - start > load.seconds * 1000 || sent + batch > MAX_TOKENS) sending = false;
      while (sending && sent + batch - first <= load.inFlight) {
        if (batch === 1) stream.append();
        else stream.appendMany(batch);
        sent += batch;
      }
    };
    stream.onDelivery = (reader, tokens, at) => {
      hang.alive();
      held[reader] = tokens;
      if (reader === 0 && sending) top(tokens, at);
      if (sending || !held.every((count) => count === sent)) return;
      hang.stop();
      resolve({ sent, end: at });
    };
    top(0, start);
  });
}

export interface Paced {
  /** Milliseconds from sending each token to the first reader having it. */
  latencies: number[];
}

/** Sends tokens evenly, `rate` a second, and times each of them to the first reader. */
export async function pace(stream: Stream, rate: number, tokens: number): Promise<Paced> {
  const sentAt = new Float64Array(tokens);
  const latencies: number[] = [];
  return new Promise((resolve, reject) => {
    const hang = guard(reject);
    stream.onDelivery = (reader, held, at) => {
      if (reader !== 0) return;
      hang.alive();
      while (latencies.length < held) latencies.push(at - (sentAt[latencies.length] ?? at));
      if (held < tokens) return;
      hang.stop();
      resolve({ latencies });
    };
    const start = performance.now();
    let sent = 0;
    const tick = (): void => {
      const due = start + (sent * 1000) / rate;
      if (performance.now() >= due) {
        sentAt[sent] = performance.now();
        stream.append();
        stream.flush();
        sent += 1;
      }
      const next = start + (sent * 1000) / rate - performance.now();
      if (sent < tokens) setTimeout(tick, Math.max(0, next));
    };
    tick();
  });
}
