// The usage that providers report, by names that are the same for all of them.

import type { Usage } from "../../protocol/index.ts";
import { fields } from "./operation.ts";

/** Each amount's places in what providers and their SDKs say; the first that is there counts. */
const PLACES: Record<string, string> = {
  inputTokens: "inputTokens input_tokens promptTokens prompt_tokens",
  outputTokens: "outputTokens output_tokens completionTokens completion_tokens",
  totalTokens: "totalTokens total_tokens",
  cachedInputTokens:
    "cachedInputTokens cache_read_input_tokens inputTokenDetails.cacheReadTokens " +
    "input_tokens_details.cached_tokens promptTokensDetails.cachedTokens " +
    "prompt_tokens_details.cached_tokens",
  reasoningTokens:
    "reasoningTokens outputTokenDetails.reasoningTokens output_tokens_details.reasoning_tokens " +
    "completionTokensDetails.reasoningTokens completion_tokens_details.reasoning_tokens",
};

/** The places of what Anthropic does not count as input. */
const BESIDE = "cache_read_input_tokens cache_creation_input_tokens";

/** The amount at the first of these places. */
function amount(said: unknown, places: string): number | undefined {
  for (const place of places.split(" ")) {
    const value = place.split(".").reduce((at: unknown, name) => fields(at)[name], said);
    if (typeof value === "number" && value >= 0 && value < Infinity) return value;
  }
  return undefined;
}

/**
 * The usage in what a provider or an SDK reports for one response, for `turn.usage`: of OpenAI
 * (Responses and Chat), Anthropic, the AI SDK, AG-UI and TanStack AI. `inputTokens` are all of
 * them, those from a cache too; of a list, all entries are added up.
 */
export function usageFrom(reported: unknown): Usage {
  const sums: Usage = {};
  for (const said of [reported].flat()) {
    const found: Usage = {};
    for (const [name, places] of Object.entries(PLACES)) {
      const is = amount(said, places);
      if (is !== undefined) found[name] = is;
    }
    const { inputTokens: input } = found;
    const beside = BESIDE.split(" ").reduce((sum, place) => sum + (amount(said, place) ?? 0), 0);
    if (input !== undefined) found.inputTokens = input + beside;
    const { inputTokens, outputTokens } = found;
    if (inputTokens !== undefined || outputTokens !== undefined) {
      found.totalTokens ??= (inputTokens ?? 0) + (outputTokens ?? 0);
    }
    for (const name in found) sums[name] = (sums[name] ?? 0) + (found[name] ?? 0);
  }
  return sums;
}
