// The texts of the scripted agent, and how they are cut into pieces.

export const greeting =
  "Hello 👋 I am a scripted agent: no model and no account is behind me, only this session. " +
  "Write something, and while I answer, reload the page, drop its network, or open it on your " +
  "phone. The answer lives in the session and not in the connection, so nothing of it is lost " +
  "and nothing is said twice. 🌱";

const openings = [
  (text) => `You wrote “${text}”. Let me think aloud about that. 🤔`,
  (text) => `“${text}” – a good reason to stream a long answer. ✍️`,
  (text) => `About “${text}”, then. Take your time with the buttons while I talk. 🧭`,
];

const paragraphs = [
  "An answer usually travels over one connection, and whoever loses the connection loses the " +
    "answer. A train enters a tunnel 🚇, a laptop is closed, a tab is reloaded by mistake: the " +
    "model goes on speaking, and nobody hears it. Then it is asked again, it costs again, and it " +
    "says something else the second time.",
  "Here the agent writes into a session. The session is durable: each piece is stored before " +
    "anybody sees it, and it is one message however many pieces it came in. A reader only tells " +
    "how far it has read, and is sent exactly what is missing. You can try it now: press “Drop " +
    "the network”, count to ten, and press it again. What I said meanwhile arrives at once. 📦",
  "Open the other address beside this one, or on another device 📱. Both show the same text at " +
    "the same place, because both read the same log. A third one that joins late is sent the " +
    "whole message as it stands, not the hundreds of pieces, and then the live end of it.",
  "Text is counted as your browser counts it, so that nothing breaks in the middle of a family " +
    "👩‍👩‍👧‍👦, a flag 🇮🇸 or a word such as नमस्ते or résumé. Where a piece ends is nobody's " +
    "business but the wire's; what it adds up to is always the same.",
  "And if the server is killed while I speak? Start it again with npm start. I read in the " +
    "session what I have already said, and go on from that very character. Nothing that you saw " +
    "is gone, because nothing is shown that is not stored. 🪨",
];

const closing = "That was all. Ask me anything else, and I will answer at the same length. ✨";

/** The answer to a message: the same each time, so that it can be taken up in the middle. */
export function reply({ serial, data }) {
  const quoted = [...(typeof data === "string" ? data : JSON.stringify(data))]
    .slice(0, 120)
    .join("");
  const turn = [...serial].reduce((sum, character) => sum + character.charCodeAt(0), 0);
  const opening = openings[turn % openings.length](quoted);
  const start = turn % paragraphs.length;
  const rotated = [...paragraphs.slice(start), ...paragraphs.slice(0, start)];
  return [opening, ...rotated, closing].join("\n\n");
}

/** The rest of a text from an offset on, in pieces about as long as a model's tokens. */
export function pieces(text, offset) {
  // Cut between characters, never inside one (P1.3).
  const found = text.slice(offset).match(/\s*\S{1,6}|\s+$/gu) ?? [];
  return found.length > 0 ? found : [""];
}
