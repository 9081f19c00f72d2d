// A session that is being inspected: what it says first, then everything in its parts.

import { useCallback, useMemo, useState, useSyncExternalStore } from "react";
import type { SessileError } from "sessile";
import { Button, Empty, Loading, Note, PageHeader, Status, type Tone } from "../look/parts.tsx";
import { Approvals } from "./approvals.tsx";
import { Commands } from "./commands.tsx";
import { Connections } from "./connections.tsx";
import { Deliveries } from "./deliveries.tsx";
import { Entries } from "./entries.tsx";
import { Frames } from "./frames.tsx";
import { Seen } from "./seen.tsx";
import type { Entry } from "./shapes.ts";
import { Summary } from "./summary.tsx";
import type { TapStatus } from "./tap.ts";
import { Timeline } from "./timeline.tsx";
import { Turns } from "./turns.tsx";
import { kept, type SetView, type View } from "./view.ts";
import type { Known, Watch } from "./watch.ts";
import { ago, shown } from "./words.ts";

interface Props {
  watch: Watch;
  session: string;
  onOtherToken: () => void;
}

const SECTIONS: readonly [id: string, title: string][] = [
  ["summary", "Summary"],
  ["timeline", "Timeline"],
  ["entries", "Entries"],
  ["turns", "Turns"],
  ["connections", "Connections"],
  ["seen", "What one had seen"],
  ["deliveries", "Deliveries"],
  ["approvals", "Approvals"],
  ["frames", "Raw frames"],
  ["curl", "curl"],
];

/** The time around a moment that a finding tells of. */
const BEFORE_MS = 20_000;
const AFTER_MS = 10_000;

export function Opened({ watch, session, onOtherToken }: Props) {
  const known = useSyncExternalStore(watch.subscribe, watch.snapshot);
  const { phase, error } = known;
  return (
    <>
      <PageHeader title="Inspector">
        <code className="session-id">{shown(session, 128)}</code>
        <State watch={watch} known={known} />
      </PageHeader>
      <main className="inspect">
        {phase === "failed" && <Failed watch={watch} known={known} onOtherToken={onOtherToken} />}
        {phase === "loading" && <Loading label="Reading the session" />}
        {phase === "ready" && (
          <>
            {isOfToken(error) && <Failed watch={watch} known={known} onOtherToken={onOtherToken} />}
            {error !== undefined && !isOfToken(error) && (
              <Note tone="warn" title="It cannot be read at the moment" isUrgent>
                <p>
                  {shown(error.message, 300)}. It is shown as it was {ago(known.readAt, Date.now())}
                  ; the page tries again by itself.
                </p>
              </Note>
            )}
            <Parts watch={watch} known={known} />
          </>
        )}
      </main>
    </>
  );
}

const TAPS: Readonly<Record<TapStatus, [Tone, string]>> = {
  off: ["quiet", "Live view off"],
  connecting: ["warn", "Connecting"],
  open: ["good", "Live"],
  waiting: ["warn", "Not connected: trying again"],
  closed: ["bad", "Live view ended"],
};

function State({ watch, known }: { watch: Watch; known: Known }) {
  const [tone, words] = TAPS[watch.tap.status];
  return (
    <div className="state">
      {known.phase === "ready" && <Status tone={tone}>{words}</Status>}
      <Button onClick={() => void watch.refresh()} disabled={known.isReading}>
        Read again
      </Button>
    </div>
  );
}

/** Whether another token may help. */
function isOfToken(error: SessileError | undefined): boolean {
  return error !== undefined && /^(unauthorized|forbidden)$/.test(error.code);
}

function Failed({ watch, known, onOtherToken }: Omit<Props, "session"> & { known: Known }) {
  const { error } = known;
  if (error === undefined) return null;
  const titles: Record<string, string> = {
    unauthorized: "The token is not valid",
    forbidden: "This token may not inspect the session",
    "invalid-session": "No session can have this id",
    unreachable: "The deployment does not answer",
    "token-failed": "There is no token",
  };
  return (
    <Note tone="bad" title={titles[error.code] ?? "The session cannot be read"} isUrgent>
      {error.code === "unreachable" ? (
        <p>There is no network, or nothing at this address. The page tries again by itself.</p>
      ) : (
        <p>The answer was: {shown(error.message, 400)}.</p>
      )}
      {isOfToken(error) ? (
        <>
          <p>Diagnostics and the log need the operation admin for this session (P2.3, P11.4).</p>
          <Button onClick={onOtherToken}>Use another token</Button>
        </>
      ) : error.code === "invalid-session" ? (
        <a href="/inspect">Choose another session</a>
      ) : (
        <Button onClick={() => void watch.refresh()}>Try again</Button>
      )}
    </Note>
  );
}

