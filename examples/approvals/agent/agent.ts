// An agent that buys tickets. It looks up free evenings on the user's device, asks the user which
// one, and asks a supervisor before it buys. It may be stopped, killed and started again meanwhile:
// the handler runs from its start, and whatever was settled is there at once.

import { type AgentTurn, createAgentSession, type StartOptions, TakenError } from "sessile/agent";

const { URL: url = "", SESSION: name = "", TOKEN: token = "" } = process.env;
const DAY_MS = 24 * 60 * 60 * 1000;

interface Order {
  evening: string;
  seats: number;
  price: number;
}

const session = createAgentSession({
  url,
  session: name,
  token,
  onInput: answer,
  // The turn goes on: everything it had asked is settled, and no process was there.
  onQueued: answer,
  onStatus: ({ state, error }) => console.log(error ? `${state}: ${error.message}` : state),
});

async function answer(_: unknown, start: StartOptions): Promise<void> {
  try {
    const { id, status } = await session.answer(start, sell);
    console.log(`turn ${id} is ${status}`);
  } catch (error) {
    // Another process of this agent was first.
    if (!(error instanceof TakenError)) console.error(error);
  }
}

async function sell(turn: AgentTurn): Promise<unknown> {
  const { free } = await turn.call<{ free: string[] }>("free-evenings", { month: "2026-12" });
  const { status, option } = await turn.ask({
    title: "Which evening would you like?",
    options: free.map((id) => ({ id, label: dayOf(id) })),
    // An answer in other words dismisses the question, and begins a turn of its own.
    onMessage: "dismiss",
  });
  if (status !== "answered" || !option) return turn.message("Then another time.");

  const order = await turn.approve({
    title: `Buy two tickets for ${dayOf(option)}?`,
    data: { evening: option, seats: 2, price: 90 } satisfies Order,
    // The form in which a supervisor may change it.
    schema: {
      type: "object",
      required: ["evening", "seats", "price"],
      properties: {
        evening: { enum: free },
        seats: { type: "integer", minimum: 1, maximum: 4 },
        price: { type: "number", maximum: 200 },
      },
    },
    assignees: ["role:supervisor"],
    deadlineMs: DAY_MS,
  });
  if (order.status !== "approved") {
    return turn.message(`No tickets: ${order.comment ?? order.status}`);
  }
  const { evening, seats, price } = order.data as Order;
  const number = buy(order.data as Order, order.approval.id);
  return turn.message(`Bought for ${dayOf(evening)}: ${seats} at ${price} €, order ${number}.`);
}

/** Stands for the shop. It knows an order by its key, and so takes none twice. */
function buy(_: Order, key: string): string {
  return key.slice(-6);
}

function dayOf(date: string): string {
  const as = { weekday: "long", day: "numeric", month: "long", timeZone: "UTC" } as const;
  return new Date(date).toLocaleDateString("en-GB", as);
}
