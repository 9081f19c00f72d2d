// Ids that a client draws.

/** Works also without `crypto.randomUUID`, as on pages without TLS. */
export function newId(): string {
  return btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(15))));
}
