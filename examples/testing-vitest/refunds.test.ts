// The refunds on a real session layer: it calls the agent as a deployment would.

import { approvalsOf, createSession, type Session } from "sessile";
import { type Handler, type Sessile, startSessile, until, type Wire } from "sessile/testing";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { serveRefunds } from "./refunds.ts";

vi.setConfig({ testTimeout: 20_000 });

let sessile: Sessile;
const refund = vi.fn(async () => {});
/** The agent's server. A test may put another handler in its place: a deployment that is down. */
let serve: Handler;
let agent: Handler;
let agentUrl: string;

beforeAll(async () => {
  sessile = await startSessile();
  agent = serveRefunds({ url: sessile.url, secret: sessile.secret, refund });
  agentUrl = (await sessile.receive((...call) => serve(...call))).url;
});
afterAll(() => sessile.stop());

let cases = 0;
/** A case of its own for each test, and the customer's page on a network of its own. */
async function open(): Promise<{ session: string; customer: Session; wire: Wire }> {
  serve = agent;
  refund.mockClear();
  cases += 1;
  const session = `case-${cases}`;
  await sessile.configure(session, { agent: { url: agentUrl, token: true } });
  const wire = await sessile.newWire();
  return { session, wire, customer: await join(session, "ada", "user", wire.url) };
}

async function join(session: string, sub: string, role: string, url = sessile.url) {
  const joined = createSession({ url, session, token: () => sessile.token({ sub, role }) });
  onTestFinished(() => joined.close());
  await joined.connect();
  return joined;
}

/** The last words, once the agent has said some and its turn is over. */
async function answerIn(session: Session): Promise<unknown> {
  const { messages } = await until(session, ({ turns }) => turns.at(-1)?.endedAt !== undefined);
  return messages.at(-1)?.data;
}

/** A supervisor, and the approval that waits for one. */
async function supervisorOf(session: string) {
  const supervisor = await join(session, "grace", "supervisor");
  const approvals = approvalsOf(supervisor);
  await until(supervisor, () => approvals.pending.length === 1);
  const [approval] = approvals.pending;
  return { supervisor, approvals, id: approval?.id ?? "" };
}

test("a small amount needs nobody", async () => {
  const { customer } = await open();
  await customer.send("I want 20 € back");
  expect(await answerIn(customer)).toBe("You get 20 € back.");
});

test("a supervisor allows a large one, while the customer is offline", async () => {
  const { session, customer, wire } = await open();
  await customer.send("I want 90 € back");
  const { approvals, id } = await supervisorOf(session);
  wire.drop();
  // Days may pass: neither the session nor the agent has to be in memory.
  await sessile.evict(session);
  await approvals.decide(id, "approve");
  await vi.waitUntil(() => refund.mock.calls.length > 0, 5_000);
  wire.mend();
  expect(await answerIn(customer)).toBe("You get 90 € back.");
  expect(refund).toHaveBeenCalledExactlyOnceWith(90, expect.any(String));
});

test("a supervisor says no, and why", async () => {
  const { session, customer } = await open();
  await customer.send("I want 90 € back");
  const { approvals, id } = await supervisorOf(session);
  await approvals.decide(id, "reject", { comment: "it was opened" });
  expect(await answerIn(customer)).toBe("Sorry: it was opened.");
  expect(refund).not.toHaveBeenCalled();
});

test("nobody decides for half an hour, which passes in no time", async () => {
  const { session, customer } = await open();
  await customer.send("I want 90 € back");
  await supervisorOf(session);
  await sessile.clock.advance(30 * 60_000);
  expect(await answerIn(customer)).toBe("Nobody had time. Please ask again.");
});

test("an agent that is down is called again, and answers once", async () => {
  const { customer } = await open();
  let calls = 0;
  serve = () => {
    calls += 1;
    return new Response(null, { status: 500 });
  };
  await customer.send("I want 20 € back");
  await vi.waitUntil(() => calls > 0, 5_000);
  serve = agent;
  // Less than the lease of its turn, which it would lose otherwise.
  await sessile.clock.advance(10_000);
  expect(await answerIn(customer)).toBe("You get 20 € back.");
  expect(refund).toHaveBeenCalledOnce();
});

test("a cancel takes the request back before anybody decides", async () => {
  const { session, customer } = await open();
  await customer.send("I want 90 € back");
  const { supervisor, approvals } = await supervisorOf(session);
  await customer.cancel({ all: true });
  await until(supervisor, () => approvals.pending.length === 0);
  const { turns } = await until(customer, ({ turns }) => turns[0]?.endedAt !== undefined);
  expect(turns[0]?.status).toBe("cancelled");
  expect(refund).not.toHaveBeenCalled();
});
