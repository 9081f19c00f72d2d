// One approval before the supervisor: its input in a form, as far as the agent allows changes.

import { useState } from "react";
import type { DecideOptions, Decision, SessileError, ShownApproval } from "sessile";

interface Props {
  approval: ShownApproval;
  onDecide(decision: Decision, options?: DecideOptions): Promise<unknown>;
}

/** The part of JSON Schema that the form understands; the session checks all of it. */
interface Property {
  type?: string;
  enum?: string[];
}

export function Decide({ approval, onDecide }: Props) {
  const { title, description, deciding, schema } = approval;
  const { properties = {} } = (schema ?? {}) as { properties?: Record<string, Property> };
  const [data, setData] = useState((approval.data ?? {}) as Record<string, unknown>);
  const [problem, setProblem] = useState("");
  const decide = (decision: Decision, options?: DecideOptions) =>
    onDecide(decision, options).catch(({ message, info }: SessileError) => {
      const breaches = info?.breaches?.map(({ path, reason }) => `${path}: ${reason}`);
      setProblem(breaches?.join("; ") ?? message);
    });
  return (
    <form
      className="approval"
      onSubmit={(event) => {
        event.preventDefault();
        void decide("approve", { data });
      }}
    >
      <fieldset disabled={deciding !== undefined}>
        <legend>{title}</legend>
        {description && <p>{description}</p>}
        {Object.entries(data).map(([name, value]) => (
          <p key={name}>
            {name}{" "}
            <Field
              name={name}
              property={properties[name]}
              value={value}
              onChange={(changed) => setData({ ...data, [name]: changed })}
            />
          </p>
        ))}
        <button type="submit">Approve</button>
        <button type="button" onClick={() => decide("reject", { comment: "not this time" })}>
          Reject
        </button>
        {problem && <p role="alert">{problem}</p>}
      </fieldset>
    </form>
  );
}

function Field(props: {
  name: string;
  property: Property | undefined;
  value: unknown;
  onChange(value: unknown): void;
}) {
  const { name, property, value, onChange } = props;
  // Fields that the schema does not name stay as they are.
  if (!property) return <code>{JSON.stringify(value)}</code>;
  if (property.enum) {
    return (
      <select
        aria-label={name}
        value={String(value)}
        onChange={(event) => onChange(event.target.value)}
      >
        {property.enum.map((option) => (
          <option key={option}>{option}</option>
        ))}
      </select>
    );
  }
  const isNumber = property.type === "number" || property.type === "integer";
  return (
    <input
      aria-label={name}
      type={isNumber ? "number" : "text"}
      step="any"
      value={String(value)}
      onChange={({ target }) => onChange(isNumber ? target.valueAsNumber : target.value)}
    />
  );
}
