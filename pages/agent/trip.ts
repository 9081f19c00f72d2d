// A trip, as the scripted specialists find it: the same for the same place each time.

import type { Message } from "sessile/agent";
import { numberOf } from "./pieces.ts";

export const KINDS = ["flights", "hotels", "activities"] as const;

/** Each kind is searched by a specialist, a client of its own. */
export type Kind = (typeof KINDS)[number];

export const TITLES: Record<Kind, string> = {
  flights: "Flights",
  hotels: "Hotels",
  activities: "Activities",
};

/** A place where a specialist looks, and what it says about that. */
export interface Find {
  place: string;
  words: string;
}

export interface Offer {
  name: string;
  /** In euros. */
  price: number;
}

/** A trip that can be booked. */
export interface Trip {
  destination: string;
  flight: string;
  hotel: string;
  nights: number;
  people: number;
  /** In euros. */
  price: number;
}

const PLACES: Record<Kind, readonly string[]> = {
  flights: ["Scheduled airlines", "Low-cost airlines", "Night trains", "Seat maps"],
  hotels: ["The old town", "By the river", "Guests’ reviews", "Late check-in"],
  activities: ["Museums", "Walks", "Kitchens", "The weather"],
};

const OFFERS: Record<Kind, readonly string[]> = {
  flights: ["Morning flight, direct", "Evening flight, direct", "Night train with a bed"],
  hotels: ["Hotel Adler", "River House", "Casa do Largo"],
  activities: ["A walk with a historian", "A cooking class", "The city museum at night"],
};

const PRICES: Record<Kind, readonly [number, number]> = {
  flights: [90, 160],
  hotels: [70, 90],
  activities: [20, 60],
};

/** The place that a message asks for. */
export function destinationIn(text: string): string {
  const [, named] = /\bto\s+(?:the\s+)?([\p{L}\p{M}' -]{2,40})/u.exec(text) ?? [];
  return named?.trim() || "Lisbon";
}

/** Where a specialist looks, in order. */
export function findsOf(kind: Kind, destination: string): readonly Find[] {
  return PLACES[kind].map((place) => {
    const count = numberOf(destination + place, 6);
    const words = count === 0 ? "nothing that fits" : `${count} that fit`;
    return { place, words: `${place}: ${words}` };
  });
}

/** The recommendation of a specialist. */
export function offerOf(kind: Kind, destination: string): Offer {
  const names = OFFERS[kind];
  const [least, more] = PRICES[kind];
  const name = names[numberOf(destination + kind, names.length)] ?? "";
  return { name, price: least + numberOf(kind + destination, more) };
}

/** The trip of the kinds that were found; a specialist that was stopped found nothing. */
export function tripOf(destination: string, found: readonly Kind[]): Trip {
  const offers = new Map(found.map((kind) => [kind, offerOf(kind, destination)]));
  const nights = 3;
  const people = 2;
  const [flight, hotel] = [offers.get("flights"), offers.get("hotels")];
  const price = people * (flight?.price ?? 0) + nights * (hotel?.price ?? 0);
  return {
    destination,
    flight: flight?.name ?? "none",
    hotel: hotel?.name ?? "none",
    nights,
    people,
    price,
  };
}

/** The table of what was found. */
export function summary(trip: Trip, found: readonly Kind[]): string {
  const rows = KINDS.map((kind) => {
    if (!found.includes(kind)) return `| ${TITLES[kind]} | *was stopped* | – |`;
    const { name, price } = offerOf(kind, trip.destination);
    return `| ${TITLES[kind]} | ${name} | ${price} € |`;
  });
  return `Here is a trip to **${trip.destination}** 🧳, three nights for two:

| what | which | each |
| --- | --- | --- |
${rows.join("\n")}

That is **${trip.price} €** with flights and hotel. Say “book it” and I ask you before I do.`;
}

const MOST_NIGHTS = 14;
const MOST_PEOPLE = 6;

/** How the person who approves may change a trip. */
export const TRIP_SCHEMA = {
  type: "object",
  required: ["nights", "people"],
  properties: {
    nights: { type: "integer", minimum: 1, maximum: MOST_NIGHTS },
    people: { type: "integer", minimum: 1, maximum: MOST_PEOPLE },
  },
} as const;

/** The words once it is booked. */
export function booked(trip: Trip, approval: string): string {
  const reference = `SES-${1000 + numberOf(approval, 9000)}`;
  const { destination, hotel, nights, people } = trip;
  return `Booked ✅ **${destination}**, ${hotel}, ${nights} nights for ${people}: reference \
\`${reference}\`. Nothing was really bought: I am a script. 🎟️`;
}

/** The trip that was planned last, among messages with the newest first. */
export function tripIn(messages: readonly Message[]): Trip | undefined {
  const held = messages.find(({ headers }) => headers?.trip !== undefined)?.headers?.trip;
  try {
    const trip = JSON.parse(held ?? "null") as Trip | null;
    return typeof trip?.destination === "string" ? trip : undefined;
  } catch {
    return undefined;
  }
}
