// The page: two devices in their frames, and beneath them what can be broken and what was counted.

import { useMemo, useState } from "react";
import type { Access } from "../access/access.ts";
import type { Told } from "../device/talk.ts";
import { Button, PageHeader } from "../look/parts.tsx";
import { NetworkControls } from "../wire/controls.tsx";
import { AgentPanel } from "./agent-panel.tsx";
import { Counted } from "./counted.tsx";
import { DEVICES, type DeviceFrame, type DeviceKind, LAPTOP, PHONE, useDevice } from "./devices.ts";
import { Join } from "./join.tsx";
import { beginAnother, deviceAddress } from "./place.ts";
import { Tally } from "./tally.ts";
import "./demo.css";

interface Props {
  session: string;
  /** None where no agents can run. */
  agent: Access | undefined;
}

export function Demo({ session, agent }: Props) {
  const tally = useMemo(() => new Tally(), []);
  const told = (device: DeviceKind) => (word: Told) => {
    if (word.type === "begun") tally.begun(device.client);
    else if (word.type === "shows") tally.shows(device.client, word, performance.now());
  };
  const laptop = useDevice(told(LAPTOP));
  const phone = useDevice(told(PHONE));
  const [shown, setShown] = useState<DeviceKind["kind"]>("laptop");
  return (
    <>
      <PageHeader title="Two devices, one session">
        <p className="lead">Break anything here: nothing is lost, and nothing is said twice.</p>
        <a href={`/inspect/${session}`}>Inspect this session</a>
        <Button onClick={beginAnother}>New session</Button>
      </PageHeader>
      <main className="demo">
        <fieldset className="which" aria-label="Device">
          {DEVICES.map(({ kind, title }) => (
            <Button key={kind} aria-pressed={shown === kind} onClick={() => setShown(kind)}>
              {title}
            </Button>
          ))}
        </fieldset>
        <div className="devices" data-shown={shown}>
          <Framed session={session} device={LAPTOP} frame={laptop} />
          <Framed session={session} device={PHONE} frame={phone} />
        </div>
        <div className="panels">
          <AgentPanel session={session} access={agent} tally={tally} frames={[laptop, phone]} />
          <Counted tally={tally} />
          <Join session={session} />
        </div>
      </main>
    </>
  );
}

interface FramedProps {
  session: string;
  device: DeviceKind;
  frame: DeviceFrame;
}

/** A device with its look, and beneath it the buttons of its network. */
function Framed({ session, device, frame }: FramedProps) {
  const { client, kind, title, name } = device;
  return (
    <section className="framed" data-kind={kind} aria-label={`${title} of ${name}`}>
      <div className="body">
        <iframe
          ref={frame.ref}
          title={`${title} of ${name}`}
          src={deviceAddress(session, client, kind)}
        />
      </div>
      <NetworkControls
        of={title}
        network={frame.network}
        onChange={frame.setNetwork}
        onReload={frame.reload}
      />
    </section>
  );
}
