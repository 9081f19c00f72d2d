// The fields of an answer that has a schema.

import { useId } from "react";
import { Plain } from "./plain.tsx";
import type { Field, Form, Values } from "./schema.ts";

/** A place of the answer that breaks the schema (P8.2). */
export interface Breach {
  path: string;
  reason: string;
}

interface Props {
  form: Form;
  values: Values;
  breaches: readonly Breach[];
  onChange: (values: Values) => void;
}

/** All fields, or one for JSON. */
export function AnswerForm({ form, values, breaches, onChange }: Props) {
  const fields = form.fields ?? [JSON_FIELD];
  const known = new Set(fields.map(({ name }) => name));
  const others = breaches.filter(({ path }) => !known.has(nameOf(path)));
  return (
    <div className="answer-form">
      {fields.map((field) => (
        <One
          key={field.name}
          field={field}
          value={values[field.name] ?? ""}
          breaches={breaches.filter(({ path }) => nameOf(path) === field.name)}
          onChange={(value) => onChange({ ...values, [field.name]: value })}
        />
      ))}
      {others.map(({ path, reason }) => (
        <p key={path} className="answer-breach">
          <Plain text={`${path || "The answer"}: ${reason}`} />
        </p>
      ))}
    </div>
  );
}

const JSON_FIELD: Field = {
  name: "",
  label: "Answer, as JSON",
  kind: "text",
  choices: [],
  isNeeded: true,
};

function nameOf(path: string): string {
  const [, name = ""] = path.split("/");
  return name.replaceAll("~1", "/").replaceAll("~0", "~");
}

interface OneProps {
  field: Field;
  value: string | boolean;
  breaches: readonly Breach[];
  onChange: (value: string | boolean) => void;
}

function One({ field, value, breaches, onChange }: OneProps) {
  const id = useId();
  const given = {
    id,
    "aria-invalid": breaches.length > 0,
    "aria-describedby": breaches.length > 0 ? `${id}-breach` : undefined,
  };
  return (
    <div className="field">
      <label htmlFor={id}>
        <Plain text={field.label} />
        {!field.isNeeded && " (may be left out)"}
      </label>
      {inputOf(field, value, given, onChange)}
      {breaches.length > 0 && (
        <p id={`${id}-breach`} className="answer-breach">
          <Plain text={breaches.map(({ reason }) => reason).join("; ")} />
        </p>
      )}
    </div>
  );
}

function inputOf(
  { name, kind, choices }: Field,
  value: string | boolean,
  given: object,
  onChange: OneProps["onChange"],
) {
  if (kind === "yes") {
    return (
      <input
        {...given}
        type="checkbox"
        checked={value === true}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
    );
  }
  if (kind === "choice") {
    return (
      <select
        {...given}
        value={String(value)}
        onChange={(event) => onChange(event.currentTarget.value)}
      >
        <option value="">–</option>
        {choices.map((choice, at) => (
          <option key={at} value={String(at)}>
            {typeof choice === "string" ? choice : JSON.stringify(choice)}
          </option>
        ))}
      </select>
    );
  }
  const text = String(value);
  // JSON has many lines, and so may a text that was proposed.
  if (name === "" || text.includes("\n")) {
    return (
      <textarea
        {...given}
        rows={6}
        value={text}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
    );
  }
  return (
    <input
      {...given}
      type={kind === "number" ? "number" : "text"}
      step="any"
      autoComplete="off"
      value={text}
      onInput={(event) => onChange(event.currentTarget.value)}
    />
  );
}
