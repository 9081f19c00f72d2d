// Why a session layer for tests could not do something, by a code that a program can compare.

/**
 * `no-miniflare`: the package `miniflare` is missing. `no-worker`: the built Worker is missing.
 * `not-running`: it was stopped, or killed and not started again. `no-start`: workerd did not
 * start. `refused`: the session layer refused a request. `timeout`: nothing came in time.
 */
export type TestingErrorCode =
  | "no-miniflare"
  | "no-worker"
  | "not-running"
  | "no-start"
  | "refused"
  | "timeout";

/** An error of `sessile/testing`: its message says what to do. */
export class TestingError extends Error {
  override readonly name = "TestingError";
  readonly code: TestingErrorCode;

  constructor(code: TestingErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
