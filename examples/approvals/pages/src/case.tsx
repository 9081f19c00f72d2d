// One session before the supervisor: the conversation, who is there, which tools ran, what was
// decided, and what waits.

import { useEffect, useState } from "react";
import { type Approval, approvalsOf, callsOf, type Session, type ToolCall } from "sessile";
import { useApprovals, useFeature, useLead, usePresence, useSession } from "sessile/react";
import { Composer, Conversation } from "./conversation.tsx";
import { Decide } from "./decide.tsx";
import { token, url } from "./place.ts";

export function Case({ id }: { id: string }) {
  const session = useSession({ url, session: id, token });
  const { pending, decide } = useApprovals(session);
  const { members } = usePresence(session);
  return (
    <section id="case">
      <h2>{id}</h2>
      <p id="present">Here: {members.map(({ name, client }) => name ?? client).join(", ")}</p>
      <Conversation session={session} />
      <Past session={session} />
      {pending.map((approval) => (
        <Decide
          key={approval.id}
          approval={approval}
          onDecide={(decision, options) => decide(approval.id, decision, options)}
        />
      ))}
      <Lead session={session} />
    </section>
  );
}

/** Which tools ran, and what was decided, also before this page was there. */
function Past({ session }: { session: Session }) {
  const { settled } = useApprovals(session);
  const pending = useFeature(callsOf, session);
  const [approvals, setApprovals] = useState<readonly Approval[]>([]);
  const [calls, setCalls] = useState<readonly ToolCall[]>([]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: read again when something was settled
  useEffect(() => {
    approvalsOf(session)
      .list()
      .then((page) => setApprovals(page.approvals), console.warn);
    callsOf(session)
      .list()
      .then((page) => setCalls(page.calls), console.warn);
  }, [session, settled, pending]);
  return (
    <ul id="past">
      {calls.map(({ id, name, status, output }) => (
        <li key={id}>
          {name}: {status} {output !== undefined && <code>{JSON.stringify(output)}</code>}
        </li>
      ))}
      {approvals
        .filter(({ status }) => status !== "pending")
        .map(({ id, title, status, option, decidedBy }) => (
          <li key={id}>
            {title} {option ?? status}
            {decidedBy && `, by ${decidedBy}`}
          </li>
        ))}
    </ul>
  );
}

/** Speaking in the place of the agent. */
function Lead({ session }: { session: Session }) {
  const { lead, isOwn, takeOver, handBack } = useLead(session);
  if (!isOwn) {
    return (
      <p>
        {lead && `${lead.name ?? lead.client} leads. `}
        <button type="button" onClick={() => takeOver()}>
          Take over
        </button>
      </p>
    );
  }
  return (
    <div>
      <Composer label="To the user" onSend={(text) => session.send(text, { role: "assistant" })} />
      <button type="button" onClick={() => handBack()}>
        Hand back
      </button>
    </div>
  );
}
