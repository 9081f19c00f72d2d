// Two pages: one for the user, one for the supervisor; and the service worker of notifications,
// which has to lie where the pages are.

import { copyFileSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const worker = createRequire(import.meta.url).resolve("sessile/push/worker");
const folder = join(import.meta.dirname, "public");
mkdirSync(folder, { recursive: true });
copyFileSync(worker, join(folder, "push-worker.js"));

export default {
  build: { rollupOptions: { input: ["index.html", "supervisor.html"] } },
};
