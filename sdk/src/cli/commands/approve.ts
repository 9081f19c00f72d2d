// `sessile approve`: lists what waits for a person, and decides it (P8).

import { randomUUID } from "node:crypto";
import type { Command } from "commander";
import type { Approval, ApprovalPage, Decision, InboxApprovalsResult, Scope } from "../../index.ts";
import { Api, pathOf } from "../api.ts";
import { Misuse } from "../exits.ts";
import type { Io } from "../io.ts";
import { json, oneLine, table, time } from "../print.ts";
import { type TargetOptions, withTarget } from "../target.ts";
import { readJson, readNumber } from "../text.ts";

interface Options extends TargetOptions {
  reject?: boolean;
  dismiss?: boolean;
  option?: string;
  answer?: string;
  data?: string;
  comment?: string;
  scope?: string;
  all?: boolean;
  limit: number;
}

export function approve(program: Command, io: Io): void {
  withTarget(program.command("approve"))
    .description("decide an approval; without one: list those that wait")
    .argument("[session]", "the session's id; without it: the inbox of the token's client")
    .argument("[approval]", "the approval's id")
    .option("--reject", "reject it")
    .option("--dismiss", "dismiss it")
    .option("--option <id>", "answer a question with one of its options")
    .option("--answer <json>", "answer a question with this data, alone or beside --option")
    .option("--data <json>", "data of the approval or rejection, such as the input as edited")
    .option("--comment <text>", "a comment, for people")
    .option("--scope <scope>", "turn or session: approve later requests with its key as well")
    .option("--all", "list settled ones, too")
    .option("--limit <number>", "how many to list at most", readNumber("--limit", 1, 1000), 100)
    .action(async (session: string | undefined, id: string | undefined, options: Options) => {
      if (session !== undefined) pathOf(session);
      const api = new Api(options, io);
      if (session === undefined || id === undefined) {
        const { comment, scope, data } = options;
        const isDecided = decisionOf(options) !== "approve" || comment || scope || data;
        if (isDecided) throw new Misuse("name the session and the approval to decide");
        return list(api, session, options, io);
      }
      const approval = await decide(api, session, id, options);
      io.out(options.json ? json(approval) : `${approval.status}\n`);
    });
}

async function decide(
  api: Api,
  session: string,
  approval: string,
  options: Options,
): Promise<Approval> {
  const decision = decisionOf(options);
  const { option, answer, data, comment, scope } = options;
  const result = await api.frame(session, {
    type: "approval.decide",
    id: randomUUID(),
    approval,
    decision,
    ...(option && { option }),
    ...(answer !== undefined && { data: readJson(answer, "--answer") }),
    ...(data !== undefined && { data: readJson(data, "--data") }),
    ...(comment && { comment }),
    ...(scope && { scope: scope as Scope }),
  });
  return result.approval;
}

function decisionOf({ reject, dismiss, option, answer, data }: Options): Decision {
  const isAnswer = option !== undefined || answer !== undefined;
  if ([reject, dismiss, isAnswer].filter(Boolean).length > 1) {
    throw new Misuse("give one of: --reject, --dismiss, or an answer by --option and --answer");
  }
  if (data !== undefined && (isAnswer || dismiss)) {
    throw new Misuse("--data goes with an approval or a rejection: a question takes --answer");
  }
  return reject ? "reject" : dismiss ? "dismiss" : isAnswer ? "answer" : "approve";
}

async function list(
  api: Api,
  session: string | undefined,
  { all, limit, json: isJson }: Options,
  io: Io,
): Promise<void> {
  const path = session === undefined ? "approvals" : pathOf(session, "approvals");
  const query = `status=${all ? "all" : "pending"}&limit=${limit}`;
  const page = await api.ask<ApprovalPage | InboxApprovalsResult>(`${path}?${query}`);
  if (isJson) return io.out(json(page));
  if (page.approvals.length === 0) return io.err("no approval waits\n");
  const names = ["session", "approval", "kind", "status", "asked", "for", "title"];
  io.out(table(names, page.approvals.map(row)));
  if (page.next !== undefined) io.err("there are more: raise --limit\n");
}

function row(it: Approval): string[] {
  const options = it.options?.map(({ id, label }) => `${id}: ${label}`).join(", ");
  const title = options ? `${it.title} (${options})` : it.title;
  const who = it.assignees?.join(" ") ?? "-";
  return [it.session, it.id, it.kind, it.status, time(it.createdAt), who, title].map((cell) =>
    oneLine(cell, 80),
  );
}
