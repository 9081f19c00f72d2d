// Marks how far this page's reader has read (P9.5): only what is whole, in sight and on screen.

import { useEffect } from "react";
import { marksOf, type ShownMessage } from "sessile";
import { useSession } from "sessile/react";

export function useReading(messages: readonly ShownMessage[], isInSight: boolean): void {
  const session = useSession();
  const last = messages.findLast(
    ({ delivery, status }) => delivery === undefined && status !== "streaming",
  );
  const isOthers = last !== undefined && last.client !== session.client;
  const serial = isOthers && isInSight ? last.serial : undefined;
  useEffect(() => {
    if (serial === undefined) return;
    const mark = () => {
      if (document.visibilityState !== "visible") return;
      document.removeEventListener("visibilitychange", mark);
      marksOf(session)
        .read(serial)
        .catch(() => {});
    };
    document.addEventListener("visibilitychange", mark);
    mark();
    return () => document.removeEventListener("visibilitychange", mark);
  }, [session, serial]);
}
