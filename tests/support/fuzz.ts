// Random frames of all kinds by all roles, in arrays up to the bound and over every carrier. Each
// single result is unknown, but the contract is not: nothing fails, nothing is done without a
// right, and nobody else notices.

import assert from "node:assert/strict";
import { besides } from "./bystanders.ts";
import { type Client, ClosedError, connect } from "./client.ts";
import type { Fixture } from "./fixture.ts";
import type { Frame } from "./frames.ts";
import { call, getMessage } from "./http.ts";
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
const ARRAY_FRAMES = 1000;
const FRAME_BYTES = 256 * 1024;

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
const USER = ["read", "presence", "publish", "cancel", "steer"];
const GRANTED: Record<string, string[]> = {
  viewer: ["read", "presence"],
  user: USER,
  agent: [...USER, "turn"],
  supervisor: [...USER, "turn", "edit"],
  admin: [...USER, "turn", "edit", "admin"],
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
};
const TYPES = [...Object.keys(NEEDED), "seen", "auth", "state", "dance"];
const NASTY = [null, true, 0, -1, 1.5, 2 ** 53, "", "\u0000", [], {}, "__proto__", "x".repeat(300)];
const STATUSES = ["streaming", "complete", "cancelled", "failed", "odd"];

/** Longer than an array of any frames may take. */
const LATE_MS = 5000;

/** Fuzzes a session beside bystanders for a while; gives how many frames that were. */
export async function fuzz(fixture: Fixture, random: Random, ms: number): Promise<Fuzz> {
  const [session, other] = [fixture.session("fuzzed"), fixture.session("other")];
  const fuzzed = new Fuzz(fixture.server, session, random);
  await besides(fixture.server, session, other, async () => {
    await fuzzed.begin();
    const end = performance.now() + ms;
    while (performance.now() < end) await fuzzed.step();
    await fuzzed.end();
  });
  assert.ok(fuzzed.taken > 0);
  assert.ok(fuzzed.slowest < LATE_MS, `an array took ${fuzzed.slowest} ms`);
  return fuzzed;
}

type Sent = Record<string, unknown> & { type: string };

class Fuzz {
  frames = 0;
  taken = 0;
  slowest = 0;
  #server: Server;
  #session: string;
  #random: Random;
  #serials: string[] = ["aaaa00000001"];
  #turns: string[] = ["t0"];
  #clients = new Map<string, Client>();
  /** A message of somebody who only looks on. */
  #theirs = { serial: "", version: "" };
  #mayHaveChanged = false;

  constructor(server: Server, session: string, random: Random) {
    this.#server = server;
    this.#session = session;
    this.#random = random;
  }

  async begin(): Promise<void> {
    const client = await connect(this.#server, this.#session, { sub: "onlooker" });
    const serial = await client.publish("mine");
    this.#theirs = { serial, version: serial };
    this.#serials.push(serial);
    await client.close();
  }

  /** Sends something, and checks what becomes of it. */
  async step(): Promise<void> {
    const random = this.#random;
    const role = random.pick(Object.keys(ROLES));
    const array = this.#array();
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

  #array(): Sent[] {
    const most = this.#random.pick([1, 1, 1, 10, 100, ARRAY_FRAMES]);
    const array: Sent[] = [];
    let bytes = 0;
    for (let ref = 0; ref < this.#random.between(1, most); ref += 1) {
      const frame = this.#frame(ref);
      bytes += JSON.stringify(frame).length + 1;
      if (bytes > FRAME_BYTES - 2) break;
      array.push(frame);
    }
    return array;
  }

  #frame(ref: number): Sent {
    const random = this.#random;
    const serial = random.pick(this.#serials);
    const turn = random.pick(this.#turns);
    const maybe = (fields: Record<string, unknown>) => (random.below(3) === 0 ? fields : {});
    const message = () => ({
      data: random.pick<unknown>(["text", "", 1, { a: [1] }, "long ".repeat(random.below(400))]),
      ...maybe({ id: `m${random.below(20)}` }),
      ...maybe({ role: random.pick(["user", "assistant", "system", "tool"]) }),
      ...maybe({ status: random.pick(STATUSES) }),
      ...maybe({ turn, attempt: random.below(4) }),
      ...maybe({ parent: serial }),
      ...maybe({ headers: { n: "1" } }),
      ...maybe({ wake: true }),
    });
    const type = random.pick(TYPES);
    const frame: Sent = {
      type,
      ref,
      serial,
      turn,
      ...maybe({ chain: random.between(1, 5) }),
      ...maybe({ id: `f${random.below(20)}` }),
      ...maybe({ attempt: random.below(4) }),
      ...maybe({ seq: random.between(1, 5) }),
      ...maybe({ ifVersion: random.pick(this.#serials) }),
      ...maybe({ headers: { n: "2" } }),
    };
    if (type === "publish") {
      frame.messages = Array.from({ length: random.pick([1, 1, 2, 100]) }, message);
      if (random.below(10) === 0) frame.interrupt = random.pick<unknown>([true, turn]);
    }
    if (type === "cancel") {
      const target = random.pick<Record<string, unknown>>([{ all: true }, { turn }]);
      for (const field of ["turn", "all"]) if (!(field in target)) delete frame[field];
      Object.assign(frame, target);
    }
    if (type === "turn.start") {
      frame.id = random.pick(this.#turns.concat(`t${random.below(50)}`));
      Object.assign(frame, maybe({ input: serial }), maybe({ metadata: { m: 1 } }));
    }
    if (type === "turn.end") frame.status = random.pick(STATUSES);
    if (type === "turn.usage" || (type === "turn.end" && random.below(2) === 0)) {
      // Sums stay within their names, or pass their bounds.
      const amount = random.pick<unknown>([1, 0, 0.5, 2 ** 53, -1, "1", null]);
      frame.usage = { [`n${random.below(100)}`]: amount, tokens: random.below(9) };
    }
    if (["append", "update", "steer", "signal", "presence.set"].includes(type)) {
      Object.assign(frame, { data: random.pick<unknown>(["more", "", { a: 1 }]), name: "n" });
      Object.assign(frame, maybe({ status: random.pick(STATUSES) }));
    }
    // Now and then one of its fields is nothing that anybody would send.
    if (random.below(6) === 0) {
      const field = random.pick(Object.keys(frame).filter((name) => name !== "ref"));
      frame[field] = random.pick(NASTY);
    }
    return frame;
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
        assert.notEqual(answer.error?.code, "internal", said);
        assert.ok((answer.error?.status ?? 500) < 500, said);
        continue;
      }
      this.taken += 1;
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
    const found = answer.result?.messages?.map(({ serial }) => serial) ?? [];
    if (this.#serials.length < 200) this.#serials.push(...found.slice(0, 3));
    else if (found[0]) this.#serials[1 + this.#random.below(199)] = found[0];
    const turn = answer.result?.turn?.id;
    if (turn && !this.#turns.includes(turn)) {
      if (this.#turns.length < 60) this.#turns.push(turn);
      else this.#turns[this.#random.below(60)] = turn;
    }
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
