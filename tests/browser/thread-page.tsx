// A page with a conversation, for the tests: its session and its look come with the address.

import { createRoot } from "react-dom/client";
import { indexedDbOutbox } from "sessile";
import { SessionProvider, useConnection, useLead, useSession } from "sessile/react";
import { Button } from "../../pages/look/parts.tsx";
import { Composer, People, Thread, Usage } from "../../pages/thread/index.ts";

const {
  url = "",
  session: id = "",
  token = "",
  theme,
  watches,
} = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
if (theme) document.documentElement.dataset.theme = theme;

const SUGGESTIONS = ["Tell me a story", "Plan a trip to Lisbon", "Ask me something"];

function Page() {
  const session = useSession({ url, session: id, token, outbox: indexedDbOutbox() });
  Object.assign(window, { session });
  return (
    <SessionProvider session={session}>
      <main style={{ display: "flex", flexDirection: "column", height: "100dvh" }}>
        <h1 className="visually-hidden">A conversation</h1>
        <header>
          <Connection />
          <People />
          <Usage />
          {watches && <Lead />}
        </header>
        <Thread suggestions={SUGGESTIONS} isReadOnly={watches === "only"} />
        {watches !== "only" && <Composer about={{ device: "Laptop" }} />}
      </main>
    </SessionProvider>
  );
}

function Lead() {
  const { isOwn, takeOver, handBack } = useLead();
  return isOwn ? (
    <Button onClick={() => void handBack()}>Hand back to the agents</Button>
  ) : (
    <Button onClick={() => void takeOver({ note: "Sue from support" })}>Take over</Button>
  );
}

function Connection() {
  return <output id="connection">{useConnection().state}</output>;
}

const root = document.createElement("div");
document.body.append(root);
createRoot(root).render(<Page />);
