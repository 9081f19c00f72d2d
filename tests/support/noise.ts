// Random frames of all kinds: most of them noise, and some that follow from what was made before.

import type { Frame } from "./frames.ts";
import type { Random } from "./random.ts";

const ARRAY_FRAMES = 1000;
const FRAME_BYTES = 256 * 1024;
const NASTY = [null, true, 0, -1, 1.5, 2 ** 53, "", "\u0000", [], {}, "__proto__", "x".repeat(300)];
const STATUSES = ["streaming", "complete", "cancelled", "failed", "odd"];

export type Sent = Record<string, unknown> & { type: string };

/** The parts of a result that later frames may name. */
interface Made {
  messages?: { serial: string }[];
  approval?: { id: string };
  call?: { id: string };
  turn?: { id: string; status: string };
}

type Maybe = (fields: Record<string, unknown>) => Record<string, unknown>;

export class Noise {
  readonly #random: Random;
  readonly #types: string[];
  #serials: string[] = ["aaaa00000001"];
  #turns: string[] = ["t0"];
  /** Things that were made: some of the frames to come follow from them. */
  #streams: { role: string; serial: string; seq: number }[] = [];
  #led: { role: string; turn: string }[] = [];
  #steers: { turn: string; serial: string }[] = [];
  #approvals: string[] = [];
  #calls: string[] = [];

  constructor(random: Random, types: string[]) {
    this.#random = random;
    this.#types = types;
  }

  array(role: string): Sent[] {
    const most = this.#random.pick([1, 1, 1, 10, 100, ARRAY_FRAMES]);
    const array: Sent[] = [];
    let bytes = 0;
    for (let ref = 0; ref < this.#random.between(1, most); ref += 1) {
      const likely = this.#random.below(4) === 0 ? this.#likely(role) : undefined;
      const frame = likely ? { ...likely, ref } : this.#frame(ref);
      bytes += JSON.stringify(frame).length + 1;
      if (bytes > FRAME_BYTES - 2) break;
      array.push(frame);
    }
    return array;
  }

