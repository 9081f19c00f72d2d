// An answer: everything that one turn says, how it stands, and what can be done with it.

import { Fragment, type MouseEvent, memo } from "react";
import {
  type Approval,
  branchesOf,
  isOpen,
  type ShownMessage,
  type Turn,
  usageOfTree,
} from "sessile";
import { useChildTurns, useSession, useSilence, useTurns } from "sessile/react";
import { Markdown } from "../look/markdown.tsx";
import { Button } from "../look/parts.tsx";
import { AskedIn } from "./approvals.tsx";
import { say } from "./composer.tsx";
import { textOf } from "./entries.ts";
import { filesIn } from "./file-words.ts";
import { Files } from "./files.tsx";
import { toConversation } from "./focus.ts";
import { useNames } from "./names.tsx";
import { Reactions, Sources } from "./notes.tsx";
import { Versions } from "./said.tsx";
import { Specialists } from "./specialists.tsx";

interface PartsProps {
  turn: string;
  messages: readonly ShownMessage[];
  isReadOnly: boolean;
}

interface Props {
  turn: Turn;
  messages: readonly ShownMessage[];
  name: string;
  /** The name of the client that stopped it, where one did. */
  stoppedBy: string;
  isReadOnly: boolean;
  /** Whether nothing was said after it. */
  isLast: boolean;
  /** Which of its versions this is, as `2/3`; empty where it is the only one. */
  version: string;
}

/** An answer is drawn again only where something of it has changed. */
export const Answer = memo(AnswerNow, (was, is) => {
  const isAlike =
    was.turn === is.turn &&
    was.name === is.name &&
    was.stoppedBy === is.stoppedBy &&
    was.isReadOnly === is.isReadOnly &&
    was.version === is.version &&
    was.isLast === is.isLast &&
    was.messages.length === is.messages.length;
  return isAlike && was.messages.every((message, at) => message === is.messages[at]);
});

function AnswerNow({ turn, messages, name, stoppedBy, isReadOnly, isLast, version }: Props) {
  const session = useSession();
  const isLive = isOpen(turn);
  const last = messages.findLast(({ name: of }) => of === "message");
  const again = (event: MouseEvent) => {
    toConversation(event);
    branchesOf(session).send("", { name: "regenerate", parent: turn.input as string });
  };
  const stop = (event: MouseEvent) => {
    toConversation(event);
    session.cancel(turn.id, "stopped").catch(() => {});
  };
  const hasBegun = messages.length > 0;
  const standing = <Standing turn={turn} stoppedBy={stoppedBy} hasBegun={hasBegun} />;
  return (
    <article
      className="answer"
      data-turn={turn.id}
      data-status={turn.status}
      aria-label={`${name} answers`}
      aria-busy={turn.status === "active"}
    >
      {/* Above a text that grows, where nothing moves it. */}
      <div className="head">
        <p className="who">{name}</p>
        {isLive && standing}
        {isLive && !isReadOnly && !turn.cancel && (
          <button type="button" className="quiet-button" onClick={stop}>
            Stop this answer
          </button>
        )}
      </div>
      <Parts turn={turn.id} messages={messages} isReadOnly={isReadOnly} />
      <div className="foot">
        {!isLive && standing}
        {!isLive &&
          messages.map(({ serial, annotations }) => (
            <Sources key={serial} serial={serial} annotations={annotations} />
          ))}
        {!isLive && last && (
          <Reactions serial={last.serial} annotations={last.annotations} isReadOnly={isReadOnly} />
        )}
        {!isLive && <Versions of={turn.id} version={version} label="answer" />}
        {!isLive && !isReadOnly && turn.input !== undefined && (
          <button type="button" className="quiet-button" onClick={again}>
            {turn.status === "failed" ? "Try again" : "Answer again"}
          </button>
        )}
        {!isLive && <Cost turn={turn.id} />}
      </div>
      {isLast && !isLive && !isReadOnly && <Replies of={last?.headers?.suggest} />}
    </article>
  );
}

/**
 * The messages, the questions and the turns within, in the order in which they began: each behind
 * the message before it, where it stays when another message comes.
 */
