// `sessile/react`: a session in React. Every hook takes the session, or finds it in the nearest
// `SessionProvider`.

import {
  createContext,
  createElement,
  type ReactNode,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useSyncExternalStore,
} from "react";
import { type Approvals, type ApprovalsFeature, approvalsOf } from "../client/approvals.ts";
import { branchesOf } from "../client/branches.ts";
import { callsOf, type Tool } from "../client/calls.ts";
import type { Feature } from "../client/feature.ts";
import { historyOf } from "../client/history.ts";
import { type LeadFeature, leadOf } from "../client/lead.ts";
import { marksOf } from "../client/marks.ts";
import { type Presence, presenceOf } from "../client/presence.ts";
import type { ShownMessage } from "../client/sending.ts";
import { createSession, Session } from "../client/session.ts";
import { silenceOf } from "../client/silence.ts";
import { type At, sharedState } from "../client/state.ts";
import { type StatePath, valueAt } from "../client/state-tree.ts";
import type { SessionOptions, SessionSnapshot } from "../client/types.ts";
import { type SessionUsage, usageOf } from "../client/usage.ts";
import type { ConnectionStatus } from "../connection/types.ts";
import type { InboxOptions } from "../inbox/connection.ts";
import { createInbox, Inbox, type InboxSnapshot } from "../inbox/inbox.ts";
import { paced } from "../pace/flow.ts";
import type { Leading, ReadMark, StateTree, ToolCall, Turn } from "../protocol/index.ts";
import { storeOf } from "./store.ts";

const Context = createContext<Session | undefined>(undefined);

/** Provides a session to the hooks below it. */
export function SessionProvider(props: { session: Session; children?: ReactNode }): ReactNode {
  return createElement(Context.Provider, { value: props.session }, props.children);
}

/**
 * A session that is connected while the component is mounted: from these options, or one made
 * elsewhere. Another `url` or `session` makes another session; other options are read once.
 */
export function useSession(from?: SessionOptions | Session): Session {
  const provided = useContext(Context);
  const given = from instanceof Session ? from : undefined;
  const options = given ? undefined : (from as SessionOptions | undefined);
  const { url, session: id } = options ?? {};
  // biome-ignore lint/correctness/useExhaustiveDependencies: the token differs each time
  const made = useMemo(() => options && createSession(paced(options)), [url, id]);
  const session = given ?? made ?? provided;
  if (!session) {
    throw new Error(
      "useSession needs a session: give it options or a session, or put a SessionProvider above",
    );
  }
  // The session of a provider is connected by the component that made it.
  const own = given ?? made;
  useEffect(() => own && storeOf(own).use(), [own]);
  return session;
}

function useGiven(session: Session | undefined): Session {
  const provided = useContext(Context);
  const used = session ?? provided;
  if (!used) throw new Error("there is no session: give the hook one, or a SessionProvider above");
  return used;
}

function useSnapshot<T>(session: Session | undefined, pick: (snapshot: SessionSnapshot) => T): T {
  const store = storeOf(useGiven(session));
  return useSyncExternalStore(
    store.subscribe,
    () => pick(store.get()),
    () => pick(store.getFirst()),
  );
}

/** The value of a feature of a session: `useFeature(presenceOf)`, or of one of your own. */
export function useFeature<P extends Feature>(
  featureOf: (session: Session) => P,
  session?: Session,
): P["value"] {
  const used = useGiven(session);
  const store = storeOf(used);
  const feature = featureOf(used);
  return useSyncExternalStore(
    store.subscribe,
    () => store.valueOf(feature),
    () => store.firstOf(feature),
  );
}

/** The messages in the log's order, those still to be sent last. */
export function useMessages(session?: Session): readonly ShownMessage[] {
  const store = storeOf(useGiven(session));
  return useSyncExternalStore(
    store.subscribe,
    () => store.shown(store.get().messages),
    () => store.getFirst().messages,
  );
}

/** The messages of the selected branches, those still to be sent last (`branchesOf`). */
export function useBranches(session?: Session): readonly ShownMessage[] {
  const used = useGiven(session);
  const store = storeOf(used);
  const branches = branchesOf(used);
  return useSyncExternalStore(
    store.subscribe,
    () => store.shown(store.valueOf(branches)),
    () => store.firstOf(branches),
  );
}

/** Whether there are older messages, whether they are being read, and how to read them. */
export function useHistory(session?: Session): {
  hasOlder: boolean;
  isLoadingOlder: boolean;
  loadOlder(count?: number): Promise<number>;
} {
  const used = useGiven(session);
  const hasOlder = useSnapshot(session, (snapshot) => snapshot.hasOlder);
  const isLoadingOlder = useFeature(historyOf, session);
  return { hasOlder, isLoadingOlder, loadOlder: (count) => historyOf(used).loadOlder(count) };
}

