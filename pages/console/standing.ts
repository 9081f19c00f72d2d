// How a connection stands, for people: it is offline until it is back, however often it tries.

import { useRef } from "react";
import type { ConnectionStatus } from "sessile";
import type { Tone } from "../look/parts.tsx";

export interface Standing {
  tone: Tone;
  words: string;
  isLive: boolean;
  isOffline: boolean;
  /** Whether it was ever live, so that there is something to show. */
  isKnown: boolean;
}

/** Follows a connection. */
export function useStanding({ state }: ConnectionStatus): Standing {
  const was = useRef({ isOffline: false, isKnown: false });
  if (state === "connected") was.current = { isOffline: false, isKnown: true };
  else if (state !== "connecting") was.current.isOffline = state === "waiting";
  const { isOffline, isKnown } = was.current;
  return { ...words(state, isOffline), isLive: state === "connected", isOffline, isKnown };
}

function words(
  state: ConnectionStatus["state"],
  isOffline: boolean,
): Pick<Standing, "tone" | "words"> {
  if (isOffline) return { tone: "warn", words: "Offline" };
  if (state === "connected") return { tone: "good", words: "Live" };
  if (state === "closed") return { tone: "bad", words: "Disconnected" };
  return { tone: "note", words: "Connecting" };
}
