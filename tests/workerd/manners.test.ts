// Software that stands between a client and the Worker, and anybody who reads the Worker's log, are
// told what they need.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { address } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import { call, problem } from "../support/http.ts";
import { makeToken } from "../support/token.ts";
import { until } from "../support/wait.ts";

const fixture = useServer();

describe("HTTP", () => {
  test("P3.8 a stream asks to be passed on as it comes and as it is", async () => {
    const token = await makeToken();
    const stop = new AbortController();
    const session = fixture.session();
    const cases: [string, RequestInit][] = [
      ["/events", { headers: { authorization: `Bearer ${token}`, accept: "text/event-stream" } }],
      ["/events", { headers: { authorization: "Bearer x", accept: "text/event-stream" } }],
      [
        "/frames",
        {
          method: "POST",
          body: '{"type":"signal","name":"x"}',
          headers: { authorization: `Bearer ${token}`, "content-type": "application/x-ndjson" },
        },
      ],
    ];
    for (const [path, init] of cases) {
      const url = address(fixture.server, session, path);
      const { headers } = await fetch(url, { ...init, signal: stop.signal });
      assert.equal(headers.get("x-accel-buffering"), "no", path);
      assert.equal(headers.get("cache-control"), "no-store, no-transform", path);
    }
    stop.abort();
  });

  test("a page of another origin may send what its libraries add", async () => {
    for (const path of ["", "/events", "/messages", "/messages/x", "/frames"]) {
      const answer = await fetch(address(fixture.server, fixture.session(), path), {
        method: "OPTIONS",
        headers: { origin: "https://page.example", "access-control-request-method": "GET" },
      });
      assert.equal(answer.status, 204);
      assert.equal(answer.headers.get("access-control-allow-origin"), "*");
      const allowed = answer.headers.get("access-control-allow-headers")?.split(/, */) ?? [];
      const sent = "authorization content-type accept cache-control last-event-id x-requested-with";
      for (const name of [...sent.split(" "), "*"]) assert.ok(allowed.includes(name), name);
    }
  });

  test("an address outside the protocol says what there is", async () => {
    for (const path of ["/", "/v2/sessions/x", "/v1", "/v1/", "/v1/session/x", "/favicon.ico"]) {
      const answer = await fetch(fixture.server.url + path);
      const message = sentence(await answer.text());
      assert.match(message, /a session is at \/v1\/sessions\/ID/, path);
      assert.equal(answer.status, 404);
    }
  });

  test("P13.2 a body that is not JSON says so, and where", async () => {
    const session = fixture.session();
    const bodies: [string, string][] = [
      ["POST", "/messages"],
      ["PATCH", "/messages/x"],
      ["POST", "/frames"],
      ["POST", "/turns"],
      ["PATCH", ""],
    ];
    for (const [method, path] of bodies) {
      const body = "<!doctype html>";
      const answer = await call(fixture.server, session, method, path, { body });
      assert.match(
        sentence(answer.text),
        /it is not JSON, expected value at line 1, column 1/,
        path,
      );
    }
  });
});

function sentence(text: string): string {
  const { error } = JSON.parse(text) as { error: { message: string } };
  return error.message;
}

describe("the Worker's log", () => {
  test("has every refusal with its code, on one line, and no token", async () => {
    const session = fixture.session("logged");
    const token = await makeToken({ expiresIn: -60 });
    await call(fixture.server, session, "GET", "/messages", { token });
    await call(fixture.server, session, "GET", `/events?token=${token}`, { token: null });
    const other = { caps: { "other-*": ["user"] } };
    problem(await call(fixture.server, session, "GET", "/messages", other));
    const viewer = { caps: { "*": ["viewer"] }, json: { data: "x" } };
    await call(fixture.server, session, "POST", "/messages", viewer);
    await call(fixture.server, session, "POST", "/frames", { json: { type: "wish" } });
    const log = () => Promise.resolve(fixture.server.output.join(""));
    const last = (text: string) => /\/frames: 400/.test(text);
    const text = await until(log, last, "the last refusal in the log");
    const lines = text.split("\n").filter((line) => line.includes(`/sessions/${session}`));
    const expired = "401 unauthorized, .* the token expired 60 s ago";
    const said = [
      `refused GET /v1/sessions/[^ ]*/messages: ${expired}`,
      `refused GET /v1/sessions/[^ ]*/events: ${expired}`,
      'refused GET .*: 403 forbidden, .* its caps are for "other-[*]"',
      "refused POST .*/messages: 403 forbidden, .* lacks the operation publish",
      "refused POST .*/frames: 400 unknown-frame, .* there is no type",
    ];
    assert.equal(lines.length, said.length, text);
    for (const [at, line] of lines.entries()) assert.match(line, new RegExp(said[at] ?? "^$"));
    assert.ok(!text.includes(token.slice(0, 30)), "no token in it");
  });
});
