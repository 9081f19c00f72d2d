// `sessile tail`: follows a session, over every cut of the network, until Ctrl-C.

import type { Command } from "commander";
import { createSession, type ServerFrame, SessileError, type Session } from "../../index.ts";
import { Api, pathOf } from "../api.ts";
import { Even } from "../even.ts";
import { Misuse } from "../exits.ts";
import type { Io } from "../io.ts";
import { styled } from "../print.ts";
import { type TargetOptions, withTarget } from "../target.ts";
import { readNumber } from "../text.ts";
import { sayApproval, sayTurn, Transcript } from "../transcript.ts";

/**
 * The window for people: a long one costs the session a fraction of the rows of a short one, and
 * the text is written evenly within it.
 */
const WINDOW_MS = 320;
/** Of the connection alone, and of no interest to anybody else. */
const OWN = new Set(["ack", "nack", "probe", "token-expiring"]);

interface Options extends TargetOptions {
  number: number;
  follow: boolean;
  window: number;
  quiet?: boolean;
  name?: string[];
}

export function tail(program: Command, io: Io): void {
  withTarget(program.command("tail"))
    .description("follow a session: its messages as they grow, turns and approvals")
    .argument("<session>", "the session's id")
    .option("-n, --number <number>", "newest messages to begin with", readNumber("-n", 0, 1000), 10)
    .option("--no-follow", "end once all of them are printed")
    .option(
      "--window <ms>",
      "how long growing text is gathered",
      readNumber("--window", 0, 500),
      WINDOW_MS,
    )
    .option("-q, --quiet", "messages alone: no turns, approvals and connections")
    .option("--name <name...>", "only messages of these names")
    .action(async (session: string, options: Options) => {
      const path = pathOf(session);
      if (!globalThis.WebSocket) throw new Misuse("tail needs Node 22: this one has no WebSocket");
      const api = new Api(options, io);
      // The connection would try for ever where nothing ever was.
      await api.ask(`${path}?rewind=0`);
      const { url, token } = api.target;
      const { number: rewind, window: rollup, name: names } = options;
      const page = createSession({ url, session, token, rewind, rollup, ...(names && { names }) });
      const end = options.json ? printFrames(page, io) : printText(page, options, io);
      try {
        await follow(page, options.follow, io.signal);
      } finally {
        end();
        page.close();
      }
    });
}

/** Resolves when told to end, or caught up; rejects when the connection is given up. */
async function follow(page: Session, isLasting: boolean, signal: AbortSignal): Promise<void> {
  const ended = new Promise<void>((done) => {
    if (signal.aborted) done();
    signal.addEventListener("abort", () => done(), { once: true });
  });
  const givenUp = new Promise<never>((_, fail) => {
    page.on("connection", ({ state, error, reason }) => {
      if (state !== "closed") return;
      fail(error ?? new SessileError("given-up", `the connection was given up: ${reason}`));
    });
  });
  const connected = page.connect();
  await Promise.race([ended, givenUp, isLasting ? ended : connected]);
}

/** One frame of the session a line, as it came. */
function printFrames(page: Session, io: Io): () => void {
  return page.on("frame", (frame) => {
    if (!OWN.has(frame.type)) io.out(`${JSON.stringify(frame)}\n`);
  });
}

function printText(page: Session, { quiet, window }: Options, io: Io): () => void {
  const transcript = new Transcript(
    (name) => styled(io, "bold", name),
    (text) => styled(io, "dim", text),
  );
  const even = new Even((text) => io.out(text), io.isTty ? window : 0);
  const look = () => {
    // Its own messages would be there before the session has them.
    const messages = page.log.filter(({ deletedAt }) => deletedAt === undefined);
    for (const { text, isGrowth } of transcript.look(messages)) even.add(text, isGrowth);
  };
  const note = (text: string | undefined) => {
    if (text === undefined || quiet) return;
    even.add(transcript.note(text).text, false);
  };
  const ends = [
    page.subscribe(look),
    page.on("frame", (frame) => note(say(frame))),
    page.on("connection", ({ state, reason }) => {
      if (state === "waiting" && !quiet)
        io.err(`the connection is lost (${reason}); it comes back\n`);
    }),
    page.on("reset", () => note("the log could not be resumed, and was read anew")),
  ];
  return () => {
    look();
    even.add(transcript.end(), false);
    even.flush();
    for (const end of ends) end();
  };
}

function say(frame: ServerFrame): string | undefined {
  if ("approval" in frame) return sayApproval(frame.approval);
  if (frame.type === "turn.steer") return undefined;
  if ("turn" in frame && typeof frame.turn === "object") return sayTurn(frame.type, frame.turn);
  return undefined;
}
