// Random frames of all kinds (noise.ts) by all roles, in arrays up to the bound and over every
// carrier. Each single result is unknown, but the contract is not: nothing fails, nothing is done
// without a right, and nobody else notices.

import assert from "node:assert/strict";
import { besides } from "./bystanders.ts";
import { type Client, ClosedError, connect } from "./client.ts";
import type { Fixture } from "./fixture.ts";
import type { Frame } from "./frames.ts";
import { call, getMessage } from "./http.ts";
import { Noise, type Sent } from "./noise.ts";
import type { Random } from "./random.ts";
import type { Server } from "./server.ts";
import { makeToken, type TokenOptions } from "./token.ts";

/** So fast that what is refused is so for another reason. */
export const FUZZ_LIMITS = {
  framesPerSecond: 1e6,
  framesBurst: 1e6,
  refusalsPerSecond: 1e6,
  refusalsBurst: 1e6,
  signalsPerSecond: 1e6,
};

const ROLES: Record<string, string[]> = {
  nobody: [],
  viewer: ["viewer"],
  reader: ["read"],
  writer: ["publish"],
  canceller: ["read", "cancel"],
  steerer: ["read", "steer"],
  user: ["user"],
  agent: ["agent"],
  supervisor: ["supervisor"],
  admin: ["admin"],
};
const BOTH = ["read", "presence", "publish", "cancel", "steer", "state", "annotate"];
const USER = [...BOTH, "approve", "push"];
const GRANTED: Record<string, string[]> = {
  viewer: ["read", "presence"],
  user: USER,
  agent: [...BOTH, "turn"],
  supervisor: [...USER, "turn", "edit", "lead"],
  admin: [...USER, "turn", "edit", "lead", "admin"],
};

/** The operations of which one at least must be there for a frame to be taken (P2.3). */
const NEEDED: Record<string, string[]> = {
  publish: ["publish"],
  append: ["publish", "edit"],
  update: ["publish", "edit"],
  delete: ["publish", "edit"],
  signal: ["publish"],
  "turn.start": ["turn"],
  "turn.end": ["turn"],
  "turn.suspend": ["turn"],
  "turn.resume": ["turn"],
  "turn.heartbeat": ["turn"],
  "turn.usage": ["turn"],
  "turn.adopt": ["turn"],
  "turn.steered": ["turn"],
  cancel: ["cancel"],
  steer: ["steer"],
  "presence.set": ["presence"],
  "presence.leave": ["presence"],
  "approval.request": ["turn"],
  "approval.decide": ["approve"],
  "approval.withdraw": ["turn"],
  "grant.revoke": ["approve"],
  "tool.call": ["turn"],
  "tool.claim": ["publish"],
  "tool.result": ["publish"],
  "tool.withdraw": ["turn"],
  "lead.take": ["lead"],
  "lead.return": ["lead"],
  state: ["state"],
  annotate: ["annotate"],
  unannotate: ["annotate"],
  read: ["read"],
};
// The deployment has no push.
const TYPES = [...Object.keys(NEEDED), "seen", "auth", "dance", "notify"];

/** Longer than an array of any frames may take. */
const LATE_MS = 5000;

/** Fuzzes a session beside bystanders for a while; gives how many frames that were. */
export async function fuzz(fixture: Fixture, random: Random, ms: number): Promise<Fuzz> {
  const [session, other] = [fixture.session("fuzzed"), fixture.session("other")];
  const fuzzed = new Fuzz(fixture.server, session, random);
  const never = () => Object.keys(NEEDED).filter((type) => !fuzzed.kinds.has(type));
  await besides(fixture.server, session, other, async () => {
    await fuzzed.begin();
    const end = performance.now() + ms;
    while (performance.now() < end) await fuzzed.step();
    // A busy machine needs longer for some of each kind.
    const last = end + 4 * ms;
    while (never().length > 0 && performance.now() < last) await fuzzed.step();
    await fuzzed.end();
  });
  assert.deepEqual(never(), [], "every kind of frame was taken at least once");
  assert.ok(fuzzed.slowest < LATE_MS, `an array took ${fuzzed.slowest} ms`);
  return fuzzed;
}

class Fuzz {
  frames = 0;
  taken = 0;
  /** Kinds of frames that were taken. */
  readonly kinds = new Set<string>();
  slowest = 0;
  #server: Server;
  #session: string;
  #random: Random;
  readonly #noise: Noise;
  #clients = new Map<string, Client>();
  /** A message of somebody who only looks on. */
  #theirs = { serial: "", version: "" };
  #mayHaveChanged = false;

  constructor(server: Server, session: string, random: Random) {
    this.#server = server;
    this.#session = session;
    this.#random = random;
    this.#noise = new Noise(random, TYPES);
  }

