// The messages of a session, at the newest unless the person has scrolled away from it.

import { type ReactNode, useEffect, useLayoutEffect, useRef } from "react";
import type { ShownMessage } from "sessile";
import { useBranches, useHistory } from "sessile/react";
import { Markdown } from "../look/markdown.tsx";
import { Button } from "../look/parts.tsx";
import { Plain } from "./plain.tsx";
import { Ago } from "./time.tsx";
import { Value } from "./value.tsx";

/** How far from the end still counts as being there. */
const NEAR_PX = 80;

/** All messages, and what follows them. */
export function Conversation({ children }: { children: ReactNode }) {
  const messages = useBranches();
  const { hasOlder, isLoadingOlder, loadOlder } = useHistory();
  const scroller = useStick();
  return (
    <section
      className="conversation"
      ref={scroller}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by keyboard
      tabIndex={0}
      aria-label="Conversation"
    >
      <div className="conversation-all">
        {hasOlder && (
          <Button aria-disabled={isLoadingOlder} onClick={() => loadOlder().catch(() => {})}>
            {isLoadingOlder ? "Loading…" : "Load earlier messages"}
          </Button>
        )}
        <ol className="messages" aria-label="Messages">
          {messages.map((message) => (
            <Message key={message.id ?? message.serial} message={message} />
          ))}
        </ol>
        {children}
      </div>
    </section>
  );
}

function Message({ message }: { message: ShownMessage }) {
  const { role, client, data, createdAt, status, delivery } = message;
  return (
    <li className="message" data-role={role}>
      <p className="message-by">
        <Plain text={client} /> · <Ago at={createdAt} />
        {status === "streaming" && " · writing"}
        {delivery === "pending" && " · to be sent"}
        {delivery === "failed" && " · not sent"}
      </p>
      {typeof data === "string" ? <Markdown text={data} /> : <Value of={data} />}
    </li>
  );
}

/** Stays at the end while it grows, and keeps its place while earlier messages come. */
function useStick() {
  const scroller = useRef<HTMLElement>(null);
  const isAtEnd = useRef(true);
  useLayoutEffect(() => {
    const box = scroller.current;
    if (box) box.scrollTop = box.scrollHeight;
  }, []);
  useEffect(() => {
    const box = scroller.current;
    const content = box?.firstElementChild;
    if (!box || !content) return;
    const look = () => {
      isAtEnd.current = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_PX;
    };
    const grown = new ResizeObserver(() => {
      if (isAtEnd.current) box.scrollTop = box.scrollHeight;
    });
    box.addEventListener("scroll", look, { passive: true });
    grown.observe(content);
    grown.observe(box);
    return () => {
      box.removeEventListener("scroll", look);
      grown.disconnect();
    };
  }, []);
  return scroller;
}
