// P11.8: the owner of a deployment is told of a session's life, in lines and in points.

import assert from "node:assert/strict";
import { test } from "node:test";
import { attach } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import { assertRefused, call } from "../support/http.ts";
import type { Server } from "../support/server.ts";
import { agent, USER } from "../support/turns.ts";
import { until } from "../support/wait.ts";

const logged = useServer({ vars: { SESSILE_LOG: "1" } });
const counted = useServer({ analytics: true });
const both = useServer({ vars: { SESSILE_LOG: "1" }, analytics: true });
const quiet = useServer();
const wrong = useServer({ vars: { SESSILE_LOG: "yes" } });

interface Line {
  event: string;
  session: string;
  at: number;
  client?: string;
  id?: string;
  status?: string;
  ms?: number;
}

interface Point {
  indexes: string[];
  blobs: string[];
  doubles: number[];
}

/** Everything that was printed, line by line. */
const printed = (server: Server) => server.output.join("").split("\n");

function lines(server: Server, session: string): Line[] {
  const own = printed(server).filter((line) => line.startsWith('{"event":'));
  return own.map((line) => JSON.parse(line)).filter((line: Line) => line.session === session);
}

function points(server: Server, session: string): Point[] {
  const own = printed(server).filter((line) => line.startsWith("point "));
  const all = own.map((line) => JSON.parse(line.slice("point ".length)) as Point);
  return all.filter(({ blobs }) => blobs[1] === session);
}

/** A conversation of a session, from its beginning to its deletion. */
async function live(server: Server, session: string): Promise<void> {
  const { client: ann } = await attach(server, session, USER);
  const input = await ann.publish("the SECRET question");
  const scribe = await agent(server, session);
  await scribe.ok({ type: "turn.start", id: "t1", input });
  const data = { turn: "t1", role: "assistant", status: "streaming" };
  const answer = await scribe.publish("the ", data);
  for (let seq = 1; seq <= 20; seq += 1) {
    await scribe.ok({ type: "append", serial: answer, data: "SECRET ", seq });
  }
  await scribe.ok({ type: "turn.end", turn: "t1", status: "complete" });
  await scribe.close();
  await ann.close();
  const gone = await call(server, session, "DELETE", "");
  assert.equal(gone.status, 200, gone.text);
}

const LIFE = [
  "attach",
  "session.start",
  "attach",
  "turn.start",
  "turn.end",
  "detach",
  "detach",
  "session.delete",
];

test("P11.8 with SESSILE_LOG each is a line of the log, and an append is none", async () => {
  const { server } = logged;
  const session = logged.session();
  await live(server, session);
  const told = await until(
    () => lines(server, session),
    (all) => LIFE.length <= all.length,
    "the lines",
  );
  assert.deepEqual(
    told.map(({ event }) => event),
    LIFE,
  );
  const end = told.find(({ event }) => event === "turn.end");
  assert.deepEqual([end?.client, end?.id, end?.status], ["scribe", "t1", "complete"]);
  assert.ok((end?.ms ?? -1) >= 0 && Math.abs(Date.now() - (end?.at ?? 0)) < 60_000);
  const all = printed(server).join("\n");
  assert.doesNotMatch(all, /SECRET/, "no content");
  assert.doesNotMatch(all, /eyJ/, "no token");
  assert.deepEqual(points(server, session), []);
});

test("P11.8 with the binding ANALYTICS each is a point, each value in its place", async () => {
  const { server } = counted;
  const session = counted.session();
  await live(server, session);
  const told = await until(
    () => points(server, session),
    (all) => LIFE.length <= all.length,
    "the points",
  );
  assert.deepEqual(
    told.map(({ blobs }) => blobs[0]),
    LIFE,
  );
  for (const { indexes, blobs, doubles } of told) {
    assert.deepEqual(indexes, [session]);
    assert.deepEqual([blobs.length, doubles.length], [11, 5]);
    assert.ok(blobs.every((blob) => typeof blob === "string"));
    assert.ok(doubles.every((double) => typeof double === "number"));
  }
  const end = told.find(({ blobs }) => blobs[0] === "turn.end");
  const [, , client, , id, , , status] = end?.blobs ?? [];
  assert.deepEqual([client, id, status], ["scribe", "t1", "complete"]);
  assert.equal(end?.doubles[1], 1, "its first attempt");
  assert.deepEqual(lines(server, session), [], "and nothing in the log");
});

test("P11.8 both may be there, and neither need be", async () => {
  const session = both.session();
  await live(both.server, session);
  const told = () => lines(both.server, session).length + points(both.server, session).length;
  await until(told, (count) => count === 2 * LIFE.length, "lines and points");
  const silent = quiet.session();
  await live(quiet.server, silent);
  await live(quiet.server, quiet.session());
  assert.deepEqual(lines(quiet.server, silent), []);
});

test("P11.8 the index of a point has as many bytes as there may be", async () => {
  const { server } = counted;
  const session = `${counted.session()}-${"x".repeat(100)}`;
  await live(server, session);
  const [point] = await until(
    () => points(server, session),
    (all) => LIFE.length <= all.length,
    "the points",
  );
  assert.deepEqual(point?.indexes, [session.slice(0, 96)]);
});

test("P2.7 SESSILE_LOG is 1, or the deployment is not configured", async () => {
  const refused = await call(wrong.server, wrong.session(), "GET", "");
  assert.match(assertRefused(refused, 503, "not-configured").message, /SESSILE_LOG is not 1/);
});
