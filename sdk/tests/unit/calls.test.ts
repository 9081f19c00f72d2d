// Tools that run on one of several devices, against a small model of the session (P8.9).

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CallsFeature, type Tool } from "../../src/client/calls.ts";
import {
  type AttachedFrame,
  type ClaimCallFrame,
  type Engine,
  SessileError,
  type SettleCallFrame,
  type ToolCall,
  type ToolCallFrame,
} from "../../src/index.ts";

type Asked = ClaimCallFrame | SettleCallFrame;

function refusal(code: string): SessileError {
  return new SessileError(code as SessileError["code"], `unable to; ${code}`);
}

/** A session that holds calls, with the rules of P8.9 that a device meets. */
class Room {
  readonly calls = new Map<string, ToolCall>();
  readonly devices: Device[] = [];
  #places = 0;

  get pending(): ToolCall[] {
    return [...this.calls.values()].filter(({ status }) => status === "pending");
  }

  call(id: string, name = "locate", fields: Partial<ToolCall> = {}): void {
    const serial = this.#next();
    const rest = { session: "s", turn: "t", client: "agent", createdAt: 0, version: serial };
    const call: ToolCall = {
      id,
      name,
      input: { id },
      status: "pending",
      serial,
      ...rest,
      ...fields,
    };
    this.#tell("tool.call", call);
  }

  change(id: string, type: ToolCallFrame["type"], fields: Partial<ToolCall>): void {
    const { claim: _, ...call } = this.#get(id);
    this.#tell(type, { ...call, ...fields });
  }

  closed(connection: string): void {
    for (const { id, claim } of this.pending) {
      if (claim?.connection === connection) this.change(id, "tool.call", {});
    }
  }

  ask(frame: Asked, { client, connection }: Device): unknown {
    const call = this.#get(frame.call);
    if (call.status !== "pending") throw refusal("already-settled");
    const { claim } = call;
    const isOwn = (id: string | undefined) => claim?.client === client && claim.id === id;
    if (frame.type === "tool.claim") {
      if (claim && !isOwn(frame.id)) throw refusal("claimed");
      const at = { client, connection: connection ?? "", at: 0, leaseMs: 30_000 };
      const made = { id: frame.id ?? "", ...at };
      this.change(frame.call, "tool.claim", { claim: made });
    } else {
      if (!claim) throw refusal("conflict");
      if (!isOwn(frame.claim)) throw refusal("claimed");
      if (JSON.stringify(frame.output ?? "").length > 100) throw refusal("too-large");
      const status = frame.error === undefined ? "complete" : "failed";
      const { output, error } = frame;
      this.change(frame.call, "tool.result", { status, output, error });
    }
    return { call: this.#get(frame.call) };
  }

  #get(id: string): ToolCall {
    return this.calls.get(id) ?? assert.fail(`there is no call ${id}`);
  }

  #next(): string {
    this.#places += 1;
    return `x${String(this.#places).padStart(6, "0")}`;
  }

  #tell(type: ToolCallFrame["type"], changed: ToolCall): void {
    const call = { ...changed, version: this.#next() };
    this.calls.set(call.id, call);
    const frame = { type, serial: call.version, call };
    for (const device of this.devices) device.hear(frame);
  }
}

/** A page of a client, whose wire is cut and mended by the test. */
class Device {
  readonly calls: CallsFeature;
  readonly room: Room;
  readonly client: string;
  connection: string | undefined;
  /** How often its wire was cut. */
  cuts = 0;
  /** Frames of the session on their way, in order: nothing arrives before `deliver`. */
  #coming: (() => void)[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #link: { attached: unknown; request: unknown };
  #connections = 0;

