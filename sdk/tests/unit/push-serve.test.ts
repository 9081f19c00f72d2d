// P10.2: the service worker, with a browser around it that is none.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Notice } from "../../src/push/index.ts";
import { type Scope, serve } from "../../src/push/serve.ts";

const NOTICE = {
  type: "approval.request",
  title: "Refund 40 €?",
  body: "The order of Ada",
  session: "s 1",
  approval: "a1",
  at: 1_800_000_000_000,
  tag: "t1",
  actions: [
    { action: "approve", title: "Approve" },
    { action: "reject", title: "Reject" },
  ],
  decide: { url: "https://sessions.example/v1/decide", token: "t.t.t" },
} satisfies Notice;

interface Shown extends NotificationOptions {
  title: string;
  actions?: readonly { action: string }[];
}

/** A service worker at an address, whose decisions get this answer. */
function worker(href: string, answer: () => Response = () => Response.json({})) {
  const listeners = new Map<string, (event: never) => void>();
  const shown: Shown[] = [];
  const opened: string[] = [];
  const requests: Request[] = [];
  const messages: unknown[] = [];
  const subscribed: unknown[] = [];
  const pages: { url: string; focus(): Promise<void>; postMessage(it: unknown): void }[] = [];
  const scope = {
    location: { href },
    registration: {
      showNotification: async (title: string, options: object) => {
        shown.push({ title, ...options });
      },
      pushManager: { subscribe: async (options: unknown) => subscribed.push(options) },
    },
    clients: {
      matchAll: async () => pages,
      openWindow: async (url: string) => opened.push(url),
    },
    fetch: async (url: string, init: RequestInit) => {
      requests.push(new Request(url, init));
      return answer();
    },
    addEventListener: (type: string, listener: (event: never) => void) => {
      listeners.set(type, listener);
    },
  };
  serve(scope as unknown as Scope);
  const dispatch = async (type: string, event: object): Promise<void> => {
    const works: Promise<unknown>[] = [];
    const whole = { ...event, waitUntil: (work: Promise<unknown>) => works.push(work) };
    listeners.get(type)?.(whole as never);
    await Promise.all(works);
  };
  return {
    shown,
    opened,
    requests,
    messages,
    subscribed,
    page(url: string) {
      const focus = async () => void opened.push(`focus ${url}`);
      pages.push({ url, focus, postMessage: (message) => messages.push(message) });
    },
    push: (data: unknown) => dispatch("push", { data: data && { json: () => data } }),
    dispatch,
    async click(notice: unknown, action = ""): Promise<boolean> {
      let isClosed = false;
      const close = () => {
        isClosed = true;
      };
      await dispatch("notificationclick", { action, notification: { data: notice, close } });
      return isClosed;
    },
  };
}

const AT = "https://app.example/push-worker.js?page=/chat/{session}&icon=/icon.png";

