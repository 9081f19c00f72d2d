// How a text is cut, and where it may stop.

/** The rest of a text from an offset on, in pieces about as long as a model's tokens. */
export function pieces(text: string, offset = 0): string[] {
  // Cut between characters, never inside one (P1.3).
  const found = text.slice(offset).match(/\s*\S{1,6}|\s+$/gu) ?? [];
  return found.length > 0 ? found : [""];
}

/** Whether a text may end here without looking cut off. */
export function isSentence(text: string): boolean {
  return /[.!?…:][”"’)*]*(?:\s+[\p{Extended_Pictographic}\p{RI}]\S*)?\s*$/u.test(text);
}

/** A number that is always the same for the same text, below `below`. */
export function numberOf(text: string, below: number): number {
  let sum = 7;
  for (const character of text) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 1_000_003;
  return sum % below;
}