  constructor(room: Room, client = "ann") {
    this.room = room;
    this.client = client;
    this.#link = { attached: undefined, request: (frame: Asked) => this.#ask(frame) };
    const engine = { link: this.#link, options: {}, changed: () => {} };
    this.calls = new CallsFeature(engine as unknown as Engine);
    room.devices.push(this);
    this.connect();
  }

  connect(): void {
    this.#connections += 1;
    this.connection = `${this.room.devices.indexOf(this)}.${this.#connections}`;
    const { connection, client } = this;
    const calls = this.room.pending;
    this.#coming.push(() => {
      this.#link.attached = { connection, client };
      this.calls.attached({ calls, connection, client } as unknown as AttachedFrame);
    });
  }

  cut(): void {
    const { connection } = this;
    this.connection = undefined;
    this.cuts += 1;
    this.#coming = [];
    for (const fail of this.#waiting) fail();
    this.#waiting.clear();
    if (connection) this.room.closed(connection);
  }

  hear(frame: ToolCallFrame): void {
    if (this.connection) this.#coming.push(() => this.calls.take(frame));
  }

  /** Lets everything arrive that is on its way. */
  async deliver(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet += 1) {
      await new Promise(setImmediate);
      for (let next = this.#coming.shift(); next; next = this.#coming.shift()) {
        next();
        quiet = 0;
      }
    }
  }

  #ask(frame: Asked): Promise<unknown> {
    return new Promise((done, fail) => {
      const lose = () => fail(refusal("disconnected"));
      if (!this.connection) return lose();
      this.#waiting.add(lose);
      const answer = (settle: () => void) =>
        this.#coming.push(() => {
          this.#waiting.delete(lose);
          settle();
        });
      try {
        const result = this.room.ask(frame, this);
        answer(() => done(result));
      } catch (error) {
        answer(() => fail(error));
      }
    });
  }
}

async function deliver(...devices: Device[]): Promise<void> {
  for (let round = 0; round < 3; round += 1) for (const device of devices) await device.deliver();
}

/** A tool that returns when the test says so. */
function slow() {
  const runs: { input: unknown; signal: AbortSignal; done(output: unknown): void }[] = [];
  const tool: Tool = (input, { signal }) =>
    new Promise((done) => void runs.push({ input, signal, done }));
  return { runs, tool };
}

function settled(room: Room, id = "c1") {
  const { status, output, error } = room.calls.get(id) ?? assert.fail("no such call");
  return error === undefined ? [status, output] : [status, error];
}

describe("P8.9 tools on devices", () => {
  test("a call is claimed, run once and settled, before its tool is there or after", async () => {
    const room = new Room();
    const device = new Device(room);
    room.call("c1");
    await device.deliver();
    assert.deepEqual(
      device.calls.pending.map(({ id }) => id),
      ["c1"],
    );
    assert.equal(room.pending[0]?.claim, undefined, "nobody has a tool for it");
    device.calls.handle("locate", ({ id }) => `here ${id}`);
    room.call("c2");
    room.call("c3", "other");
    await device.deliver();
    assert.deepEqual(settled(room), ["complete", "here c1"]);
    assert.deepEqual(settled(room, "c2"), ["complete", "here c2"]);
    assert.deepEqual(
      device.calls.value.map(({ id }) => id),
      ["c3"],
    );
  });

  test("of two tabs one runs it; when that one closes, the other does", async () => {
    const room = new Room();
    const tabs = [new Device(room), new Device(room)] as const;
    const tools = [slow(), slow()] as const;
    tabs.forEach(
      (tab, index) => void tab.calls.handle("locate", tools[index]?.tool ?? assert.fail()),
    );
    await deliver(...tabs);
    room.call("c1");
    await deliver(...tabs);
    assert.deepEqual(
      tools.map(({ runs }) => runs.length),
      [1, 0],
    );
    tabs[0].cut();
    await deliver(tabs[1]);
    assert.deepEqual(
      tools.map(({ runs }) => runs.length),
      [1, 1],
    );
    tools[1].runs[0]?.done("there");
    await deliver(...tabs);
    assert.deepEqual(settled(room), ["complete", "there"]);
  });

  test("a result that came while the wire was cut is sent over the next connection", async () => {
    const room = new Room();
    const device = new Device(room);
    const { runs, tool } = slow();
    device.calls.handle("locate", tool);
    room.call("c1");
    await device.deliver();
    device.cut();
    runs[0]?.done("here");
    await device.deliver();
    assert.deepEqual(settled(room), ["pending", undefined]);
    device.connect();
    await device.deliver();
    assert.deepEqual(settled(room), ["complete", "here"]);
    assert.equal(runs.length, 1, "it ran once");
  });

  test("a wire that was cut while the tool runs keeps the call for it", async () => {
    const room = new Room();
    const device = new Device(room);
    const { runs, tool } = slow();
    device.calls.handle("locate", tool);
    room.call("c1");
    await device.deliver();
    device.cut();
    device.connect();
    await device.deliver();
    assert.equal(room.pending[0]?.claim?.connection, device.connection, "it is claimed again");
    runs[0]?.done("here");
    await device.deliver();
    assert.deepEqual([settled(room), runs.length], [["complete", "here"], 1]);
  });

  test("a lease that ran out on a sleeping device is claimed again, if it is free", async () => {
    const room = new Room();
    const device = new Device(room);
    const { runs, tool } = slow();
    device.calls.handle("locate", tool);
    room.call("c1");
    room.call("c2");
    await device.deliver();
    room.change("c1", "tool.call", {});
    const claim = { id: "x", client: "ann", connection: "9", at: 0, leaseMs: 1 };
    room.change("c2", "tool.claim", { claim });
    await device.deliver();
    assert.equal(room.calls.get("c1")?.claim?.connection, device.connection);
    for (const run of runs) run.done("here");
    await device.deliver();
    assert.deepEqual([settled(room, "c1")[0], settled(room, "c2")[0]], ["complete", "pending"]);
    room.change("c2", "tool.call", {});
    await device.deliver();
    assert.deepEqual([settled(room, "c2"), runs.length], [["complete", "here"], 2]);
  });

  test("a tool that throws fails the call; an output that is refused does, too", async () => {
    const room = new Room();
    const device = new Device(room);
    device.calls.handle("locate", () => {
      throw new Error("no permission");
    });
    device.calls.handle("photo", () => "x".repeat(200));
    device.calls.handle("quiet", () => undefined);
    room.call("c1");
    room.call("c2", "photo");
    room.call("c3", "quiet");
    await device.deliver();
    assert.deepEqual(settled(room), ["failed", { message: "no permission" }]);
    assert.deepEqual(settled(room, "c2"), ["failed", { message: "unable to; too-large" }]);
    assert.deepEqual(settled(room, "c3"), ["complete", null]);
  });

  test("a call that expires aborts its run, and nothing is sent", async () => {
    const room = new Room();
    const device = new Device(room);
    const { runs, tool } = slow();
    device.calls.handle("locate", tool);
    room.call("c1");
    await device.deliver();
    room.change("c1", "tool.expire", { status: "expired" });
    await device.deliver();
    assert.equal(runs[0]?.signal.aborted, true);
    runs[0]?.done("late");
    await device.deliver();
    assert.deepEqual(settled(room), ["expired", undefined]);
  });

  test("calls of others, and those without a tool any more, are left alone", async () => {
    const room = new Room();
    const device = new Device(room);
    const { runs, tool } = slow();
    const end = device.calls.handle("locate", tool);
    room.call("c1", "locate", { to: ["bob", "9.9"] });
    room.call("c2", "locate", { to: ["bob", "ann"] });
    await device.deliver();
    assert.deepEqual(
      runs.map(({ input }) => input),
      [{ id: "c2" }],
    );
    end();
    room.call("c3");
    await device.deliver();
    assert.equal(runs.length, 1);
  });
});

