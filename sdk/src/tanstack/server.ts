// `chat()` in an agent: its answer becomes the turn's. Calls that a person has to allow are
// approvals of the session, and a page's tools are its calls (P8); then the same turn goes on.

import type { UIMessage } from "@tanstack/ai";
import { type AgUiEvent, type AgUiOptions, agUi } from "../agent/codec/ag-ui.ts";
import type { Source, StreamResult } from "../agent/speech.ts";
import type { AgentTurn } from "../agent/turn.ts";
import { type RunOptions, streamRuns } from "../runs/runs.ts";
import { toChat } from "./transcript.ts";

export interface ChatToTurnOptions extends RunOptions, Pick<AgUiOptions, "state"> {}

/**
 * Pipes a stream of `chat()`, which `run` gives, into a turn. It is called with the conversation
 * that leads to the turn. When all calls are settled that need approval or are a page's, it is
 * called again, with their outcomes: in this process, or in the next one of the agent, which calls
 * this alike.
 */
export function chatToTurn(
  turn: AgentTurn,
  run: (messages: UIMessage[]) => Source<AgUiEvent> | Promise<Source<AgUiEvent>>,
  { state = {}, ...options }: ChatToTurnOptions = {},
): Promise<StreamResult> {
  return streamRuns(
    turn,
    () => agUi({ state }),
    async (messages) => {
      const { turns } = messages;
      return run(toChat({ messages, turns, hasOlder: false }) as unknown as UIMessage[]);
    },
    options,
  );
}
