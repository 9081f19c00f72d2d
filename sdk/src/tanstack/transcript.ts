// A session's messages as TanStack AI's: one for each message of a person, and for each answer
// those that a client would build from its events.

import { Answers } from "../answer/answers.ts";
import { fieldsOf, type Loose, present } from "../answer/fields.ts";
import { withSettled } from "../answer/settled.ts";
import { askingsOf } from "../client/askings.ts";
import { branchesOf } from "../client/branches.ts";
import type { Session } from "../client/session.ts";
import type { SessionSnapshot } from "../client/types.ts";
import { DECIDED, type Message, TOOL_APPROVAL, type Turn } from "../protocol/index.ts";
import { RunChunks } from "./chunks.ts";
import { resultOf } from "./events.ts";
import { type ChatMessage, fold } from "./fold.ts";
import { type Node, nodesOf } from "./nodes.ts";

export type Shown = Pick<SessionSnapshot, "messages" | "turns" | "hasOlder">;

/** The branch on screen. */
export function shownIn(session: Session): Shown {
  const { messages, turns } = branchesOf(session);
  const { value } = askingsOf(session);
  return { messages: withSettled(messages, value), turns, hasOlder: session.hasOlder };
}

/** The nodes to show, without an answer whose beginning is not loaded. */
export function wholeNodes({ messages, hasOlder }: Shown, answers: Answers): readonly Node[] {
  const nodes = nodesOf(messages, answers);
  if (!hasOlder) return nodes;
  const [first] = nodes;
  const half = first?.isTurn && nodes.length > 1 ? first.answer : undefined;
  const begun = new Set(nodes.map(({ key }) => key));
  return nodes.filter(
    ({ answer }) => answer === undefined || (answer !== half && begun.has(answer)),
  );
}

/** The messages of an answer up to the end of one of its turns, each output after its call. */
export function saidUpTo(nodes: readonly Node[], turn: string, answers: Answers): Message[] {
  const index = nodes.findIndex(({ key }) => key === turn);
  const answer = nodes[index]?.answer;
  const own = nodes.slice(0, index + 1).filter((node) => node.answer === answer);
  const said = own.flatMap(({ messages }) => messages);
  const placeOf = (message: Message) => answers.call(message)?.input.serial ?? "";
  const isEarly = (message: Message) => placeOf(message) > message.serial;
  const early = said.filter(isEarly);
  if (early.length === 0) return said;
  return said
    .filter((message) => !isEarly(message))
    .flatMap((message) => [message, ...early.filter((it) => placeOf(it) === message.serial)]);
}

/** The chat's messages for some nodes. */
export function chatOf(
  nodes: readonly Node[],
  turns: readonly Turn[],
  answers: Answers,
): ChatMessage[] {
  const known = new Map(turns.map((turn) => [turn.id, turn]));
  const chat: ChatMessage[] = [];
  const groups = new Map<string, Node[]>();
  for (const node of nodes) {
    const { answer = node.key } = node;
    groups.set(answer, [...(groups.get(answer) ?? []), node]);
  }
  for (const own of groups.values()) chat.push(...chatOfAnswer(own, known, answers));
  return chat;
}

function chatOfAnswer(
  nodes: readonly Node[],
  turns: ReadonlyMap<string, Turn>,
  answers: Answers,
): ChatMessage[] {
  const chat: ChatMessage[] = [];
  for (const node of nodes) {
    const { key, isTurn, answer } = node;
    const [first] = node.messages;
    if (!first) continue;
    if (answer === undefined) chat.push(fromPerson(first, key));
    else if (isTurn) {
      fold(chat, chunksOf(nodes, node, turns.get(key), answers), dateOf(first));
      for (const it of node.messages) if (it.headers?.[DECIDED]) respond(chat, it);
    } else if (first.name === TOOL_APPROVAL) respond(chat, first);
    else fold(chat, resultOf(first, answers));
  }
  return chat;
}

/** The chunks of a turn, after those of the earlier turns of its answer. */
export function chunksOf(
  nodes: readonly Node[],
  { key: run, answer = run }: Node,
  turn: Turn | undefined,
  answers: Answers,
): Loose[] {
  const chunks = new RunChunks({ thread: "", run, answer });
  return chunks.next(saidUpTo(nodes, run, answers), turn, answers);
}

/** The transcript of a session. */
export function toChat(shown: Shown & { log?: readonly Message[] }): ChatMessage[] {
  const answers = Answers.of({ messages: shown.log ?? shown.messages, turns: shown.turns });
  return chatOf(wholeNodes(shown, answers), shown.turns, answers);
}

/** The data to publish for a page's message: plain text if it has nothing else. */
export function toData({ parts, metadata }: Pick<ChatMessage, "parts" | "metadata">): unknown {
  const [only] = parts;
  const isPlain = parts.length === 1 && only?.type === "text" && metadata === undefined;
  return isPlain && typeof only.content === "string" ? only.content : present({ parts, metadata });
}

function dateOf({ createdAt }: Message): Date {
  return new Date(createdAt);
}

/** The parts that a person may publish: no calls, results or reasoning. */
const OF_PERSONS = /^(text|image|audio|video|document|file|data-.+)$/;

function fromPerson(message: Message, id: string): ChatMessage {
  const { role, data } = message;
  const { parts, metadata } = fieldsOf(data);
  const text = typeof data === "string" ? data : JSON.stringify(data);
  const given: Loose[] = Array.isArray(parts) ? parts : [{ type: "text", content: text }];
  // Other roles need the operation `edit` or `turn` (P4.1).
  const own = given.filter(({ type }) => role !== "user" || OF_PERSONS.test(type));
  return present({
    id,
    role: role === "tool" ? "assistant" : role,
    // Other SDKs name a text part's content `text`.
    parts: own.map((it) => (it.type === "text" ? { content: it.text, ...it } : it)),
    metadata,
    createdAt: dateOf(message),
  });
}

/** Adds a page's answer to its question. */
function respond(chat: ChatMessage[], { data }: Message): void {
  const { approvalId, approved } = fieldsOf(data);
  if (approved === undefined) return;
  for (const part of chat.flatMap(({ parts }) => parts)) {
    const { id } = fieldsOf(part.approval);
    if (id !== approvalId) continue;
    if (part.state === "approval-requested") part.state = "approval-responded";
    part.approval = { ...fieldsOf(part.approval), approved };
  }
}
