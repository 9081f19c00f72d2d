// The same agent in a Worker, which can be woken in three ways more: by a service binding, by a
// Queue, and by a Workflow.

import { WorkflowEntrypoint } from "cloudflare:workers";
import { queueConsumer, serveWebhook, workflowOf } from "sessile/wake";
import { answer } from "./answer.mjs";

const options = (env) => ({ url: env.SESSILE_URL, token: env.TOKEN, secret: env.SECRET });

export default {
  // `agent: { url }`, and `{ service }` without the public Internet.
  fetch: serveWebhook(answer, options),
  // `agent: { queue }`.
  queue: queueConsumer(answer, options),
};

// `agent: { workflow }`.
export class Answer extends workflowOf(WorkflowEntrypoint, answer, options) {}
