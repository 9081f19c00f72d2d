// Any JSON, to be read by somebody who decides about it.

import { useState } from "react";
import { Plain } from "./plain.tsx";
import "./value.css";

/** Levels that are drawn as lists; what lies deeper is shown as JSON. */
const LEVELS = 5;
/** Entries of a list that are drawn before somebody asks for the rest. */
const MOST = 40;
/** A text that is longer is cut, until somebody asks for all of it. */
const LENGTH = 2_000;

/** A value of others. */
export function Value({ of, level = 0 }: { of: unknown; level?: number }) {
  if (typeof of === "string") return <Text text={of} />;
  if (typeof of !== "object" || of === null) {
    return <code className="value-word">{String(of)}</code>;
  }
  const isList = Array.isArray(of);
  const entries = Object.entries(of);
  if (entries.length === 0) return <code className="value-word">{isList ? "[]" : "{}"}</code>;
  if (level >= LEVELS) return <Text text={JSON.stringify(of, undefined, 2)} />;
  return isList ? <List list={of} level={level} /> : <Fields entries={entries} level={level} />;
}

function Text({ text }: { text: string }) {
  const [isWhole, setWhole] = useState(false);
  if (text === "") return <span className="value-none">empty text</span>;
  const isLong = text.length > LENGTH && !isWhole;
  return (
    <span className="value-text">
      <Plain text={isLong ? text.slice(0, LENGTH) : text} />
      {isLong && <More what={`all ${text.length} characters`} onMore={() => setWhole(true)} />}
    </span>
  );
}

function List({ list, level }: { list: readonly unknown[]; level: number }) {
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? list : list.slice(0, MOST);
  return (
    <ol className="value-list">
      {shown.map((item, at) => (
        <li key={at}>
          <Value of={item} level={level + 1} />
        </li>
      ))}
      {shown.length < list.length && (
        <li>
          <More what={`all ${list.length}`} onMore={() => setWhole(true)} />
        </li>
      )}
    </ol>
  );
}

function Fields({ entries, level }: { entries: [string, unknown][]; level: number }) {
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? entries : entries.slice(0, MOST);
  return (
    <>
      <dl className="value-fields">
        {shown.map(([name, value]) => (
          <div key={name}>
            <dt>
              <Plain text={name} />
            </dt>
            <dd>
              <Value of={value} level={level + 1} />
            </dd>
          </div>
        ))}
      </dl>
      {shown.length < entries.length && (
        <More what={`all ${entries.length}`} onMore={() => setWhole(true)} />
      )}
    </>
  );
}

function More({ what, onMore }: { what: string; onMore: () => void }) {
  return (
    <button type="button" className="value-more" onClick={onMore}>
      Show {what}
    </button>
  );
}
