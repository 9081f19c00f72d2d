// An agent in a Node server: the session calls it for each input that waits.

import { createServer } from "node:http";
import { nodeListener, serveWebhook } from "sessile/wake";
import { answer } from "./answer.mjs";

const { URL: url, TOKEN: token, SECRET: secret, PORT = "8080" } = process.env;

const serve = serveWebhook(answer, {
  url, // the Worker, which is called back
  token, // with the role agent, for all sessions; a function may make one for each
  secret, // SESSILE_WEBHOOK_SECRETS of the Worker
  leaseMs: 5_000, // after so long without a word another process is called
});

const server = createServer(nodeListener(serve));
server.listen(Number(PORT), "127.0.0.1", () => {
  console.log(`waiting at http://127.0.0.1:${server.address().port}`);
});
