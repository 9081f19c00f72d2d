// The session of this page: named in its address, kept for the next visit.

const KEPT = "sessile-demo-session";
const SESSION = /^[\w.:~-]{1,128}$/;

/** The session of the address, of the last visit, or a new one; the address then names it. */
export function sessionHere(): string {
  const given = new URLSearchParams(location.search).get("session");
  const kept = localStorage.getItem(KEPT) ?? "";
  const session = given && SESSION.test(given) ? given : SESSION.test(kept) ? kept : newName();
  keep(session);
  history.replaceState(history.state, "", addressOf(session));
  return session;
}

/** Begins another session, in this tab. */
export function beginAnother(): void {
  const session = newName();
  keep(session);
  location.assign(addressOf(session));
}

/** The page of one device. */
export function deviceAddress(session: string, client?: string, kind?: string): string {
  const query = new URLSearchParams({ session });
  if (client) query.set("client", client);
  if (kind) query.set("kind", kind);
  return `/device?${query}`;
}

/** Whether other devices cannot reach the host of this page: its name means each device itself. */
export function isOnlyHere(): boolean {
  const { hostname } = location;
  return /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

function addressOf(session: string): string {
  const query = new URLSearchParams(location.search);
  query.set("session", session);
  return `/?${query}${location.hash}`;
}

function keep(session: string): void {
  localStorage.setItem(KEPT, session);
}

/** Without letters that are read as others. */
const LETTERS = "abcdefghkmnpqrstuvwxyz23456789";

function newName(): string {
  const random = crypto.getRandomValues(new Uint8Array(8));
  return `demo-${Array.from(random, (byte) => LETTERS[byte % LETTERS.length]).join("")}`;
}
