// Two modules for workerd, as text: they run beside the built Worker, and are no part of it.

/** The host of requests that only the control Worker sends to objects. */
const HOST = "testing.sessile.invalid";

/** The built Worker's first module. */
export const MAIN = "index.js";
/** The same for a module beside it. */
const BESIDE = `./${MAIN}`;
/** The variable of the module around it: the clock's advances, as JSON. */
export const ADVANCES = "SESSILE_TESTING_ADVANCES";

/**
 * Around the built Worker: its clock, which runs ahead by what a test says, and the two things
 * that only an object itself can do. An alarm is kept in real time, so that the platform wakes the
 * object when the moved clock says so. An advance is `[moment, by]`; a `ping` counts at the time
 * that was shown when it came, so nobody was heard during an advance.
 */
export const AROUND = `
import { env, WorkerEntrypoint } from "cloudflare:workers";
import worker, * as built from "${BESIDE}";

const real = Date.now.bind(Date);
let advances = JSON.parse(env.${ADVANCES});
const ahead = (at) => advances.reduce((sum, [from, by]) => (from <= at ? sum + by : sum), 0);
Date.now = () => real() + ahead(Infinity);

const moved = new WeakSet();
function replace(object, name, around) {
  const proto = Object.getPrototypeOf(object);
  const inner = proto[name];
  proto[name] = function (...args) {
    return around((...again) => inner.apply(this, again), ...args);
  };
}
function move(ctx) {
  const proto = Object.getPrototypeOf(ctx);
  if (moved.has(proto)) return;
  moved.add(proto);
  replace(ctx.storage, "setAlarm", (set, at) => set(at - ahead(Infinity)));
  replace(ctx, "getWebSocketAutoResponseTimestamp", (get, socket) => {
    const at = get(socket)?.getTime();
    return at === undefined ? null : new Date(at + ahead(at));
  });
}

const around = (Base) => class extends Base {
  constructor(ctx, env) {
    move(ctx);
    super(ctx, env);
    this.context = ctx;
  }

  async fetch(request) {
    const url = new URL(request.url);
    if (url.host !== "${HOST}") return super.fetch(request);
    const { storage } = this.context;
    if (url.pathname === "/abort") this.context.abort("a test restarts the session");
    const alarm = await storage.getAlarm();
    if (alarm === null) return new Response();
    const due = alarm - Number(url.searchParams.get("by"));
    if (due > real()) {
      if (due < alarm) await storage.setAlarm(due + ahead(Infinity));
      return new Response(due);
    }
    await storage.deleteAlarm();
    await this.alarm();
    return new Response(await storage.getAlarm());
  }
};
export const SessionObject = around(built.SessionObject);
export const InboxObject = around(built.InboxObject);

export class Clock extends WorkerEntrypoint {
  async fetch(request) {
    advances = await request.json();
    return new Response();
  }
}
export default worker;
`;

/** A Worker beside it, for what only the runtime can do, at an address that nobody else knows. */
export const CONTROL = `
import unsafe from "workerd:unsafe";

async function control(request, env) {
  const { pathname, searchParams } = new URL(request.url);
  const objects = env[searchParams.get("binding")];
  const named = () => objects.get(objects.idFromName(searchParams.get("name")));
  switch (pathname) {
    case "/clock":
      return env.CLOCK.fetch(request);
    case "/pass": {
      const object = objects.get(objects.idFromString(searchParams.get("id")));
      return object.fetch("http://${HOST}/pass?by=" + searchParams.get("by"));
    }
    case "/evict":
      try {
        await unsafe.evict(named(), { webSockets: "hibernate" });
        return new Response("evicted");
      } catch (error) {
        if (String(error).includes("not currently running")) return new Response("asleep");
        throw error;
      }
    case "/abort":
      // The object takes the answer with it.
      await named().fetch("http://${HOST}/abort").catch(() => {});
      return new Response();
  }
}
export default {
  async fetch(request, env) {
    try {
      return await control(request, env);
    } catch (error) {
      return new Response(String(error?.stack ?? error), { status: 500 });
    }
  },
};
`;
