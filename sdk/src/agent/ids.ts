// Ids that an agent draws.

/** Works also without `crypto.randomUUID`, which a page without TLS lacks. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
