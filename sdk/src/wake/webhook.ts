// An agent that is called: a signed webhook, over the Internet or over a service binding (P10.3).

import { Webhook } from "standardwebhooks";
import {
  type Answerer,
  answerWaking,
  type FromEnv,
  keyOf,
  optionsOf,
  readWaking,
  report,
  type WakeOptions,
  type Waking,
} from "./waking.ts";

export interface WebhookOptions extends WakeOptions {
  /** The secret that the Worker signs with, `whsec_…`; several while one replaces another. */
  secret: string | readonly string[];
  /**
   * Answers the call when the work is done, instead of when it has begun: for platforms that stop a
   * process that has answered. The session waits for 10 s, and needs no answer once the turn has
   * begun.
   */
  hold?: boolean;
  /** Keeps the process alive until a promise settles, where the platform passes no such context. */
  waitUntil?: (promise: Promise<unknown>) => void;
}

/** The context of a Worker, as far as it matters here. */
export interface Waiting {
  waitUntil?(promise: Promise<unknown>): void;
}

/** Serves one request; `env` and `context` are those of a Worker. */
export type Serve<Env = unknown> = (
  request: Request,
  env?: Env,
  context?: Waiting,
) => Promise<Response>;

/** The longest body that is read, in bytes: a waking has some hundred, with a token some 5 000. */
export const BODY_BYTES = 16 * 1024;
/** Wakings that are remembered, so that a repeat is known. */
const REMEMBERED = 1000;
/** The session waits for 10 s (P10.5): after so many milliseconds the turn may begin later. */
const ANSWER_MS = 8_000;

/**
 * Serves the webhook that wakes an agent. It answers once this process leads the turn, and goes on:
 * 202; 200 where there is nothing to do, as for a repeat; 401 for a signature that is missing, old
 * or of another secret; 503 where the session cannot be reached, so that it calls again.
 */
export function serveWebhook<Env = unknown>(
  answerer: Answerer,
  options: FromEnv<WebhookOptions, Env>,
): Serve<Env> {
  const known = new Set<string>();
  return async (request, env, context) => {
    if (request.method !== "POST")
      return new Response(null, { status: 405, headers: { allow: "POST" } });
    const set = optionsOf(options, env as Env);
    const body = await textOf(request);
    if (body === undefined) return refused(413, "the body is too long");
    if (!isSigned(body, request.headers, set.secret))
      return refused(401, "the signature is not valid");
    const waking = readWaking(parsed(body));
    if (!waking) return refused(400, "the body is no input of a session");
    const key = keyOf(waking);
    if (known.has(key)) return new Response(null, { status: 200 });
    remember(known, key);
    return begin(waking, answerer, set, context, () => known.delete(key));
  };
}

/** Answers the waking, and the call as soon as that is right. */
async function begin(
  waking: Waking,
  answerer: Answerer,
  options: WebhookOptions,
  context: Waiting | undefined,
  forget: () => void,
): Promise<Response> {
  let isLed = false;
  let led = () => {};
  const leading = new Promise<number>((done) => {
    led = () => {
      isLed = true;
      if (!options.hold) done(202);
    };
  });
  const working = answerWaking(waking, answerer, options, { led }).then(
    () => 200,
    (error) => {
      report(options, error, waking);
      // The turn has failed, and everybody sees why; a call that led to none may come again.
      if (isLed) return 200;
      forget();
      return 503;
    },
  );
  const { waitUntil = context?.waitUntil?.bind(context) } = options;
  waitUntil?.(working);
  if (options.hold) return new Response(null, { status: await working });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<number>((done) => {
    timer = setTimeout(done, ANSWER_MS, 202);
  });
  const status = await Promise.race([leading, working, late]);
  clearTimeout(timer);
  return new Response(null, { status });
}

/** Whether one of the secrets signed a body, within five minutes. */
export function isSigned(
  body: string,
  headers: Headers,
  secret: WebhookOptions["secret"],
): boolean {
  const secrets = typeof secret === "string" ? secret.split(/\s+/).filter(Boolean) : secret;
  const given = Object.fromEntries(headers);
  return secrets.some((one) => {
    const webhook = new Webhook(one);
    try {
      webhook.verify(body, given, { jsonParse: false });
      return true;
    } catch {
      return false;
    }
  });
}

function remember(known: Set<string>, key: string): void {
  known.add(key);
  if (known.size <= REMEMBERED) return;
  const [oldest = ""] = known;
  known.delete(oldest);
}

/** The body as text; `undefined` if it is too long. */
async function textOf({ body }: Request): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let [text, bytes] = ["", 0];
  const reader = body?.getReader();
  for (;;) {
    const { value, done = true } = (await reader?.read()) ?? {};
    if (done) return text + decoder.decode();
    bytes += value?.byteLength ?? 0;
    if (bytes > BODY_BYTES) {
      await reader?.cancel();
      return undefined;
    }
    text += decoder.decode(value, { stream: true });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refused(status: number, why: string): Response {
  return new Response(`unable to wake the agent; ${why}\n`, { status });
}