function Parts({ turn, messages, isReadOnly }: PartsProps) {
  const [child] = useChildTurns(turn);
  const before = child && messages.findLast(({ createdAt }) => createdAt <= child.createdAt);
  const places = [undefined, ...messages];
  return (
    <>
      {places.map((message, at) => {
        const since = message?.serial ?? "";
        const until = places[at + 1]?.serial;
        const isHere = ({ turn: of, serial }: Approval) =>
          of === turn && serial > since && (until === undefined || serial < until);
        return (
          <Fragment key={message?.id ?? since}>
            {message && <Part message={message} />}
            {child && before === message && <Specialists turn={turn} isReadOnly={isReadOnly} />}
            <AskedIn where={isHere} isReadOnly={isReadOnly} />
          </Fragment>
        );
      })}
    </>
  );
}

const Part = memo(function Part({ message }: { message: ShownMessage }) {
  const { name, role, status, serial, data, headers } = message;
  const text = textOf(message);
  if (name === "steer") return <Steer message={message} />;
  const files = filesIn(data);
  if (files.length > 0) return <Files files={files} />;
  // Too large for a message, where no files are kept.
  const { omitted } = headers ?? {};
  if (omitted !== undefined) return <p className="file">{`${name}, too large: ${omitted}`}</p>;
  const isText = typeof data === "string";
  if (name !== "message" || !isText || role === "tool") {
    return (
      <details className="part">
        <summary>{name}</summary>
        <pre>{text}</pre>
      </details>
    );
  }
  const isGrowing = status === "streaming";
  return (
    <div className="text" data-serial={serial} data-status={status}>
      <Markdown text={text} isGrowing={isGrowing} />
    </div>
  );
});

/** An instruction that somebody gave meanwhile, and whether the agent heard it. */
function Steer({ message }: { message: ShownMessage }) {
  const name = useNames();
  const { client, headers } = message;
  return (
    <p className="steer" data-state={headers?.steer}>
      <small>{name(client)}:</small> {textOf(message)} <small>{STEERS[headers?.steer ?? ""]}</small>
    </p>
  );
}

const STEERS: Record<string, string> = {
  waiting: "not heard yet",
  taken: "heard",
  missed: "too late: the answer was over",
};

interface StandingProps {
  turn: Turn;
  stoppedBy: string;
  hasBegun: boolean;
}

/** How a turn stands, where its text does not say so. */
function Standing({ turn, stoppedBy, hasBegun }: StandingProps) {
  const isSilent = useSilence().has(turn.id);
  const words = wordsOf(turn, stoppedBy, hasBegun, isSilent);
  if (words === undefined) return null;
  const isBad = turn.status === "failed" || (isSilent && isOpen(turn));
  return <span className={isBad ? "bad" : "quiet"}>{words}</span>;
}

function wordsOf(turn: Turn, stoppedBy: string, hasBegun: boolean, isSilent: boolean) {
  const { status, cancel, reason, error } = turn;
  switch (status) {
    case "queued":
      return "Waits for an agent";
    case "suspended":
      return reason === "approval" ? "Waits for an answer" : "Waits";
    case "active":
      if (cancel) return "Stopping…";
      if (isSilent) return "Nothing heard for a while: the agent may be gone";
      return hasBegun ? "Answering…" : "Thinking…";
    case "cancelled":
      if (cancel?.reason === "budget") return "Stopped: the budget is spent";
      if (cancel?.reason === "parent-ended") return "Stopped with the answer around it";
      return `Stopped by ${stoppedBy.replace(/^You$/, "you")}`;
    case "failed":
      if (reason === "agent-lost") return "Failed: the agent was lost";
      if (reason === "abandoned") return "Failed: nobody answered in time";
      return `Failed: ${(error as { message?: string } | undefined)?.message ?? "no reason given"}`;
    default:
      return undefined;
  }
}

/** Words that the agent suggests as the next ones: its header `suggest`, one in a line. */
function Replies({ of }: { of: string | undefined }) {
  const session = useSession();
  if (of === undefined) return null;
  const answer = (text: string) => (event: MouseEvent) => {
    toConversation(event);
    say(session, text, "alongside");
  };
  return (
    <div className="choices">
      {of.split("\n").map((text) => (
        <Button key={text} onClick={answer(text)}>
          {text}
        </Button>
      ))}
    </div>
  );
}

/** The tokens that an answer has cost, with those of the turns within it. */
function Cost({ turn }: { turn: string }) {
  const { totalTokens } = usageOfTree(useTurns(), turn);
  if (totalTokens === undefined) return null;
  return <span className="quiet cost">{totalTokens.toLocaleString("en")} tokens</span>;
}
