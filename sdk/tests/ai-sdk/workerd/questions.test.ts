// Tools that a person has to allow (`needsApproval`), in an agent of real `streamText` and on pages
// of real `useChat`: what each page shows is what the AI SDK would have shown without a session.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { Chat } from "@ai-sdk/react";
import {
  DirectChatTransport,
  lastAssistantMessageIsCompleteWithApprovalResponses,
  lastAssistantMessageIsCompleteWithToolCalls,
  type UIMessage,
} from "ai";
import { useServer } from "../../../../tests/support/fixture.ts";
import { call, field } from "../../../../tests/support/http.ts";
import { makeToken } from "../../../../tests/support/token.ts";
import { until, within } from "../../../../tests/support/wait.ts";
import { followChat, SessileChatTransport, toUIMessages } from "../../../src/ai-sdk/index.ts";
import { type Approval, fetchSnapshot, type ToolCall, type Turn } from "../../../src/index.ts";
import { joinShop, loopOf, type Purchase, SCHEMA, type Shop, shopOf } from "../shop.ts";

const fixture = useServer();
const ends: (() => unknown)[] = [];
after(async () => {
  for (const end of ends) await end();
});

const TEA: Purchase = { toolCallId: "call-1", item: "tea" };
const JAM: Purchase = { toolCallId: "call-2", item: "jam" };
const WHERE: Purchase = { toolCallId: "call-3", item: "tea", toolName: "where" };
const USER = { sub: "ann", caps: { "*": ["user"] } };
const SUPERVISOR = { sub: "sue", caps: { "*": ["supervisor"] } };
const WHOLE = { sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithToolCalls };
const AUTOMATIC = { sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses };

interface Page {
  transport: SessileChatTransport;
  chat: Chat<UIMessage>;
}

function page(session: string, options = AUTOMATIC): Page {
  const transport = new SessileChatTransport({
    url: fixture.server.url,
    token: () => makeToken(USER),
  });
  const chat = new Chat<UIMessage>({ id: session, transport, ...options });
  const end = followChat(transport, session, {
    setMessages: (change) => {
      chat.messages = change(chat.messages);
    },
    resumeStream: () => chat.resumeStream(),
  });
  ends.push(end, () => transport.close());
  return { transport, chat };
}

type Part = Record<string, unknown> & { approval?: { id: string } };

/** The parts of an answer; which ids approvals were given is nobody's to know. */
function partsOf({ messages }: { messages: UIMessage[] }): Part[] {
  const parts = JSON.parse(JSON.stringify(messages.at(-1)?.parts ?? [])) as Part[];
  return parts.map((part) =>
    part.approval ? { ...part, approval: { ...part.approval, id: "" } } : part,
  );
}

function requestsOf({ messages }: { messages: UIMessage[] }): string[] {
  return (messages.at(-1)?.parts ?? []).flatMap((part) => {
    const { state, approval } = part as Part;
    return state === "approval-requested" && approval ? [approval.id] : [];
  });
}

type Decision = { approved: boolean; reason?: string };

/** The last messages of a chat without a session, where a person decides in this way. */
async function wanted(purchases: Purchase[], decisions: Decision[]): Promise<[Part[], Part[]]> {
  const agent = loopOf(shopOf(purchases));
  const transport = new DirectChatTransport({ agent }) as never;
  const chat = new Chat<UIMessage>({ transport, ...AUTOMATIC });
  await chat.sendMessage({ text: "Buy it" });
  const asked = partsOf(chat);
  for (const [at, id] of requestsOf(chat).entries()) {
    await chat.addToolApprovalResponse({ id, ...(decisions[at] as Decision) });
  }
  await until(
    () => partsOf(chat),
    (parts) => parts.at(-1)?.state === "done" && parts.at(-1)?.type === "text",
    "the AI SDK's own answer",
  );
  return [asked, partsOf(chat)];
}

function shows(one: Page, parts: Part[], what: string): Promise<unknown> {
  return until(
    () => [partsOf(one.chat), one.chat.status],
    (shown) => isDeepStrictEqual(shown, [parts, "ready"]),
    `${what} to show ${JSON.stringify(parts)}`,
    10_000,
  );
}

async function approvalsIn(session: string): Promise<Approval[]> {
  const answer = await call(fixture.server, session, "GET", "/approvals?status=all");
  return field(answer, "approvals") as Approval[];
}

async function turnsIn(session: string): Promise<Turn[]> {
  const answer = await call(fixture.server, session, "GET", "/turns?status=all");
  return field(answer, "turns") as Turn[];
}

function join(session: string, shop: Shop, options = {}) {
  const joined = joinShop(fixture.server.url, session, shop, options);
  ends.push(() => joined.agent.close());
  return joined;
}

