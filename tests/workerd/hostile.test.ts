// P13.4: nothing that a client sends crashes a session, reaches another, or loses another's data.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect as tcp } from "node:net";
import { afterEach, beforeEach, describe, test } from "node:test";
import { type Client, connect, open } from "../support/client.ts";
import { openEvents } from "../support/events.ts";
import { useServer } from "../support/fixture.ts";
import type { Frame } from "../support/frames.ts";
import { FUZZ_LIMITS } from "../support/fuzz.ts";
import { call, getHistory } from "../support/http.ts";
import { Random } from "../support/random.ts";
import { OPCODE, Refused } from "../support/socket.ts";
import { makeToken } from "../support/token.ts";
import { within } from "../support/wait.ts";

// Refusals are to be of what is sent, and not of how much.
const fixture = useServer({ vars: { SESSILE_LIMITS: JSON.stringify(FUZZ_LIMITS) } });

let session: string;
let witness: Client;
let before: number;

/** Somebody decent in the same session: after each attack all is as it was for them. */
beforeEach(async () => {
  session = fixture.session("attacked");
  witness = await connect(fixture.server, session, { sub: "witness" });
  await witness.publish("before");
  before = (await getHistory(fixture.server, session)).length;
});

afterEach(async () => {
  await witness.publish("after");
  const seen = await witness.next((f) => f.message?.data === "after");
  assert.equal(seen.type, "message.create");
  assert.equal(witness.isClosed, false, "the witness was not disconnected");
  await witness.close();
});

async function attacker(): Promise<Client> {
  return connect(fixture.server, session, { sub: "mallory", caps: { "*": ["user"] } });
}

const NASTY: unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e308,
  2 ** 53,
  "",
  "x",
  "\u0000",
  [],
  {},
  [null],
  { a: 1 },
  "__proto__",
  { __proto__: null, toString: 1 },
  [[[]]],
  "x".repeat(300),
  "' OR 1=1 --",
  "NaN",
];

type Good = Record<string, unknown> & { type: string };

/** Every frame that a client may send, with everything that it may have. */
const GOLDEN = JSON.parse(
  readFileSync(new URL("../fixtures/frames/client.json", import.meta.url), "utf8"),
) as { name: string; frame: Good }[];

/** The path of every value within a value. */
function pathsIn(value: unknown): string[][] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    [key],
    ...pathsIn(inner).map((path) => [key, ...path]),
  ]);
}

function replaced<T>(value: T, [key = "", ...rest]: string[], by: unknown): T {
  const copy = structuredClone(value) as Record<string, unknown>;
  copy[key] = rest.length === 0 ? by : replaced(copy[key], rest, by);
  return copy as T;
}

