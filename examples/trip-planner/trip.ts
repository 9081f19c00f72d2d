// The trip as the shared state of the session has it: agents and pages write it alike.

export const KINDS = ["flights", "hotels", "activities"] as const;

/** Each kind is searched by a specialist of its own. */
export type Kind = (typeof KINDS)[number];

export interface Option {
  name: string;
  /** In euros. */
  price: number;
}

/** How far a specialist has come, and its results by their ids. */
export interface Search {
  done: number;
  of: number;
  note: string;
  options?: Readonly<Record<string, Option>>;
}

export interface Trip {
  destination?: string;
  /** The planner's turn; those of the specialists run within it (P6.11). */
  plan?: string;
  searches?: Partial<Record<Kind, Search>>;
  /** The user's selections: ids of options. */
  chosen?: Partial<Record<Kind, string>>;
}

/** The planner's task for a specialist. */
export interface Task {
  /** The turn to work within. */
  within: string;
  destination: string;
}

/** The id of a specialist's turn: a second process that begins it finds it begun (P6.2). */
export function turnOf(plan: string, kind: Kind): string {
  return `${plan}/${kind}`;
}

/** "What is my itinerary?", answered from the state alone. */
export function itinerary({ destination, searches, chosen }: Trip): string {
  if (!destination) return "There is no trip yet. Where would you like to go?";
  const selected = KINDS.flatMap((kind) => searches?.[kind]?.options?.[chosen?.[kind] ?? ""] ?? []);
  if (selected.length === 0) return `You go to ${destination}, and have chosen nothing yet.`;
  const names = selected.map(({ name }) => name).join(", ");
  const price = selected.reduce((sum, option) => sum + option.price, 0);
  return `You go to ${destination}: ${names}, for ${price} € in all.`;
}
