// Push on a device of the demo: switched on, and heard of once the device is closed.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Endpoint } from "../support/endpoint.ts";
import { phone } from "../support/notifications.ts";
import { vapidKey } from "../support/push.ts";
import { until } from "../support/wait.ts";
import { useDemo } from "./demo.ts";

const demo = useDemo({
  vars: {
    SESSILE_VAPID_KEY: vapidKey().scalar,
    SESSILE_VAPID_SUBJECT: "mailto:ops@example.com",
    SESSILE_LOCAL_TARGETS: "1",
  },
});
const service = new Endpoint();
before(() => service.start());
after(() => service.stop());

describe("a device of the demo", () => {
  test("P10.1 is notified of its answer once it is closed", async () => {
    const session = demo.session();
    const near = await demo.open(session);
    const far = await phone(await demo.profile(), service, "/guest");
    const page = await far.context.newPage();
    await page.goto(`${demo.dev.url}/device?session=${session}`);
    await page.getByText("Connected").waitFor();
    await page.locator("summary").click();
    await page.getByRole("button", { name: "Notify this browser" }).click();
    await page.getByRole("button", { name: "Stop notifying this browser" }).waitFor();
    assert.deepEqual(far.said, ["PUT /guest"]);
    const served = await far.serve(page);
    await page.getByLabel("Message", { exact: true }).fill("Tell me a long story");
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await near.delivers("Laptop", 10);
    await page.close();
    const [notice] = await until(far.notices, (all) => all.length > 0, "a notice");
    const { session: of } = notice as { session: string };
    assert.equal(of, session);
    await served.push(notice);
    const shown = await served.shows(({ title }) => title !== "", "the notification");
    assert.ok(shown.title);

    // The switch is as it was left.
    const again = await far.context.newPage();
    await again.goto(`${demo.dev.url}/device?session=${session}`);
    await again.locator("summary").click();
    await again.getByRole("button", { name: "Stop notifying this browser" }).click();
    await again.getByRole("button", { name: "Notify this browser", exact: true }).waitFor();
  });
});

describe("a device where nobody made a key", () => {
  const plain = useDemo({ vars: { SESSILE_VAPID_KEY: "" } });

  test("says why it cannot be notified", async () => {
    const { context } = await phone(await plain.profile(), service, "/none");
    const page = await context.newPage();
    await page.goto(`${plain.dev.url}/device?session=${plain.session()}`);
    await page.locator("summary").click();
    await page.getByRole("button", { name: "Notify this browser" }).click();
    const alert = page.getByRole("alert");
    await alert.waitFor();
    assert.match((await alert.textContent()) ?? "", /SESSILE_VAPID_KEY|push/);
  });
});
