// Calls to other systems, and notices: what failed, what was given up, and when it is tried again.

import { memo } from "react";
import { Empty, Note } from "../look/parts.tsx";
import { CopyCurl, Rule, Section, Table } from "./section.tsx";
import type { Letter } from "./shapes.ts";
import type { Known, Watch } from "./watch.ts";
import { ago, count, moment, shown } from "./words.ts";

const HEAD = ["State", "Target", "Tried", "Last error", "Next try", "Made", "Id"];

export const Deliveries = memo(({ watch, known }: { watch: Watch; known: Known }) => {
  const { diagnostics, devices } = known;
  const now = watch.now();
  const deliveries = diagnostics?.deliveries;
  return (
    <Section
      id="deliveries"
      title="Deliveries"
      beside={<CopyCurl reads={watch.reads} what="how its object is" />}
    >
      {deliveries === undefined ? (
        <Note tone="bad">
          <p>The session's storage fails: its deliveries cannot be read.</p>
        </Note>
      ) : (
        <>
          <p className="quiet">
            {count(deliveries.pending, "delivery", "deliveries")} pending,{" "}
            {deliveries.failing.length} of them failing;{" "}
            {count(deliveries.dead.length, "dead letter")}. <Rule rule="P10.4" />
          </p>
          {deliveries.failing.length + deliveries.dead.length > 0 && (
            <Table label="Deliveries that failed" head={HEAD}>
              {[...deliveries.failing, ...deliveries.dead].map((letter) => (
                <Row key={letter.id} letter={letter} now={now} />
              ))}
            </Table>
          )}
        </>
      )}
      <h3>Push notices</h3>
      <p className="quiet">
        A client's devices are shown to that client alone, so these are the devices of{" "}
        <code>{shown(watch.reads.client ?? "this page's client", 60)}</code>, in all its sessions.{" "}
        <Rule rule="P10.1" />
      </p>
      {devices === undefined ? (
        <Empty title="This token cannot read its devices" />
      ) : devices.devices.length + devices.dead.length === 0 ? (
        <Empty title="This client has no device" />
      ) : (
        <>
          <p>
            {devices.devices.map(({ id, service }) => `${shown(id, 40)} (${service})`).join(", ") ||
              "No device any more"}
            ; {count(devices.pending, "notice")} pending.
          </p>
          {devices.dead.length > 0 && (
            <Table
              label="Notices that were given up"
              head={["Device", "Tried", "Last error", "Given up", "Made"]}
            >
              {devices.dead.map((it) => (
                <tr key={it.id} data-failed="true">
                  <td>{shown(it.device, 40)}</td>
                  <td className="number">{count(it.attempts, "time")}</td>
                  <td>{shown(it.reason, 200)}</td>
                  <td>{ago(it.deadAt, now)}</td>
                  <td>{moment(it.createdAt)}</td>
                </tr>
              ))}
            </Table>
          )}
        </>
      )}
    </Section>
  );
});

function Row({ letter, now }: { letter: Letter; now: number }) {
  const { id, target, attempts, createdAt, dueAt, deadAt, reason } = letter;
  return (
    <tr data-failed={deadAt !== undefined}>
      <td>{deadAt === undefined ? "failing" : "dead letter"}</td>
      <td className="about">{shown(target, 200)}</td>
      <td className="number">{count(attempts, "time")}</td>
      <td>{shown(reason, 200)}</td>
      <td>
        {deadAt !== undefined && `none: given up ${ago(deadAt, now)}`}
        {dueAt !== undefined && deadAt === undefined && ago(dueAt, now)}
      </td>
      <td>{moment(createdAt)}</td>
      <td>
        <code>{shown(id, 60)}</code>
      </td>
    </tr>
  );
}