/** Repeatable randomness. */
function random(seed: number): (most: number) => number {
  let state = seed;
  return (most) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * most);
  };
}

describe("P8.9 devices that come and go", () => {
  for (let seed = 1; seed <= 50; seed += 1) {
    test(`each call is settled once, and run by one device at a time, seed ${seed}`, async () => {
      const pick = random(seed);
      const room = new Room();
      const devices = Array.from({ length: 3 }, () => new Device(room));
      const runs: { call: string; device: Device; cuts: number; done(output: unknown): void }[] =
        [];
      for (const device of devices) {
        device.calls.handle("locate", ({ id }) => {
          // The session gives away what a device ran whose wire was cut.
          const beside = runs.filter((run) => run.call === id && run.device.cuts === run.cuts);
          assert.equal(beside.length, 0);
          const { cuts } = device;
          return new Promise((done) => void runs.push({ call: id, device, cuts, done }));
        });
      }
      const finish = (at: number) => {
        const [run] = runs.splice(at, 1);
        run?.done(run.call);
      };
      for (let step = 0; step < 60; step += 1) {
        const device = devices[pick(devices.length)] ?? assert.fail();
        const what = pick(6);
        if (what === 0) room.call(`c${step}`);
        else if (what === 1 && device.connection) device.cut();
        else if (what === 2 && !device.connection) device.connect();
        else if (what === 3 && runs.length > 0) finish(pick(runs.length));
        else await device.deliver();
      }
      for (let round = 0; round < 10; round += 1) {
        for (const device of devices) {
          if (!device.connection) device.connect();
          await device.deliver();
        }
        while (runs.length > 0) finish(0);
      }
      assert.deepEqual(room.pending, []);
      for (const { id, output } of room.calls.values()) assert.equal(output, id);
    });
  }
});
