// The devices of the session's clients, and their notices: an administrator of every session is
// shown all of them, anybody else the client's own (P10.1).

import type { Reads } from "./reads.ts";
import type { Devices, Diagnostics, Entry } from "./shapes.ts";

/** Clients whose devices are read: each is an object of its own. */
const CLIENTS_MAX = 20;
const PATH = "/v1/push/devices";

/** The clients that did something, were here or are, the latest last. */
export function clientsOf(entries: readonly Entry[], diagnostics: Diagnostics): string[] {
  const all = [
    ...entries.map(({ client }) => client),
    ...diagnostics.traces.gone.map(({ client }) => client),
    ...diagnostics.connections.map(({ client }) => client),
  ];
  const last = new Set(all.filter((client) => client !== undefined).reverse());
  return [...last].slice(0, CLIENTS_MAX).reverse();
}

/** Those of the clients that have or had some; `undefined` for a token without any right to them. */
export async function readDevices(
  reads: Reads,
  clients: readonly string[],
): Promise<Devices[] | undefined> {
  type Answer = Omit<Devices, "client">;
  const own = reads.client ?? "";
  const of = async (client: string, query = `?client=${encodeURIComponent(client)}`) => ({
    client,
    ...(await reads.getAt<Answer>(`the devices of ${client}`, PATH + query)),
  });
  try {
    const first = await of(own);
    const others = clients.filter((client) => client !== own).map((client) => of(client));
    return [first, ...(await Promise.all(others))].filter(hasAny);
  } catch {
    const read = of(own, "").then((it) => [it].filter(hasAny));
    // A token without `read` for its inbox, or a deployment without inboxes, has none.
    return read.catch(() => undefined);
  }
}

function hasAny({ devices, failing, dead }: Devices): boolean {
  return devices.length + failing.length + dead.length > 0;
}

/** The notices of this session: the id of one is its session's, a serial and perhaps a number. */
export function ofSession({ failing, dead, ...rest }: Devices, session: string): Devices {
  const isOurs = ({ id }: { id: string }) =>
    id.startsWith(`${session}-`) && /^[^-]+(-\d+)?$/.test(id.slice(session.length + 1));
  return { ...rest, failing: failing.filter(isOurs), dead: dead.filter(isOurs) };
}