/** Two pages, and a question that both show. */
async function asked(purchases: Purchase[], options = {}) {
  const session = fixture.session("approvals");
  const shop = shopOf(purchases);
  const joined = join(session, shop, options);
  const [one, two] = [page(session), page(session)];
  await within(one.chat.sendMessage({ text: "Buy it" }), "the question");
  await until(
    () => requestsOf(two.chat),
    (ids) => ids.length === purchases.length,
    "the other page to show the question",
  );
  return { session, shop, joined, one, two };
}

/** The only turn, once it is over. */
async function isOneTurn(session: string): Promise<void> {
  const turns = await until(
    () => turnsIn(session),
    ([turn]) => turn?.status === "complete",
    "the turn to end",
  );
  assert.equal(turns.length, 1, "the answer went on in the same turn");
}

describe("a call that needs approval", () => {
  test("is allowed on another device, and the same turn goes on, on both", async () => {
    const [question, answer] = await wanted([TEA], [{ approved: true }]);
    const { session, shop, joined, one, two } = await asked([TEA]);
    await shows(one, question, "the page that asked");
    await shows(two, question, "the other");
    const [id = ""] = requestsOf(two.chat);
    await two.transport.decide(session, { id, approved: true });
    await shows(two, answer, "the page that decided");
    await shows(one, answer, "the page that asked");
    assert.deepEqual(shop.bought, ["tea"]);
    assert.equal(joined.heard.length, 2);
    await isOneTurn(session);
    const [approval] = await approvalsIn(session);
    assert.equal(approval?.title, "buy");
    assert.deepEqual(approval?.data, { item: "tea" });
    assert.equal(approval?.decidedBy, "ann");
    const snapshot = { url: fixture.server.url, session, token: await makeToken(USER) };
    const messages = toUIMessages(await fetchSnapshot(snapshot));
    assert.deepEqual(partsOf({ messages }), answer, "as it is stored");
  });

  test("is refused, with a reason, by a page that sends by itself", async () => {
    const decision = { approved: false, reason: "too dear" };
    const [, answer] = await wanted([TEA], [decision]);
    const { session, shop, one, two } = await asked([TEA]);
    const [id = ""] = requestsOf(one.chat);
    await one.chat.addToolApprovalResponse({ id, ...decision });
    await shows(one, answer, "the page that decided");
    await shows(two, answer, "the other");
    assert.deepEqual(shop.bought, []);
    await isOneTurn(session);
    const [approval] = await approvalsIn(session);
    assert.deepEqual([approval?.status, approval?.comment], ["rejected", "too dear"]);
  });

  test("is one of several: it goes on once all are decided", async () => {
    const decisions = [{ approved: true }, { approved: false }];
    const [, answer] = await wanted([TEA, JAM], decisions);
    const { session, shop, one, two } = await asked([TEA, JAM]);
    const ids = requestsOf(one.chat);
    await one.transport.decide(session, { id: ids[0] ?? "", approved: true });
    await until(
      () => requestsOf(two.chat).length,
      (count) => count === 1,
      "the other page to show the first decision",
    );
    assert.deepEqual(shop.bought, []);
    await two.transport.decide(session, { id: ids[1] ?? "", approved: false });
    await shows(one, answer, "the page that asked");
    await shows(two, answer, "the other");
    assert.deepEqual(shop.bought, ["tea"]);
    await isOneTurn(session);
  });

  test("is decided with the agent gone: pages show it, and another process goes on", async () => {
    const [, answer] = await wanted([{ ...TEA, item: "green tea" }], [{ approved: true }]);
    const approval = () => ({ schema: SCHEMA, assignees: ["role:supervisor"] });
    const { session, shop, joined, one } = await asked([TEA], { approval });
    joined.agent.close();
    const [{ id } = { id: "" }] = await approvalsIn(session);
    const json = { decision: "approve", data: { item: "green tea" } };
    const decided = await call(fixture.server, session, "POST", `/approvals/${id}/decide`, {
      ...SUPERVISOR,
      json,
    });
    assert.equal(decided.status, 200, decided.text);
    const isShown = (states: unknown) => JSON.stringify(states) === '["approval-responded"]';
    const states = ({ chat }: Page) => partsOf(chat).flatMap(({ state }) => state ?? []);
    await until(() => states(one), isShown, "the page to show that it was decided");
    const late = page(session);
    await until(() => states(late), isShown, "a page that came later to show it");
    assert.deepEqual(shop.bought, []);
    const next = join(session, shop, { approval });
    await shows(one, answer, "the page that asked");
    await shows(late, answer, "the page that came later");
    assert.deepEqual(shop.bought, ["green tea"], "with the input as it was edited");
    assert.equal(next.heard.length, 1);
    await isOneTurn(session);
  });

  test("is decided once: what a page says too late changes nothing", async () => {
    const [, answer] = await wanted([TEA], [{ approved: true }]);
    const { session, shop, one, two } = await asked([TEA]);
    const [id = ""] = requestsOf(one.chat);
    const decisions = await Promise.all([
      one.transport.decide(session, { id, approved: true }),
      two.transport.decide(session, { id, approved: true }),
    ]);
    assert.deepEqual(decisions, [true, true]);
    await shows(one, answer, "one page");
    await shows(two, answer, "the other");
    assert.deepEqual(shop.bought, ["tea"]);
    await isOneTurn(session);
  });

  test("whose turn was stopped is over, and is nobody's to decide", async () => {
    const { session, one, shop } = await asked([TEA]);
    await one.transport.cancel(session);
    const [turn] = await until(
      () => turnsIn(session),
      ([only]) => only?.status === "cancelled",
      "the turn to be cancelled",
    );
    assert.equal(turn?.status, "cancelled");
    const [approval] = await approvalsIn(session);
    assert.equal(approval?.status, "withdrawn");
    assert.deepEqual(shop.bought, []);
  });
});

