// The buttons of a device's network.

import { Button } from "../look/parts.tsx";
import type { Network } from "./wire.ts";
import "./controls.css";

interface Props {
  /** The owner of the network, for people who do not see where the buttons are. */
  of: string;
  network: Network;
  onChange: (change: Partial<Network>) => void;
  onReload: () => void;
}

/** A way to hurt the network: the button's words, and the rest of them for those who hear it. */
const WAYS = [
  { name: "isDropped", hurt: "Drop", mend: "Bring back" },
  { name: "isFrozen", hurt: "Freeze", mend: "Unfreeze" },
  { name: "isSlow", hurt: "Slow down", mend: "Speed up" },
] as const;

export function NetworkControls({ of, network, onChange, onReload }: Props) {
  return (
    <fieldset className="network">
      <legend className="visually-hidden">{of}</legend>
      <span aria-hidden="true">Network</span>
      {WAYS.map(({ name, hurt, mend }) => {
        const isHurt = network[name];
        return (
          <Button key={name} aria-pressed={isHurt} onClick={() => onChange({ [name]: !isHurt })}>
            {isHurt ? mend : hurt}
            <span className="visually-hidden"> the network</span>
          </Button>
        );
      })}
      <Button onClick={onReload}>
        Reload<span className="visually-hidden"> the page</span>
      </Button>
    </fieldset>
  );
}
