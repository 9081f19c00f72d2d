// Usage and budgets (P6.12).

/**
 * Amounts by names of the application's choice. The codecs of `sessile/agent` report `inputTokens`,
 * `outputTokens`, `totalTokens`, `cachedInputTokens` and `reasoningTokens`.
 */
export type Usage = Record<string, number>;

/** A budget that is spent: a sum beyond its limit. */
export interface OverBudget {
  name: string;
  limit: number;
  /** The session's sum. */
  used: number;
}

/** Adds to the usage of a turn, by its leader. */
export interface ReportUsageFrame {
  type: "turn.usage";
  turn: string;
  usage: Usage;
  attempt?: number;
  id?: string;
}

/** The session's sums have grown, or `overBudget` has changed. It is no place of the log. */
export interface UsageFrame {
  type: "usage";
  /** The sums that have grown. */
  usage?: Usage;
  /** The sum that is beyond the budget, while it is spent. */
  overBudget?: OverBudget;
}
