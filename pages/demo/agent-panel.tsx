// The agents, the session's object, and a minute in which everything breaks: one row above the
// devices.

import { useEffect, useMemo, useRef, useState } from "react";
import type { Access } from "../access/access.ts";
import { Button, Note, Status } from "../look/parts.tsx";
import { Agents } from "./agent.ts";
import { Breaking, type Broken } from "./breaking.ts";
import type { DeviceFrame } from "./devices.ts";
import type { Tally } from "./tally.ts";

interface Props {
  session: string;
  access: Access | undefined;
  tally: Tally;
  frames: readonly [DeviceFrame, DeviceFrame];
}

export function AgentPanel({ session, access, tally, frames }: Props) {
  if (!access) {
    return (
      <Note title="No agents are here">
        <p>
          The scripted agents run where the local Worker signs their tokens: with{" "}
          <code>npm start</code> or <code>npx sessile dev</code>. An agent of your own answers in
          this session, too.
        </p>
      </Note>
    );
  }
  return <Running session={session} access={access} tally={tally} frames={frames} />;
}

function Running({ session, access, tally, frames }: Props & { access: Access }) {
  const [problem, setProblem] = useState("");
  const agents = useMemo(
    () =>
      new Agents(session, access, {
        report: (report) => tally.acknowledged(report),
        fail: setProblem,
      }),
    [session, access, tally],
  );
  const [isRunning, setRunning] = useState(false);
  const [restarts, setRestarts] = useState(0);

  const start = () => {
    setProblem("");
    setRunning(true);
    agents.start().catch((error: Error) => setProblem(error.message));
  };
  const kill = () => {
    agents.kill();
    setRunning(false);
  };
  const restart = async () => {
    const address = `/v1/dev/sessions/${encodeURIComponent(session)}/restart`;
    const { ok, status } = await fetch(address, { method: "POST" });
    if (ok) setRestarts((count) => count + 1);
    else setProblem(`The session's object could not be restarted (${status}).`);
  };

  useEffect(() => {
    start();
    return kill;
  }, [agents]);

  const latest = useRef({ frames, start, kill, restart, isRunning });
  latest.current = { frames, start, kill, restart, isRunning };
  const [broken, setBroken] = useState<Broken>();
  const breaking = useMemo(() => new Breaking(() => latest.current, setBroken), []);
  useEffect(() => () => breaking.stop(), [breaking]);
  const isBreaking = broken?.isGoingOn ?? false;

  return (
    <section className="toolbar" aria-label="The agents and the session">
      <p role="status">
        <Status tone={isRunning ? "good" : "bad"}>
          {isRunning ? "The agents run" : "The agents were killed"}
        </Status>
      </p>
      <Button onClick={isRunning ? kill : start} disabled={isBreaking}>
        {isRunning ? "Kill the agents" : "Start the agents"}
      </Button>
      <Button onClick={restart} disabled={isBreaking}>
        Restart the session’s object
      </Button>
      <Button
        kind="danger"
        aria-pressed={isBreaking}
        onClick={() => (isBreaking ? breaking.stop() : void breaking.begin())}
      >
        {isBreaking ? "Stop breaking things" : "Break things for a minute"}
      </Button>
      <p className="told">
        {broken ? told(broken) : restarts > 0 ? `Restarted ${times(restarts)}.` : ""}
      </p>
      {/* Not each thing that breaks is read out. */}
      <p className="visually-hidden" role="status">
        {broken && (broken.isGoingOn ? "Things break now." : told(broken))}
      </p>
      {problem && (
        <Note tone="bad" isUrgent>
          {problem}
        </Note>
      )}
    </section>
  );
}

function times(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}

/** The breaking so far, in words. */
function told({ isGoingOn, counts }: Broken): string {
  const parts = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${what} ${times(count)}`);
  const list = parts.join(", ") || "nothing yet";
  return isGoingOn ? `Breaking: ${list}.` : `Broken and mended: ${list}.`;
}
