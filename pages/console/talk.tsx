// The reply of the person who leads.

import { type FormEvent, type KeyboardEvent, useState } from "react";
import type { Leading } from "sessile";
import { useSession } from "sessile/react";
import { Button } from "../look/parts.tsx";
import { say, Typing } from "../thread/index.ts";
import { Plain } from "./plain.tsx";

interface Props {
  lead: Leading | undefined;
  isOwn: boolean;
  isRead: boolean;
}

/** A field for whoever leads; for the others, why there is none. */
export function Talk({ lead, isOwn, isRead }: Props) {
  const session = useSession();
  const [text, setText] = useState("");
  if (!isRead) return null;
  if (!isOwn) {
    return (
      <p className="talk-none">
        {lead ? (
          <Plain text={`${lead.name ?? lead.client} answers here now.`} />
        ) : (
          "Take over to answer here yourself."
        )}
      </p>
    );
  }
  const send = (event: FormEvent | KeyboardEvent) => {
    event.preventDefault();
    if (text.trim() === "") return;
    say(session, text, "alongside", true);
    setText("");
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent?.isComposing) send(event);
  };
  return (
    <form className="talk" onSubmit={send}>
      <Typing />
      <textarea
        id="reply"
        rows={2}
        aria-label="Your reply"
        aria-keyshortcuts="r"
        placeholder="Your reply: Enter sends it"
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={press}
      />
      <Button kind="main" type="submit" aria-disabled={text.trim() === ""}>
        Send
      </Button>
    </form>
  );
}
