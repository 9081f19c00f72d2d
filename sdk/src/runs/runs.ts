// An answer that an SDK gives in several runs of one turn. Between the runs the turn is suspended,
// until people and devices have answered (P8.4).

import type { ApproveOptions, CallOptions } from "../agent/asking.ts";
import type { Codec, Operation } from "../agent/codec/operation.ts";
import {
  type Conversation,
  type ConversationOptions,
  conversation,
} from "../agent/conversation.ts";
import type { Source, StreamResult } from "../agent/speech.ts";
import type { AgentTurn } from "../agent/turn.ts";
import {
  type Message,
  type SessileError,
  short,
  TOOL_APPROVAL,
  TOOL_OUTPUT,
  type Turn,
} from "../protocol/index.ts";
import {
  type Asked,
  type Left,
  type LeftCall,
  MOST_TITLE,
  progressOf,
  respond,
  tell,
} from "./progress.ts";

export interface RunOptions extends Pick<ConversationOptions, "limit"> {
  /**
   * Changes the question to the person, whose title is the tool's name and whose `data` is the
   * input. With a `schema` whoever decides may edit the input within it.
   */
  approval?: (call: LeftCall) => Partial<Omit<ApproveOptions, "id" | "data" | "signal">>;
  /** Changes the call of a tool that a device runs, which has no `execute` here. */
  call?: (call: LeftCall) => Omit<CallOptions, "id" | "signal" | "suspend">;
}

/** Streams what `run` gives for the conversation, again after all that it asks is settled. */
export async function streamRuns<Part>(
  turn: AgentTurn,
  makeCodec: () => Codec<Part>,
  run: (said: Conversation) => Promise<Source<Part>>,
  options: RunOptions,
): Promise<StreamResult> {
  for (;;) {
    const { said, round, asks, left, isOver } = progressOf(await told(turn, options), turn.id);
    const waits = [
      ...asks.map((asked) => ask(turn, asked, options)),
      ...left.map((call) => make(turn, call, options)),
    ];
    if (waits.length > 0) await Promise.all(waits);
    else if (isOver) return { status: "complete" };
    else {
      const codec = makeCodec();
      const waiting = new Set<string>();
      const hear = (part: Part) => {
        const operations = codec(part);
        for (const operation of operations) note(waiting, operation);
        return operations;
      };
      const heard = Object.assign(hear, { end: () => codec.end?.() ?? [] });
      const result = await turn.stream(await run(said), heard, { id: `run-${round}` });
      if (waiting.size === 0 || result.status !== "complete") return result;
    }
  }
}

/** Notes which calls have no output yet, and whether one needs approval. */
function note(waiting: Set<string>, operation: Operation): void {
  const isSaid = operation.op === "put" || operation.op === "open";
  const { name } = isSaid ? operation : { name: "" };
  // The input and the output of a call have the same number.
  const [call = ""] = /\d+$/.exec("key" in operation ? operation.key : "") ?? [];
  if (name === TOOL_APPROVAL) waiting.add(name);
  else if (name === "tool-input") waiting.add(call);
  else if (name === TOOL_OUTPUT) waiting.delete(call);
}

/** The conversation that leads to a turn, with what was said in the turn. */
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

/** Has one call made by a device, and says in the turn how it ended. */
async function make(turn: AgentTurn, left: Left, { call }: RunOptions) {
  const { toolName, input } = left.call;
  const options = { ...call?.(left.call), id: left.id };
  await tell(turn, left, turn.call(toolName, input, options));
}
