// The usage of the session's turns, and whether its budget is spent (P6.12).

import { useUsage } from "sessile/react";

/** The tokens of the session in one line. */
export function Usage() {
  const { sums, overBudget } = useUsage();
  const { totalTokens = 0 } = sums;
  const over = overBudget ? `: over the budget of ${overBudget.limit.toLocaleString("en")}` : "";
  // One text, so that a longer number pushes nothing.
  const words = `${totalTokens.toLocaleString("en")} tokens${over}`;
  return (
    <p className="usage" data-over={overBudget !== undefined}>
      {words}
    </p>
  );
}
