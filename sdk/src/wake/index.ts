// `sessile/wake`: for agents that are not there until there is work.

export type { AgentTurn } from "../agent/turn.ts";
export type { Turn } from "../protocol/index.ts";
export { type NodeRequest, type NodeResponse, nodeListener } from "./node.ts";
export { type QueueBatch, type QueueMessage, queueConsumer } from "./queue.ts";
export type { Answerer, FromEnv, WakeOptions, Waking } from "./waking.ts";
export { type Serve, serveWebhook, type Waiting, type WebhookOptions } from "./webhook.ts";
export { type WorkOptions, workOn } from "./work.ts";
export {
  type Answered,
  type AnswerWorkflow,
  type Entrypoint,
  type StepConfig,
  type WorkflowOptions,
  type WorkflowSteps,
  workflowOf,
} from "./workflow.ts";
