// One approval or question, with what it is about, and the answer.

import { type FormEvent, useId, useState } from "react";
import {
  type DecideOptions,
  type Decision,
  type Scope,
  SessileError,
  type ShownApproval,
} from "sessile";
import { useConnection } from "sessile/react";
import { Button, Note } from "../look/parts.tsx";
import { AnswerForm, type Breach } from "./answer-form.tsx";
import { Choice } from "./dialog.tsx";
import { type Me, mayDecide } from "./me.ts";
import { Plain } from "./plain.tsx";
import { answerOf, formOf } from "./schema.ts";
import { Ago, Until } from "./time.tsx";
import { Value } from "./value.tsx";
import { askedWords, wordsOf } from "./words.ts";
import "./asking.css";

type Decide = (id: string, decision: Decision, options?: DecideOptions) => Promise<unknown>;

interface Props {
  approval: ShownApproval;
  me: Me;
  decide: Decide;
}

/** A card that can be focused, so that keys have a place. */
export function Asking({ approval, me, decide }: Props) {
  const { id, title, description, data, client, createdAt, deadlineAt } = approval;
  const name = useId();
  const isMine = mayDecide(approval, me);
  return (
    <article
      className="asking"
      data-own={isMine ? "" : undefined}
      tabIndex={-1}
      aria-labelledby={name}
      data-keys=""
    >
      <header>
        <h3 id={name}>
          <Plain text={title} />
        </h3>
        <p className="asking-by">
          <Plain text={`${client} asks${askedWords(approval, me)}`} />, <Ago at={createdAt} />
          {deadlineAt !== undefined && (
            <>
              {"; "}
              {atDeadline(approval)} <Until at={deadlineAt} />
            </>
          )}
        </p>
      </header>
      {description && <Value of={description} />}
      {data !== undefined && !(isMine && isInForm(approval)) && (
        <div className="asking-data">
          <Value of={data} />
        </div>
      )}
      {isMine ? (
        <Answer key={id} approval={approval} decide={decide} />
      ) : (
        <p className="asking-others">Only those who were asked may decide.</p>
      )}
    </article>
  );
}

/** Whether the answer's fields show all that is proposed already. */
function isInForm({ schema, data }: ShownApproval): boolean {
  const names = formOf(schema, data)?.fields?.map(({ name }) => name);
  if (!names || typeof data !== "object" || data === null) return false;
  return Object.keys(data).every((name) => names.includes(name));
}

function atDeadline({ onDeadline = "expire", options }: ShownApproval): string {
  if (onDeadline === "approve") return "approved by itself";
  if (onDeadline === "reject") return "rejected by itself";
  if (onDeadline === "expire") return "expires";
  const label = options?.find(({ id }) => id === onDeadline.option)?.label;
  return `answered “${label ?? onDeadline.option}” by itself`;
}

type Reach = "once" | Scope;

function Answer({ approval, decide }: Pick<Props, "approval" | "decide">) {
  const { id, kind, options, schema, data, turn, grant, deciding } = approval;
  const isLive = useConnection().state === "connected";
  const [form] = useState(() => formOf(schema, data));
  const [values, setValues] = useState(form?.first ?? {});
  const [option, setOption] = useState<string>();
  const [words, setWords] = useState("");
  const [comment, setComment] = useState("");
  const [reach, setReach] = useState<Reach>("once");
  const [error, setError] = useState<unknown>();
  const isQuestion = kind === "question";

  const settle = async (decision: Decision) => {
    if (deciding) return;
    setError(undefined);
    try {
      const isYes = decision === "approve" || decision === "answer";
      const value =
        isYes && form ? answerOf(form, values) : isQuestion && words ? words : undefined;
      await decide(id, decision, {
        ...(comment.trim() && { comment: comment.trim() }),
        ...(decision === "answer" && option !== undefined && { option }),
        ...(isYes && value !== undefined && { data: value }),
        ...(decision === "approve" && reach !== "once" && { scope: reach }),
      });
    } catch (reason) {
      setError(reason);
    }
  };
  // Enter in a field answers a question; nothing is approved without its button.
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isQuestion) settle("answer");
  };
  const breaches: readonly Breach[] =
    error instanceof SessileError ? (error.info?.breaches ?? []) : [];
  const isFree = isQuestion && !options && !form;
  return (
    <form className="asking-answer" onSubmit={submit}>
      {options && (
        <Choice
          legend="Answer"
          shortcut="y"
          options={options.map((it) => [it.id, <Plain key={it.id} text={it.label} />] as const)}
          value={option ?? ""}
          onChange={setOption}
        />
      )}
      {form && <AnswerForm {...{ form, values, breaches }} onChange={setValues} />}
      {isFree && (
        <label className="field">
          <span>Answer</span>
          <textarea
            rows={2}
            aria-keyshortcuts="y"
            value={words}
            onInput={(event) => setWords(event.currentTarget.value)}
          />
        </label>
      )}
      {grant !== undefined && (
        <Choice<Reach>
          legend="If you approve"
          options={[
            ["once", "only this one"],
            ...(turn === undefined ? [] : ([["turn", "all of this kind in this turn"]] as const)),
            ["session", "all of this kind in this session"],
          ]}
          value={reach}
          onChange={setReach}
        />
      )}
      <label className="field">
        <span>A comment, if you like</span>
        <input
          maxLength={4096}
          autoComplete="off"
          value={comment}
          onInput={(event) => setComment(event.currentTarget.value)}
        />
      </label>
      {error !== undefined && (
        <Note tone="bad" isUrgent>
          {wordsOf(error)}
        </Note>
      )}
      <div className="asking-ways">
        <Button
          kind="main"
          type={isQuestion ? "submit" : "button"}
          data-key="focus"
          aria-keyshortcuts="y"
          aria-disabled={deciding !== undefined}
          onClick={() => !isQuestion && settle("approve")}
        >
          {isQuestion ? "Answer" : "Approve"}
        </Button>
        <Button
          data-key="focus"
          aria-keyshortcuts="n"
          aria-disabled={deciding !== undefined}
          onClick={() => settle(isQuestion ? "dismiss" : "reject")}
        >
          {isQuestion ? "Dismiss" : "Reject"}
        </Button>
        {!isQuestion && (
          <Button
            title="Neither yes nor no: the agent goes on without an answer"
            aria-disabled={deciding !== undefined}
            onClick={() => settle("dismiss")}
          >
            Dismiss
          </Button>
        )}
        {deciding && (
          <span role="status">{isLive ? "Sending…" : "Sent when the network is back"}</span>
        )}
      </div>
    </form>
  );
}