function Parts({ watch, known }: { watch: Watch; known: Known }) {
  const { overview, record, diagnostics } = known;
  const whole = useWhole(known, watch);
  const [view, setView] = useView(whole);
  const [selected, setSelected] = useState<string>();
  const select = useCallback(
    (entry: Entry, isFar: boolean) => {
      setSelected(entry.serial);
      if (isFar) setView((now) => centred(now, entry.at, whole));
    },
    [setView, whole],
  );
  const show = useCallback(
    (at: number) => setView(() => kept({ from: at - BEFORE_MS, to: at + AFTER_MS }, whole)),
    [setView, whole],
  );
  if (overview === undefined || diagnostics === undefined) return null;
  if (overview.createdAt === undefined && record.entries.length === 0) {
    return (
      <>
        <Empty title="No such session">
          <p>
            Nothing was ever written to it, or it was deleted, or it expired (P1.2). Once somebody
            writes, it shows here.
          </p>
        </Empty>
        <Frames tap={watch.tap} known={known} />
        <Commands reads={watch.reads} known={known} />
      </>
    );
  }
  return (
    <>
      <nav className="sections" aria-label="Parts of this page">
        {SECTIONS.map(([id, title]) => (
          <a key={id} href={`#${id}`}>
            {title}
          </a>
        ))}
      </nav>
      <Summary watch={watch} known={known} onMoment={show} />
      <Timeline
        watch={watch}
        known={known}
        whole={whole}
        view={view}
        onView={setView}
        selected={selected}
        onSelect={select}
      />
      <Entries watch={watch} known={known} view={view} selected={selected} onSelect={select} />
      <Turns watch={watch} known={known} onMoment={show} />
      <Connections watch={watch} known={known} />
      <Seen watch={watch} known={known} selected={selected} />
      <Deliveries watch={watch} known={known} />
      <Approvals watch={watch} known={known} />
      <Frames tap={watch.tap} known={known} />
      <Commands reads={watch.reads} known={known} />
    </>
  );
}

/** The time from the first thing that is known to the last, with a little room. */
function useWhole({ record, diagnostics, overview, turns }: Known, watch: Watch): View {
  return useMemo(() => {
    const { entries } = record;
    const from = entries[0]?.at ?? overview?.createdAt ?? watch.now();
    const gone = diagnostics?.traces.gone ?? [];
    const isOpen = [...turns.values()].some(({ endedAt }) => endedAt === undefined);
    const ends = [entries.at(-1)?.at ?? from, ...gone.map(({ goneAt }) => goneAt)];
    if (isOpen) ends.push(watch.now());
    const to = Math.max(...ends, from + 1000);
    const room = (to - from) * 0.02;
    return { from: from - room, to: to + room };
  }, [record, diagnostics, overview, turns, watch]);
}

/** The part of it that is shown: all, until somebody chooses; one at the end moves on with it. */
function useView(whole: View): [View, SetView] {
  const [chosen, setChosen] = useState<{ view: View; isAtEnd: boolean }>();
  const view = useMemo(() => {
    if (chosen === undefined) return whole;
    const { view, isAtEnd } = chosen;
    if (!isAtEnd) return kept(view, whole);
    return { from: whole.to - (view.to - view.from), to: whole.to };
  }, [chosen, whole]);
  const setView: SetView = useCallback(
    (change) => {
      const next = change(view);
      const isAll = next.from <= whole.from && next.to >= whole.to;
      setChosen(isAll ? undefined : { view: next, isAtEnd: next.to >= whole.to });
    },
    [view, whole],
  );
  return [view, setView];
}

function centred(view: View, at: number, whole: View): View {
  if (at >= view.from && at <= view.to) return view;
  const half = (view.to - view.from) / 2;
  return kept({ from: at - half, to: at + half }, whole);
}