describe("a tool of the page", () => {
  /** As the AI SDK shows it, whose page gives this output. */
  async function made(result: object): Promise<[Part[], Part[]]> {
    const transport = new DirectChatTransport({ agent: loopOf(shopOf([WHERE])) }) as never;
    const chat = new Chat<UIMessage>({ transport, ...WHOLE });
    await chat.sendMessage({ text: "Where is tea?" });
    const asked = partsOf(chat);
    await chat.addToolOutput({ tool: "where", toolCallId: "call-3", ...result } as never);
    await until(
      () => partsOf(chat),
      (parts) => parts.at(-1)?.state === "done" && parts.at(-1)?.type === "text",
      "the AI SDK's own answer",
    );
    return [asked, partsOf(chat)];
  }

  async function callsIn(session: string): Promise<ToolCall[]> {
    const answer = await call(fixture.server, session, "GET", "/calls?status=all");
    return field(answer, "calls") as ToolCall[];
  }

  async function waiting() {
    const session = fixture.session("calls");
    const shop = shopOf([WHERE]);
    const joined = join(session, shop);
    const [one, two] = [page(session, WHOLE), page(session, WHOLE)];
    await within(one.chat.sendMessage({ text: "Where is tea?" }), "the call");
    return { session, shop, joined, one, two };
  }

  test("is run by one device, and the same turn goes on, on both", async () => {
    const [question, answer] = await made({ output: { city: "Paris" } });
    const { session, joined, one, two } = await waiting();
    await shows(one, question, "the page that asked");
    await shows(two, question, "the other");
    const result = { toolCallId: "call-3", output: { city: "Paris" } };
    assert.equal(await two.transport.settle(session, result), true);
    await shows(two, answer, "the page that ran it");
    await shows(one, answer, "the page that asked");
    assert.equal(joined.heard.length, 2);
    await isOneTurn(session);
    const [{ name, input, output, claim } = {} as ToolCall, ...others] = await callsIn(session);
    assert.deepEqual([name, input, output], ["where", { item: "tea" }, { city: "Paris" }]);
    assert.equal(claim?.connection, two.transport.use(session).session.link.attached?.connection);
    assert.deepEqual(others, []);
  });

  test("fails, by a page that sends by itself", async () => {
    const result = { state: "output-error", errorText: "no signal" };
    const [, answer] = await made(result);
    const { session, one, two } = await waiting();
    await one.chat.addToolOutput({ tool: "where", toolCallId: "call-3", ...result } as never);
    await shows(one, answer, "the page that ran it");
    await shows(two, answer, "the other");
    await isOneTurn(session);
    const [{ status, error } = {} as ToolCall] = await callsIn(session);
    assert.deepEqual([status, error], ["failed", "no signal"]);
  });

  test("is settled once: of two devices that run it the first one counts, for both", async () => {
    const { session, one, two } = await waiting();
    await until(
      () => partsOf(two.chat).length,
      (count) => count === 2,
      "the other to have it",
    );
    const told = [one, two].map(({ chat }, n) =>
      chat.addToolOutput({ tool: "where", toolCallId: "call-3", output: { n } } as never),
    );
    await Promise.all(told);
    const [{ output } = {} as ToolCall] = await until(
      () => callsIn(session),
      ([only]) => only?.status === "complete",
      "the call to be settled",
    );
    await isOneTurn(session);
    const [, answer] = await made({ output });
    await shows(one, answer, "one page");
    await shows(two, answer, "the other");
  });

  test("is run with the agent gone: pages show it, and another process goes on", async () => {
    const [, answer] = await made({ output: 5 });
    const { session, shop, joined, one, two } = await waiting();
    joined.agent.close();
    await two.transport.settle(session, { toolCallId: "call-3", output: 5 });
    const outputs = ({ chat }: Page) => partsOf(chat).map(({ output }) => output);
    const late = page(session, WHOLE);
    for (const it of [one, two, late]) {
      await until(
        () => outputs(it),
        ([, output]) => output === 5,
        "a page to show the output",
      );
    }
    join(session, shop);
    for (const it of [one, two, late]) await shows(it, answer, "a page");
    await isOneTurn(session);
  });
});
