// The conversation, plainly.

import { type FormEvent, useState } from "react";
import { useMessages, useSession } from "sessile/react";
import { Markdown } from "../look/markdown.tsx";
import { Button } from "../look/parts.tsx";

export function Thread() {
  const session = useSession();
  const messages = useMessages();
  return (
    <ol className="plain-thread" role="log" aria-label="Messages">
      {messages.map(({ id, serial, client, role, status, delivery, data }) => (
        <li
          key={id ? `${client} ${id}` : serial}
          data-serial={serial}
          data-status={delivery ?? status ?? "complete"}
          data-side={role === "assistant" ? "agent" : client === session.client ? "me" : "other"}
        >
          <Markdown text={typeof data === "string" ? data : JSON.stringify(data)} />
        </li>
      ))}
    </ol>
  );
}

export function Composer() {
  const session = useSession();
  const [text, setText] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!text.trim()) return;
    // Its failure is shown beside it.
    session.send(text.trim()).catch(() => {});
    setText("");
  };
  return (
    <form className="plain-composer" onSubmit={submit}>
      <label className="visually-hidden" htmlFor="text">
        Your message
      </label>
      <input id="text" value={text} onInput={(event) => setText(event.currentTarget.value)} />
      <Button kind="main" type="submit">
        Send
      </Button>
    </form>
  );
}
