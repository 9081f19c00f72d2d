// Text as the limits count it (P14), and shorter names for text that is too long for one.

import { wellFormed } from "./well-formed.ts";

/** Bytes of UTF-8. Up to `most` they need not be exact, and are not counted. */
export function bytesOf(text: string, most = 0): number {
  return text.length * 3 <= most ? text.length : new TextEncoder().encode(text).length;
}

/** Text of at most so many characters; a longer one ends in a hash of the whole. */
export function short(text: string, most: number): string {
  const whole = wellFormed(text);
  if (whole.length <= most) return whole;
  // Twice: the same text has the same name in every attempt (P6.8), and no other text has it.
  const hashes = [fnv(whole), fnv(whole, 0xcbf29ce4, 0x01000197)];
  const end = `~${hashes.map((part) => (part >>> 0).toString(36).padStart(7, "0")).join("")}`;
  return wellFormed(whole.slice(0, most - end.length)) + end;
}

/** FNV-1a over UTF-16, as 32 bits. */
export function fnv(text: string, start = 0x811c9dc5, prime = 0x01000193): number {
  let sum = start;
  for (let at = 0; at < text.length; at += 1) {
    sum = Math.imul(sum ^ text.charCodeAt(at), prime);
  }
  return sum;
}
