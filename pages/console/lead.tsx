// The agents or a person answer: taking over, handing back (P8.8), and cancelling.

import { useState } from "react";
import { type Approval, isOpen, type Leading, type Turn, type Wake } from "sessile";
import { useConnection, useLead } from "sessile/react";
import { Button } from "../look/parts.tsx";
import { CancelDialog } from "./cancel.tsx";
import { Choice, Dialog } from "./dialog.tsx";
import { type Me, mayDecide } from "./me.ts";
import { Plain } from "./plain.tsx";
import { Ago } from "./time.tsx";

interface Props {
  lead: Leading | undefined;
  isOwn: boolean;
  turns: readonly Turn[];
  /** Whether it is known how the session stands. */
  isRead: boolean;
  isOffline: boolean;
  /** The approvals that wait. */
  pending: readonly Approval[];
  me: Me;
}

const OFFLINE =
  "Offline: this is how things stood. Decisions and replies are sent once the network is back.";

/** The hand-over as it stands, and what can be done about it. */
export function LeadBar(props: Props) {
  const { lead, isOwn, turns, isRead, isOffline, pending, me } = props;
  const [question, setQuestion] = useState<"take" | "return" | "cancel">();
  const open = turns.filter(isOpen);
  const close = () => setQuestion(undefined);
  return (
    <div className="lead" data-own={isOwn ? "" : undefined}>
      <p className="lead-state">
        {isRead && isOffline && OFFLINE}
        {isRead && !isOffline && <State lead={lead} isOwn={isOwn} />}
      </p>
      {/* Without the time, which would be read out each minute. */}
      <span className="visually-hidden" role="status">
        {lead && !isOwn && `${lead.name ?? lead.client} answers here now`}
      </span>
      <div className="lead-ways">
        {pending.length > 0 && <ToAskings pending={pending} me={me} />}
        {open.length > 0 && (
          <Button
            key="cancel"
            kind="danger"
            aria-keyshortcuts="x"
            onClick={() => setQuestion("cancel")}
          >
            Cancel…
          </Button>
        )}
        {isOwn ? (
          <Button key="return" aria-keyshortcuts="h" onClick={() => setQuestion("return")}>
            Hand back…
          </Button>
        ) : (
          <Button
            key="take"
            kind="main"
            aria-keyshortcuts="t"
            disabled={!isRead}
            onClick={() => setQuestion("take")}
          >
            Take over…
          </Button>
        )}
      </div>
      {question === "take" && <TakeDialog {...{ lead, open }} onClose={close} />}
      {question === "return" && <ReturnDialog onClose={close} />}
      {question === "cancel" && <CancelDialog open={open} onClose={close} />}
    </div>
  );
}

function State({ lead, isOwn }: Pick<Props, "lead" | "isOwn">) {
  if (!lead) return <>Agents answer. You watch.</>;
  return (
    <>
      {isOwn ? "You took over " : <Plain text={`${lead.name ?? lead.client} took over `} />}
      <Ago at={lead.since} />
      {isOwn ? ": agents wait until you hand back." : "."}
      {lead.note && (
        <>
          {" “"}
          <Plain text={lead.note} />
          {"”"}
        </>
      )}
    </>
  );
}

/** Goes to the approvals, one after the other. */
function ToAskings({ pending, me }: Pick<Props, "pending" | "me">) {
  const own = pending.filter((approval) => mayDecide(approval, me)).length;
  const go = () => {
    const all = [...document.querySelectorAll<HTMLElement>(".asking")];
    const at = all.findIndex((asking) => asking.contains(document.activeElement));
    const next = all[(at + 1) % all.length];
    next?.focus();
    next?.scrollIntoView({ block: "start" });
  };
  return (
    <Button className={own > 0 ? "lead-asked" : ""} aria-keyshortcuts="a" onClick={go}>
      {own > 0 ? `${own} to decide` : `${pending.length} with others`}
    </Button>
  );
}

interface TakeProps {
  lead: Leading | undefined;
  open: readonly Turn[];
  onClose: () => void;
}

function TakeDialog({ lead, open, onClose }: TakeProps) {
  const { takeOver } = useLead();
  const isLive = useConnection().state === "connected";
  const [turns, setTurns] = useState<"finish" | "cancel">("finish");
  const [note, setNote] = useState("");
  const take = async () => {
    await takeOver({ turns, ...(note.trim() && { note: note.trim() }) });
    focusReply();
  };
  const name = lead && (lead.name ?? lead.client);
  return (
    <Dialog
      title={name ? `Take over from ${name}?` : "Take over?"}
      yes="Take over"
      onYes={take}
      isLive={isLive}
      onClose={onClose}
    >
      <p>You answer in the place of the agents, and everybody sees that. They begin nothing new.</p>
      {open.length > 0 && (
        <Choice
          legend={
            open.length === 1 ? "The answer under way" : `The ${open.length} answers under way`
          }
          options={[
            ["finish", open.length === 1 ? "goes on to its end" : "go on to their ends"],
            ["cancel", open.length === 1 ? "is cancelled now" : "are cancelled now"],
          ]}
          value={turns}
          onChange={setTurns}
        />
      )}
      <NoteField value={note} onChange={setNote} />
    </Dialog>
  );
}

function ReturnDialog({ onClose }: { onClose: () => void }) {
  const { handBack } = useLead();
  const isLive = useConnection().state === "connected";
  const [wake, setWake] = useState<Wake>("last");
  const [note, setNote] = useState("");
  const give = async () => {
    await handBack({ wake, ...(note.trim() && { note: note.trim() }) });
  };
  return (
    <Dialog
      title="Hand back to the agents?"
      yes="Hand back"
      onYes={give}
      isLive={isLive}
      onClose={onClose}
    >
      <Choice
        legend="Of the messages that came meanwhile, the agents answer"
        options={[
          ["last", "the last one"],
          ["all", "each of them"],
          ["none", "none: you have answered them"],
        ]}
        value={wake}
        onChange={setWake}
      />
      <NoteField value={note} onChange={setNote} />
    </Dialog>
  );
}

function NoteField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  return (
    <label className="field">
      <span>A note for everybody, if you like</span>
      <input
        maxLength={500}
        autoComplete="off"
        value={value}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
    </label>
  );
}

/** Once the page shows it, and the dialog has given the focus back. */
function focusReply(): void {
  setTimeout(() => requestAnimationFrame(() => document.getElementById("reply")?.focus()), 50);
}
