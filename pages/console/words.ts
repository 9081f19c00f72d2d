// States and errors in words.

import { type Approval, SessileError, type Turn } from "sessile";
import type { Tone } from "../look/parts.tsx";
import type { Me } from "./me.ts";

/** An error as people read it. */
export function wordsOf(error: unknown): string {
  if (error instanceof SessileError) {
    if (error.code === "already-decided") return "Somebody else has decided this already.";
    if (error.code === "unreachable")
      return "The network is away. Nothing has happened; try again.";
    const [first = "", ...rest] = error.message;
    return `${first.toUpperCase()}${rest.join("")}.`.replace(/\.\.$/, ".");
  }
  return error instanceof Error ? error.message : String(error);
}

/** How a turn stands. */
export function turnWords({ status, reason, cancel }: Turn): { tone: Tone; words: string } {
  if (cancel && (status === "active" || status === "suspended")) {
    return { tone: "warn", words: "stopping" };
  }
  switch (status) {
    case "queued":
      return { tone: "quiet", words: "waits for an agent" };
    case "active":
      return { tone: "note", words: "is answering" };
    case "suspended": {
      const waits = reason === "approval" ? "a decision" : reason === "call" ? "a tool" : reason;
      return { tone: "warn", words: waits ? `waits for ${waits}` : "waits" };
    }
    case "complete":
      return { tone: "good", words: "done" };
    case "cancelled":
      return { tone: "quiet", words: "cancelled" };
    case "failed":
      return { tone: "bad", words: reason ? `failed: ${reason}` : "failed" };
  }
}

/** Whom an approval asks: this person, roles and others; nothing where nobody is named. */
export function askedWords({ assignees = [] }: Approval, me: Me): string {
  const names = assignees.map((it) =>
    it === me.client ? "you" : it.startsWith("role:") ? `${it.slice("role:".length)}s` : it,
  );
  return names.length > 0 ? ` ${names.join(", ")}` : "";
}

/** How an approval ended, and by whom. */
export function settledWords({ status, decidedBy, client, option, options }: Approval): string {
  const by = decidedBy ? ` by ${decidedBy}` : "";
  const label = options?.find(({ id }) => id === option)?.label ?? option;
  switch (status) {
    case "answered":
      return `answered${label ? ` “${label}”` : ""}${by}`;
    case "withdrawn":
      return `taken back by ${client}`;
    case "expired":
      return "nobody decided in time";
    default:
      return decidedBy ? `${status}${by}` : `${status} at its deadline`;
  }
}
