// An inbox in a page: its lists, its connection, paging and deciding, with a socket and a `fetch`
// that are moved by hand (P15).

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createInbox, type InboxOptions } from "../../src/inbox/index.ts";
import type { Approval, InboxSession } from "../../src/index.ts";

const LIMITS = { frameBytes: 1000 };

function session(id: string, lastActivityAt: number, fields = {}): InboxSession {
  return { id, createdAt: 1, lastActivityAt, openTurns: 0, pendingApprovals: 0, ...fields };
}

function approval(place: string, createdAt: number, status: Approval["status"] = "pending") {
  const [of = "", id = ""] = place.split("/");
  const rest = { kind: "approval", title: "Buy?", client: "bot" } as const;
  const places = { serial: "1", version: "1" };
  const made: Approval = { id, session: of, createdAt, status, history: [], ...rest, ...places };
  return made;
}

/** A request that waits for the test. */
interface Asked {
  method: string;
  path: string;
  body: unknown;
  answer(body: object, status?: number): Promise<void>;
}

async function settle(): Promise<void> {
  for (let i = 0; i < 5; i += 1) await new Promise(setImmediate);
}

function make(options: Partial<InboxOptions> = {}) {
  class Wire {
    static all: Wire[] = [];
    onmessage: ((event: { data: string }) => void) | undefined;
    onclose: ((event: { code: number }) => void) | undefined;
    readonly url: string;
    constructor(url: string) {
      this.url = url;
      Wire.all.push(this);
    }
    send(): void {}
    close(): void {}
  }
  const asked: Asked[] = [];
  const wait = (url: string | URL | Request, init: RequestInit = {}) =>
    new Promise<Response>((done) => {
      const { method = "GET", body } = init;
      const answer = (json: object, status = 200) => {
        done(Response.json(json, { status }));
        return settle();
      };
      const path = String(url).replace("https://example.com/v1", "");
      asked.push({ method, path, body: JSON.parse(String(body ?? "null")), answer });
    });
  const inbox = createInbox({
    ...{ url: "https://example.com/", token: "e30.e30.x", timing: { backoffMs: 0 }, ...options },
    ...{ fetch: wait as typeof fetch, WebSocket: Wire as unknown as typeof WebSocket },
  });
  const hear = (...frames: object[]) =>
    Wire.all.at(-1)?.onmessage?.({ data: JSON.stringify(frames) });
  const first = (fields: object) => {
    const at = {
      connection: "c",
      client: "sue",
      at: Date.now(),
      expiresAt: Date.now() + 3_600_000,
    };
    const rest = { protocol: 1, inbox: "client:sue", limits: LIMITS, resumed: false };
    hear({ type: "inbox", ...rest, ...at, ...fields });
  };
  const lists = () => {
    const { sessions, approvals, calls, hasMore } = inbox.getSnapshot();
    const more = Object.entries(hasMore).filter(([, is]) => is);
    return {
      sessions: sessions.map(({ id }) => id).join(),
      approvals: approvals
        .map(({ session: of, id, deciding }) => `${of}/${id}${deciding ? `:${deciding}` : ""}`)
        .join(),
      calls: calls.map(({ session: of, id }) => `${of}/${id}`).join(),
      more: more.map(([name]) => name).join(),
    };
  };
  const begin = async (fields: object = {}) => {
    const connected = inbox.connect();
    await settle();
    first({ serial: "x01", sessions: [], approvals: [], calls: [], work: [], ...fields });
    await connected;
  };
  const url = () => Wire.all.at(-1)?.url;
  const lose = async () => {
    Wire.all.at(-1)?.onclose?.({ code: 1006 });
    await new Promise((done) => setTimeout(done, 5));
    await settle();
  };
  return { inbox, hear, first, lists, begin, asked, url, lose, wires: Wire.all };
}

