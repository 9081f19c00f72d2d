// The two devices of the page, as their frames tell of themselves.

import { useCallback, useEffect, useRef, useState } from "react";
import { type Asked, hear, say, type Told } from "../device/talk.ts";
import { type Network, WHOLE } from "../wire/wire.ts";

export interface DeviceKind {
  client: string;
  /** The person's name. */
  name: string;
  kind: "laptop" | "phone";
  title: string;
}

export const LAPTOP: DeviceKind = { client: "ada", name: "Ada", kind: "laptop", title: "Laptop" };
export const PHONE: DeviceKind = { client: "ben", name: "Ben", kind: "phone", title: "Phone" };
export const DEVICES = [LAPTOP, PHONE] as const;

export interface DeviceFrame {
  readonly network: Network;
  readonly isReady: boolean;
  /** For the frame's element. */
  readonly ref: (frame: HTMLIFrameElement | null) => void;
  setNetwork(change: Partial<Network>): void;
  reload(): void;
  /** Sends a message as the person of this device. */
  write(text: string): void;
}

/** One device: its frame, what it tells, and what can be done to it. */
export function useDevice(take: (told: Told) => void): DeviceFrame {
  const frame = useRef<HTMLIFrameElement | null>(null);
  const latest = useRef(take);
  latest.current = take;
  /** The changes asked of it: told again after a reload, which may have missed them. */
  const wanted = useRef<Partial<Network>>({});
  const [network, setNetwork] = useState(WHOLE);
  const [isReady, setReady] = useState(false);
  const ask = useCallback((word: Asked) => {
    const { contentWindow } = frame.current ?? {};
    if (contentWindow) say(contentWindow, word);
  }, []);
  useEffect(
    () =>
      hear<Told>(
        () => frame.current?.contentWindow,
        (told) => {
          if (told.type === "stands") setNetwork(told.network);
          if (told.type === "begun") {
            ask({ type: "network", network: wanted.current });
            setReady(true);
          }
          latest.current(told);
        },
      ),
    [ask],
  );
  return {
    network,
    isReady,
    ref: (element) => {
      frame.current = element;
    },
    setNetwork: (change) => {
      wanted.current = { ...wanted.current, ...change };
      ask({ type: "network", network: change });
    },
    reload: () => {
      setReady(false);
      frame.current?.contentWindow?.location.reload();
    },
    write: (text) => ask({ type: "write", text }),
  };
}
