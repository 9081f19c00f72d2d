// The conversation with its approvals and questions at their places, as those who decide need them.

import { useCallback } from "react";
import type { ShownApproval } from "sessile";
import { useApprovals } from "sessile/react";
import { AskedAs, Thread } from "../thread/index.ts";
import { Asking } from "./asking.tsx";
import type { Me } from "./me.ts";
import { Plain } from "./plain.tsx";
import { settledWords } from "./words.ts";

interface Props {
  me: Me;
  /** Whether the person leads, and so may do more than read and decide. */
  isOwn: boolean;
}

/** The messages of a session, with what is to be decided about them. */
export function Conversation({ me, isOwn }: Props) {
  const { decide } = useApprovals();
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
  return (
    <div className="conversation">
      <AskedAs value={drawn}>
        <Thread isReadOnly={!isOwn} />
      </AskedAs>
    </div>
  );
}
