// Calls as the Worker makes them (P10.3), signed by the library that people verify with.

import { Webhook } from "standardwebhooks";
import type { Waking } from "../../src/wake/index.ts";

export const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
export const OTHER = "whsec_c2Vzc2lsZSBzZWNvbmQgc2VjcmV0IG9mIHRlc3Rz";

export interface CallOptions {
  /** Each signs. */
  secrets?: readonly string[];
  at?: Date;
  /** Another body than the one that was signed. */
  body?: string;
  id?: string;
}

export function signed(
  waking: Partial<Waking>,
  { secrets = [SECRET], at = new Date(), body, id = waking.id ?? "" }: CallOptions = {},
): Request {
  const text = JSON.stringify({ type: "input", ...waking });
  const signatures = secrets.map((secret) => new Webhook(secret).sign(id, at, text));
  const headers = {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
    ...(secrets.length > 0 && { "webhook-signature": signatures.join(" ") }),
  };
  return new Request("https://agent.example/", { method: "POST", headers, body: body ?? text });
}
