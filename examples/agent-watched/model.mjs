// A model that costs nothing and needs no key: it answers in eight steps of fifty words each.
// Put calls of a real one in their place.

const delayMs = Number(process.env.DELAY_MS ?? 60);
const WORDS = 50;

function stepOf(title) {
  return async function* step(signal, spend) {
    for (let word = 0; word < WORDS && !signal.aborted; word += 1) {
      await new Promise((done) => setTimeout(done, delayMs));
      spend();
      yield word === 0 ? `${title}:` : ` finding ${word}`;
    }
  };
}

/** The steps: each streams its words, and tells of each that is spent. */
export const steps = [
  "The question",
  "What is known",
  "The first source",
  "The second source",
  "What they agree on",
  "What they do not",
  "Doubts",
  "The answer",
].map(stepOf);
