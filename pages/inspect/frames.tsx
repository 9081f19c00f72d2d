// The frames of the tap as they came.

import { memo, useState } from "react";
import { Button, Empty, Status } from "../look/parts.tsx";
import { Section } from "./section.tsx";
import type { Raw, Tap } from "./tap.ts";
import type { Known } from "./watch.ts";
import { bytes, clock, count, shown } from "./words.ts";
import "./frames.css";

/** Frames that are listed; the tap keeps more. */
const LISTED = 200;

/** Drawn again with all that is known, though the frames are the tap's own. */
export const Frames = memo(({ tap }: { tap: Tap; known: Known }) => {
  const { raw } = tap;
  const [words, setWords] = useState("");
  const wanted = words.trim();
  const found = wanted ? raw.filter(({ text }) => text.includes(wanted)) : raw;
  const listed = found.slice(-LISTED).reverse();
  const isOn = tap.status !== "off" && tap.status !== "closed";
  return (
    <Section id="frames" title="Raw frames">
      <p className="quiet">
        From a connection of this page's own, with the widest window. It makes this page a reader of
        the session: its client counts as there, and is sent no notices (P10.2).
      </p>
      <div className="frames-tools">
        <Button
          aria-pressed={tap.isPaused}
          disabled={!isOn}
          onClick={() => tap.pause(!tap.isPaused)}
        >
          {tap.isPaused ? "Go on" : "Pause"}
        </Button>
        <Button onClick={() => tap.clear()} disabled={raw.length === 0}>
          Clear
        </Button>
        <Button onClick={() => (isOn ? tap.close() : void tap.open())}>
          {isOn ? "Disconnect" : "Connect"}
        </Button>
        <label>
          Only with{" "}
          <input
            type="search"
            value={words}
            placeholder="text in the frame"
            onInput={(event) => setWords(event.currentTarget.value)}
          />
        </label>
        <Status tone={tap.status === "open" ? "good" : "quiet"}>
          {count(raw.length, "frame")} kept
          {tap.isPaused && `; paused, ${count(tap.skipped, "frame")} passed by`}
        </Status>
      </div>
      {tap.reason !== "" && <p>The session said: {shown(tap.reason, 300)}</p>}
      {listed.length === 0 ? (
        <Empty title="No frame yet" />
      ) : (
        <ol className="frames" aria-label="Frames, the newest first">
          {listed.map((frame) => (
            <Frame key={frame.number} frame={frame} />
          ))}
        </ol>
      )}
      {found.length > LISTED && (
        <p className="quiet">{count(found.length - LISTED, "earlier frame")} not listed.</p>
      )}
    </Section>
  );
});

function Frame({ frame: { at, isOurs, type, text, bytes: size } }: { frame: Raw }) {
  return (
    <li>
      <details>
        <summary>
          <span className="number">{clock(at)}</span>{" "}
          <span>
            {isOurs ? "sent" : "got"} <strong>{shown(type, 40)}</strong>
          </span>{" "}
          <span className="number">{bytes(size)}</span>{" "}
          <code className="glimpse" aria-hidden="true">
            {text.slice(0, 160)}
          </code>
        </summary>
        <pre>
          <code>{text}</code>
        </pre>
      </details>
    </li>
  );
}
