// The people and agents who are there, who types, and the names that they are known by.

import { useEffect, useRef } from "react";
import { type Member, presenceOf } from "sessile";
import { usePresence, useSession } from "sessile/react";
import { Status } from "../look/parts.tsx";

/** A page, as it tells of itself to everybody (P7.1). */
export interface About {
  /** The device that it runs on, such as `Phone`. */
  device?: string;
  typing?: boolean;
}

/** Typing is over when nothing was typed for so long. */
const TYPING_MS = 4_000;

function aboutOf({ data }: Member): About {
  return typeof data === "object" && data !== null ? data : {};
}

/** Gives a client's name, also of one that has gone since. */
export function useNames(): (client: string | undefined) => string {
  const session = useSession();
  const { members } = usePresence();
  const known = useRef(new Map<string, string>());
  for (const { client, name } of members) if (name) known.current.set(client, name);
  return (client) => {
    if (client === undefined) return "somebody";
    return client === session.client ? "You" : (known.current.get(client) ?? client);
  };
}

/** Announces this page, and that its reader types: call the result at each key. */
export function useTyping(about: About): (isTyping: boolean) => void {
  const session = useSession();
  const was = useRef(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const { device } = about;
  const tell = (typing: boolean) => {
    was.current = typing;
    const data: About = { ...(device !== undefined && { device }), typing };
    // A page that may not announce itself reads and writes all the same.
    presenceOf(session)
      .enter(data)
      .catch(() => {});
  };
  useEffect(() => {
    tell(false);
    return () => clearTimeout(timer.current);
  }, [session, device]);
  return (isTyping) => {
    clearTimeout(timer.current);
    if (isTyping) timer.current = setTimeout(() => tell(false), TYPING_MS);
    if (isTyping !== was.current) tell(isTyping);
  };
}

/** The people and agents who are there, with their devices. */
export function People() {
  const session = useSession();
  const { members, count } = usePresence();
  const own = session.link.attached?.connection;
  if (count === 0) return <p className="people">Nobody is here</p>;
  return (
    <ul className="people" aria-label="Who is here">
      {members.map((member) => (
        <li key={member.connection}>
          <Status tone={member.role === "agent" ? "note" : "good"}>
            {nameOf(member)}
            {member.connection === own ? " (this device)" : onDevice(member)}
          </Status>
        </li>
      ))}
      {count > members.length && <li>and {count - members.length} more</li>}
    </ul>
  );
}

function nameOf({ name, client }: Member): string {
  return name ?? client;
}

function onDevice(member: Member): string {
  const { device } = aboutOf(member);
  return typeof device === "string" ? `, ${device}` : "";
}

/**
 * The names of those who type elsewhere, or that the agent has left; an empty line otherwise, so
 * that nothing jumps.
 */
export function Typing() {
  const session = useSession();
  const { members } = usePresence();
  const own = session.link.attached?.connection;
  const names = members
    .filter((member) => member.connection !== own && aboutOf(member).typing)
    .map(nameOf);
  const hadAgent = useRef(false);
  const hasAgent = members.some(({ role }) => role === "agent");
  if (hasAgent) hadAgent.current = true;
  const [first = "", second] = names;
  const many = names.length > 2 ? "Several people are" : `${first} and ${second} are`;
  const who = names.length === 1 ? `${first} is` : many;
  const isLeft = hadAgent.current && !hasAgent && session.connection.state === "connected";
  const left = isLeft ? "The agent has left: messages wait for it." : "";
  return <p className="typing">{names.length > 0 ? `${who} typing…` : left}</p>;
}
