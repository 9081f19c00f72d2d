// A second Worker beside the built one, for what only the runtime can do: evict and abort objects.
import unsafe from "workerd:unsafe";

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    const objects = env[url.searchParams.get("binding")];
    const id = () => objects.idFromName(url.searchParams.get("name"));
    try {
      switch (url.pathname) {
        case "/ready":
          return new Response("ready");
        case "/id":
          return new Response(id().toString());
        case "/evict":
          await unsafe.evict(objects.get(id()), { webSockets: "hibernate" });
          return new Response("evicted");
        case "/evict-all":
          await unsafe.evictAllDurableObjects();
          return new Response("evicted");
        case "/abort-all":
          await unsafe.abortAllDurableObjects();
          return new Response("aborted");
        default:
          return new Response("no such control", { status: 404 });
      }
    } catch (error) {
      return new Response(String(error?.stack ?? error), { status: 500 });
    }
  },
};
