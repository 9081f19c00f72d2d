// The transports of push in a Worker of their own, called as Rust calls them; with `object`, from
// within a Durable Object, of which several share the transports' memory.
import { send as apns } from "../../src/cloudflare/push/apns.js";
import { send as fcm } from "../../src/cloudflare/push/fcm.js";
import { publicKey, send as web } from "../../src/cloudflare/push/web.js";

const transports = { web, fcm, apns };
let underWay = 0;

async function answer(request, env) {
  const { device, notice, options, ms } = await request.json();
  const send = transports[Object.keys(device)[0]];
  const [to, what, how] = [device, notice, options].map((part) => JSON.stringify(part));
  const sent = send(env, to, what, how, ms);
  underWay += 1;
  try {
    return new Response(await sent);
  } finally {
    underWay -= 1;
  }
}

export class Sender {
  constructor(_state, env) {
    this.env = env;
  }
  fetch(request) {
    return answer(request, this.env);
  }
}

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    const object = url.searchParams.get("object");
    if (object !== null) return env.SENDERS.get(env.SENDERS.idFromName(object)).fetch(request);
    if (url.pathname === "/under-way") return Response.json({ count: underWay });
    if (url.pathname === "/key") {
      const said = publicKey(env).then(
        (key) => ({ key }),
        (error) => ({ error: String(error.message) }),
      );
      return Response.json(await said);
    }
    return answer(request, env);
  },
};