  async begin(): Promise<void> {
    const client = await connect(this.#server, this.#session, { sub: "onlooker" });
    const serial = await client.publish("mine");
    this.#theirs = { serial, version: serial };
    this.#noise.add(serial);
    await client.close();
  }

  /** Sends something, and checks what becomes of it. */
  async step(): Promise<void> {
    const random = this.#random;
    const role = random.pick(Object.keys(ROLES));
    const array = this.#noise.array(role);
    const began = performance.now();
    if (random.below(3) === 0) await this.#post(role, array);
    else await this.#send(role, array);
    this.slowest = Math.max(this.slowest, performance.now() - began);
    this.frames += array.length;
    if (random.below(8) === 0) await this.#look();
  }

  async end(): Promise<void> {
    await this.#look();
    for (const client of this.#clients.values()) await client.close();
  }

  #options(role: string): TokenOptions {
    return { sub: `the-${role}`, caps: { "*": ROLES[role] ?? [] } };
  }

  #operations(role: string): string[] {
    return (ROLES[role] ?? []).flatMap((word) => GRANTED[word] ?? [word]);
  }

  async #send(role: string, array: Sent[]): Promise<void> {
    const known = this.#clients.get(role);
    const mayRead = this.#operations(role).some((it) => it === "read" || it === "admin");
    if (!mayRead) return this.#post(role, array);
    const client =
      known && !known.isClosed
        ? known
        : await connect(this.#server, this.#session, { ...this.#options(role) });
    this.#clients.set(role, client);
    client.inbox = [];
    // Answers come in order, so that of the last one is the last of all.
    const end = `end-${this.frames}`;
    client.send(array);
    try {
      await client.request({ type: "seen", n: 0, ref: end });
    } catch (error) {
      if (!(error instanceof ClosedError)) throw error;
      assert.fail(`${role} was closed: ${error.message} after ${JSON.stringify(array)}`);
    }
    const answers = client.inbox.filter(({ type }) => type === "ack" || type === "nack");
    this.#check(role, array, answers, false);
  }

  async #post(role: string, array: Sent[]): Promise<void> {
    const token = await makeToken(this.#options(role));
    const json = array.length === 1 && this.#random.below(2) === 0 ? array[0] : array;
    const answer = await call(this.#server, this.#session, "POST", "/frames", { token, json });
    const what = `${role}: ${answer.status} ${answer.text.slice(0, 300)}`;
    assert.ok(answer.status < 500, what);
    if (role === "nobody") {
      assert.equal(answer.status, 403, what);
      return;
    }
    if (answer.status === 429 && !Array.isArray(answer.body)) return;
    const answers = Array.isArray(answer.body) ? answer.body : [answer.body];
    this.#check(role, array, answers as Frame[], true);
  }

  #check(role: string, array: Sent[], answers: Frame[], isRequest: boolean): void {
    const granted = this.#operations(role);
    if (isRequest) assert.equal(answers.length, array.length, `one answer each: ${role}`);
    const byRef = new Map(answers.map((answer) => [answer.ref, answer]));
    for (const frame of array) {
      const answer = byRef.get(frame.ref as number);
      const short = (it: unknown) => JSON.stringify(it)?.slice(0, 300);
      const said = `${role} ${short(frame)}: ${short(answer)}`;
      assert.ok(answer !== undefined, `answered: ${said}`);
      if (answer.type === "nack") {
        this.#noise.refused(frame);
        assert.notEqual(answer.error?.code, "internal", said);
        const { status, code } = answer.error ?? { status: 500 };
        assert.ok(status < 500 || code === "not-configured", said);
        continue;
      }
      this.taken += 1;
      this.kinds.add(frame.type);
      const needed = NEEDED[frame.type];
      const isGranted = needed === undefined || needed.some((it) => granted.includes(it));
      assert.ok(isGranted || granted.includes("admin"), `without a right: ${said}`);
      assert.ok(!isRequest || !/^(presence|seen|auth)/.test(frame.type), said);
      this.#learn(role, frame, answer, granted);
    }
  }

  #learn(role: string, frame: Sent, answer: Frame, granted: string[]): void {
    // A repeat changes nothing, whatever it names (P13.1).
    const isRepeat = answer.result?.duplicate === true;
    const isTheirs = frame.serial === this.#theirs.serial && !isRepeat;
    if (isTheirs && ["update", "delete", "append"].includes(frame.type)) {
      const said = `${role} changed another's: ${JSON.stringify([frame, answer]).slice(0, 600)}`;
      assert.ok(granted.includes("edit") || granted.includes("admin"), said);
      this.#mayHaveChanged = true;
    }
    this.#noise.learn(role, frame, answer);
  }

  /** A message that nobody was allowed to change is as it was. */
  async #look(): Promise<void> {
    const { serial, version } = this.#theirs;
    const message = await getMessage(this.#server, this.#session, serial);
    if (!this.#mayHaveChanged) {
      assert.equal(message.version, version, "changed without a right");
      assert.equal(message.data, "mine");
    }
    this.#theirs.version = message.version;
    this.#mayHaveChanged = false;
    if (message.deletedAt !== undefined || message.data !== "mine") await this.begin();
  }
}
