// A switch for notifications: a user who is away hears of the agent's question and of its answer,
// and answers by a button of the notification.

import { useNotifications } from "sessile/push/react";
import { token, url } from "./place.ts";

export function Bell() {
  const { state, isBusy, error, enable, disable } = useNotifications({
    url,
    token,
    page: "/#session={session}",
  });
  if (state === "unsupported") return null;
  const isOn = state === "on";
  return (
    <>
      <button
        type="button"
        id="bell"
        disabled={isBusy || state === "denied"}
        onClick={isOn ? disable : enable}
      >
        {isOn ? "🔔 Notifications are on" : "🔕 Notify me"}
      </button>
      {error && <p role="alert">{error.message}</p>}
    </>
  );
}
