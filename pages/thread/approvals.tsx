// Questions with options, and approvals with what they allow, which wait for a person. Any device
// of those who may decide answers; on the others it is gone at once.

import {
  createContext,
  type FormEvent,
  Fragment,
  type ReactNode,
  useContext,
  useEffect,
  useId,
  useRef,
  useState,
} from "react";
import type { Approval, Decision, ShownApproval } from "sessile";
import { useApprovals } from "sessile/react";
import { Button, Note } from "../look/parts.tsx";
import { type Field, fieldsOf, labelOf, type Values, valuesOf } from "./fields.ts";
import { useNames } from "./names.tsx";
import { Past } from "./past.ts";

/** Another way to draw what is asked, for a page whose people decide for others. */
export const AskedAs = createContext<((approval: ShownApproval) => ReactNode) | undefined>(
  undefined,
);

interface AskedInProps {
  /** Whether it belongs here, such as to a turn. */
  where(approval: Approval): boolean;
  isReadOnly: boolean;
}

/** Everything that was asked at some place, and what became of it. */
export function AskedIn({ where, isReadOnly }: AskedInProps) {
  const { pending, settled } = useApprovals();
  const drawn = useContext(AskedAs);
  const past = useContext(Past);
  const all = new Map([...past, ...settled, ...pending].map((it) => [it.id, it]));
  const own = [...all.values()].filter(where);
  own.sort((one, other) => (one.serial < other.serial ? -1 : 1));
  return (
    <>
      {own.map((approval) =>
        drawn ? (
          <Fragment key={approval.id}>{drawn(approval)}</Fragment>
        ) : (
          <Asked key={approval.id} approval={approval} isReadOnly={isReadOnly} />
        ),
      )}
    </>
  );
}

interface AskedProps {
  approval: ShownApproval;
  isReadOnly?: boolean | undefined;
}

/** One approval or question, and what became of it. */
function Asked({ approval, isReadOnly }: AskedProps) {
  const place = useRef<HTMLElement>(null);
  const isMine = useRef(false);
  const isPending = approval.status === "pending";
  useEffect(() => {
    // The button that was pressed is gone.
    if (!isPending && isMine.current) place.current?.focus();
  }, [isPending]);
  return (
    <section
      className="asked"
      ref={place}
      tabIndex={-1}
      aria-label={approval.title}
      data-status={approval.status}
    >
      <h3>{approval.title}</h3>
      {approval.description !== undefined && <p>{approval.description}</p>}
      {isPending ? (
        <Deciding
          approval={approval}
          isReadOnly={isReadOnly}
          onDecide={() => {
            isMine.current = true;
          }}
        />
      ) : (
        <Outcome approval={approval} />
      )}
    </section>
  );
}

interface DecidingProps extends AskedProps {
  onDecide(): void;
}

function Deciding({ approval, isReadOnly, onDecide }: DecidingProps) {
  const { id, kind, data, schema, options = [], deciding } = approval;
  const { decide } = useApprovals();
  const fields = fieldsOf(schema);
  const [values, setValues] = useState<Values>(() => valuesOf(fields, data));
  const [problem, setProblem] = useState<string>();
  const isBusy = deciding !== undefined;
  const act = (decision: Decision, more: { option?: string; data?: unknown } = {}) => {
    if (isBusy) return;
    onDecide();
    setProblem(undefined);
    decide(id, decision, more).catch((error) => setProblem(problemOf(error)));
  };
  const isEdited = JSON.stringify(values) !== JSON.stringify(valuesOf(fields, data));
  const given = () => (isEdited ? { data: { ...(data as object), ...values } } : {});
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (kind === "question") act("answer", { data: values });
    else act("approve", given());
  };
  const isForm = fields.length > 0 && !isReadOnly;
  return (
    <form className="deciding" onSubmit={submit} aria-busy={isBusy}>
      <Arguments data={data} without={isForm ? fields : []} />
      {isForm && <Form fields={fields} values={values} onChange={setValues} />}
      {problem !== undefined && (
        <Note tone="bad" isUrgent>
          {problem}
        </Note>
      )}
      {isReadOnly ? (
        <p className="quiet">It waits for an answer.</p>
      ) : (
        <div className="choices">
          {options.map((option) => (
            <Button
              key={option.id}
              aria-disabled={isBusy}
              onClick={() => act("answer", { option: option.id })}
            >
              {option.label}
            </Button>
          ))}
          {(kind === "approval" || isForm) && (
            <Button kind="main" type="submit" aria-disabled={isBusy}>
              {kind === "question" ? "Answer" : isEdited ? "Approve as changed" : "Approve"}
            </Button>
          )}
          <Button
            aria-disabled={isBusy}
            onClick={() => act(kind === "approval" ? "reject" : "dismiss")}
          >
            {kind === "approval" ? "Reject" : "Rather not"}
          </Button>
        </div>
      )}
    </form>
  );
}

