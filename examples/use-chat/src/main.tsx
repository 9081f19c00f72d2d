// `useChat` as anybody writes it, by the hook that makes it durable: other devices are followed, an
// answer goes on after a reload, `stop` stops it everywhere, and a call that needs approval is allowed
// on any device.

import { getToolName, isToolUIPart, type UIMessage } from "ai";
import { StrictMode, useMemo, useState } from "react";
import { createRoot } from "react-dom/client";
import { SessileChatTransport } from "sessile/ai-sdk";
import { useSessileChat } from "sessile/ai-sdk/react";

// Where an application asks its own server: `token: () => fetch("/token").then(...)`.
const {
  url = "http://localhost:8787",
  chat = "demo",
  token = "",
} = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
// One for all chats of the page; a chat by itself is given `url` and `token`.
const transport = new SessileChatTransport({ url, token });

function Chat({ id }: { id: string }) {
  const { messages, sendMessage, regenerate, stop, status, error, addToolApprovalResponse } =
    useSessileChat({ id, transport });
  const [text, setText] = useState("");
  return (
    <>
      <ol id="messages">
        {messages.map((message) => (
          <li key={message.id} data-role={message.role}>
            {textOf(message)}
            {message.parts.map((part) => {
              if (!isToolUIPart(part) || part.state !== "approval-requested") return null;
              const respond = (approved: boolean) => () =>
                addToolApprovalResponse({ id: part.approval.id, approved });
              return (
                <p key={part.toolCallId} className="approval">
                  {`${getToolName(part)} ${JSON.stringify(part.input)} `}
                  <button type="button" onClick={respond(true)}>
                    Allow
                  </button>
                  <button type="button" onClick={respond(false)}>
                    Refuse
                  </button>
                </p>
              );
            })}
          </li>
        ))}
      </ol>
      <output id="status">{status}</output>
      {error && <p role="alert">{error.message}</p>}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          sendMessage({ text });
          setText("");
        }}
      >
        <input
          aria-label="Message"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <button type="submit">Send</button>
        <button type="button" id="stop" onClick={() => stop()}>
          Stop
        </button>
        <button type="button" id="again" onClick={() => regenerate()}>
          Again
        </button>
      </form>
    </>
  );
}

function textOf({ parts }: UIMessage): string {
  return parts.map((part) => (part.type === "text" ? part.text : "")).join("");
}

/** Two chats, to switch between: an answer goes on in the one that is not shown. */
function App() {
  const chats = useMemo(() => [chat, `${chat}-other`], []);
  const [id, setId] = useState(chat);
  return (
    <>
      <nav>
        {chats.map((name) => (
          <button type="button" key={name} id={`to-${name}`} onClick={() => setId(name)}>
            {name}
          </button>
        ))}
      </nav>
      <Chat key={id} id={id} />
    </>
  );
}

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
