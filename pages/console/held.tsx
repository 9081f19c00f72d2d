// Sessions that this person leads and does not look at: a connection stays, since somebody who is
// not heard is taken to have handed back (P8.8).

import { useSession } from "sessile/react";
import type { Access } from "../access/access.ts";
import type { Me } from "./me.ts";
import type { Row } from "./rows.ts";

/** Connections that are kept at most. */
const MOST = 20;

interface Props {
  rows: readonly Row[];
  place: string | undefined;
  access: Access;
  me: Me;
}

/** Draws nothing. */
export function Held({ rows, place, access, me }: Props) {
  const led = rows.filter(({ id, lead }) => id !== place && lead?.client === me.client);
  return (
    <>
      {led.slice(0, MOST).map(({ id }) => (
        <One key={id} id={id} access={access} />
      ))}
    </>
  );
}

function One({ id, access }: { id: string; access: Access }) {
  useSession({ url: location.origin, session: id, token: access, rewind: 0 });
  return null;
}
