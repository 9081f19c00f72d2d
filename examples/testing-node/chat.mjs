// A page of the chat, as far as it matters here: the messages, and whether somebody is writing.
import { createSession } from "sessile";

export async function openChat(where) {
  const session = createSession(where);
  await session.connect();
  return session;
}

/** A snapshot as people see it, line by line. */
export function view({ messages, turns }) {
  const lines = messages.map(({ role, data }) => `${role}: ${data}`);
  const isWriting = turns.some(({ status }) => status === "active");
  return isWriting ? [...lines, "…"] : lines;
}
