// The user's page: the conversation, the agent's questions, and the tool that this device runs.

import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import type { Approval, ShownApproval } from "sessile";
import { useApprovals, useLead, useSession, useToolCalls } from "sessile/react";
import { Bell } from "./bell.tsx";
import { Composer, Conversation } from "./conversation.tsx";
import { session as id, token, url } from "./place.ts";

/** The evenings that this device's calendar has free: no server knows them. */
const CALENDAR = ["2026-11-27", "2026-12-04", "2026-12-11", "2026-12-18"];

function Tickets() {
  const session = useSession({ url, session: id, token });
  const { lead } = useLead(session);
  const [looked, setLooked] = useState("");
  useToolCalls(
    {
      "free-evenings": ({ month }: { month: string }) => {
        setLooked(month);
        return { free: CALENDAR.filter((evening) => evening.startsWith(month)) };
      },
    },
    session,
  );
  const { pending, settled, decide } = useApprovals(session);
  return (
    <main>
      <h1>Tickets</h1>
      <Bell />
      {lead && <p id="lead">{lead.name ?? lead.client} answers you now.</p>}
      <Conversation session={session} />
      {looked && <p id="looked">This page looked up the free evenings of {looked}.</p>}
      {settled.map((approval) => (
        <p key={approval.id} className="settled">
          {approval.title} {outcomeOf(approval)}
        </p>
      ))}
      {pending.map((approval) =>
        // Those with assignees are for them; the user only sees that they wait.
        approval.assignees ? (
          <p key={approval.id} className="waiting">
            {approval.title} A supervisor is asked.
          </p>
        ) : (
          <Question
            key={approval.id}
            question={approval}
            onAnswer={(option) => decide(approval.id, "answer", { option })}
          />
        ),
      )}
      <Composer label="Message" onSend={(text) => session.send(text)} />
    </main>
  );
}

function Question(props: { question: ShownApproval; onAnswer(option: string): void }) {
  const { title, options = [], deciding } = props.question;
  return (
    <fieldset className="question" disabled={deciding !== undefined}>
      <legend>{title}</legend>
      {options.map(({ id, label }) => (
        <button type="button" key={id} onClick={() => props.onAnswer(id)}>
          {label}
        </button>
      ))}
    </fieldset>
  );
}

function outcomeOf({ status, options, option, decidedBy, comment }: Approval): string {
  const answer = options?.find(({ id }) => id === option)?.label ?? status;
  return `${answer}${decidedBy ? `, by ${decidedBy}` : ""}${comment ? `: ${comment}` : ""}`;
}

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <Tickets />
    </StrictMode>,
  );
}
