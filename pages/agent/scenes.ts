// Scenes: the answer of the guide to each kind of message. A scene may be cut off anywhere and begun
// again by another process: texts that were said are passed over, questions that were asked are
// known, and a specialist at work goes on.

import type { Guide } from "./guide.ts";
import { numberOf } from "./pieces.ts";
import { measured, megabytesIn, reported, seen } from "./report.ts";
import type { SaidFile } from "./said.ts";
import { obeyed, SHORT, SOURCES, story } from "./texts.ts";
import { booked, destinationIn, summary, TRIP_SCHEMA, type Trip, tripOf } from "./trip.ts";

export type Scene =
  | "plan"
  | "refund"
  | "book"
  | "ask"
  | "fail"
  | "short"
  | "report"
  | "look"
  | "story";

const WORDS: readonly (readonly [RegExp, Scene])[] = [
  [/\bplan\b|\btrip to\b|\btravel to\b/i, "plan"],
  [/\brefund\b/i, "refund"],
  [/\bbook\b/i, "book"],
  [/\bask me\b|\bquestion\b/i, "ask"],
  [/\bfail\b/i, "fail"],
  [/\bshort|\bbrief/i, "short"],
  [/\breport\b/i, "report"],
];

/** The scene that a message asks for. */
export function sceneOf(text: string, hasFiles = false): Scene {
  return WORDS.find(([words]) => words.test(text))?.[1] ?? (hasFiles ? "look" : "story");
}

/** A person of either device, or one who watches. */
const ANYBODY = ["role:user", "role:supervisor"];

export async function play(
  scene: Scene,
  guide: Guide,
  asked: string,
  files: readonly SaidFile[] = [],
): Promise<void> {
  await SCENES[scene](guide, asked, files);
  await guide.obey(obeyed);
}

type Play = (guide: Guide, asked: string, files: readonly SaidFile[]) => Promise<void>;

const SCENES: Record<Scene, Play> = {
  async story(guide, asked) {
    const next = { suggest: "Plan a trip to Lisbon\nAsk me something" };
    const serial = await guide.say("1", story(asked, guide.turn.id), next);
    for (const [name, quote] of SOURCES) await guide.cite(serial, name, quote);
  },

  async short(guide) {
    await guide.say("1", SHORT);
  },

  async look(guide, _, files) {
    await guide.say("1", seen(files));
  },

  async report(guide, asked) {
    await guide.say("1", "I measure everything, which makes a long result. 📊");
    if (guide.isOver) return;
    const megabytes = megabytesIn(asked);
    await guide.keep("report", () => measured(megabytes));
    await guide.say("2", reported(megabytes));
  },

  async fail(guide) {
    await guide.say("1", "I begin, and then I fail, as you asked: ");
    if (!guide.isOver) throw new Error("the scripted model gave up, as you asked");
  },

  async ask(guide) {
    await guide.say("1", "Before I answer, one question. Any of your devices may answer it. 🙋");
    if (guide.isOver) return;
    const { status, approval } = await guide.turn.ask({
      id: `${guide.turn.id}/where`,
      title: "Where would you rather be?",
      options: [
        { id: "sea", label: "At the sea 🌊" },
        { id: "mountains", label: "In the mountains ⛰️" },
        { id: "city", label: "In a city 🌆" },
      ],
      assignees: [...guide.askers, ...ANYBODY],
      onMessage: "dismiss",
    });
    const chosen = approval.options?.find(({ id }) => id === approval.option)?.label;
    const words = chosen ? `${chosen}: noted, and kept. 📝` : "Then another time.";
    if (status !== "withdrawn") await guide.say("2", words);
  },

  async plan(guide, asked) {
    const destination = destinationIn(asked);
    await guide.say(
      "1",
      `**${destination}** it is. Three specialists look for you, side by side. 🔎`,
    );
    if (guide.isOver) return;
    const found = await guide.send(destination);
    if (guide.isOver) return;
    const trip = tripOf(destination, found);
    const headers = { trip: JSON.stringify(trip), suggest: "Book it" };
    await guide.say("2", summary(trip, found), headers);
  },

  async book(guide) {
    const trip = await guide.lately();
    if (!trip) {
      await guide.say("1", "There is no trip yet. Say “plan a trip to Lisbon” first. 🧳");
      return;
    }
    await guide.say("1", `I have **${trip.destination}** ready. It is yours to allow:`);
    if (guide.isOver) return;
    const { price, ...what } = trip;
    const { status, data, comment, approval } = await guide.turn.approve({
      id: `${guide.turn.id}/book`,
      title: `Book the trip to ${trip.destination}?`,
      description: "You may change the numbers before you approve.",
      data: { ...what, estimate: `${price} €` },
      schema: TRIP_SCHEMA,
      assignees: [...guide.askers, ...ANYBODY],
    });
    const isAllowed = status === "approved";
    const words = isAllowed ? booked(data as Trip, approval.id) : notDone("booked", comment);
    if (status !== "withdrawn") await guide.say("2", words);
  },

  async refund(guide, asked) {
    const order = /\d{2,8}/.exec(asked)?.[0] ?? "4711";
    await guide.say("1", "Money goes nowhere without you. One moment. 💶");
    if (guide.isOver) return;
    const { status, comment } = await guide.turn.approve({
      id: `${guide.turn.id}/refund`,
      title: `Refund the order ${order}?`,
      data: { order, amount: `${20 + numberOf(order, 80)} €`, reason: asked },
      assignees: [...guide.askers, ...ANYBODY],
    });
    const isAllowed = status === "approved";
    const words = isAllowed ? `Refunded ✅ order **${order}**.` : notDone("refunded", comment);
    if (status !== "withdrawn") await guide.say("2", words);
  },
};

function notDone(what: string, comment: string | undefined): string {
  return `Nothing was ${what}${comment ? `: ${comment}` : ""}. 👌`;
}
