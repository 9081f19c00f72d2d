// An agent that a Cloudflare Queue wakes (P10.3): its consumer.

import {
  type Answerer,
  answerWaking,
  type FromEnv,
  optionsOf,
  readWaking,
  report,
  type WakeOptions,
} from "./waking.ts";

/** A message of a Queue, as far as it matters here. */
export interface QueueMessage {
  readonly body: unknown;
  /** How often it was delivered, from 1. */
  readonly attempts: number;
  ack(): void;
  retry(options?: { delaySeconds?: number }): void;
}

/** The messages that a consumer is given. */
export interface QueueBatch {
  readonly messages: readonly QueueMessage[];
}

/** The longest pause before a message is delivered again, in seconds. */
const DELAY_MOST_S = 300;

/**
 * A consumer for `queue` of a Worker. Each message is answered by itself: taken off the queue once
 * its turn has ended, or another process has it; delivered again, later each time, where the
 * session could not be reached.
 */
export function queueConsumer<Env = unknown>(
  answerer: Answerer,
  options: FromEnv<WakeOptions, Env>,
): (batch: QueueBatch, env: Env) => Promise<void> {
  return async ({ messages }, env) => {
    const set = optionsOf(options, env);
    await Promise.all(messages.map((message) => consume(message, answerer, set)));
  };
}

async function consume(
  message: QueueMessage,
  answerer: Answerer,
  options: WakeOptions,
): Promise<void> {
  const { body, attempts } = message;
  const waking = readWaking(body);
  if (!waking) {
    report(options, new TypeError("the message is no input of a session"));
    return message.ack();
  }
  let isLed = false;
  const led = () => {
    isLed = true;
  };
  try {
    await answerWaking(waking, answerer, options, { led });
  } catch (error) {
    report(options, error, waking);
    // A turn that has failed is an answer; the session delivers a lost one again by itself.
    if (!isLed) {
      const delaySeconds = Math.min(DELAY_MOST_S, 2 ** Math.min(attempts, 10));
      return message.retry({ delaySeconds });
    }
  }
  message.ack();
}
