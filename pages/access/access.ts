// The token of a page: from its address, from an earlier visit of the tab, or, on the machine of a
// developer alone, from the local Worker.

/** The owner of a token, and what it may do: `{"*": ["user"]}` (P2.2). */
export interface Wanted {
  client: string;
  name?: string;
  role?: string;
  caps: Record<string, readonly string[]>;
}

/** A token for each connect, as the SDK asks for it. */
export type Access = () => string | Promise<string>;

const KEPT = "sessile-token";

/** A way to a token, or `undefined` where only the visitor has one. */
export async function accessFor(wanted: Wanted): Promise<Access | undefined> {
  const given = fromAddress() ?? sessionStorage.getItem(KEPT);
  return given ? () => given : developmentAccess(wanted);
}

/** The local Worker's tokens, whatever the visitor has; `undefined` in a deployment. */
export async function developmentAccess(wanted: Wanted): Promise<Access | undefined> {
  const first = await developmentToken(wanted);
  if (first === undefined) return undefined;
  let next: string | undefined = first;
  return async () => {
    const token = next ?? (await developmentToken(wanted));
    next = undefined;
    if (token === undefined) throw new Error("the local Worker makes no tokens any more");
    return token;
  };
}

/** Keeps the visitor's token for the life of the tab. */
export function keepToken(token: string): Access {
  sessionStorage.setItem(KEPT, token);
  return () => token;
}

/** Forgets the token of this tab: the next visit asks again. */
export function forgetToken(): void {
  sessionStorage.removeItem(KEPT);
}

/** The token behind the `#`, which is then taken out of the address. */
function fromAddress(): string | undefined {
  const query = new URLSearchParams(location.hash.slice(1));
  const token = query.get("token");
  if (!token) return undefined;
  query.delete("token");
  const rest = query.toString();
  history.replaceState(history.state, "", rest ? `#${rest}` : location.pathname + location.search);
  keepToken(token);
  return token;
}

/** A token that the local Worker signs; a deployment has no such address. */
async function developmentToken(wanted: Wanted): Promise<string | undefined> {
  const response = await fetch("/v1/dev/tokens", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(wanted),
  });
  if (!response.ok) return undefined;
  const { token } = (await response.json()) as { token: string };
  return token;
}
