// A read as a line for a shell. Session ids and serials come from an address that anybody may have
// written, so that nothing in them may end a quotation.

/** Text as one word of a POSIX shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** The read of an address; the token stays out of it, as `$TOKEN`. */
export function curl(url: string): string {
  return `curl -sS -H "Authorization: Bearer $TOKEN" ${quoted(url)}`;
}
