// The keys of the page, and the switch for those of one letter.

import { useState } from "react";
import { Dialog } from "./dialog.tsx";
import { areKeysOn, KEYS, setKeysOn } from "./keys.ts";

/** All keys. */
export function KeysDialog({ onClose }: { onClose: () => void }) {
  const [isOn, setOn] = useState(areKeysOn);
  return (
    <Dialog title="Keys" onClose={onClose}>
      {KEYS.map(({ place, keys }) => (
        <section key={place} className="keys">
          <h3>{place}</h3>
          <dl>
            {keys.map(({ keys, does }) => (
              <div key={does}>
                <dt>
                  {keys.map((key) => (
                    <kbd key={key}>{key}</kbd>
                  ))}
                </dt>
                <dd>{does}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
      <p>No key decides, cancels or hands over by itself, and none does anything while you type.</p>
      <label className="keys-on">
        <input
          type="checkbox"
          checked={isOn}
          onChange={(event) => {
            setKeysOn(event.currentTarget.checked);
            setOn(event.currentTarget.checked);
          }}
        />{" "}
        Keys of one letter are on
      </label>
    </Dialog>
  );
}
