// The person at this page, as the token says. The session judges: this only says what to offer.

import type { Approval } from "sessile";

export interface Me {
  client: string;
  name?: string | undefined;
  role: string;
}

/** The strongest first (P2.1). */
const ROLES = ["supervisor", "agent", "user"];

/** The owner of a token; a malformed one is refused by the Worker, not here. */
export function meOf(token: string): Me {
  try {
    const [, part = ""] = token.split(".");
    const bytes = Uint8Array.from(
      atob(part.replace(/-/g, "+").replace(/_/g, "/")),
      (char) => char.codePointAt(0) ?? 0,
    );
    const { sub, name, role, caps = {} } = JSON.parse(new TextDecoder().decode(bytes));
    const words = Object.values(caps as Record<string, string[]>).flat();
    const named = ROLES.find((it) => words.includes(it)) ?? "user";
    return { client: String(sub), name: name && String(name), role: String(role ?? named) };
  } catch {
    return { client: "", role: "user" };
  }
}

/**
 * Whether the person may decide: somebody asked by name, or a supervisor where nobody is. An
 * escalation may have named the assignees of a question that is open to supervisors too (P8.1).
 */
export function mayDecide({ assignees = [], history }: Approval, me: Me): boolean {
  const isOpen = assignees.length === 0 || history.some(({ what }) => what === "escalate");
  return isOpen || assignees.includes(me.client) || assignees.includes(`role:${me.role}`);
}
