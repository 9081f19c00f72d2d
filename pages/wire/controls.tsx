// The buttons of a device's network.

import { Button } from "../look/parts.tsx";
import type { Network } from "./wire.ts";
import "./controls.css";

interface Props {
  /** Whose network it is, for people who cannot see where the buttons are. */
  of: string;
  network: Network;
  onChange: (change: Partial<Network>) => void;
  onReload: () => void;
}

export function NetworkControls({ of, network, onChange, onReload }: Props) {
  const { isDropped, isFrozen, isSlow } = network;
  return (
    <fieldset className="network">
      <legend className="visually-hidden">{of}: its network</legend>
      <Button aria-pressed={isDropped} onClick={() => onChange({ isDropped: !isDropped })}>
        {isDropped ? "Bring it back" : "Drop the network"}
      </Button>
      <Button aria-pressed={isFrozen} onClick={() => onChange({ isFrozen: !isFrozen })}>
        {isFrozen ? "Unfreeze" : "Freeze"}
      </Button>
      <Button aria-pressed={isSlow} onClick={() => onChange({ isSlow: !isSlow })}>
        {isSlow ? "Full speed" : "Slow down"}
      </Button>
      <Button onClick={onReload}>Reload</Button>
    </fieldset>
  );
}
