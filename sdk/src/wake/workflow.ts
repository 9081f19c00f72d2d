// An agent that runs as a Cloudflare Workflow (P10.3): one instance for each input.

import {
  type Answerer,
  answerWaking,
  type FromEnv,
  optionsOf,
  readWaking,
  type WakeOptions,
} from "./waking.ts";

/** The steps of a Workflow, as far as they matter here. */
export interface WorkflowSteps {
  do<Result>(
    name: string,
    config: StepConfig,
    work: (context?: { attempt: number }) => Promise<Result>,
  ): Promise<Result>;
}

/** How the step that answers is retried; as `WorkflowStepConfig` of `cloudflare:workers`. */
export interface StepConfig {
  retries?: {
    limit: number;
    delay: number | string;
    backoff?: "constant" | "linear" | "exponential";
  };
  timeout?: number | string;
}

export interface WorkflowOptions extends WakeOptions {
  step?: StepConfig;
}

/** The result of an instance: its turn, or nothing where another process had it. */
export interface Answered {
  turn?: string;
  status?: string;
}

/** The class `WorkflowEntrypoint` of `cloudflare:workers`, which only a Worker can import. */
// biome-ignore lint/suspicious/noExplicitAny: a class can be extended if it takes any arguments
export type Entrypoint = abstract new (...args: any[]) => object;

/** A Workflow's class. */
export type AnswerWorkflow<Base extends Entrypoint> = new (
  ...args: ConstructorParameters<Base>
) => InstanceType<Base> & {
  run(event: { payload: unknown }, step: WorkflowSteps): Promise<Answered>;
};

const RETRIES: StepConfig = {
  retries: { limit: 5, delay: 5_000, backoff: "exponential" },
  timeout: 60 * 60 * 1000,
};

/**
 * A Workflow that answers an input, to be exported under the name that `wrangler.toml` has. The
 * answer is one step, which is not done again once it is done. A step that was cut off is: it takes
 * its own turn over, and what it says replaces what was said.
 */
export function workflowOf<Env, Base extends Entrypoint>(
  Entrypoint: Base,
  answerer: Answerer,
  options: FromEnv<WorkflowOptions, Env>,
): AnswerWorkflow<Base> {
  abstract class Answer extends Entrypoint {
    async run({ payload }: { payload: unknown }, step: WorkflowSteps): Promise<Answered> {
      const waking = readWaking(payload);
      if (!waking) throw new TypeError("the payload is no input of a session");
      const { env } = this as unknown as { env: Env };
      const { step: config = RETRIES, ...set } = optionsOf(options, env);
      return step.do("answer", config, async ({ attempt } = { attempt: 1 }) => {
        let isLed = false;
        const led = () => {
          isLed = true;
        };
        const taken = attempt > 1 ? "adopt" : "refuse";
        try {
          const turn = await answerWaking(waking, answerer, set, { taken, led });
          return turn ? { turn: turn.id, status: turn.status } : {};
        } catch (error) {
          if (!isLed) throw error;
          // The turn has failed, and says why: a retry could only find it so.
          set.onError?.(error, waking);
          return { status: "failed" };
        }
      });
    }
  }
  return Answer as unknown as AnswerWorkflow<Base>;
}
