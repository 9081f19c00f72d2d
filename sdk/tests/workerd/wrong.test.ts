// Wrong use gets an error that says what to do.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { useServer } from "../../../tests/support/fixture.ts";
import { call } from "../../../tests/support/http.ts";
import { makeToken } from "../../../tests/support/token.ts";
import { within } from "../../../tests/support/wait.ts";
import {
  createSession,
  type SessileError,
  type SessionOptions,
  type SessionSnapshot,
} from "../../src/index.ts";
import { open, QUICK, shows } from "../support.ts";

const fixture = useServer();

function create(options: Partial<SessionOptions>): ReturnType<typeof createSession> {
  const url = "http://127.0.0.1:9";
  return createSession({ url, session: "s", token: "a.b.c", timing: QUICK, ...options });
}

/** The error that a session comes to show, while it goes on trying. */
async function shown(session: ReturnType<typeof createSession>): Promise<SessileError> {
  let found: SessileError | undefined;
  session.connect();
  const hasError = ({ connection }: SessionSnapshot) => {
    found = connection.error;
    return found !== undefined;
  };
  await shows(session, hasError, "an error");
  assert.notEqual(session.connection.state, "closed");
  session.close();
  assert.ok(found);
  return found;
}

describe("wrong use", () => {
  test("what is missing or malformed is named at once", () => {
    const wrong: [Partial<Record<keyof SessionOptions, unknown>>, RegExp][] = [
      [{ token: undefined }, /token: a JWT, or a function/],
      [{ token: "" }, /token: a JWT, or a function/],
      [{ token: "not a token" }, /signed JWT/],
      [{ url: undefined }, /url: where the Worker is/],
      [{ url: "example.com" }, /url: where the Worker is/],
      [{ url: "wss://example.com" }, /url: where the Worker is/],
      [{ session: "" }, /session: 1 to 128/],
      [{ session: "a/b" }, /session: 1 to 128/],
    ];
    for (const [options, message] of wrong) {
      assert.throws(() => create(options as Partial<SessionOptions>), {
        name: "SessileError",
        message,
      });
    }
  });

  test("a token function that fails, or gives no token", async () => {
    const failing = create({ token: () => Promise.reject(new Error("no session cookie")) });
    const error = await shown(failing);
    assert.equal(error.code, "token-failed");
    assert.match(error.message, /no session cookie/);
    const page = create({ token: () => "<!doctype html>" });
    assert.match((await shown(page)).message, /no signed JWT/);
  });

  test("a URL where nothing answers, or something else does; it goes on trying", async (t) => {
    assert.equal((await shown(create({}))).code, "unreachable");
    const other = createServer((_, response) => response.end("<!doctype html>"));
    await new Promise<void>((done) => other.listen(0, "127.0.0.1", done));
    t.after(() => other.close());
    const { port } = other.address() as AddressInfo;
    const error = await shown(create({ url: `http://127.0.0.1:${port}` }));
    assert.equal(error.code, "wrong-url");
    assert.match(error.message, /check url/);
  });

  test("P2.5 a token that is not accepted: closed if it is fixed, else asked again", async (t) => {
    const { url } = fixture.server;
    const key = "another key, also longer than thirty-two bytes";
    const bad = await makeToken({ key });
    const fixed = create({ url, session: fixture.session(), token: bad });
    await assert.rejects(within(fixed.connect(), "an end"), { code: "unauthorized" });
    assert.equal(fixed.connection.state, "closed");
    assert.equal(fixed.connection.reason, "unauthorized");
    let asked = 0;
    const session = create({
      url,
      session: fixture.session(),
      token: () => {
        asked += 1;
        return makeToken(asked < 3 ? { key } : {});
      },
    });
    t.after(() => session.close());
    await within(session.connect(), "a good token");
    assert.equal(asked, 3);
    assert.equal(session.connection.error, undefined);
  });

  test("P2.3 a capability that lacks what is called names it", async (t) => {
    const name = fixture.session();
    const viewer = await open(t, fixture.server, name, { caps: { "*": ["viewer"] } });
    const sent = viewer.send("Hello");
    await assert.rejects(sent, { code: "forbidden", message: /publish/ });
    const [failed] = viewer.messages;
    assert.equal(failed?.delivery, "failed");
    assert.match(failed?.error?.message ?? "", /publish/);
    await assert.rejects(viewer.cancel({ all: true }), { code: "forbidden", message: /cancel/ });
    const stranger = create({
      url: fixture.server.url,
      session: fixture.session(),
      token: () => makeToken({ caps: { other: ["user"] } }),
    });
    await assert.rejects(within(stranger.connect(), "an end"), { code: "forbidden" });
    assert.equal(stranger.connection.reason, "forbidden");
    await assert.rejects(stranger.steer("t", "x"), { code: "forbidden" }, "it does not hang");
  });

  test("P14 a message too large is refused before it is sent, and holds up nothing", async (t) => {
    const session = await open(t, fixture.server, fixture.session());
    const large = session.send("x".repeat(300_000));
    const small = session.send("small");
    await assert.rejects(large, {
      code: "too-large",
      message: /262144 of one frame: send several/,
    });
    await small;
    assert.deepEqual(
      session.messages.map(({ delivery }) => delivery),
      [undefined, "failed"],
    );
    assert.equal(session.connection.state, "connected");
  });

  test("P13.3 a session that is deleted is given up, and says so", async (t) => {
    const name = fixture.session();
    const session = await open(t, fixture.server, name);
    await session.send("x");
    const closed = shows(session, ({ connection }) => connection.state === "closed", "the end");
    assert.equal((await call(fixture.server, name, "DELETE")).status, 200);
    await closed;
    assert.equal(session.connection.reason, "session-deleted");
    assert.equal(session.messages.length, 1, "what was shown stays");
    assert.equal(session.connection.error?.code, "given-up");
    await assert.rejects(session.cancel({ all: true }), { code: "given-up" });
    await assert.rejects(within(session.send("late"), "an end"), { code: "given-up" });
  });
});
