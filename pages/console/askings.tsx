// The conversation with its approvals and questions at their places, as those who decide need them.

import { useCallback, useEffect, useRef } from "react";
import type { ShownApproval } from "sessile";
import { useApprovals } from "sessile/react";
import { AskedAs, Thread } from "../thread/index.ts";
import { Asking } from "./asking.tsx";
import { focusSession } from "./head.tsx";
import type { Me } from "./me.ts";
import { Plain } from "./plain.tsx";
import { settledWords } from "./words.ts";

interface Props {
  me: Me;
  /** Whether the person leads, and so may do more than read and decide. */
  isOwn: boolean;
}

/** What was said, and what is to be decided about it. */
export function Conversation({ me, isOwn }: Props) {
  const { decide } = useApprovals();
  const place = useRef<HTMLDivElement>(null);
  const drawn = useCallback(
    (approval: ShownApproval) =>
      approval.status === "pending" ? (
        <Asking approval={approval} me={me} decide={decide} />
      ) : (
        <p className="settled">
          <Plain text={approval.title} />: <Plain text={settledWords(approval)} />
        </p>
      ),
    [me, decide],
  );
  useFocusKept(place);
  return (
    <div className="conversation" ref={place}>
      <AskedAs value={drawn}>
        <Thread isReadOnly={!isOwn} />
      </AskedAs>
    </div>
  );
}

/** Something that had the focus may be settled by somebody else: then it goes on to the next. */
function useFocusKept(place: React.RefObject<HTMLElement | null>): void {
  const { pending } = useApprovals();
  const had = useRef(false);
  useEffect(() => {
    const look = () => {
      had.current = document.activeElement?.closest(".asking") != null;
    };
    document.addEventListener("focusin", look);
    return () => document.removeEventListener("focusin", look);
  }, []);
  useEffect(() => {
    if (!had.current || document.activeElement !== document.body) return;
    const next = place.current?.querySelector<HTMLElement>(".asking");
    if (next) next.focus();
    else focusSession();
  }, [pending, place]);
}
