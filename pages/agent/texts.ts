// The texts of the scripted agents. A text is the same each time that it is asked for, so that another
// process can go on in the middle of it.

import { numberOf } from "./pieces.ts";

const OPENINGS: readonly ((quoted: string) => string)[] = [
  (quoted) => `You wrote “${quoted}”. Let me think aloud about that. 🤔`,
  (quoted) => `“${quoted}” – a good reason to stream a long answer. ✍️`,
  (quoted) => `About “${quoted}”, then. Take your time with the buttons while I talk. 🧭`,
];

const PARTS: readonly string[] = [
  `An answer usually travels over **one connection**, and whoever loses the connection loses the
answer. A train enters a tunnel 🚇, a laptop is closed, a tab is reloaded by mistake: the model goes
on speaking, and nobody hears it. Then it is asked again, it costs again, and it says something else
the second time.`,

  `Here the agent writes into a *session*. Each piece is stored before anybody sees it, and a reader
only tells how far it has read:

\`\`\`json
{ "type": "append", "serial": "…", "seq": 42, "data": "exactly what is missing" }
\`\`\`

So a reader that was away is sent the rest, and nothing else. Drop the network, count to ten, and
bring it back. 📦`,

  `What may break, and what becomes of this text:

| what breaks | what you see |
| --- | --- |
| your network 📡 | the rest arrives at once |
| this page | the same text, at the same place |
| the agent 🤖 | another one goes on in the middle of a word |
| the session's object | nothing at all |

Text is counted as your browser counts it, so that no piece ends inside a family 👩‍👩‍👧‍👦, a
flag 🇮🇸 🇵🇹 or a word such as नमस्ते, क्षेत्र or résumé.`,

  `Three things to try while I talk:

1. Open this session on your phone 📱. A device that joins late is sent the whole message as it
   stands, and then its live end.
2. Tell me to be *shorter*: choose “Steer” below, and I finish my sentence and obey.
3. Press **Stop** on one device, and watch the other. A closed connection never cancels anything; a
   person does.`,

  `And if I am killed while I speak? Whoever takes my place reads what I have already said, and goes
on from that very character. Nothing that you saw is gone, because nothing is shown that is not
stored. 🪨`,
];

const CLOSING = "That was all. Ask me anything else, or say “plan a trip to Lisbon”. ✨";

/** The start of what somebody wrote, to be quoted. */
function quoted(text: string): string {
  const characters = [...text.replace(/\s+/g, " ").trim()];
  return characters.length > 80 ? `${characters.slice(0, 80).join("")}…` : characters.join("");
}

const joined = (part: string) => part.replace(/(?<=\S)\n(?=[a-z])/g, " ");

/** A long answer; another turn begins it elsewhere. */
export function story(asked: string, turn: string): string {
  const opening = OPENINGS[numberOf(turn, OPENINGS.length)]?.(quoted(asked)) ?? "";
  const start = numberOf(`${turn}.`, PARTS.length);
  const parts = [...PARTS.slice(start), ...PARTS.slice(0, start)].map(joined);
  return [opening, ...parts, CLOSING].join("\n\n");
}

/** The answer to an instruction (P6.7). */
export function obeyed(instruction: string): string {
  if (/short|brief|stop|enough/i.test(instruction)) {
    return "In short, then: **the answer lives in the session**, not in the connection. ✂️";
  }
  return `I heard you in the middle of it: “${quoted(instruction)}”. A model would go on in that \
way; I am a script, and stop here. 🫡`;
}

export const SHORT = "Gladly, and briefly: nothing is lost, and nothing is said twice. 🌱";

/** The sources of a story, which are attached to it once it is whole. */
export const SOURCES: readonly (readonly [string, string])[] = [
  ["Sessile, the protocol: P3 The log and replay", "A position says how far a reader has come."],
  ["Sessile, the protocol: P6.8 Health", "Another process of the same client may take a turn."],
];
