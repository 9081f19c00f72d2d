// Cancels a turn, or all of them (P6.5).

import { useState } from "react";
import type { Turn } from "sessile";
import { useConnection, useSession } from "sessile/react";
import { Choice, Dialog } from "./dialog.tsx";
import { Plain } from "./plain.tsx";
import { turnWords } from "./words.ts";

const ALL = "*";

interface Props {
  open: readonly Turn[];
  /** The one that is meant, if somebody has chosen it already. */
  turn?: string | undefined;
  onClose: () => void;
}

/** Asks which turn, and why. */
export function CancelDialog({ open, turn, onClose }: Props) {
  const session = useSession();
  const isLive = useConnection().state === "connected";
  const [target, setTarget] = useState(turn ?? open[0]?.id ?? ALL);
  const [reason, setReason] = useState("");
  const cancel = () =>
    session.cancel(target === ALL ? { all: true } : { turn: target }, reason.trim() || undefined);
  const each = open.map((it) => [it.id, <Turned key={it.id} turn={it} />] as const);
  const all = [ALL, `All ${open.length}, and what waits for an agent`] as const;
  return (
    <Dialog
      title="Cancel an answer?"
      yes={target === ALL ? "Cancel all" : "Cancel it"}
      isDangerous
      isLive={isLive}
      onYes={cancel}
      onClose={onClose}
    >
      <p>Its agent is told to stop, and is cut off if it does not. What it has said stays.</p>
      <Choice
        legend="Which one"
        options={open.length > 1 ? [...each, all] : each}
        value={target}
        onChange={setTarget}
      />
      <label className="field">
        <span>The reason, if you like: the agent and everybody here see it</span>
        <input
          maxLength={500}
          autoComplete="off"
          value={reason}
          onInput={(event) => setReason(event.currentTarget.value)}
        />
      </label>
    </Dialog>
  );
}

function Turned({ turn }: { turn: Turn }) {
  return (
    <>
      <Plain text={turn.agent ?? "No agent yet"} />, {turnWords(turn).words}{" "}
      <code>
        <Plain text={turn.id} />
      </code>
    </>
  );
}
