// P12, P3.9: the same over plain HTTP, as frames and as shorthand.

import assert from "node:assert/strict";
import { connect as tcp } from "node:net";
import { describe, test } from "node:test";
import { address, connect } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import type { Frame, Message, Published } from "../support/frames.ts";
import { assertRefused, call, field, getMessage, problem, streamBody } from "../support/http.ts";
import { makeToken } from "../support/token.ts";
import { within } from "../support/wait.ts";

const fixture = useServer();

function lines(text: string): Frame[] {
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

describe("shorthand", () => {
  test("P12.2 POST, PATCH and DELETE of messages; 201 for what is created", async () => {
    const session = fixture.session();
    const { server } = fixture;
    const one = await call(server, session, "POST", "/messages", { json: { data: "one" } });
    assert.equal(one.status, 201, one.text);
    const [published] = field(one, "messages") as Published[];
    assert.ok(published);
    const two = await call(server, session, "POST", "/messages", {
      json: [{ data: "two" }, { data: "three" }],
    });
    assert.equal((field(two, "messages") as Published[]).length, 2);
    const path = `/messages/${published.serial}`;
    const patched = await call(server, session, "PATCH", path, { json: { data: "ONE" } });
    assert.equal(patched.status, 200, patched.text);
    assert.ok(String(field(patched, "version")) > published.version);
    assert.equal((await getMessage(server, session, published.serial)).data, "ONE");
    const deleted = await call(server, session, "DELETE", path);
    assert.equal(deleted.status, 200, deleted.text);
    const again = await call(server, session, "PATCH", path, { json: { data: "x" } });
    assertRefused(again, again.status, "deleted");
    assert.ok(again.status >= 400);
  });

  test("P12.2 a repeat with the same id creates nothing and so is 200", async () => {
    const session = fixture.session();
    const json = { id: "h1", data: "once" };
    const first = await call(fixture.server, session, "POST", "/messages", { json });
    const again = await call(fixture.server, session, "POST", "/messages", { json });
    assert.equal(first.status, 201);
    assert.equal(again.status, 200);
    assert.equal((field(again, "messages") as Published[])[0]?.duplicate, true);
  });

  test("P3.9 one message that is not there is 404 not-found", async () => {
    const session = fixture.session();
    const answer = await call(fixture.server, session, "GET", "/messages/aaaa00000001");
    assertRefused(answer, 404, "not-found");
  });

  test("P12 an unknown path or method gets an error that says so", async () => {
    const session = fixture.session();
    for (const [method, path] of [
      ["GET", "/nothing"],
      ["GET", "/messages/"],
      ["PUT", "/turns/t/begin"],
    ]) {
      const answer = await call(fixture.server, session, method ?? "", path);
      assertRefused(answer, 404, "not-found");
    }
  });

  test("P12.2 another method than an address takes is 405, with those that it takes", async () => {
    const session = fixture.session();
    const cases: [string, string, string][] = [
      ["PUT", "/messages", "GET, POST"],
      ["POST", "", "GET, PATCH, DELETE"],
      ["DELETE", "/turns/t", "GET"],
      ["GET", "/turns/t/cancel", "POST"],
      ["POST", "/v1/inbox", "GET"],
    ];
    for (const [method, path, allow] of cases) {
      const answer = await call(fixture.server, session, method, path);
      assertRefused(answer, 405, "method-not-allowed");
      assert.equal(answer.headers.get("allow"), allow, `${method} ${path}`);
      assert.ok(problem(answer).message.includes(allow), answer.text);
    }
  });

  test("P1.4 a parameter of another address is refused, one that nobody knows is not", async () => {
    const session = fixture.session();
    const cases: [string, string][] = [
      ["/messages?since=nonsense", "since"],
      ["/presence?limit=1", "limit"],
      ["?before=x", "before"],
      ["/messages?limit=nonsense", "limit"],
      ["/turns?status=nonsense", "status"],
    ];
    for (const [path, name] of cases) {
      const answer = await call(fixture.server, session, "GET", path);
      assertRefused(answer, 400, "invalid-frame");
      assert.ok(problem(answer).message.includes(name), answer.text);
    }
    const odd = await call(fixture.server, session, "POST", "/messages?stream=maybe", {
      json: { data: 1 },
    });
    assertRefused(odd, 400, "invalid-frame");
    const fine = await call(fixture.server, session, "GET", "/messages?utm_source=x&limit=2");
    assert.equal(fine.status, 200, fine.text);
  });
});

describe("frames over HTTP", () => {
  test("P12.1 one frame is answered with its ack or nack and the error's status", async () => {
    const session = fixture.session();
    const { server } = fixture;
    const ack = await call(server, session, "POST", "/frames", {
      json: { type: "publish", ref: 7, messages: [{ data: "one" }] },
    });
    assert.equal(ack.status, 200, ack.text);
    assert.deepEqual([field(ack, "type"), field(ack, "ref")], ["ack", 7]);
    const nack = await call(server, session, "POST", "/frames", {
      json: { type: "update", ref: 8, serial: "aaaa00000001", data: "x" },
    });
    assert.equal(nack.status, 404, nack.text);
    assert.deepEqual([field(nack, "type"), field(nack, "ref")], ["nack", 8]);
    const unknown = await call(server, session, "POST", "/frames", { json: { type: "dance" } });
    assert.equal(unknown.status, 400, unknown.text);
  });

  test("P12.1 an array gets one answer per frame in order, with or without ref", async () => {
    const session = fixture.session();
    const answer = await call(fixture.server, session, "POST", "/frames", {
      json: [
        { type: "publish", messages: [{ data: "one" }] },
        { type: "dance", ref: "d" },
        { type: "signal", name: "n", data: null },
      ],
    });
    assert.equal(answer.status, 200, answer.text);
    const frames = answer.body as Frame[];
    assert.deepEqual(
      frames.map((f) => f.type),
      ["ack", "nack", "ack"],
    );
    assert.equal(frames[1]?.ref, "d");
  });

  test("P12.1 NDJSON gets one line per line", async () => {
    const session = fixture.session();
    const body = [
      JSON.stringify({ type: "publish", messages: [{ data: "streamed", status: "streaming" }] }),
      "this is not JSON",
      JSON.stringify({ type: "publish", ref: 3, messages: [{ data: 3 }] }),
      "",
    ].join("\n");
    const answer = await call(fixture.server, session, "POST", "/frames", {
      body,
      type: "application/x-ndjson",
    });
    assert.equal(answer.status, 200, answer.text);
    const answers = lines(answer.text);
    assert.deepEqual(
      answers.map((f) => f.type),
      ["ack", "nack", "ack"],
    );
    assert.equal(answers[1]?.error?.code, "invalid-frame");
    assert.equal(answers[2]?.ref, 3);
  });

  test("P1.3 a line that is not UTF-8 is refused, and harms no other", async () => {
    const line = (data: string) => `${JSON.stringify({ type: "publish", messages: [{ data }] })}\n`;
    const body = Buffer.concat([
      Buffer.from(line("before")),
      Buffer.from(line("a?z")).map((byte) => (byte === 0x3f ? 0xff : byte)),
      Buffer.from(line("after")),
    ]);
    const answer = await call(fixture.server, fixture.session(), "POST", "/frames", {
      body,
      type: "application/x-ndjson",
    });
    const answers = lines(answer.text);
    assert.deepEqual(
      answers.map((f) => f.type),
      ["ack", "nack", "ack"],
    );
    assert.match(answers[1]?.error?.message ?? "", /UTF-8/);
  });

  test("P12.1 NDJSON whose answers are taken late is still answered to its end", async () => {
    const session = fixture.session();
    const other = await connect(fixture.server, session);
    const serial = await other.publish("", { status: "streaming" });
    await other.ok({ type: "append", serial, data: "", seq: 1 });
    const count = 45_000;
    const url = new URL(address(fixture.server, session, "/frames"));
    const socket = tcp({ host: url.hostname, port: Number(url.port) });
    // One append after the other that was taken before: each is acknowledged again.
    const line = JSON.stringify({ type: "append", serial, data: "", seq: 1 });
    const body = `${line}\n`.repeat(count);
    const head = [
      `POST ${url.pathname} HTTP/1.1`,
      `Host: ${url.host}`,
      `Authorization: Bearer ${await makeToken()}`,
      "Content-Type: application/x-ndjson",
      `Content-Length: ${body.length}`,
      "Connection: close",
    ];
    socket.write(`${head.join("\r\n")}\r\n\r\n${body}`);
    // Meanwhile the session answers until the Worker takes no more for who takes nothing.
    for (let i = 0; i < 50; i += 1) await other.publish(`${i}`);
    let answers = 0;
    let rest = "";
    socket.setEncoding("latin1").on("data", (text: string) => {
      const parts = `${rest}${text}`.split('"ack"');
      rest = parts.pop()?.slice(-8) ?? "";
      answers += parts.length;
    });
    await within(new Promise((done) => socket.once("close", done)), "all answers");
    assert.equal(answers, count);
  });

  test("P12.1 NDJSON is taken and answered while it is still being produced", async () => {
    const session = fixture.session();
    const reader = await connect(fixture.server, session, { sub: "reader" });
    const body = await streamBody(fixture.server, session, "/frames", "application/x-ndjson");
    let text = "";
    let heard: (() => void) | undefined;
    body.onChunk = (chunk) => {
      text += chunk;
      heard?.();
    };
    const answers = async (count: number): Promise<Frame[]> => {
      while (text.split("\n").length - 1 < count) {
        await within(new Promise<void>((done) => (heard = done)), `${count} answers`);
      }
      return lines(text);
    };
    const publish = { type: "publish", messages: [{ data: "a", status: "streaming" }] };
    body.write(`${JSON.stringify(publish)}\n`);
    const serial = (await reader.next("message.create")).message?.serial;
    const [first] = await answers(1);
    assert.equal(first?.result?.messages?.[0]?.serial, serial, "answered before the body's end");
    const append = { type: "append", serial, data: "b", seq: 1 };
    const whole = `${JSON.stringify(append)}\n`;
    body.write(whole.slice(0, 9));
    body.write(whole.slice(9));
    assert.equal((await reader.next("message.append")).data, "b");
    await answers(2);
    body.write(JSON.stringify({ type: "append", serial, data: "c", seq: 2, status: "complete" }));
    body.end();
    const { status } = await body.answer;
    assert.equal(status, 200);
    assert.deepEqual(
      (await answers(3)).map((f) => f.type),
      ["ack", "ack", "ack"],
    );
    const message = await getMessage(fixture.server, session, serial ?? "");
    assert.deepEqual([message.data, message.status], ["abc", "complete"]);
  });

  test("P12.1 auth, seen and presence frames are for connections only", async () => {
    const session = fixture.session();
    for (const type of ["auth", "seen", "presence.set"]) {
      const answer = await call(fixture.server, session, "POST", "/frames", { json: { type } });
      assert.ok(answer.status >= 400 && answer.status < 500, `${type}: ${answer.text}`);
    }
  });

  test("P13.6 a body that cannot be read is 400 invalid-frame", async () => {
    const session = fixture.session();
    for (const body of ["", "{", "null", "7", '"text"', "[1]", "[[]]", "{}"]) {
      for (const path of ["/frames", "/messages"]) {
        if (path === "/messages" && body === "{}") continue;
        const answer = await call(fixture.server, session, "POST", path, {
          body,
          type: "application/json",
        });
        const inner = body === "[1]" || body === "[[]]";
        if (path === "/frames" && inner && answer.status === 200) {
          assert.equal((answer.body as Frame[])[0]?.error?.code, "invalid-frame");
        } else assertRefused(answer, 400, "invalid-frame");
      }
    }
    assert.deepEqual(await fixture.server.tables(session), [], "nothing was written");
  });
});

describe("the snapshot", () => {
  test("P11.1 GET is the snapshot; of a session that never was, an empty one", async () => {
    const session = fixture.session();
    const { server } = fixture;
    const empty = await call(server, session, "GET");
    assert.equal(empty.status, 200, empty.text);
    assert.equal(field(empty, "session"), session);
    assert.deepEqual(field(empty, "messages"), []);
    assert.deepEqual(await server.tables(session), [], "P1.2 reading writes not even a schema");
    const alice = await connect(server, session);
    const serials = [await alice.publish("one"), await alice.publish("two")];
    const full = await call(server, session, "GET");
    const messages = field(full, "messages") as Message[];
    assert.deepEqual(messages.map((m) => m.serial).sort(), serials);
    assert.equal(field(full, "serial"), serials[1]);
    assert.equal(typeof field(full, "createdAt"), "number");
    assert.equal(typeof field(full, "updatedAt"), "number");
    assert.equal(typeof field(full, "settings"), "object");
    const newest = await call(server, session, "GET", "?rewind=1");
    assert.deepEqual(
      (field(newest, "messages") as Message[]).map((m) => m.data),
      ["two"],
    );
  });
});
