// A switch for notices on this browser.

import { useNotifications } from "sessile/push/react";
import type { Access } from "../access/access.ts";
import { Button, Note } from "../look/parts.tsx";
import { wire } from "./wired.ts";

interface Props {
  access: Access;
  /** The page that a notice opens. */
  page: string;
}

export function Bell({ access, page }: Props) {
  const { state, isBusy, error, enable, disable } = useNotifications({
    url: location.origin,
    token: access,
    fetch: wire.fetch,
    page,
  });
  if (state === "unsupported") return <p className="bell-none">{unsupported()}</p>;
  const isOn = state === "on";
  return (
    <div className="bell">
      <Button
        aria-pressed={isOn}
        disabled={isBusy || state === "denied"}
        onClick={() => void (isOn ? disable() : enable())}
      >
        {isOn ? "Stop notifying this browser" : "Notify this browser"}
      </Button>
      {state === "denied" && <p>Notices are blocked in this browser’s settings.</p>}
      {error && (
        <Note tone="bad" isUrgent>
          {error.message}
        </Note>
      )}
    </div>
  );
}

function unsupported(): string {
  return isSecureContext
    ? "This browser takes no notices; on iOS, add the page to the home screen first."
    : "Notices need an address with https, or this machine’s own.";
}
