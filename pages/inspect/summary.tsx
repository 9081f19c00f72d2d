// The first thing that the page says: what is wrong, in plain words, and the session in figures.

import { isOpen } from "sessile";
import { Note } from "../look/parts.tsx";
import { type Finding, findings } from "./findings.ts";
import { Rule, Section, Sentence } from "./section.tsx";
import type { Known, Watch } from "./watch.ts";
import { bytes, count, moment, value } from "./words.ts";

const WORDS = { bad: "Broken", warn: "Warning", note: "Note" };

interface Props {
  watch: Watch;
  known: Known;
  /** Moves the timeline to a moment. */
  onMoment: (at: number) => void;
}

export function Summary({ watch, known, onMoment }: Props) {
  const { overview, diagnostics, turns, approvals, record, devices } = known;
  if (overview === undefined || diagnostics === undefined) return null;
  const found = findings({
    now: watch.now(),
    overview,
    diagnostics,
    turns: [...turns.values()],
    approvals,
    entries: record.entries,
    trimmed: record.trimmed,
    devices,
    own: watch.tap.connection,
  });
  return (
    <Section id="summary" title="Summary">
      {found.length === 0 ? (
        <Note tone="note">
          <p>
            Nothing is wrong, as far as its log and its diagnostics tell. Diagnostics are kept in
            memory: they begin when the session's object last woke.
          </p>
        </Note>
      ) : (
        <ul className="findings">
          {found.map((finding) => (
            <Found key={finding.text + finding.rule} finding={finding} onMoment={onMoment} />
          ))}
        </ul>
      )}
      <Figures known={known} />
    </Section>
  );
}

function Found({ finding, onMoment }: { finding: Finding; onMoment: (at: number) => void }) {
  const { tone, text, rule, section, at } = finding;
  return (
    <li className="finding" data-tone={tone}>
      <span className="tone">{WORDS[tone]}</span>{" "}
      <p>
        <Sentence text={text} /> <Rule rule={rule} />{" "}
        <a
          href={`#${section}`}
          aria-label={`Show it in: ${section}`}
          onClick={() => at !== undefined && section === "timeline" && onMoment(at)}
        >
          Show
        </a>
      </p>
    </li>
  );
}

function Figures({ known: { overview, diagnostics, turns, record } }: { known: Known }) {
  if (overview === undefined || diagnostics === undefined) return null;
  const all = [...turns.values()];
  const open = all.filter(isOpen);
  const { settings } = overview;
  const set = Object.entries(settings).map(([name, it]) => `${name}: ${value(it)}`);
  const figures: [string, string][] = [
    ["title", value(settings.title ?? "–")],
    ["begun", overview.createdAt === undefined ? "–" : moment(overview.createdAt)],
    ["last written", overview.updatedAt === undefined ? "–" : moment(overview.updatedAt)],
    ["end of the log", overview.serial || "–"],
    ["entries read", record.entries.length.toLocaleString("en")],
    [
      "turns",
      `${count(open.length, "open turn")}, ${count(all.length - open.length, "ended turn")}`,
    ],
    ["database", bytes(diagnostics.databaseBytes)],
    [
      "rows since it woke",
      `${diagnostics.rowsWritten.toLocaleString("en")} written, ` +
        `${diagnostics.rowsRead.toLocaleString("en")} read`,
    ],
    ["settings", set.length === 0 ? "all by default" : set.join("; ")],
  ];
  if (overview.usage !== undefined) figures.push(["usage", value(overview.usage, 200)]);
  return (
    <dl className="figures">
      {figures.map(([name, text]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
  );
}
