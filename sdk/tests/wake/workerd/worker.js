// An agent in a Worker that is woken in every way that Cloudflare has.

import { WorkflowEntrypoint } from "cloudflare:workers";
import { readMessage } from "../../../src/agent/index.ts";
import { queueConsumer, serveWebhook, workflowOf } from "../../../src/wake/index.ts";

const options = ({ URL: url, TOKEN: token, SECRET: secret }) => ({ url, token, secret });

async function echo(turn, { input }) {
  const { data } = await readMessage(turn.host, input);
  const writer = turn.write();
  writer.append("You ");
  // A process that is killed here leaves half an answer.
  if (data.startsWith("stay") && turn.attempt === 1) await new Promise(() => {});
  writer.append(`said: ${data}`);
  await writer.end();
}

const serve = serveWebhook(echo, options);

export class Answer extends workflowOf(WorkflowEntrypoint, echo, (env) => ({
  ...options(env),
  step: { retries: { limit: 3, delay: 100 }, timeout: 4_000 },
})) {}

export default {
  queue: queueConsumer(echo, options),

  async fetch(request, env, context) {
    const { pathname } = new URL(request.url);
    if (pathname === "/wake") return serve(request, env, context);
    const waking = await request.json();
    if (pathname === "/queue") await env.JOBS.send(waking);
    else await env.FLOW.create({ id: waking.id, params: waking });
    return new Response();
  },
};