describe("frames that are none", () => {
  test("P13.6 what cannot be read is one nack with ref null, or a close with 4400", async () => {
    const bad = [
      "",
      " ",
      "{",
      "}",
      "[",
      "nul",
      "undefined",
      "'a'",
      '{"type":}',
      '{"type":"publish",}',
      "NaN",
      '{"type":"signal"} {"type":"signal"}',
      "\u0000",
      "\ufeff{}",
      '{"a":1e999999}',
      '"text"',
      "7",
      "null",
      "true",
      "[1,2]",
      "[[]]",
      "[null]",
      "{}",
      '{"type":7}',
      '{"type":null}',
      '{"type":[]}',
    ];
    for (const text of bad) {
      const client = await attacker();
      client.socket.send(text);
      const answer = await Promise.race([
        client.next((f) => f.type === "nack"),
        within(client.closed, `an answer to ${text}`),
      ]);
      if ("type" in answer) {
        assert.equal(answer.ref, null, text);
        assert.match(answer.error?.code ?? "", /^(invalid|unknown)-frame$/, text);
        assert.ok((answer.error?.message ?? "").length > 5);
        await client.publish("still served");
        before += 1;
        await client.close();
      } else assert.equal(answer.code, 4400, text);
    }
    assert.equal((await getHistory(fixture.server, session)).length, before);
  });

  test("P13.1 an empty array asks for nothing and gets nothing", async () => {
    const client = await attacker();
    client.socket.send("[]");
    await client.publish("next");
    assert.deepEqual(
      client.inbox.map((f) => f.type).filter((type) => type === "nack"),
      [],
    );
  });

  test("P1.4 unknown frames are refused by name, unknown fields are ignored", async () => {
    const client = await attacker();
    const types = ["dance", "", "publish ", "PUBLISH", "__proto__", "constructor", "inbox"];
    for (const type of types) {
      const answer = await client.request({ type });
      assert.equal(answer.error?.code, "unknown-frame", type);
    }
    await client.ok({ type: "publish", messages: [{ data: 1, future: {} }], zukunft: [1] });
  });

  test("P13.2 anything in the place of any part of any frame is refused by name", async () => {
    const client = await connect(fixture.server, session, { sub: "mallory" });
    const serial = await client.publish("", { status: "streaming" });
    await client.ok({ type: "turn.start", id: "t1" });
    await client.ok({ type: "approval.request", id: "a1", title: "Buy?" });
    await client.ok({ type: "tool.call", id: "c1", turn: "t1", name: "location" });
    let refused = 0;
    for (const { name, frame } of GOLDEN) {
      const text = JSON.stringify(frame).replaceAll(/"k3x9[0-9a-f]{8}"/g, JSON.stringify(serial));
      const good = { ...(JSON.parse(text) as Good), ref: undefined };
      for (const path of pathsIn(good).filter(([first]) => first !== "type" && first !== "ref")) {
        client.inbox = [];
        client.send(NASTY.map((nasty, at) => ({ ...replaced(good, path, nasty), ref: `n${at}` })));
        await client.request({ type: "seen", n: 0 });
        const answers = client.inbox.filter(({ type }) => type === "ack" || type === "nack");
        assert.equal(answers.length, NASTY.length, `one answer each: ${name}, ${path}`);
        for (const { error, ref } of answers) {
          if (error === undefined) continue;
          refused += 1;
          const nasty = JSON.stringify(NASTY[Number(String(ref).slice(1))]);
          const message = `${name}, ${path.join(".")} = ${nasty}: ${JSON.stringify(error)}`;
          assert.ok(!["internal", "unknown-frame"].includes(error.code), message);
          // This deployment has no push.
          assert.ok(error.status < 500 || error.code === "not-configured", message);
          assert.ok(error.message.startsWith("unable to "), message);
        }
      }
    }
    assert.ok(refused > 2000, `${refused} were refused`);
    assert.equal(client.isClosed, false);
    await client.close();
  });

  test("P13.1 a ref that is no ref is refused", async () => {
    const client = await attacker();
    for (const ref of [{}, [], true, "r".repeat(129)]) {
      client.send({ type: "signal", ref, name: "n", data: 1 });
      const nack = await client.next("nack");
      assert.equal(nack.ref, null, JSON.stringify(ref));
      assert.match(nack.error?.code ?? "", /^(invalid-frame|too-large)$/);
    }
  });

  test("P14 JSON deeper than 64 is refused, and 64 is not", async () => {
    const nest = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
    const client = await attacker();
    // The frame, `messages`, the message: `data` begins at the fourth level.
    client.socket.send(`{"type":"publish","ref":"ok","messages":[{"data":${nest(60)}}]}`);
    assert.equal((await client.next((f) => f.ref === "ok")).type, "ack");
    for (const depth of [70, 1000, 50_000, 120_000]) {
      client.socket.send(`{"type":"publish","ref":"deep","messages":[{"data":${nest(depth)}}]}`);
      const nack = await client.next("nack");
      assert.match(nack.error?.code ?? "", /^(invalid-frame|too-large|over-limit)$/, `${depth}`);
      assert.equal(nack.ref, "deep", "what it refers to can be read of any depth");
    }
    const objects = `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`;
    client.socket.send(`{"type":"publish","ref":"deep","messages":[{"data":${objects}}]}`);
    await client.next("nack");
    client.socket.send(nest(100_000));
    const answer = await Promise.race([client.next("nack"), within(client.closed, "an answer")]);
    if (!("type" in answer)) assert.equal(answer.code, 4400);
    // An array is answered for each of its frames: one that is none harms none of the others.
    const body = `[${nest(100_000)},{"type":"publish","messages":[{"data":1}]}]`;
    const http = await call(fixture.server, session, "POST", "/frames", { body });
    const answers = (http.body as Frame[]).map(({ type }) => type);
    assert.deepEqual([http.status, answers], [200, ["nack", "ack"]], http.text.slice(0, 200));
  });

  test("P13.6 binary and bad UTF-8 are answered or closed", async () => {
    const kinds: ((client: Client) => void)[] = [
      (c) => c.socket.sendRaw(OPCODE.binary, Buffer.from([0, 1, 2, 255])),
      (c) => c.socket.sendRaw(OPCODE.binary, Buffer.from('{"type":"signal"}')),
      (c) => c.socket.sendRaw(OPCODE.text, Buffer.from([0xc3, 0x28, 0xff])),
      (c) => c.socket.sendRaw(OPCODE.close, Buffer.from([1])),
    ];
    for (const [i, attack] of kinds.entries()) {
      const client = await attacker();
      attack(client);
      await Promise.race([
        client.next((f) => f.type === "nack"),
        within(client.closed, `an answer to attack ${i}`),
      ]);
      client.cut();
    }
  });

  test("P13.4 what is no WebSocket any more is the runtime's to end, harms nobody", async () => {
    const kinds: ((client: Client) => void)[] = [
      (c) => c.socket.sendRaw(3, Buffer.from("reserved opcode")),
      (c) => c.socket.sendBytes(Buffer.from("GET / HTTP/1.1\r\n\r\n")),
      (c) => c.socket.sendBytes(Buffer.alloc(1000, 255)),
      (c) => c.socket.sendRaw(OPCODE.more, Buffer.from("no beginning")),
    ];
    for (const attack of kinds) {
      const client = await attacker();
      attack(client);
      await witness.publish("unharmed");
      client.cut();
    }
  });

  test("P13.6 a frame in many fragments is one frame", async () => {
    const client = await attacker();
    const text = JSON.stringify({
      type: "publish",
      ref: "frag",
      messages: [{ data: "ein Stück é \u{1f600}" }],
    });
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += 3) {
      const isFinal = at + 3 >= bytes.length;
      client.socket.sendRaw(
        at === 0 ? OPCODE.text : OPCODE.more,
        bytes.subarray(at, at + 3),
        isFinal,
      );
    }
    assert.equal((await client.next((f) => f.ref === "frag")).type, "ack");
  });

  test("P13.4 random bytes and random JSON for a while", async (t) => {
    const random = new Random();
    t.diagnostic(`SESSILE_SEED=${random.seed}`);
    const types = ["publish", "update", "delete", "append", "signal", "auth", "seen", "probe"];
    const words = [
      "messages",
      "data",
      "serial",
      "seq",
      "status",
      "headers",
      "id",
      "ref",
      "ifVersion",
    ];
    let client = await attacker();
    for (let round = 0; round < 400; round += 1) {
      const frame: Record<string, unknown> = { type: random.pick(types) };
      for (let i = random.below(5); i > 0; i -= 1) frame[random.pick(words)] = random.pick(NASTY);
      let text = JSON.stringify(frame);
      if (random.below(3) === 0) {
        const at = random.below(text.length);
        text = text.slice(0, at) + String.fromCharCode(random.below(255)) + text.slice(at + 1);
      }
      client.socket.send(text);
      if (client.isClosed) client = await attacker();
    }
    const answer = await client.request({ type: "signal", name: "end", data: 1 }).catch(() => null);
    if (answer !== null) assert.match(answer.type, /^n?ack$/);
    for (const frame of client.inbox) assert.notEqual(frame.error?.code, "internal");
  });
});

