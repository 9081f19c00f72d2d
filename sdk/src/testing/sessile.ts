// The session layer inside a test: real workerd with the built Worker, on this machine alone.

import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ErrorInfo, SessileError } from "../protocol/index.ts";
import { advance } from "./clock.ts";
import { TestingError } from "./errors.ts";
import { type Handler, HttpReceiver, type Receiver } from "./receiver.ts";
import { type Advance, Runtime } from "./runtime.ts";
import { makeToken, type TokenClaims } from "./token.ts";
import type { Clock, Sessile, SessileOptions, Var } from "./types.ts";
import { ProxyWire, type Wire } from "./wire.ts";

/** Ends with it, the newest first. */
interface Ends {
  stop(): Promise<void>;
}

class TestSessile implements Sessile {
  readonly clock: Clock;
  readonly secret = `whsec_${randomBytes(32).toString("base64")}`;
  readonly #options: SessileOptions;
  readonly #key: string;
  readonly #data: string;
  readonly #isKept: boolean;
  readonly #ends: Ends[] = [];
  readonly #advances: Advance[] = [];
  #vars: Record<string, Var>;
  #wire: ProxyWire | undefined;
  #runtime: Runtime | undefined;
  #hasStopped = false;

  constructor(options: SessileOptions) {
    this.#options = options;
    this.#key = options.key ?? randomBytes(32).toString("hex");
    this.#isKept = options.data !== undefined;
    this.#data = options.data ?? mkdtempSync(join(tmpdir(), "sessile-testing-"));
    mkdirSync(this.#data, { recursive: true });
    // Also where nobody stops it.
    if (!this.#isKept) process.once("exit", this.#removeData);
    this.#vars = {
      SESSILE_SIGNING_KEY: this.#key,
      SESSILE_WEBHOOK_SECRETS: this.secret,
      SESSILE_LOCAL_TARGETS: "1",
      ...(options.limits && { SESSILE_LIMITS: options.limits }),
      ...options.vars,
    };
    this.clock = { now: () => this.#now(), advance: (ms) => this.#advance(ms) };
  }

  get wire(): Wire {
    if (this.#wire === undefined) throw new TestingError("not-running", "it has not started");
    return this.#wire;
  }

  get url(): string {
    return this.wire.url;
  }

  async begin(): Promise<this> {
    try {
      await this.start();
      this.#wire = await this.newWire();
      return this;
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async start(vars: Record<string, Var> = {}): Promise<void> {
    if (this.#hasStopped) throw new TestingError("not-running", "it was stopped, and stays so");
    await this.kill();
    this.#vars = { ...this.#vars, ...vars };
    const { worker, log = () => {} } = this.#options;
    this.#runtime = await Runtime.start({
      ...{ worker, log, data: this.#data, advances: this.#advances },
      vars: Object.fromEntries(
        Object.entries(this.#vars).flatMap(([name, value]) => {
          if (value === undefined) return [];
          return [[name, typeof value === "string" ? value : JSON.stringify(value)]];
        }),
      ),
    });
  }

  async kill(): Promise<void> {
    const runtime = this.#runtime;
    this.#runtime = undefined;
    await runtime?.kill();
  }

  async token(claims: TokenClaims): Promise<string> {
    return makeToken(claims, this.#key, this.#now());
  }

  newWire(): Promise<ProxyWire> {
    return this.#with(ProxyWire.start(() => this.#runtime?.port));
  }

  receive(handler: Handler = () => new Response(null, { status: 204 })): Promise<Receiver> {
    return this.#with(HttpReceiver.start(this.secret, handler, () => this.#now()));
  }

  async #with<T extends Ends>(starting: Promise<T>): Promise<T> {
    const started = await starting;
    this.#ends.push(started);
    return started;
  }

  async configure(session: string, settings: Record<string, unknown>): Promise<void> {
    const token = await this.token({ sub: "sessile-testing", role: "admin" });
    // Past the wire, which may be cut.
    const path = `/v1/sessions/${encodeURIComponent(session)}`;
    const response = await fetch(`http://127.0.0.1:${this.#running().port}${path}`, {
      method: "PATCH",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ settings }),
    });
    const body = (await response.json()) as { error?: ErrorInfo };
    if (body.error !== undefined) throw SessileError.of(body.error);
  }

  async evict(session: string): Promise<boolean> {
    return (await this.#running().control("/evict", at(session))) === "evicted";
  }

  async restart(session: string): Promise<void> {
    await this.#running().control("/abort", at(session));
  }

  #now(): number {
    return this.#advances.reduce((sum, [, by]) => sum + by, Date.now());
  }

  async #advance(ms: number): Promise<void> {
    if (!(ms >= 0)) throw new RangeError(`the clock only goes forward, not by ${ms}`);
    await advance(this.#running(), this.#advances, Math.floor(ms));
  }

  #running(): Runtime {
    if (this.#runtime !== undefined) return this.#runtime;
    throw new TestingError("not-running", "the session layer does not run; start() it");
  }

  async stop(): Promise<void> {
    this.#hasStopped = true;
    for (const one of this.#ends.splice(0).reverse()) await one.stop();
    await this.kill();
    if (this.#isKept) return;
    process.off("exit", this.#removeData);
    this.#removeData();
  }

  readonly #removeData = () => rmSync(this.#data, { recursive: true, force: true });

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

function at(session: string): Record<string, string> {
  return { binding: "SESSIONS", name: session };
}

/**
 * Starts a session layer for tests, in well under a second once files are cached: the Worker of
 * this package in workerd, on free ports of this machine, with sessions of its own. Start as many
 * as you like. `stop` ends it, or `await using`, or the end of the process.
 *
 * Needs the package `miniflare`, else it throws a {@link TestingError} with `no-miniflare`.
 */
export async function startSessile(options: SessileOptions = {}): Promise<Sessile> {
  return new TestSessile(options).begin();
}
