// Questions to people and devices, and what came of each.

import { memo } from "react";
import { Empty } from "../look/parts.tsx";
import { CopyCurl, Rule, Section, Table } from "./section.tsx";
import type { Approval } from "./shapes.ts";
import type { Known, Watch } from "./watch.ts";
import { ago, clock, shown, value } from "./words.ts";

const ASKED = ["Title", "Kind", "State", "Asked by", "For", "Turn", "Deadline", "What happened"];
const CALLS = ["Tool", "Called by", "For", "Turn", "Held by", "Made", "Deadline"];

export const Approvals = memo(({ watch, known }: { watch: Watch; known: Known }) => {
  const { approvals, overview } = known;
  const calls = overview?.calls ?? [];
  const now = watch.now();
  return (
    <Section
      id="approvals"
      title="Approvals and calls"
      beside={<CopyCurl reads={watch.reads} what="its approvals" />}
    >
      {approvals.length === 0 ? (
        <Empty title="Nobody was asked anything" />
      ) : (
        <Table label="Approvals and questions, the newest first" head={ASKED}>
          {approvals.map((it) => (
            <tr key={it.id} data-failed={it.status === "expired"}>
              <td>{shown(it.title, 100)}</td>
              <td>{it.kind}</td>
              <td>{it.status}</td>
              <td>{shown(it.client, 40)}</td>
              <td>
                {it.assignees?.map((one) => shown(one, 40)).join(", ") ?? "whoever may (P8.2)"}
              </td>
              <td>{shown(it.turn ?? "–", 40)}</td>
              <td>{it.deadlineAt === undefined ? "none" : ago(it.deadlineAt, now)}</td>
              <td className="about">{happened(it)}</td>
            </tr>
          ))}
        </Table>
      )}
      {calls.length > 0 && (
        <>
          <h3>Calls that wait for a device</h3>
          <Table label="Pending calls" head={CALLS}>
            {calls.map((it) => (
              <tr key={it.id}>
                <td>{shown(it.name, 60)}</td>
                <td>{shown(it.client, 40)}</td>
                <td>{it.to?.map((one) => shown(one, 40)).join(", ") ?? "the asker's devices"}</td>
                <td>{shown(it.turn, 40)}</td>
                <td>
                  {it.claim?.leaseUntil === undefined
                    ? "nobody"
                    : `${shown(it.claim.client, 40)}, until ${clock(it.claim.leaseUntil)}`}
                </td>
                <td>{ago(it.createdAt, now)}</td>
                <td>{it.deadlineAt === undefined ? "none" : ago(it.deadlineAt, now)}</td>
              </tr>
            ))}
          </Table>
        </>
      )}
      <p className="quiet">
        The rules of who may decide, and of deadlines: <Rule rule="P8.2" /> <Rule rule="P8.3" />
      </p>
    </Section>
  );
});

function happened({ history, option, answer, comment }: Approval): string {
  const steps = history.map(
    ({ at, what, who }) => `${clock(at)} ${what}${who ? ` by ${shown(who, 40)}` : ""}`,
  );
  if (option !== undefined) steps.push(`option ${shown(option, 40)}`);
  if (answer !== undefined) steps.push(`answer ${value(answer, 60)}`);
  if (comment !== undefined) steps.push(`comment ${shown(comment, 60)}`);
  return steps.join(" · ");
}
