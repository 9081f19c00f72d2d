// The components that the tests of `sessile/react` render, on a server and in a browser: two parts
// of a page that show the same, with work in between.

import {
  createElement,
  type ReactNode,
  Suspense,
  use,
  useEffect,
  useState,
  useTransition,
} from "react";
import type { Session } from "../../../src/index.ts";
import {
  SessionProvider,
  useConnection,
  useHistory,
  useMessages,
  usePresence,
  useSession,
  useSharedState,
  useTurns,
} from "../../../src/react/index.ts";

function List(): ReactNode {
  const items = useMessages().map(({ id, serial, data }) =>
    createElement("li", { key: id ?? serial }, String(data)),
  );
  return createElement("ol", { id: "messages" }, items);
}

function Facts(): ReactNode {
  const session = useSession();
  const { state } = useConnection();
  const { count } = usePresence();
  const { hasOlder } = useHistory();
  const facts = [session.id, state, count, useTurns().length, hasOlder];
  return createElement("output", { id: "facts" }, facts.join(" "));
}

/** Shows the newest text, after some work: React may go elsewhere before it is the next one's. */
function Slow({ round }: { round: number }): ReactNode {
  const text = String(useMessages().at(-1)?.data);
  for (const end = performance.now() + 2; performance.now() < end; );
  return createElement("i", { className: "newest", "data-round": round }, text);
}

/** Parts that are rendered again and again as a transition, which is interrupted by what comes. */
export function Slowly(): ReactNode {
  const [round, setRound] = useState(0);
  const [isPending, startTransition] = useTransition();
  useEffect(() => {
    if (!isPending) startTransition(() => setRound(round + 1));
  }, [isPending, round]);
  const parts = Array.from({ length: 8 }, (_, key) => createElement(Slow, { key, round }));
  return createElement("p", null, parts);
}

/** Shows one part of the shared state. */
export function Part({ path }: { path: readonly string[] }): ReactNode {
  const value = useSharedState(path);
  return createElement("code", { id: path.join("-") }, JSON.stringify(value));
}

function Newest(): ReactNode {
  return createElement("b", { id: "late" }, String(useMessages().at(-1)?.data));
}

/** A part that a server renders with the others, and a browser hydrates when `ready` is kept. */
export function Late({ ready }: { ready?: Promise<void> }): ReactNode {
  return createElement(Suspense, null, createElement(Waiting, ready && { ready }));
}

function Waiting({ ready }: { ready?: Promise<void> }): ReactNode {
  if (ready) use(ready);
  return createElement(Newest);
}

export function App({ session, children }: { session: Session; children?: ReactNode }): ReactNode {
  useSession(session);
  const parts = [List, Facts].map((part, key) => createElement(part, { key }));
  return createElement(SessionProvider, { session }, parts, children);
}
