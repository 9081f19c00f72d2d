// A switch for notifications on this device.

import { useNotifications } from "sessile/push/react";
import type { Access } from "../access/access.ts";
import { Button } from "../look/parts.tsx";
import { wire } from "./wired.ts";

export function Bell({ access, page }: { access: Access; page: string }) {
  const { state, isBusy, error, enable, disable } = useNotifications({
    url: location.origin,
    token: access,
    fetch: wire.fetch,
    page,
  });
  if (state === "unsupported") return null;
  const isOn = state === "on";
  return (
    <>
      <Button
        aria-pressed={isOn}
        disabled={isBusy || state === "denied"}
        onClick={isOn ? disable : enable}
      >
        {state === "denied" ? "Notifications are blocked" : "Notify me"}
      </Button>
      {error && <p role="alert">{error.message}</p>}
    </>
  );
}
