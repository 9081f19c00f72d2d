// What the session's turns have used, and how much of its budget that is (P6.12).

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
