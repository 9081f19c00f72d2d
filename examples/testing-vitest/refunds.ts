// An agent that gives money back: up to a limit by itself, above it once a supervisor allows it. It
// is called by the session, so that nothing has to run while somebody thinks.

import { readMessage } from "sessile/agent";
import { type Serve, serveWebhook } from "sessile/wake";

/** A supervisor has to allow more than that. */
const LIMIT = 50;
const HALF_HOUR_MS = 30 * 60_000;

export interface RefundsOptions {
  url: string;
  secret: string;
  /** The shop's own system: with the same key again it does nothing. */
  refund: (amount: number, key: string) => Promise<void>;
}

export function serveRefunds({ refund, ...where }: RefundsOptions): Serve {
  return serveWebhook(async (turn, { input = "" }) => {
    const { data } = await readMessage(turn.host, input);
    const amount = Number(/\d+/.exec(String(data))?.[0]);
    if (amount > LIMIT) {
      const { status, comment } = await turn.approve({
        title: `Refund ${amount} €?`,
        assignees: ["role:supervisor"],
        deadlineMs: HALF_HOUR_MS,
      });
      if (status === "expired") return turn.message("Nobody had time. Please ask again.");
      if (status !== "approved") return turn.message(`Sorry: ${comment ?? "no"}.`);
    }
    await refund(amount, turn.id);
    return turn.message(`You get ${amount} € back.`);
  }, where);
}
