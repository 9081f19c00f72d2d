// `/`: two devices, one session, and everything that can be done to them.

import { useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { type Access, accessFor, developmentAccess } from "../access/access.ts";
import { SignIn } from "../access/sign-in.tsx";
import { Loading } from "../look/parts.tsx";
import { Demo } from "./demo.tsx";
import { LAPTOP } from "./devices.ts";
import { sessionHere } from "./place.ts";

const session = sessionHere();

/** The ways to tokens that were found. */
interface Found {
  person: Access | undefined;
  /** Of the agents; none in a deployment, which makes no tokens. */
  agent: Access | undefined;
}

async function find(): Promise<Found> {
  const caps = (role: string) => ({ [session]: [role] });
  const { client, name } = LAPTOP;
  const person = await accessFor({ client, name, caps: caps("user") });
  const agent = person && (await developmentAccess({ ...AGENT, caps: caps("agent") }));
  return { person, agent };
}

/** The first of the agents; the others have tokens like its own. */
const AGENT = { client: "guide", name: "Guide", role: "agent" };

function Page() {
  const [found, setFound] = useState<Found>();
  useEffect(() => {
    find().then(setFound, () => setFound({ person: undefined, agent: undefined }));
  }, []);
  if (!found) return <Loading label="Asking for a token" />;
  if (!found.person) {
    return (
      <SignIn
        needs={`the role user for the session ${session}`}
        onAccess={(person) => setFound({ person, agent: undefined })}
      />
    );
  }
  return <Demo session={session} agent={found.agent} />;
}

const root = document.getElementById("app");
if (root) createRoot(root).render(<Page />);
