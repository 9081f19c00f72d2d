// Prints a token: SESSILE_SIGNING_KEY=… node token.mjs CLIENT SESSION ROLE
import { SignJWT } from "jose";

const [client, session, role] = process.argv.slice(2);
const key = new TextEncoder().encode(process.env.SESSILE_SIGNING_KEY);
const token = new SignJWT({ caps: { [session]: [role] } })
  .setProtectedHeader({ alg: "HS256" })
  .setSubject(client)
  .setExpirationTime("1h");
console.log(await token.sign(key));
