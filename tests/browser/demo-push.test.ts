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
  test("P10.2 hears of its answer when it is closed, and answers by a button", async () => {
    const session = demo.session();
    const near = await demo.open(session);
    const far = await phone(await demo.profile(), service, "/guest");
    const page = await far.context.newPage();
    await page.goto(`${demo.dev.url}/device?session=${session}`);
    await page.getByText("Connected").waitFor();
    await page.locator("summary", { hasText: "This device" }).click();
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

    // A question waits, with an answer in each button.
    const asking = await far.context.newPage();
    await asking.goto(`${demo.dev.url}/device?session=${session}`);
    await asking.getByLabel("Message", { exact: true }).fill("Ask me a question");
    await near.page.getByRole("button", { name: "Kill the agents" }).click();
    await asking.getByRole("button", { name: "Send", exact: true }).click();
    await near.hears("Laptop", "Ask me a question");
    await asking.close();
    await near.page.getByRole("button", { name: "Start the agents" }).click();
    const question = await until(
      () => far.notices().find((one) => (one as { kind?: string }).kind === "question"),
      (one) => one !== undefined,
      "the notice of the question",
      60_000,
    );
    await served.worker.evaluate(async () => {
      const scope = globalThis as unknown as { registration: ServiceWorkerRegistration };
      for (const one of await scope.registration.getNotifications()) one.close();
    });
    await served.push(question);
    await served.shows(({ title }) => title === "Where would you rather be?", "the question");
    await served.press("sea");
    await near.device("Phone").getByText("At the sea 🌊: noted, and kept.").first().waitFor();

    // The switch is as it was left.
    const again = await far.context.newPage();
    await again.goto(`${demo.dev.url}/device?session=${session}`);
    await again.locator("summary", { hasText: "This device" }).click();
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
    await page.locator("summary", { hasText: "This device" }).click();
    await page.getByRole("button", { name: "Notify this browser" }).click();
    const alert = page.getByRole("alert");
    await alert.waitFor();
    assert.match((await alert.textContent()) ?? "", /SESSILE_VAPID_KEY|push/);
  });
});
