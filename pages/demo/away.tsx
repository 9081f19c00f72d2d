// Notices to a person who has closed the page.

import type { Access } from "../access/access.ts";
import { Bell } from "../device/bell.tsx";
import { LAPTOP } from "./devices.ts";
import { deviceAddress } from "./place.ts";

export function Away({ session, access }: { session: string; access: Access }) {
  const page = deviceAddress(session, LAPTOP.client, LAPTOP.kind);
  return (
    <section className="panel" aria-labelledby="away">
      <h2 id="away">When nobody looks</h2>
      <p>
        {LAPTOP.name} hears of an answer that ended, and of a question that waits, once every page
        of hers is closed. A button of the notice answers.
      </p>
      <Bell access={access} page={page} />
    </section>
  );
}
