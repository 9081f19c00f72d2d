// Taking a conversation over from the agents, and handing it back (P8.8).

import { useState } from "react";
import { useLead } from "sessile/react";
import { Button } from "../look/parts.tsx";

/** A button that takes over, and then one that hands back. */
export function TakeOver({ note }: { note?: string }) {
  const { lead, isOwn, takeOver, handBack } = useLead();
  const [problem, setProblem] = useState("");
  const act = async () => {
    setProblem("");
    try {
      await (isOwn ? handBack() : takeOver(note === undefined ? {} : { note }));
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  return (
    <div className="take-over">
      <Button kind={isOwn ? "main" : undefined} onClick={act}>
        {isOwn ? "Hand back to the agents" : lead ? "Take over from them" : "Take over"}
      </Button>
      {problem !== "" && (
        <span className="bad" role="alert">
          {problem}
        </span>
      )}
    </div>
  );
}