  /** A frame that follows from earlier ones, if there is any. */
  #likely(role: string): Sent | undefined {
    const random = this.#random;
    const own = <T extends { role: string }>(all: T[]) => {
      const found = all.filter((it) => it.role === role);
      return found.length > 0 ? random.pick(found) : undefined;
    };
    const any = <T>(all: T[]) => (all.length > 0 ? random.pick(all) : undefined);
    const [stream, led] = [own(this.#streams), own(this.#led)];
    const [approval, call, steer] = [any(this.#approvals), any(this.#calls), any(this.#steers)];
    const key = `k${random.below(3)}`;
    const frames: Sent[] = [
      { type: "publish", messages: [{ data: "", status: "streaming" }] },
      { type: "approval.request", title: "Buy?", grant: key },
      { type: "turn.start" },
      { type: "lead.return" },
    ];
    if (stream) frames.push({ type: "append", serial: stream.serial, seq: stream.seq, data: "x" });
    if (led) {
      const { turn } = led;
      const to = ["the-user", "the-supervisor", "the-admin"];
      frames.push({ type: "tool.call", turn, name: "location", to });
      frames.push({ type: "turn.start", within: turn });
      for (const type of ["heartbeat", "suspend", "resume"]) {
        frames.push({ type: `turn.${type}`, turn });
      }
      frames.push({ type: "turn.end", turn, status: "complete" });
    }
    const other = any(this.#led);
    if (other) frames.push({ type: "steer", turn: other.turn, data: "shorter" });
    if (steer) frames.push({ type: "turn.steered", ...steer });
    if (approval) {
      const decision = random.pick(["approve", "reject", "dismiss"]);
      frames.push({ type: "approval.decide", approval, decision, scope: "session" });
      frames.push({ type: "grant.revoke", key }, { type: "approval.withdraw", approval });
    }
    if (call) {
      frames.push({ type: "tool.claim", call }, { type: "tool.result", call, output: 1 });
      frames.push({ type: "tool.withdraw", call });
    }
    const frame = random.pick(frames);
    if (frame.type === "append" && stream) stream.seq += 1;
    return frame;
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
    const type = random.pick(this.#types);
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
      const target = random.below(20) === 0 ? { all: true } : { turn };
      for (const field of ["turn", "all"]) if (!(field in target)) delete frame[field];
      Object.assign(frame, target);
    }
    if (type === "turn.start") {
      frame.id = random.pick(this.#turns.concat(`t${random.below(50)}`));
      Object.assign(frame, maybe({ input: serial }), maybe({ metadata: { m: 1 } }));
      Object.assign(frame, maybe({ within: random.pick(this.#turns) }), maybe({ detached: true }));
    }
    Object.assign(frame, this.#asking(type, maybe), this.#beside(type, maybe));
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

  /** The fields of a frame about what people and devices are asked, and about who leads. */
  #asking(type: string, maybe: Maybe): Record<string, unknown> {
    const random = this.#random;
    const whom = random.pick(["the-user", "the-admin", "role:user", "role:supervisor"]);
    const [approval, call] = ["a", "c"].map((letter) => `${letter}${random.below(20)}`);
    const deadlineMs = random.pick([1000, 2000, 86_400_000]);
    switch (type) {
      case "approval.request": {
        const options = [{ id: "o1", label: "One" }];
        return {
          ...{ id: approval, title: "Buy?" },
          ...maybe({ kind: random.pick(["approval", "question"]) }),
          ...maybe({ options }),
          ...maybe({ assignees: [whom] }),
          ...maybe({ deadlineMs, onDeadline: random.pick(["reject", "approve", "expire"]) }),
          ...maybe({ deadlineMs, escalate: [{ afterMs: 1000, assignees: ["the-user"] }] }),
          ...maybe({ grant: `k${random.below(3)}` }),
          ...maybe({ onMessage: "dismiss" }),
          ...maybe({ schema: { type: "object" } }),
        };
      }
      case "approval.decide":
        return {
          approval,
          decision: random.pick(["approve", "reject", "answer", "dismiss"]),
          ...maybe({ option: "o1" }),
          ...maybe({ data: random.pick<unknown>([{}, 1]) }),
          ...maybe({ scope: random.pick(["once", "turn", "session"]) }),
        };
      case "approval.withdraw":
        return { approval };
      case "grant.revoke":
        return { key: `k${random.below(3)}` };
      case "tool.call":
        return {
          ...{ id: call, name: "location", input: { precise: true } },
          ...maybe({ to: [whom] }),
          ...maybe({ deadlineMs }),
          ...maybe({ suspend: true }),
          ...maybe({ schema: { type: "number" } }),
        };
      case "tool.claim":
        return { call, ...maybe({ leaseMs: 1000 }) };
      case "tool.result":
        return { call, ...random.pick([{ output: 1 }, { output: "x" }, { error: "denied" }]) };
      case "tool.withdraw":
        return { call };
      case "lead.take":
        return maybe({ turns: random.pick(["cancel", "finish"]) });
      case "lead.return":
        return maybe({ wake: random.pick(["last", "all", "none"]) });
      default:
        return {};
    }
  }

  /** The fields of a frame about the state, and about annotations. */
  #beside(type: string, maybe: Maybe): Record<string, unknown> {
    const random = this.#random;
    const path = () =>
      Array.from({ length: random.below(4) }, () => random.pick(["a", "b", "__proto__", "c"]));
    const operation = () =>
      random.pick<() => object>([
        () => ({ op: "set", path: path(), value: random.pick<unknown>([1, {}, "x", { a: [1] }]) }),
        () => ({ op: "increment", path: path(), by: random.pick([1, -0.5, 1e308]) }),
        () => ({ op: "remove", path: path() }),
        () => ({ op: random.pick(["reset", "set", "test"]) }),
      ])();
    switch (type) {
      case "state":
        return { ops: Array.from({ length: random.pick([1, 1, 3, 20]) }, operation) };
      case "annotate":
      case "unannotate": {
        const method = random.pick(["distinct", "unique", "multiple", "odd"]);
        const name = random.pick(["", "up", "down"]);
        return { kind: `like:${method}`, ...maybe({ name }), ...maybe({ count: 2, data: "why" }) };
      }
      default:
        return {};
    }
  }
  /** The serial of a message that frames may be about. */
  add(serial: string): void {
    this.#serials.push(serial);
  }

  /** An append that is refused leaves its sequence unknown. */
  refused({ type, serial }: Sent): void {
    if (type === "append") this.#streams = this.#streams.filter((it) => it.serial !== serial);
  }

  /** Takes what a frame has made. */
  learn(role: string, frame: Sent, answer: Frame): void {
    const isRepeat = answer.result?.duplicate === true;
    const found = answer.result?.messages?.map(({ serial }) => serial) ?? [];
    if (this.#serials.length < 200) this.#serials.push(...found.slice(0, 3));
    else if (found[0]) this.#serials[1 + this.#random.below(199)] = found[0];
    const { messages, approval, call, turn: led } = (answer.result ?? {}) as Made;
    if (frame.type === "publish") {
      for (const [at, { status }] of (frame.messages as { status?: string }[]).entries()) {
        const serial = messages?.[at]?.serial;
        if (status !== "streaming" || !serial || isRepeat) continue;
        this.#streams = [...this.#streams.slice(-20), { role, serial, seq: 1 }];
      }
    }
    if (frame.type === "turn.start" && led?.status === "active") {
      this.#led = [...this.#led.slice(-20), { role, turn: led.id }];
    }
    const steer = frame.type === "steer" && (messages?.[0]?.serial ?? answer.result?.serial);
    if (steer) {
      this.#steers = [...this.#steers.slice(-20), { turn: String(frame.turn), serial: steer }];
    }
    if (approval) this.#approvals = [...this.#approvals.slice(-20), approval.id];
    if (call) this.#calls = [...this.#calls.slice(-20), call.id];
    const turn = answer.result?.turn?.id;
    if (turn && !this.#turns.includes(turn)) {
      if (this.#turns.length < 60) this.#turns.push(turn);
      else this.#turns[this.#random.below(60)] = turn;
    }
  }
}
