// The wire of this device, and its state for components; the state outlives a reload.

import { useSyncExternalStore } from "react";
import { type Network, WHOLE, Wire } from "../wire/wire.ts";

export const wire = new Wire();

const listeners = new Set<() => void>();
let kept = "";

/** Keeps the network of a device over reloads of the tab, by its name. */
export function keepNetwork(name: string): void {
  kept = `sessile-network ${name}`;
  try {
    wire.set({ ...WHOLE, ...JSON.parse(sessionStorage.getItem(kept) ?? "{}") });
  } catch {
    // It was written by something else.
  }
}

export function setNetwork(change: Partial<Network>): void {
  const wasDropped = wire.network.isDropped;
  wire.set(change);
  if (kept) sessionStorage.setItem(kept, JSON.stringify(wire.network));
  for (const listener of listeners) listener();
  // As the browser says when a network is back.
  if (wasDropped && !wire.network.isDropped) dispatchEvent(new Event("online"));
}

export function useNetwork(): Network {
  return useSyncExternalStore(subscribe, () => wire.network);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
