// One specialist: how its turn stands, how far it has come, what it says, and what it has found.

import { sharedState, type Turn } from "sessile";
import { useChildTurns, useMessages, useSession } from "sessile/react";
import { type Kind, type Option, type Trip, turnOf } from "../trip.ts";
import { useTrip } from "./use-trip.ts";

export function Specialist({ plan, kind }: { plan: string; kind: Kind }) {
  const search = useTrip(["searches", kind]);
  const turn = useChildTurns(plan).find(({ id }) => id === turnOf(plan, kind));
  const said = useMessages().find(({ name, turn: of }) => name === "search" && of === turn?.id);
  return (
    <article id={kind} data-status={turn?.status}>
      <h3>
        {kind} <small>{stateOf(turn)}</small>
      </h3>
      <progress aria-label={kind} value={search?.done ?? 0} max={search?.of ?? 1} />
      <p className="note">{search?.note}</p>
      <Options kind={kind} />
      <p className="said">{String(said?.data ?? "")}</p>
    </article>
  );
}

/** The options, which may be chosen as soon as they are found. */
function Options({ kind }: { kind: Kind }) {
  const session = useSession();
  const options = Object.entries(useTrip(["searches", kind, "options"]) ?? {});
  const chosen = useTrip(["chosen", kind]);
  return (
    <fieldset>
      {byPrice(options).map(([id, { name, price }]) => (
        <label key={id}>
          <input
            type="radio"
            name={kind}
            checked={id === chosen}
            onChange={() => sharedState<Trip>(session).set(["chosen", kind], id)}
          />
          {name} <small>{price} €</small>
        </label>
      ))}
    </fieldset>
  );
}

/** The keys of a tree have no order that all devices agree on. */
function byPrice(options: [string, Option][]): [string, Option][] {
  return options.sort(([, one], [, other]) => one.price - other.price);
}

function stateOf(turn: Turn | undefined): string {
  if (!turn) return "not begun";
  if (turn.status === "complete") return "done";
  if (turn.status === "cancelled") return "stopped";
  if (turn.cancel) return "stops";
  return turn.status === "failed" ? "failed" : "searches";
}
