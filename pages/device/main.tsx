// `/device?session=…&client=…`: one device of the demo, in a frame of `/` or on a real phone.

import { useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { type Access, accessFor } from "../access/access.ts";
import { SignIn } from "../access/sign-in.tsx";
import { Loading, Note } from "../look/parts.tsx";
import { Device } from "./device.tsx";
import { personOf, titleOf } from "./people.ts";
import { keepNetwork } from "./wired.ts";

const SESSION = /^[\w.:~-]{1,128}$/;

const query = new URLSearchParams(location.search);
const session = query.get("session") ?? "";
const person = personOf(query.get("client"));
const title = titleOf(query.get("kind"));
keepNetwork(`${session} ${person.client}`);

function Page() {
  const [access, setAccess] = useState<Access | "asked" | "none">("asked");
  useEffect(() => {
    const wanted = { ...person, caps: { [session]: ["user"] } };
    accessFor(wanted).then(
      (given) => setAccess(() => given ?? "none"),
      () => setAccess("none"),
    );
  }, []);
  if (access === "asked") return <Loading label="Asking for a token" />;
  if (access === "none") {
    return (
      <SignIn
        needs={`the role user for the session ${session}`}
        onAccess={(given) => setAccess(() => given)}
      />
    );
  }
  return <Device session={session} person={person} title={title} access={access} />;
}

function NoSession() {
  return (
    <main className="no-session">
      <Note title="This address names no session" tone="warn">
        <p>
          Open <a href="/">the demo</a>, and join its session from there.
        </p>
      </Note>
    </main>
  );
}

const root = document.getElementById("app");
if (root) createRoot(root).render(SESSION.test(session) ? <Page /> : <NoSession />);
