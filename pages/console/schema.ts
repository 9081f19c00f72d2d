// The schema of an answer as fields: an object of texts, numbers, choices and yes or no. Any other
// one is answered with JSON, which the session judges (P8.2).

/** A field of a form. */
export interface Field {
  name: string;
  label: string;
  kind: "text" | "number" | "choice" | "yes";
  choices: readonly unknown[];
  isNeeded: boolean;
}

/** A form, and what its fields begin with. */
export interface Form {
  /** None where the answer is JSON. */
  fields: readonly Field[] | undefined;
  first: Values;
}

/** The values that were put in, by field; JSON is under `""`. */
export type Values = Readonly<Record<string, string | boolean>>;

interface Schema {
  type?: unknown;
  title?: unknown;
  enum?: unknown;
  default?: unknown;
  properties?: unknown;
  required?: unknown;
}

const FIELDS_MOST = 30;

/** The form of a schema, filled with what was proposed; none without a schema. */
export function formOf(schema: unknown, proposed: unknown): Form | undefined {
  if (schema === undefined) return undefined;
  const { type, properties, required } = asObject(schema) as Schema;
  const known = asObject(proposed);
  const entries = Object.entries(asObject(properties));
  const needed = Array.isArray(required) ? required : [];
  const fields = entries.map(([name, of]) => fieldOf(name, asObject(of), needed.includes(name)));
  const isFlat = type === "object" && fields.length > 0 && fields.length <= FIELDS_MOST;
  if (isFlat && fields.every((field) => field !== undefined)) {
    const first = fields.map(({ name, kind, choices }) => {
      const { default: usual } = asObject(asObject(properties)[name]) as Schema;
      const value = Object.hasOwn(known, name) ? known[name] : usual;
      return [name, shown(value, kind, choices)] as const;
    });
    return { fields, first: Object.fromEntries(first) };
  }
  return { fields: undefined, first: { "": JSON.stringify(proposed ?? {}, undefined, 2) } };
}

/** The answer of a form. Throws where JSON is none. */
export function answerOf({ fields }: Form, values: Values): unknown {
  if (!fields) {
    try {
      return JSON.parse(String(values[""]));
    } catch (error) {
      throw new Error(`This is no JSON: ${(error as Error).message}`);
    }
  }
  const filled = fields.flatMap(({ name, kind, choices, isNeeded }) => {
    const value = values[name];
    if (kind === "yes") return [[name, value === true]];
    if (value === "" || value === undefined) return isNeeded && kind === "text" ? [[name, ""]] : [];
    if (kind === "number") return [[name, Number(value)]];
    return [[name, kind === "choice" ? choices[Number(value)] : value]];
  });
  return Object.fromEntries(filled);
}

function fieldOf(name: string, of: Schema, isNeeded: boolean): Field | undefined {
  const label = typeof of.title === "string" ? of.title : name;
  const field = { name, label, isNeeded, choices: [] };
  if (Array.isArray(of.enum)) return { ...field, kind: "choice", choices: of.enum };
  if (of.type === "string") return { ...field, kind: "text" };
  if (of.type === "number" || of.type === "integer") return { ...field, kind: "number" };
  return of.type === "boolean" ? { ...field, kind: "yes" } : undefined;
}

function shown(value: unknown, kind: Field["kind"], choices: readonly unknown[]): string | boolean {
  if (kind === "yes") return value === true;
  if (kind === "choice") {
    const at = choices.findIndex((it) => JSON.stringify(it) === JSON.stringify(value));
    return at < 0 ? "" : String(at);
  }
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

function asObject(value: unknown): Record<string, unknown> {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Record<string, unknown>) : {};
}
