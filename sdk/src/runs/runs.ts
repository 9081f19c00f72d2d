// An answer that an SDK gives in several runs of one turn: between them it waits for people, and the
// turn is suspended (P8.4).

import type { ApproveOptions } from "../agent/asking.ts";
import type { Codec, Operation } from "../agent/codec/operation.ts";
import {
  type Conversation,
  type ConversationOptions,
  conversation,
} from "../agent/conversation.ts";
import type { AgentTurn, Source, StreamResult } from "../agent/turn.ts";
import {
  type Message,
  type SessileError,
  short,
  TOOL_APPROVAL,
  type Turn,
} from "../protocol/index.ts";
import { type Asked, MOST_TITLE, progressOf, respond } from "./progress.ts";

/** A call that a person has to allow. */
export interface AskedCall {
  toolCallId: string;
  toolName: string;
  input: unknown;
}

export interface RunOptions extends Pick<ConversationOptions, "limit"> {
  /**
   * Changes the question to the person, whose title is the tool's name and whose `data` is the
   * input. With a `schema` whoever decides may edit the input within it.
   */
  approval?: (call: AskedCall) => Partial<Omit<ApproveOptions, "id" | "data" | "signal">>;
}

/** Streams what `run` gives for the conversation, again after all that it asks is settled. */
export async function streamRuns<Part>(
  turn: AgentTurn,
  makeCodec: () => Codec<Part>,
  run: (said: Conversation) => Promise<Source<Part>>,
  options: RunOptions,
): Promise<StreamResult> {
  for (;;) {
    const { said, round, asks, isOver } = progressOf(await told(turn, options), turn.id);
    if (asks.length > 0) await Promise.all(asks.map((asked) => ask(turn, asked, options)));
    else if (isOver) return { status: "complete" };
    else {
      const codec = makeCodec();
      let isAsking = false;
      const isRequest = (it: Operation) => it.op === "put" && it.name === TOOL_APPROVAL;
      const hear = (part: Part) => {
        const operations = codec(part);
        isAsking ||= operations.some(isRequest);
        return operations;
      };
      const heard = Object.assign(hear, { end: () => codec.end?.() ?? [] });
      const result = await turn.stream(await run(said), heard, { id: `run-${round}` });
      if (!isAsking || result.status !== "complete") return result;
    }
  }
}

/** The conversation that leads to a turn, and what that has said. */
async function told({ host, id: turn, info }: AgentTurn, { limit }: RunOptions) {
  const options = { turn, ...(limit !== undefined && { limit }) };
  const input = info.input ?? info.parent;
  try {
    return await conversation(host, input ?? "", options);
  } catch (error) {
    // It answers nothing, and has said nothing.
    const isFirst = input === undefined && (error as SessileError).code === "not-found";
    if (!isFirst) throw error;
    return Object.assign<Message[], { turns: Turn[] }>([], { turns: [] });
  }
}

/** Asks for one call, and says in the turn what was decided. */
async function ask(turn: AgentTurn, asked: Asked, { approval }: RunOptions) {
  const { id, call, description } = asked;
  const more = approval?.(call) ?? {};
  const title = short(call.toolName, MOST_TITLE);
  const settled = await turn.approve({ title, ...description, ...more, data: call.input, id });
  await respond(turn, asked, settled, more.schema !== undefined);
}
