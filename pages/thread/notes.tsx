// Notes on a message: the reactions of people, and the sources of an agent (P9.3).

import { useState } from "react";
import { type Annotation, type Annotations, annotationsOf } from "sessile";
import { useSession } from "sessile/react";

const REACTION = "reaction:distinct";
const SOURCE = "source:distinct";
const FACES: readonly (readonly [string, string])[] = [
  ["👍", "Good"],
  ["❤️", "Love it"],
  ["🤔", "Not sure"],
];

interface Props {
  serial: string;
  annotations: Annotations | undefined;
  isReadOnly?: boolean;
}

/** The reactions, each with its number; a press adds or takes back the own one. */
export function Reactions({ serial, annotations, isReadOnly }: Props) {
  const session = useSession();
  const sums = annotations?.[REACTION] ?? {};
  return (
    <span className="reactions">
      {FACES.map(([face, name]) => {
        const { total = 0, clients = {} } = sums[face] ?? {};
        const isOwn = session.client in clients;
        if (isReadOnly && total === 0) return null;
        const press = () => {
          const feature = annotationsOf(session);
          const change = isOwn
            ? feature.remove(serial, REACTION, { name: face })
            : feature.add(serial, REACTION, { name: face });
          change.catch(() => {});
        };
        return (
          <button
            key={face}
            type="button"
            className="reaction"
            aria-pressed={isOwn}
            aria-label={total > 0 ? `${name}, ${total}` : name}
            disabled={isReadOnly}
            onClick={press}
          >
            {face}
            <span className="count">{total > 0 ? total : ""}</span>
          </button>
        );
      })}
    </span>
  );
}

/** The sources of a message; their words are read when they are opened. */
export function Sources({ serial, annotations }: Props) {
  const session = useSession();
  const [found, setFound] = useState<readonly Annotation[]>([]);
  const names = Object.keys(annotations?.[SOURCE] ?? {});
  if (names.length === 0) return null;
  const read = () => {
    annotationsOf(session)
      .list(serial)
      .then(({ annotations: all }) => setFound(all.filter(({ kind }) => kind === SOURCE)))
      .catch(() => {});
  };
  return (
    <details className="sources" onToggle={read}>
      <summary>
        {names.length} {names.length === 1 ? "source" : "sources"}
      </summary>
      <ol>
        {names.map((name) => (
          <li key={name}>
            <cite>{name}</cite>
            <span className="quiet quote">{quoteOf(found.find((it) => it.name === name))}</span>
          </li>
        ))}
      </ol>
    </details>
  );
}

function quoteOf(annotation: Annotation | undefined): string {
  const { quote } = (annotation?.data ?? {}) as { quote?: unknown };
  return typeof quote === "string" ? quote : "";
}