describe("a service worker of pushes", () => {
  test("P10.2 shows a notice with its buttons, one for each tag", async () => {
    const it = worker(AT);
    await it.push(NOTICE);
    assert.deepEqual(it.shown, [
      {
        title: NOTICE.title,
        body: NOTICE.body,
        icon: "/icon.png",
        timestamp: NOTICE.at,
        tag: "t1",
        renotify: true,
        data: NOTICE,
        actions: NOTICE.actions,
      },
    ]);
    const { tag, decide, ...bare } = NOTICE;
    await it.push(bare);
    await it.push({ type: "turn.end", title: "Done", session: "s 1" });
    const [, second, third] = it.shown;
    assert.deepEqual([second?.tag, third?.tag], ["a1", "turn.end s 1"]);
    assert.deepEqual(second?.actions, [], "buttons that nothing would decide are not shown");
  });

  test("shows something for a push that it cannot read", async () => {
    const it = worker(AT);
    await it.push(undefined);
    await it.push({ title: 1 });
    assert.deepEqual(
      it.shown.map(({ title }) => title),
      ["There is news", "There is news"],
    );
  });

  test("P10.2 a button decides with the token of the notice, and says so in place", async () => {
    const it = worker(AT);
    assert.equal(await it.click(NOTICE, "reject"), true);
    const [request] = it.requests;
    assert.ok(request);
    assert.deepEqual([request.method, request.url], ["POST", NOTICE.decide.url]);
    assert.equal(request.headers.get("authorization"), "Bearer t.t.t");
    assert.deepEqual(await request.json(), { decision: "reject" });
    const [told] = it.shown;
    assert.deepEqual([told?.body, told?.tag, told?.silent], ["✓ Reject", "t1", true]);
    assert.deepEqual(told?.actions, []);
    assert.ok(!JSON.stringify(told).includes("t.t.t"), "the token is not kept");
    assert.deepEqual(it.opened, []);
  });

  test("P10.2 a button of a question answers with its option", async () => {
    const it = worker(AT);
    const actions = [{ action: "approve", title: "The one that is called approve" }];
    await it.click({ ...NOTICE, kind: "question", actions }, "approve");
    assert.deepEqual(await it.requests[0]?.json(), { decision: "answer", option: "approve" });
  });

  test("P10.2 a refusal is shown in its words, and who was slower learns it", async () => {
    const message = "unable to decide the approval; the token has expired";
    let error: object = { code: "unauthorized", status: 401, message };
    const it = worker(AT, () => Response.json({ error }, { status: 401 }));
    await it.click(NOTICE, "approve");
    error = { code: "already-decided", status: 409, message, approval: { status: "rejected" } };
    await it.click(NOTICE, "approve");
    const told = it.shown.map(({ body, actions }) => [body, actions]);
    assert.deepEqual(told, [
      [message, []],
      ["Already rejected", []],
    ]);
  });

  test("P10.2 without a network the buttons stay, and decide later", async () => {
    let isAway = true;
    const answers = [
      () => {
        throw new TypeError("Failed to fetch");
      },
      () => new Response("<html>", { status: 502 }),
      () => Response.json({ error: { message: "too fast" } }, { status: 429 }),
      () => new Response("<html>", { status: 404 }),
    ];
    for (const away of answers) {
      const it = worker(AT, () => (isAway ? away() : Response.json({})));
      await it.click(NOTICE, "approve");
      const [shown] = it.shown;
      assert.deepEqual([shown?.body, shown?.actions], [`⚠ ${NOTICE.body}`, NOTICE.actions]);
      isAway = false;
      await it.click(shown?.data, "approve");
      assert.equal(it.shown[1]?.body, "✓ Approve");
      isAway = true;
    }
  });

  test("a click focuses the session's page, or opens it", async () => {
    const it = worker(AT);
    it.page("https://app.example/chat/other");
    await it.click(NOTICE);
    it.page("https://app.example/chat/s%201");
    await it.click(NOTICE);
    const url = "https://app.example/chat/s%201";
    assert.deepEqual(it.opened, [url, `focus ${url}`]);
    assert.equal(it.requests.length, 0);
  });

  test("a notice opens nothing but the site's own pages", async () => {
    const it = worker("https://app.example/push-worker.js");
    const url = "https://app.example/v1/sessions/s";
    await it.click({ ...NOTICE, url });
    const other = worker(AT);
    await other.click({ ...NOTICE, url, session: "../../x?y#z" });
    const site = "https://app.example";
    assert.deepEqual(
      [it.opened, other.opened],
      [[`${site}/`], [`${site}/chat/..%2F..%2Fx%3Fy%23z`]],
    );
  });

  test("leaves notifications alone that are not of a session", async () => {
    const it = worker(AT);
    assert.equal(await it.click({ mine: true }), false);
    assert.equal(await it.click(undefined), false);
    assert.deepEqual(it.opened, []);
  });

  test("P10.1 subscribes anew when the browser drops a subscription, and says so", async () => {
    const it = worker(AT);
    it.page("https://app.example/");
    const options = { userVisibleOnly: true, applicationServerKey: new ArrayBuffer(65) };
    await it.dispatch("pushsubscriptionchange", { oldSubscription: { options } });
    await it.dispatch("pushsubscriptionchange", { newSubscription: {}, oldSubscription: {} });
    assert.deepEqual(it.subscribed, [options], "only where the browser has not");
    assert.deepEqual(it.messages, Array(2).fill({ type: "sessile:push-changed" }));
  });
});