interface FormProps {
  fields: readonly Field[];
  values: Values;
  onChange(values: Values): void;
}

function Form({ fields, values, onChange }: FormProps) {
  const id = useId();
  return (
    <div className="arguments">
      {fields.map(({ name, type, options, min, max, step }) => (
        <label key={name} htmlFor={`${id}-${name}`}>
          <span className="name">{labelOf(name)}</span>
          {options ? (
            <select
              id={`${id}-${name}`}
              value={String(values[name] ?? "")}
              onChange={(event) => onChange({ ...values, [name]: event.currentTarget.value })}
            >
              {options.map((option) => (
                <option key={option}>{option}</option>
              ))}
            </select>
          ) : (
            <input
              id={`${id}-${name}`}
              type={type}
              min={min}
              max={max}
              step={step}
              checked={type === "checkbox" ? values[name] === true : undefined}
              value={type === "checkbox" ? undefined : String(values[name] ?? "")}
              onInput={(event) => {
                const { value, valueAsNumber, checked } = event.currentTarget;
                const read =
                  type === "number" ? valueAsNumber : type === "checkbox" ? checked : value;
                onChange({ ...values, [name]: read });
              }}
            />
          )}
        </label>
      ))}
    </div>
  );
}

/** The arguments as names and values, without those of a form. */
function Arguments({ data, without }: { data: unknown; without: readonly Field[] }) {
  if (data === undefined) return null;
  if (typeof data !== "object" || data === null) return <pre>{JSON.stringify(data)}</pre>;
  const rest = Object.entries(data).filter(([key]) => without.every(({ name }) => name !== key));
  if (rest.length === 0) return null;
  return (
    <dl className="arguments">
      {rest.map(([name, value]) => (
        <div key={name}>
          <dt>{labelOf(name)}</dt>
          <dd>{typeof value === "string" ? value : JSON.stringify(value)}</dd>
        </div>
      ))}
    </dl>
  );
}

const OUTCOMES: Record<Approval["status"], string> = {
  pending: "Waits",
  approved: "Approved",
  rejected: "Rejected",
  answered: "Answered",
  dismissed: "Dismissed",
  expired: "Nobody answered in time",
  withdrawn: "No longer asked",
};

function Outcome({ approval }: { approval: Approval }) {
  const { status, option, options = [], decidedBy, comment } = approval;
  const name = useNames();
  const chosen = options.find(({ id }) => id === option)?.label;
  return (
    <p className="outcome">
      {chosen ?? OUTCOMES[status]}
      {decidedBy !== undefined && `, by ${name(decidedBy).replace(/^You$/, "you")}`}
      {status !== "dismissed" && comment !== undefined && `: ${comment}`}
    </p>
  );
}

/** A refusal in words; of data that does not fit, what is wrong with each part. */
function problemOf(error: unknown): string | undefined {
  const { code, message, info } = error as {
    code?: string;
    message: string;
    info?: { breaches?: { path: string; reason: string }[] };
  };
  // It was settled elsewhere, which is shown in its place.
  if (code === "already-decided") return undefined;
  const breaches = info?.breaches?.map(({ path, reason }) => `${path.slice(1)}: ${reason}`);
  return breaches?.join("; ") || message;
}
