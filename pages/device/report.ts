// Tells the page around this device what it shows: the texts as its components are given them, so
// that what is counted there is what a person sees here.

import { useEffect, useRef } from "react";
import type { ShownMessage } from "sessile";
import { useConnection, useFeature, useMessages, useSession } from "sessile/react";
import { positionOf } from "./position.ts";
import { type ShownText, say } from "./talk.ts";
import { useNetwork } from "./wired.ts";
import type { Standing } from "./words.ts";

/** The pause between two reports, in milliseconds. */
const EVERY_MS = 250;

/** The page around this one, unless this one is a tab of its own. */
export const around = window.parent === window ? undefined : window.parent;

export function useReports(standing: Standing): void {
  const session = useSession();
  const messages = useMessages();
  const position = useFeature(positionOf);
  const isCaughtUp = useConnection().state === "connected";
  const network = useNetwork();
  const told = useRef(new Map<string, unknown>());
  const latest = useRef<() => void>(undefined);
  const { words, tone } = standing;

  useEffect(() => {
    if (!around) return;
    say(around, { type: "begun" });
    // Also where nothing changes: that something is missing shows in reports that come after it.
    const timer = setInterval(() => latest.current?.(), EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  useEffect(() => {
    if (around) say(around, { type: "stands", words, tone, network });
  }, [words, tone, network]);
  useEffect(() => {
    if (!around) return;
    latest.current = () => {
      const texts = changed(messages, told.current);
      const of = session.hasOlder ? (messages[0]?.serial ?? "") : "";
      say(around as Window, { type: "shows", texts, position, isCaughtUp, of });
    };
  }, [messages, position, isCaughtUp, session]);
}

/** The texts that are others than those told before. */
function changed(messages: readonly ShownMessage[], told: Map<string, unknown>): ShownText[] {
  const texts: ShownText[] = [];
  for (const { serial, role, data } of messages) {
    if (role !== "assistant" || typeof data !== "string" || told.get(serial) === data) continue;
    told.set(serial, data);
    texts.push({ serial, text: data });
  }
  return texts;
}
