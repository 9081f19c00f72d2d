// The scripted agents, in a Web Worker, so that to kill them is to kill a process. A page starts it
// with `{type: "start", url, session, token}` and hears `acknowledged` for each token that the
// session has, and `status` as the connection changes.

import { Agency, type Start } from "./agency.ts";

const tell = (word: object) => self.postMessage(word);

self.addEventListener("message", ({ data }: MessageEvent<Partial<Start> & { type?: unknown }>) => {
  if (data?.type !== "start" || !data.url || !data.session) return;
  new Agency(data as Start, tell);
});
