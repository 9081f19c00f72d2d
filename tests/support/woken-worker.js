// An agent in a Worker of its own, by the SDK, reached in every way that Cloudflare has. Its tokens
// come with the calls.

import { WorkflowEntrypoint } from "cloudflare:workers";
import { queueConsumer, serveWebhook, workflowOf } from "../../sdk/src/wake/index.ts";

const options = ({ URL: url, SECRET: secret }) => ({ url, secret });

async function answer(turn) {
  const writer = turn.write();
  writer.append("answered");
  await writer.end();
}

const serve = serveWebhook(answer, options);
let calls = 0;

export class Answer extends workflowOf(WorkflowEntrypoint, answer, options) {}

export default {
  queue: queueConsumer(answer, options),

  async fetch(request, env, context) {
    if (new URL(request.url).pathname !== "/wake") return new Response(null, { status: 404 });
    calls += 1;
    // The first ones come while it is down.
    if (env.DOWN === "1" && calls <= 3) return new Response("down", { status: 503 });
    return serve(request, env, context);
  },
};
