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
import { open, QUICK, STEADY, shows } from "../support.ts";

const fixture = useServer();

function create(options: Partial<SessionOptions>): ReturnType<typeof createSession> {
  const url = "http://127.0.0.1:9";
  return createSession({ url, session: "s", token: "a.b.c", timing: QUICK, ...options });
}

/** The reason and error with which a session that was never let in gives up. */
async function givenUp(
  options: Partial<SessionOptions>,
): Promise<[string | undefined, SessileError | undefined]> {
  const session = create(options);
  await assert.rejects(within(session.connect(), "an end"));
  const { state, reason, error } = session.connection;
  assert.equal(state, "closed");
  await assert.rejects(session.cancel({ all: true }), { code: error?.code }, "it does not hang");
  return [reason, error];
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
      [{ url: "https://example.com/v1/sessions/x" }, /url: .*without a session's path/],
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
    assert.match((await shown(page)).message, /gave HTML/);
  });

  test("the first day's mistakes end with an error that names what came, soon", async () => {
    const { url } = fixture.server;
    const tokens: [SessionOptions["token"], string, RegExp][] = [
      [
        () => makeToken({ key: "k".repeat(40) }),
        "unauthorized",
        /signature.*: sign it with the key/,
      ],
      [
        () => makeToken({ expiresIn: -60 }),
        "unauthorized",
        /expired.*: token\(\) has to get a fresh one/,
      ],
      [() => "<!doctype html>", "token-failed", /gave HTML/],
      [() => ({ token: "a.b.c" }) as never, "token-failed", /an object with a token in it/],
      [() => new Response("x", { status: 502 }) as never, "token-failed", /a Response \(502\)/],
      [() => Promise.reject(new Error("502 Bad Gateway")), "token-failed", /502 Bad Gateway/],
    ];
    for (const [token, code, message] of tokens) {
      const [reason, error] = await givenUp({ url, session: fixture.session(), token });
      assert.equal(error?.code, code);
      assert.match(error?.message ?? "", message);
      assert.equal(reason, code === "unauthorized" ? code : "token");
    }
  });

  test("a function that cannot be reached is asked as long as it takes", async (t) => {
    let asked = 0;
    const session = create({
      url: fixture.server.url,
      session: fixture.session(),
      token: () => {
        asked += 1;
        if (asked < 6) throw new TypeError("fetch failed");
        return makeToken();
      },
    });
    t.after(() => session.close());
    await within(session.connect(), "a network");
    assert.equal(asked, 6);
  });

  test("each mistake is on the console once, and everything with debug", async (t) => {
    const warn = t.mock.method(console, "warn", () => {});
    const lines: unknown[][] = [];
    const session = create({
      url: fixture.server.url,
      session: fixture.session(),
      token: () => "<!doctype html>",
      debug: (...what) => lines.push(what),
    });
    await assert.rejects(within(session.connect(), "an end"));
    assert.equal(warn.mock.callCount(), 1);
    assert.match(String(warn.mock.calls[0]?.arguments[0]), /gave HTML/);
    assert.ok(lines.some((line) => line.includes("waiting")));
    assert.ok(lines.some((line) => line.includes("closed")));
  });

  test("without a WebSocket it says what to do", async (t) => {
    const was = globalThis.WebSocket;
    t.after(() => {
      globalThis.WebSocket = was;
    });
    globalThis.WebSocket = undefined as never;
    const [reason, error] = await givenUp({ token: "a.b.c" });
    assert.deepEqual([reason, error?.code], ["unsupported", "missing-option"]);
    assert.match(error?.message ?? "", /WebSocket: use Node 22, give one.*link: overFetch/);
  });

  test("a URL where nothing answers is tried again, one of something else is not", async (t) => {
    assert.equal((await shown(create({}))).code, "unreachable");
    const other = createServer((_, response) => response.end("<!doctype html>"));
    await new Promise<void>((done) => other.listen(0, "127.0.0.1", done));
    t.after(() => other.close());
    const { port } = other.address() as AddressInfo;
    const [reason, error] = await givenUp({ url: `http://127.0.0.1:${port}` });
    assert.deepEqual([reason, error?.code], ["wrong-url", "wrong-url"]);
    assert.match(error?.message ?? "", /gives HTML \(200\).*check url/);
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
    const session = await open(t, fixture.server, name, { timing: STEADY });
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
