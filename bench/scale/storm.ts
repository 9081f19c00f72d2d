// A deployment closes every socket: how its clients come back, by the decisions of the SDK's own
// connection (docs/scale.md).

import { IDLE, type State, step, TIMING } from "../../sdk/src/connection/reducer.ts";
import { PROTOCOL, SessileError } from "../../sdk/src/protocol/index.ts";
import { at, chance, print, short } from "./table.ts";

const CLIENTS = 10_000;
const TICK_MS = 50;
const AWAY = new SessileError("unreachable", "unable to connect; the server is away");

interface Storm {
  name: string;
  /** Connections of each session. */
  crowd?: number;
  /** The share of all clients that may connect in a second, at any time of it. */
  capacity?: number;
  /** Milliseconds over which the sockets are closed. */
  overMs?: number;
  /** Whether pauses have their full length, as without jitter. */
  isEven?: boolean;
}

interface Outcome {
  back: number[];
  /** Attempts in each tick. */
  attempts: number[];
  looks: number;
}

function run({ crowd = 1, capacity = 1e9, overMs = 0, isEven = false }: Storm): Outcome {
  const random = chance();
  const circumstances = (now: number) => ({
    now,
    random: isEven ? 1 : random(),
    timing: TIMING,
    canRenew: true,
    crowd,
  });
  const due: [client: number, closes: boolean][][] = [];
  const plan = (ms: number, client: number, closes: boolean) => {
    const tick = Math.floor(ms / TICK_MS);
    due[tick] ??= [];
    due[tick].push([client, closes]);
  };
  const states = Array.from({ length: CLIENTS }, (_, client) => {
    const began = circumstances(-3_600_000);
    let state: State = IDLE;
    for (const input of [
      { type: "start" },
      { type: "opening" },
      { type: "attached", protocol: PROTOCOL, forMs: Number.POSITIVE_INFINITY },
      { type: "caught-up" },
    ] as const) {
      [state] = step(state, input, began);
    }
    plan(random() * overMs, client, true);
    return state;
  });
  const outcome: Outcome = { back: [], attempts: [], looks: 0 };
  const lose = (client: number, now: number) => {
    let [next, effects] = step(
      states[client] ?? IDLE,
      { type: "lost", code: 1006 },
      circumstances(now),
    );
    if (effects.includes("look")) {
      outcome.looks += 1;
      [next] = step(next, { type: "looked", error: AWAY }, circumstances(now));
    }
    states[client] = next;
    plan(next.retryAt ?? now, client, false);
  };
  const most = capacity * CLIENTS;
  let room = most;
  for (let tick = 0; outcome.back.length < CLIENTS; tick += 1) {
    const now = tick * TICK_MS;
    room = Math.min(most, room + most * (TICK_MS / 1000));
    let attempts = 0;
    for (let next = 0; next < (due[tick]?.length ?? 0); next += 1) {
      const [client, closes] = due[tick]?.[next] ?? [0, true];
      if (closes) {
        lose(client, now);
        continue;
      }
      attempts += 1;
      let [state] = step(states[client] ?? IDLE, { type: "tick" }, circumstances(now + TICK_MS));
      [state] = step(state, { type: "opening" }, circumstances(now + TICK_MS));
      states[client] = state;
      if (room >= 1) {
        room -= 1;
        outcome.back.push(now);
      } else {
        lose(client, now + TICK_MS);
      }
    }
    outcome.attempts.push(attempts);
  }
  return outcome;
}

function busiestSecond(attempts: number[]): number {
  const inSecond = 1000 / TICK_MS;
  const seconds = attempts.map((_, first) =>
    attempts.slice(first, first + inSecond).reduce((sum, count) => sum + count, 0),
  );
  return Math.max(...seconds) / CLIENTS;
}

const percent = (share: number): string => `${short(share * 100)} %`;
const seconds = (ms: number): string => `${short(ms / 1000)} s`;

function line(storm: Storm): string[] {
  const { back, attempts, looks } = run(storm);
  const tries = attempts.reduce((sum, count) => sum + count, 0);
  return [
    storm.name,
    percent(busiestSecond(attempts)),
    seconds(at(0.5, back)),
    seconds(at(0.99, back)),
    short(tries / CLIENTS),
    short(looks / CLIENTS),
  ];
}

print([
  ["", "busiest second", "half", "99 %", "attempts", "look-ups"],
  line({ name: "room for all, one reader a session" }),
  line({ name: "  a hundred readers", crowd: 100 }),
  line({ name: "  ten thousand readers", crowd: 10_000 }),
  line({ name: "  closed over five minutes", overMs: 300_000 }),
  line({ name: "room for 10 % a second", capacity: 0.1 }),
  line({ name: "  closed over five minutes", capacity: 0.1, overMs: 300_000 }),
  line({ name: "  without jitter", capacity: 0.1, isEven: true }),
  line({ name: "room for 2 % a second", capacity: 0.02 }),
  line({ name: "  without jitter", capacity: 0.02, isEven: true }),
]);
