// The page: two devices in their frames, and beneath them what can be broken and what was counted.

import { useMemo, useState } from "react";
import type { Access } from "../access/access.ts";
import type { Told } from "../device/talk.ts";
import { Button, PageHeader } from "../look/parts.tsx";
import { NetworkControls } from "../wire/controls.tsx";
import { AgentPanel } from "./agent-panel.tsx";
import { DeviceCounts, HowCounted, useCounted } from "./counted.tsx";
import { DEVICES, type DeviceFrame, type DeviceKind, LAPTOP, PHONE, useDevice } from "./devices.ts";
import { Join } from "./join.tsx";
import { beginAnother, deviceAddress } from "./place.ts";
import { type Counts, NONE, Tally } from "./tally.ts";
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
    else if (word.type === "shows") tally.shows(device.client, word);
  };
  const laptop = useDevice(told(LAPTOP));
  const phone = useDevice(told(PHONE));
  const { said, counts } = useCounted(tally);
  const [shown, setShown] = useState<DeviceKind["kind"]>("laptop");
  return (
    <>
      <PageHeader title="Two devices, one session">
        <p className="lead">Break anything here: nothing is lost, and nothing is said twice.</p>
        <a href={`/inspect/${session}`}>Inspect this session</a>
        <Button onClick={beginAnother}>New session</Button>
      </PageHeader>
      <main className="demo">
        <AgentPanel session={session} access={agent} tally={tally} frames={[laptop, phone]} />
        <fieldset className="which" aria-label="Device">
          {DEVICES.map(({ kind, title }) => (
            <Button key={kind} aria-pressed={shown === kind} onClick={() => setShown(kind)}>
              {title}
            </Button>
          ))}
        </fieldset>
        <div className="devices" data-shown={shown}>
          <Framed session={session} device={LAPTOP} frame={laptop} counts={counts[0]} />
          <Framed session={session} device={PHONE} frame={phone} counts={counts[1]} />
        </div>
        <div className="panels">
          <Try />
          <Join session={session} />
          <HowCounted said={said} />
        </div>
      </main>
    </>
  );
}

/** Some things to begin with. */
function Try() {
  return (
    <section className="panel" aria-labelledby="try">
      <h2 id="try">Try this</h2>
      <ol className="steps">
        <li>Ask for a long story on the laptop, and drop its network in the middle.</li>
        <li>Watch the phone go on. Bring the network back.</li>
        <li>Kill the agents in the middle of a word, and start them again.</li>
        <li>Say “Plan a trip to Lisbon”, then “Book it”: either device may decide.</li>
        <li>Steer or interrupt an answer, edit what you said, answer it again.</li>
      </ol>
    </section>
  );
}

interface FramedProps {
  session: string;
  device: DeviceKind;
  frame: DeviceFrame;
  counts: Counts | undefined;
}

/** A device with its look, and beneath it the buttons of its network. */
function Framed({ session, device, frame, counts = NONE }: FramedProps) {
  const { client, kind, title, name } = device;
  return (
    <section
      className="framed"
      data-kind={kind}
      data-device={client}
      aria-label={`${title} of ${name}`}
    >
      <header>
        <h2>{title}</h2>
        <DeviceCounts counts={counts} />
      </header>
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
