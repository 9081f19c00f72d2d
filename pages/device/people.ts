// The people of the demo.

export interface Person {
  client: string;
  name: string;
}

const KEPT = "sessile-guest";
const GUESTS = ["Cleo", "Dara", "Emil", "Fay", "Gus", "Hana", "Ines", "Jon"];

/** The person of an address, or a guest, who stays the same on this device. */
export function personOf(client: string | null): Person {
  const given = client || kept();
  const [name = ""] = given.split("-");
  return { client: given, name: name.charAt(0).toUpperCase() + name.slice(1) };
}

/** A word for this device: as its address says, or by how it is touched. */
export function titleOf(kind: string | null): string {
  if (kind === "laptop") return "Laptop";
  return kind === "phone" || matchMedia("(pointer: coarse)").matches ? "Phone" : "Browser";
}

function kept(): string {
  const before = localStorage.getItem(KEPT);
  if (before) return before;
  const random = crypto.getRandomValues(new Uint32Array(2));
  const name = GUESTS[(random[0] ?? 0) % GUESTS.length] ?? "Guest";
  const made = `${name.toLowerCase()}-${(random[1] ?? 0).toString(36)}`;
  localStorage.setItem(KEPT, made);
  return made;
}
