// The session that an address names: `/inspect/{session}`, percent-encoded once.

/** The id, `""` where there is none; what cannot be decoded is taken as it is. */
export function sessionIn(pathname: string): string {
  const rest = /^\/inspect(?:\.html)?\/?(.*)$/.exec(pathname)?.[1] ?? "";
  try {
    return decodeURIComponent(rest);
  } catch {
    return rest;
  }
}

/** The address of a session's inspector. */
export function inspectorOf(session: string): string {
  return `/inspect/${encodeURIComponent(session)}`;
}