/** The known turns, the oldest first. */
export function useTurns(session?: Session): readonly Turn[] {
  return useSnapshot(session, ({ turns }) => turns);
}

/** The ids of active turns that were silent for too long (`silenceOf`). */
export function useSilence(session?: Session): ReadonlySet<string> {
  return useFeature(silenceOf, session);
}

/** The members (`presenceOf`). */
export function usePresence(session?: Session): Presence {
  return useFeature(presenceOf, session);
}

/** The state of the connection. */
export function useConnection(session?: Session): ConnectionStatus {
  return useSnapshot(session, ({ connection }) => connection);
}

/** The approvals that wait and those just settled, and deciding them (`approvalsOf`). */
export function useApprovals(session?: Session): Approvals & Pick<ApprovalsFeature, "decide"> {
  const used = useGiven(session);
  const approvals = useFeature(approvalsOf, used);
  return useMemo(() => {
    const decide: ApprovalsFeature["decide"] = (...given) => approvalsOf(used).decide(...given);
    return { ...approvals, decide };
  }, [approvals, used]);
}

/**
 * Runs tools that the agent calls, on this device, while the component is mounted (`callsOf`);
 * returns the calls that are pending. The latest functions run, so they need not be memoised.
 */
export function useToolCalls(
  tools: Readonly<Record<string, Tool>>,
  session?: Session,
): readonly ToolCall[] {
  const used = useGiven(session);
  const latest = useRef(tools);
  useEffect(() => {
    latest.current = tools;
  });
  const names = JSON.stringify(Object.keys(tools).sort());
  useEffect(() => {
    const ends = (JSON.parse(names) as string[]).map((name) =>
      callsOf(used).handle(name, (input, context) => latest.current[name]?.(input, context)),
    );
    return () => {
      for (const end of ends) end();
    };
  }, [used, names]);
  return useFeature(callsOf, used);
}

/** The person who leads, if one does, taking over and handing back (`leadOf`). */
export function useLead(
  session?: Session,
): { lead: Leading | undefined } & Pick<LeadFeature, "isOwn" | "takeOver" | "handBack"> {
  const used = useGiven(session);
  const lead = useFeature(leadOf, used);
  return useMemo(() => {
    const feature = leadOf(used);
    return {
      lead,
      isOwn: lead !== undefined && lead.client === used.client,
      takeOver: (options) => feature.takeOver(options),
      handBack: (options) => feature.handBack(options),
    };
  }, [lead, used]);
}

/**
 * The part of the shared state at a path (`sharedState`): the component renders again only when
 * that part has changed.
 */
export function useSharedState<T extends object = StateTree, const P extends StatePath = []>(
  path?: P,
  session?: Session,
): At<T, P> {
  const used = useGiven(session);
  const store = storeOf(used);
  const feature = sharedState(used);
  const pick = (tree: StateTree) => valueAt(tree, path ?? []) as At<T, P>;
  return useSyncExternalStore(
    store.subscribe,
    () => pick(store.valueOf(feature)),
    () => pick(store.firstOf(feature)),
  );
}

/** The session's sums of usage, and whether its budget is spent (`usageOf`). */
export function useUsage(session?: Session): SessionUsage {
  return useFeature(usageOf, session);
}

/** How far clients have read (`marksOf`). */
export function useReadMarks(session?: Session): readonly ReadMark[] {
  return useFeature(marksOf, session);
}

/** The turns right within a turn, the oldest first. */
export function useChildTurns(turn: string, session?: Session): readonly Turn[] {
  const turns = useTurns(session);
  return useMemo(() => turns.filter(({ within }) => within === turn), [turns, turn]);
}

/**
 * An inbox that is connected while the component is mounted: from these options, or one made
 * elsewhere. Another `url` or `role` makes another inbox; other options are read once.
 */
export function useInbox(
  from: InboxOptions | Inbox,
): InboxSnapshot & Pick<Inbox, "decide" | "loadMore"> {
  const given = from instanceof Inbox ? from : undefined;
  const { url, role } = given ? {} : (from as InboxOptions);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the token differs each time
  const inbox = useMemo(() => given ?? createInbox(from as InboxOptions), [given, url, role]);
  const store = storeOf(inbox);
  useEffect(() => store.use(), [store]);
  const snapshot = useSyncExternalStore(store.subscribe, store.get, store.getFirst);
  return useMemo(
    () => ({
      ...snapshot,
      decide: (...given) => inbox.decide(...given),
      loadMore: (name) => inbox.loadMore(name),
    }),
    [snapshot, inbox],
  );
}