describe("P15 an inbox", () => {
  test("its lists are those of the first frame, and changes keep them in order", async () => {
    const { inbox, hear, lists, begin, url } = make({ role: "supervisor" });
    await begin({
      sessions: [session("b", 5), session("a", 3)],
      approvals: [approval("b/1", 5), approval("a/1", 3)],
      calls: [{ id: "1", session: "a" }],
    });
    assert.equal(url(), "wss://example.com/v1/inbox/connect?role=supervisor");
    assert.deepEqual(lists(), { sessions: "b,a", approvals: "b/1,a/1", calls: "a/1", more: "" });
    const before = inbox.getSnapshot();
    assert.equal(inbox.getSnapshot(), before);
    hear({ type: "inbox.session", serial: "x02", session: session("a", 7, { title: "A" }) });
    assert.equal(lists().sessions, "a,b");
    assert.equal(inbox.getSnapshot().approvals, before.approvals, "an unchanged list is kept");
    assert.equal(before.sessions[0]?.id, "b", "a snapshot is never changed");
    hear(
      { type: "inbox.approval", serial: "x03", approval: approval("c/1", 4) },
      { type: "inbox.approval", serial: "x04", approval: approval("a/1", 3, "approved") },
      { type: "inbox.call", serial: "x05", call: { id: "1", session: "b" } },
      { type: "inbox.call", serial: "x06", call: { id: "1", session: "a", gone: true } },
      { type: "inbox.session", serial: "x07", session: { id: "b", gone: true } },
      { type: "inbox.later", serial: "x08" },
    );
    assert.deepEqual(lists(), { sessions: "a", approvals: "b/1,c/1", calls: "b/1", more: "" });
    hear({
      type: "inbox.approval",
      serial: "x09",
      approval: { id: "1", session: "b", gone: true },
    });
    assert.equal(lists().approvals, "c/1", "an id is one of its session's");
    inbox.close();
  });

  test("P9.5 what the inbox of a role says of a session leaves what is unread", async () => {
    const { inbox, hear, begin } = make();
    await begin({ sessions: [session("a", 3, { unread: 4 })] });
    const unread = () => inbox.getSnapshot().sessions.map((it) => it.unread);
    hear({ type: "inbox.session", serial: "x02", session: session("a", 7) });
    assert.deepEqual(unread(), [4]);
    hear({ type: "inbox.session", serial: "x03", session: session("a", 7, { unread: 0 }) });
    assert.deepEqual(unread(), [0]);
    inbox.close();
  });

  test("it comes back where it was, or begins anew", async () => {
    const { inbox, hear, first, lists, begin, url, lose } = make();
    await begin({ approvals: [approval("a/1", 1)] });
    hear({ type: "inbox.approval", serial: "x02", approval: approval("a/2", 2) });
    await lose();
    assert.equal(url(), "wss://example.com/v1/inbox/connect?since=x02");
    assert.equal(inbox.connection.state, "connecting");
    assert.equal(lists().approvals, "a/2,a/1", "the lists stay meanwhile");
    first({ serial: "x02", resumed: true });
    hear({ type: "inbox.approval", serial: "x03", approval: approval("a/1", 1, "rejected") });
    assert.deepEqual([inbox.connection.state, lists().approvals], ["connected", "a/2"]);
    await lose();
    first({ serial: "y01", sessions: [session("z", 1)], approvals: [], calls: [], work: [] });
    assert.deepEqual([lists().sessions, lists().approvals], ["z", ""]);
    inbox.close();
  });

  test("pages are read on demand, and what changed meanwhile stands", async () => {
    const { inbox, hear, lists, begin, asked } = make();
    await begin({ approvals: [approval("a/9", 9)], next: { approvals: "p1" } });
    assert.equal(lists().more, "approvals");
    const loading = Promise.all([inbox.loadMore("approvals"), inbox.loadMore("approvals")]);
    assert.deepEqual(
      asked.map(({ path }) => path),
      ["/approvals?cursor=p1&"],
      "one request at a time",
    );
    hear(
      { type: "inbox.approval", serial: "x02", approval: approval("a/8", 8, "approved") },
      { type: "inbox.approval", serial: "x03", approval: { ...approval("a/9", 9), title: "New" } },
    );
    await asked[0]?.answer({
      approvals: [8, 7, 6].map((at) => approval(`a/${at}`, at)),
      next: "p2",
    });
    await loading;
    assert.deepEqual([lists().approvals, lists().more], ["a/9,a/7,a/6", "approvals"]);
    assert.equal(inbox.getSnapshot().approvals[0]?.title, "New");
    const last = inbox.loadMore("approvals");
    await asked[1]?.answer({ approvals: [approval("b/5", 5)] });
    await last;
    assert.deepEqual([lists().approvals, lists().more], ["a/9,a/7,a/6,b/5", ""]);
    await inbox.loadMore("approvals");
    assert.equal(asked.length, 2, "there is no more");
    inbox.close();
  });

  test("an approval is decided in its session, and shown as decided at once", async () => {
    const { inbox, lists, begin, asked } = make();
    await begin({ approvals: [approval("a/x y", 2), approval("b/1", 1)] });
    const [wanted, other] = inbox.getSnapshot().approvals;
    assert.ok(wanted && other);
    const deciding = inbox.decide(wanted, "approve", { data: { seats: 2 }, comment: "go" });
    assert.equal(lists().approvals, "a/x y:approve,b/1");
    const { method, path, body } = asked[0] ?? assert.fail("nothing was asked");
    assert.deepEqual([method, path], ["POST", "/sessions/a/approvals/x%20y/decide"]);
    const { id, ...sent } = body as Record<string, unknown>;
    assert.ok(id);
    assert.deepEqual(sent, { data: { seats: 2 }, comment: "go", decision: "approve" });
    await asked[0]?.answer({ approval: approval("a/x y", 2, "approved") });
    assert.equal((await deciding).status, "approved");
    assert.equal(lists().approvals, "b/1", "gone before the inbox is told");
    const late = assert.rejects(inbox.decide(other, "reject"), { code: "already-decided" });
    const won = { ...approval("b/1", 1, "approved"), decidedBy: "tom" };
    const error = { code: "already-decided", status: 409, message: "it is", approval: won };
    await asked[1]?.answer({ error }, 409);
    await late;
    assert.equal(lists().approvals, "");
    inbox.close();
  });

  test("a decision that is refused leaves the approval there", async () => {
    const { inbox, lists, begin, asked } = make();
    await begin({ approvals: [approval("a/1", 1)] });
    const deciding = inbox.decide({ session: "a", id: "1" }, "approve");
    const refused = assert.rejects(deciding, { code: "forbidden" });
    await asked[0]?.answer({ error: { code: "forbidden", status: 403, message: "no" } }, 403);
    await refused;
    assert.equal(lists().approvals, "a/1");
    inbox.close();
  });

  test("a mistake in the setup is said, and a token that does not help", async () => {
    assert.throws(() => make({ url: "example.com" }), { code: "missing-option" });
    const { inbox, asked, lose } = make({ role: "king" });
    const connected = inbox.connect();
    await settle();
    await lose();
    assert.equal(asked[0]?.path, "/inbox?role=king", "HTTP says why");
    await asked[0]?.answer({ error: { code: "forbidden", status: 403, message: "no king" } }, 403);
    await assert.rejects(connected, { code: "forbidden" });
    assert.equal(inbox.connection.state, "closed");
  });
});
