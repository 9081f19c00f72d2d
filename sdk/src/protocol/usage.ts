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

/** The budget is spent or, without `overBudget`, no longer. It is no place of the log. */
export interface BudgetFrame {
  type: "budget";
  overBudget?: OverBudget;
}
