// The part of a JSON Schema that a form can show: an object of texts, numbers, choices and ticks.

/** A field of a form. */
export interface Field {
  name: string;
  type: "text" | "number" | "checkbox";
  options?: readonly string[];
  min?: number;
  max?: number;
  step?: number | "any";
}

export type Values = Record<string, unknown>;

const TYPES: Record<string, Field["type"]> = {
  string: "text",
  number: "number",
  integer: "number",
  boolean: "checkbox",
};

/** The fields of a schema; none where it asks for anything that a form here cannot show. */
export function fieldsOf(schema: unknown): readonly Field[] {
  const { type, properties } = objectOf(schema);
  if (type !== "object") return [];
  const fields: Field[] = [];
  for (const [name, part] of Object.entries(objectOf(properties))) {
    const given = objectOf(part);
    const options = Array.isArray(given.enum) ? given.enum.filter(isText) : undefined;
    const kind = options ? "text" : TYPES[String(given.type)];
    if (kind === undefined) return [];
    const field: Field = { name, type: kind };
    if (options) field.options = options;
    if (typeof given.minimum === "number") field.min = given.minimum;
    if (typeof given.maximum === "number") field.max = given.maximum;
    if (kind === "number") field.step = given.type === "integer" ? 1 : "any";
    fields.push(field);
  }
  return fields;
}

/** The values that a form begins with. */
export function valuesOf(fields: readonly Field[], data: unknown): Values {
  const given = objectOf(data);
  const known = fields.flatMap(({ name }) => (name in given ? [[name, given[name]]] : []));
  return Object.fromEntries(known);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/** A name as a label: `maxPrice` is `Max price`. */
export function labelOf(name: string): string {
  const words = name.replace(/(?<=[\p{Ll}\d])(?=\p{Lu})|[_-]+/gu, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1).toLowerCase();
}
