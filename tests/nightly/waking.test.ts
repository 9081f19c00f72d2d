// P10.3 two hundred times: kill -9 of everything while an agent is woken.

import { after, before, test } from "node:test";
import { Endpoint } from "../support/endpoint.ts";
import { useServer } from "../support/fixture.ts";
import { killsWhileWoken, SECRET } from "../support/woken-kills.ts";

const KILLS = Number(process.env.SESSILE_KILLS ?? 200);
const fixture = useServer({
  vars: { SESSILE_LOCAL_TARGETS: "1", SESSILE_WEBHOOK_SECRETS: SECRET },
});
const endpoint = new Endpoint();
before(() => endpoint.start());
after(() => endpoint.stop());

test(`P10.3 after ${KILLS} kills each input was taken once, under one id`, async () => {
  const names = Array.from({ length: KILLS }, () => fixture.session("woken"));
  await killsWhileWoken(fixture.server, endpoint, names);
});
