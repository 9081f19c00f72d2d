// One device: who it is, how it stands, the conversation, and a place to write.

import { useEffect, useMemo } from "react";
import { indexedDbOutbox } from "sessile";
import { SessionProvider, useConnection, useFeature, useSession } from "sessile/react";
import { type Access, forgetToken } from "../access/access.ts";
import { Button, Status } from "../look/parts.tsx";
import { Composer, People, say, Thread, Usage } from "../thread/index.ts";
import { NetworkControls } from "../wire/controls.tsx";
import { Bell } from "./bell.tsx";
import type { Person } from "./people.ts";
import { positionOf } from "./position.ts";
import { around, useReports } from "./report.ts";
import { type Asked, hear } from "./talk.ts";
import { setNetwork, useNetwork, wire } from "./wired.ts";
import { standing } from "./words.ts";
import "./device.css";

interface Props {
  session: string;
  person: Person;
  /** Its name, for its reader and for others. */
  title: string;
  access: Access;
}

/** Something to begin with. */
const SUGGESTIONS = [
  "Tell me a long story",
  "Plan a trip to Lisbon",
  "Ask me a question",
  "Fail, please",
];
/** The same where the deployment keeps files. */
const WITH_FILES = [...SUGGESTIONS, "Make a report of 5 MB"];

export function Device({ session: id, person, title, access }: Props) {
  const options = useMemo(
    () => ({
      url: location.origin,
      session: id,
      token: access,
      WebSocket: wire.WebSocket,
      fetch: wire.fetch,
      outbox: indexedDbOutbox(),
    }),
    [id, access],
  );
  const session = useSession(options);
  useEffect(
    () =>
      hear<Asked>(
        () => around,
        (word) => {
          if (word.type === "network") setNetwork(word.network);
          else if (word.type === "write") say(session, word.text, "alongside");
        },
      ),
    [session],
  );
  return (
    <SessionProvider session={session}>
      <Shown person={person} title={title} access={access} />
    </SessionProvider>
  );
}

function Shown({ person, title, access }: Omit<Props, "session">) {
  const session = useSession();
  const network = useNetwork();
  const connection = useConnection();
  const stands = standing(connection, network, session.link.attached?.resumed ?? false);
  useReports(stands);
  const { fileBytes = 0 } = session.link.limits;
  return (
    <div className="device">
      <header className="device-head">
        <h1>
          {person.name} {!around && <small>{title}</small>}
        </h1>
        <Position />
        <p className="stands" role="status">
          <Status tone={stands.tone}>{stands.words}</Status>
        </p>
        {connection.state === "closed" && <Button onClick={askAnew}>Use another token</Button>}
        <People />
        <Usage />
      </header>
      {!around && <OwnNetwork access={access} />}
      <Thread suggestions={fileBytes > 0 ? WITH_FILES : SUGGESTIONS} />
      <Composer about={{ device: title }} />
    </div>
  );
}

/** For a token that is refused: the next load asks for one. */
function askAnew(): void {
  forgetToken();
  location.reload();
}

function Position() {
  const position = useFeature(positionOf);
  return (
    <p className="position" title="How far this device has read the log">
      <span className="visually-hidden">Position </span>
      <code>{position || "–"}</code>
    </p>
  );
}

/** The controls of a device that is a tab of its own. */
function OwnNetwork({ access }: { access: Access }) {
  const network = useNetwork();
  const session = useSession();
  return (
    <details className="own-network">
      <summary>This device</summary>
      <NetworkControls
        of="This device"
        network={network}
        onChange={setNetwork}
        onReload={() => location.reload()}
      />
      <Bell access={access} page={`/device?session=${session.id}`} />
    </details>
  );
}
