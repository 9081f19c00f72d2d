// The way in: a token, then the desk.

import { useEffect, useState } from "react";
import { type Access, accessFor, forgetToken } from "../access/access.ts";
import { SignIn } from "../access/sign-in.tsx";
import { Loading } from "../look/parts.tsx";
import { Desk } from "./desk.tsx";
import { type Me, meOf } from "./me.ts";

/** The supervisor of a developer's own machine. */
const WANTED = {
  client: "supervisor",
  name: "Supervisor",
  role: "supervisor",
  caps: { "*": ["supervisor"] },
};
const NEEDS = "the role supervisor for the sessions that you look after";

interface Entry {
  access: Access;
  me: Me;
}

/** The console, once a token is there. */
export function App() {
  const [entry, setEntry] = useState<Entry | "asking" | "none">("asking");
  const enter = async (access: Access) => {
    const token = await access();
    let first: string | undefined = token;
    // The token that was looked at is used as well.
    const next = () => {
      const given = first ?? access();
      first = undefined;
      return given;
    };
    setEntry({ access: next, me: meOf(token) });
  };
  useEffect(() => {
    accessFor(WANTED).then(
      (access) => (access ? enter(access) : setEntry("none")),
      () => setEntry("none"),
    );
  }, []);
  if (entry === "asking") return <Loading label="Looking for a token" />;
  if (entry === "none") return <SignIn needs={NEEDS} onAccess={enter} />;
  const leave = () => {
    forgetToken();
    setEntry("none");
  };
  return <Desk access={entry.access} me={entry.me} onLeave={leave} />;
}
