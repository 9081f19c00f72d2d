// All that a command takes from its process, so that a test can give it.

export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The directory in which it was called. */
  readonly cwd: string;
  /** The directory of this package. */
  readonly root: string;
  /** Whether standard output is a terminal that a person looks at. */
  readonly isTty: boolean;
  /** Aborted by Ctrl-C, by a request to end, and when nobody reads the output any more. */
  readonly signal: AbortSignal;
  out(text: string): void;
  err(text: string): void;
  /** The whole of standard input, as text. */
  stdin(): Promise<string>;
  /** The next line that a person types; empty at the end of the input. */
  line(): Promise<string>;
}
