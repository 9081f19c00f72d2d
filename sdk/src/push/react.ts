// `sessile/push/react`: a switch for notifications.

import { useCallback, useEffect, useRef, useState } from "react";
import {
  type Push,
  type PushOptions,
  type PushState,
  pushState,
  registerPush,
} from "./register.ts";

export interface Notifications {
  /** `prompt` until the page is in a browser. */
  readonly state: PushState;
  /** Whether it is being switched. */
  readonly isBusy: boolean;
  /** The last failure: a `SessileError`, or the browser's own. */
  readonly error: Error | undefined;
  /** Asks the person and registers this browser; call it after a click. */
  enable(): Promise<void>;
  /** Removes this browser. */
  disable(): Promise<void>;
}

/**
 * Notifications on this browser, to be switched on and off. While the component is mounted and
 * they are on, the registration is renewed. The latest options count.
 */
export function useNotifications(options: PushOptions): Notifications {
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
  });
  const [state, setState] = useState<PushState>("prompt");
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<Error>();
  const push = useRef<Push>(undefined);
  const isMounted = useRef(false);
  /** Switches one after the other: a push registers while nobody else does. */
  const last = useRef<Promise<unknown>>(Promise.resolve());

  const then = useCallback((work: () => Promise<void>): Promise<void> => {
    const run = async () => {
      setBusy(true);
      setError(undefined);
      await work().catch(setError);
      setState(pushState());
      setBusy(false);
    };
    const done = last.current.then(run);
    last.current = done;
    return done;
  }, []);

  const register = useCallback(async (more: Partial<PushOptions>) => {
    push.current?.close();
    push.current = await registerPush({ ...latest.current, ...more });
  }, []);

  const enable = useCallback(() => then(() => register({})), [then, register]);
  const disable = useCallback(
    () =>
      then(async () => {
        if (!push.current) await register({ ask: false });
        await push.current?.unregister();
        push.current = undefined;
      }),
    [then, register],
  );

  useEffect(() => {
    setState(pushState());
    isMounted.current = true;
    // A remount finds the registration of the first mount.
    const renew = async () => {
      if (isMounted.current && !push.current) await register({ ask: false });
    };
    if (pushState() === "on") void then(renew);
    return () => {
      isMounted.current = false;
      void last.current.then(() => {
        if (isMounted.current) return;
        push.current?.close();
        push.current = undefined;
      });
    };
  }, [then, register]);

  return { state, isBusy, error, enable, disable };
}
