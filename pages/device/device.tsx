// One device: who it is, how it stands, the conversation, and a place to write.

import { useEffect, useMemo } from "react";
import { indexedDbOutbox, presenceOf } from "sessile";
import { SessionProvider, useConnection, useFeature, usePresence, useSession } from "sessile/react";
import type { Access } from "../access/access.ts";
import { Status } from "../look/parts.tsx";
import { NetworkControls } from "../wire/controls.tsx";
import { Bell } from "./bell.tsx";
import { positionOf } from "./position.ts";
import { around, useReports } from "./report.ts";
import { type Asked, hear } from "./talk.ts";
import { Composer, Thread } from "./talking.tsx";
import { setNetwork, useNetwork, wire } from "./wired.ts";
import { standing } from "./words.ts";
import "./device.css";

interface Props {
  session: string;
  /** `laptop` or `phone`: how it is drawn, and what others are told. */
  kind: string;
  access: Access;
}

export function Device({ session: id, kind, access }: Props) {
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
  useEffect(() => {
    presenceOf(session)
      .enter({ device: kind })
      // It is announced on the next connection.
      .catch(() => {});
  }, [session, kind]);
  useEffect(
    () =>
      hear<Asked>(
        () => around,
        (word) => {
          if (word.type === "network") setNetwork(word.network);
          else if (word.type === "write") session.send(word.text).catch(() => {});
        },
      ),
    [session],
  );
  return (
    <SessionProvider session={session}>
      <Shown kind={kind} access={access} />
    </SessionProvider>
  );
}

function Shown({ kind, access }: Omit<Props, "session">) {
  const session = useSession();
  const network = useNetwork();
  const stands = standing(useConnection(), network, session.link.attached?.resumed ?? false);
  useReports(stands);
  return (
    <div className="device" data-kind={kind}>
      <header className="device-head">
        <h1>
          <Name />
        </h1>
        <Position />
        <p className="stands" role="status">
          <Status tone={stands.tone}>{stands.words}</Status>
        </p>
        <People />
      </header>
      {!around && <OwnNetwork access={access} />}
      <Thread />
      <Composer />
    </div>
  );
}

function Name() {
  const session = useSession();
  const { members } = usePresence();
  const own = members.find(({ client }) => client === session.client);
  return <>{own?.name ?? session.client}</>;
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

/** The others who are there. */
function People() {
  const session = useSession();
  const { members, count } = usePresence();
  const others = members.filter(({ client }) => client !== session.client);
  const names = [...new Set(others.map(({ name, client }) => name ?? client))];
  const more = count - members.length;
  return (
    <p className="people">
      {names.length === 0
        ? "Nobody else is here"
        : `With ${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}`}
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
