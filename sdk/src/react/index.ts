// `sessile/react`: a session in React. Every hook takes the session, or finds it in the nearest
// `SessionProvider`.

import {
  createContext,
  createElement,
  type ReactNode,
  useContext,
  useEffect,
  useMemo,
  useSyncExternalStore,
} from "react";
import type { Presence } from "../client/presence.ts";
import type { ShownMessage } from "../client/sending.ts";
import { createSession, Session } from "../client/session.ts";
import type { SessionOptions, SessionSnapshot } from "../client/types.ts";
import type { ConnectionStatus } from "../connection/types.ts";
import type { Turn } from "../protocol/index.ts";
import { storeOf } from "./store.ts";

const Context = createContext<Session | undefined>(undefined);

/** Makes a session the one that the hooks below it use. */
export function SessionProvider(props: { session: Session; children?: ReactNode }): ReactNode {
  return createElement(Context.Provider, { value: props.session }, props.children);
}

/**
 * A session that is connected while the component is mounted: of these options, or one that was
 * made elsewhere. Another `url` or `session` is another one; other options are looked at once.
 */
export function useSession(from?: SessionOptions | Session): Session {
  const provided = useContext(Context);
  const given = from instanceof Session ? from : undefined;
  const options = given ? undefined : (from as SessionOptions | undefined);
  const { url, session: id } = options ?? {};
  // biome-ignore lint/correctness/useExhaustiveDependencies: the token differs each time
  const made = useMemo(() => options && createSession(options), [url, id]);
  const session = given ?? made ?? provided;
  if (!session) {
    throw new Error(
      "useSession needs a session: give it options or a session, or put a SessionProvider above",
    );
  }
  // What a provider gives is connected by whoever made it.
  const own = given ?? made;
  useEffect(() => own && storeOf(own).use(), [own]);
  return session;
}

function useSnapshot<T>(session: Session | undefined, pick: (snapshot: SessionSnapshot) => T): T {
  const provided = useContext(Context);
  const used = session ?? provided;
  if (!used) throw new Error("there is no session: give the hook one, or a SessionProvider above");
  const store = storeOf(used);
  return useSyncExternalStore(
    store.subscribe,
    () => pick(store.get()),
    () => pick(store.getFirst()),
  );
}

/** The messages of the selected branches, those still to be sent last. */
export function useMessages(session?: Session): readonly ShownMessage[] {
  return useSnapshot(session, ({ messages }) => messages);
}

/** Whether `loadOlder` has more, and whether it is reading. */
export function useHistory(session?: Session): { hasOlder: boolean; isLoadingOlder: boolean } {
  const hasOlder = useSnapshot(session, (snapshot) => snapshot.hasOlder);
  const isLoadingOlder = useSnapshot(session, (snapshot) => snapshot.isLoadingOlder);
  return { hasOlder, isLoadingOlder };
}

/** The turns that are known, the oldest first. */
export function useTurns(session?: Session): readonly Turn[] {
  return useSnapshot(session, ({ turns }) => turns);
}

/** Who is there. */
export function usePresence(session?: Session): Presence {
  return useSnapshot(session, ({ presence }) => presence);
}

/** How the connection stands. */
export function useConnection(session?: Session): ConnectionStatus {
  return useSnapshot(session, ({ connection }) => connection);
}
