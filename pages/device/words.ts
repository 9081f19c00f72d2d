// The state of a connection in plain words.

import type { ConnectionStatus } from "sessile";
import type { Tone } from "../look/parts.tsx";
import type { Network } from "../wire/wire.ts";

export interface Standing {
  words: string;
  tone: Tone;
}

/** How a device stands, by what its session knows and what was done to its network. */
export function standing(
  { state, reason }: ConnectionStatus,
  { isDropped, isFrozen, isSlow }: Network,
  hasResumed: boolean,
): Standing {
  switch (state) {
    case "connected":
      if (isFrozen) return { words: "Frozen, and nobody has noticed yet", tone: "warn" };
      if (isSlow) return { words: "Connected, slowly", tone: "good" };
      return { words: hasResumed ? "Connected, nothing missed" : "Connected", tone: "good" };
    case "connecting":
      if (isFrozen) return { words: "Connecting over a frozen network", tone: "warn" };
      return { words: "Connecting", tone: "note" };
    case "waiting":
      if (isDropped) return { words: "Offline; what you write waits", tone: "warn" };
      if (reason === "silent") return { words: "Nothing came; connecting anew", tone: "warn" };
      if (reason === "token") return { words: "No token; trying again", tone: "warn" };
      return { words: "Connection lost; trying again", tone: "warn" };
    case "closed":
      // The reason stands where people write.
      return { words: "Cannot connect", tone: "bad" };
    case "idle":
      return { words: "Not connected", tone: "quiet" };
  }
}
