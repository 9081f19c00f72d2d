// Calls to other systems, and notices: what failed, what was given up, and when it is tried again.

import { memo } from "react";
import { Empty, Note } from "../look/parts.tsx";
import { ofSession } from "./devices.ts";
import { CopyCurl, Rule, Section, Table } from "./section.tsx";
import type { Devices, Letter } from "./shapes.ts";
import type { Known, Watch } from "./watch.ts";
import { ago, count, moment, shown } from "./words.ts";

const HEAD = ["State", "Target", "Tried", "Last error", "Next try", "Made", "Id"];
const NOTICES = ["State", "Client", "Device", "Tried", "Last error", "Next try", "Made"];

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
        The devices of its clients, which an administrator of every session is shown; anybody else
        is shown the client's own. <Rule rule="P10.1" />
      </p>
      {devices === undefined ? (
        <Empty title="This token cannot read devices" />
      ) : devices.length === 0 ? (
        <Empty title="No client has a device" />
      ) : (
        <Notices devices={devices.map((it) => ofSession(it, watch.reads.session))} now={now} />
      )}
    </Section>
  );
});

function Notices({ devices, now }: { devices: readonly Devices[]; now: number }) {
  const failed = devices.flatMap(({ client, failing, dead }) =>
    [...failing, ...dead].map((notice) => ({ client, notice })),
  );
  return (
    <>
      <ul>
        {devices.map(({ client, devices: own, pending }) => (
          <li key={client}>
            <code>{shown(client, 60)}</code>:{" "}
            {own.map(({ id, service }) => `${shown(id, 40)} (${service})`).join(", ") ||
              "no device any more"}
            ; {count(pending, "notice")} pending in all sessions
          </li>
        ))}
      </ul>
      {failed.length > 0 && (
        <Table label="Notices that failed" head={NOTICES}>
          {failed.map(({ client, notice }) => (
            <tr key={`${client} ${notice.device} ${notice.id}`} data-failed="true">
              <td>{notice.deadAt === undefined ? "failing" : "given up"}</td>
              <td>{shown(client, 40)}</td>
              <td>{shown(notice.device, 40)}</td>
              <td className="number">{count(notice.attempts, "time")}</td>
              <td>{shown(notice.reason, 200)}</td>
              <td>
                {notice.deadAt !== undefined && `none: given up ${ago(notice.deadAt, now)}`}
                {notice.dueAt !== undefined && ago(notice.dueAt, now)}
              </td>
              <td>{moment(notice.createdAt)}</td>
            </tr>
          ))}
        </Table>
      )}
    </>
  );
}

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
