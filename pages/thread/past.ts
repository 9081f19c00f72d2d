// Approvals that were settled before this page was loaded, so that a conversation reads the same
// after a reload.

import { createContext, useEffect, useState } from "react";
import { type Approval, approvalsOf } from "sessile";
import { useConnection, useSession } from "sessile/react";

/** How many are read, the newest ones. */
const MOST = 50;

export const Past = createContext<readonly Approval[]>([]);

/** Reads them once, when there is a connection. */
export function usePast(): readonly Approval[] {
  const session = useSession();
  const isConnected = useConnection().state === "connected";
  const [past, setPast] = useState<readonly Approval[]>([]);
  const [isRead, setRead] = useState(false);
  useEffect(() => {
    if (!isConnected || isRead) return;
    setRead(true);
    approvalsOf(session)
      .list({ limit: MOST })
      .then(({ approvals }) => setPast(approvals.filter(({ status }) => status !== "pending")))
      // The conversation itself tells what came of them.
      .catch(() => {});
  }, [session, isConnected, isRead]);
  return past;
}