describe("requests that are none", () => {
  test("P13.4 strange addresses, queries and headers are answered and not with 5xx", async () => {
    const token = await makeToken();
    const paths = [
      "/",
      "/v1",
      "/v1/",
      "/v1/sessions",
      "/v1/sessions/",
      `/v1/sessions/${session}/`,
      `/v1/sessions/${session}/messages/`,
      `/v1/sessions/${session}//messages`,
      `/v1/sessions/${session}/messages/%00`,
      `/v1/sessions/${session}/messages/../../x`,
      `/v1/sessions/%/messages`,
      `/v1/sessions/%zz/messages`,
      `/v1/sessions/%ff/messages`,
      `/v1/sessions/${session}/messages?before=%00`,
      `/v1/sessions/${session}/messages?after=zzz`,
      `/v1/sessions/${session}/messages?limit=99999999999999999999`,
      `/v1/sessions/${session}/events?since=%ff`,
      `/v1/sessions/${session}/frames`,
      `/v2/sessions/${session}/messages`,
      `/v1/sessions/${session}/connect`,
    ];
    for (const path of paths) {
      for (const method of ["GET", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH"]) {
        if (method === "DELETE" && path.endsWith(`${session}/`)) continue;
        const response = await within(
          fetch(`${fixture.server.url}${path}`, {
            method,
            headers: { authorization: `Bearer ${token}` },
            signal: AbortSignal.timeout(10_000),
            ...(method === "POST" || method === "PATCH" ? { body: "{" } : {}),
          }),
          `${method} ${path}`,
        );
        assert.ok(response.status < 500, `${method} ${path}: ${response.status}`);
        await response.body?.cancel();
      }
    }
  });

  test("P13.4 huge headers and half requests hang nobody", async () => {
    const raw = (text: string): Promise<string> =>
      within(
        new Promise((done) => {
          let heard = "";
          const socket = tcp(fixture.server.port, "127.0.0.1", () => socket.write(text));
          socket.on("data", (chunk) => {
            heard += chunk.toString("latin1");
            socket.end();
          });
          socket.on("error", () => {});
          socket.on("close", () => done(heard));
        }),
        "an answer or a close",
      );
    const path = `/v1/sessions/${session}/messages`;
    const token = "x".repeat(300_000);
    const big = `GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`;
    assert.doesNotMatch(await raw(big), /^HTTP\/1.1 (2|5)/);
    const many = Array.from({ length: 2000 }, (_, i) => `x-${i}: ${i}\r\n`).join("");
    await raw(`GET ${path} HTTP/1.1\r\nhost: x\r\n${many}\r\n`);
    await raw("NONSENSE\r\n\r\n");
    const half = tcp(fixture.server.port, "127.0.0.1");
    half.on("error", () => {});
    half.write(`POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n`);
    const upgrade = await open(fixture.server, session, { by: "header" });
    await upgrade.close();
    half.destroy();
    await assert
      .rejects(
        open(fixture.server, "x".repeat(20_000)),
        (error) => error instanceof Refused || error instanceof Error,
      )
      .catch(() => {});
  });

  test("P13.4 a plain GET of connect is told what it should be", async () => {
    const answer = await call(fixture.server, session, "GET", "/connect");
    assert.ok([400, 426].includes(answer.status), `${answer.status}`);
    assert.match(answer.text, /[Ww]eb[Ss]ocket/);
  });

  test("P13.4 attaching and leaving a hundred times, in every rude way, pins none", async () => {
    for (let i = 0; i < 100; i += 1) {
      if (i % 4 === 3) {
        const events = await openEvents(fixture.server, session, { sub: `e${i}` });
        events.cut();
        continue;
      }
      const client = await open(fixture.server, session, { sub: `c${i}`, keep: false });
      if (i % 4 === 0) client.cut();
      else if (i % 4 === 1) await client.close();
      else {
        client.send({ type: "signal", name: "bye", data: i });
        client.cut();
      }
    }
  });

  test("P13.4 one session's serials and connections mean nothing in another", async () => {
    const other = fixture.session("other");
    const client = await connect(fixture.server, other, { sub: "mallory" });
    await client.publish("mine");
    const [theirs] = await getHistory(fixture.server, session);
    assert.ok(theirs);
    await client.refused({ type: "update", serial: theirs.serial, data: "x" }, "not-found");
    await client.refused({ type: "delete", serial: theirs.serial }, "not-found");
    await client.ok({ type: "signal", name: "psst", data: 1, to: "witness" });
    await witness.publish("mark");
    await witness.next((f: Frame) => f.message?.data === "mark");
    assert.ok(witness.inbox.every((frame) => frame.type !== "signal"));
    assert.equal((await getHistory(fixture.server, session))[0]?.data, "before");
  });
});
