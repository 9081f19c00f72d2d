// The words between a device and the page around it. Both are of one origin, and take no word of
// another one.

import type { Tone } from "../look/parts.tsx";
import type { Network } from "../wire/wire.ts";

/** A message as a device shows it. */
export interface ShownText {
  serial: string;
  text: string;
}

/** From a device. */
export type Told =
  /** It is there, or was loaded anew. */
  | { type: "begun" }
  /** How it stands. */
  | { type: "stands"; words: string; tone: Tone; network: Network }
  /**
   * The texts that have changed on it, and how far it has read the log. `of` is the session's
   * first message that it holds: what is before that was not asked for.
   */
  | { type: "shows"; texts: ShownText[]; position: string; isCaughtUp: boolean; of: string };

/** To a device. */
export type Asked =
  | { type: "network"; network: Partial<Network> }
  /** Sends a message as the person whose device it is. */
  | { type: "write"; text: string };

const MARK = "sessile demo";

interface Envelope {
  mark: typeof MARK;
  word: Told | Asked;
}

/** Says a word to another window. */
export function say(to: Window, word: Told | Asked): void {
  const envelope: Envelope = { mark: MARK, word };
  to.postMessage(envelope, location.origin);
}

/** Hears the words of another window; the result stops that. */
export function hear<Word extends Told | Asked>(
  from: () => Window | null | undefined,
  take: (word: Word) => void,
): () => void {
  const listen = ({ origin, source, data }: MessageEvent) => {
    const isTheirs = origin === location.origin && source !== null && source === from();
    if (isTheirs && data?.mark === MARK) take((data as Envelope).word as Word);
  };
  addEventListener("message", listen);
  return () => removeEventListener("message", listen);
}
