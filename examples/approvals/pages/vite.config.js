// Two pages: one for the user, one for the supervisor; and beside them the service worker of
// notifications, which has to lie there.

import { createRequire } from "node:module";
import { dirname } from "node:path";

const worker = createRequire(import.meta.url).resolve("sessile/push/worker");

export default {
  publicDir: dirname(worker),
  build: { rollupOptions: { input: ["index.html", "supervisor.html"] } },
};
