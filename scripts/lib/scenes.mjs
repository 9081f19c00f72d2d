// The moments that `npm run pictures` takes: each page, in the middle of something.

/** A page of the local Worker, by its name: its size, and the way to the moment. */
export const SCENES = {
  demo: { width: 1280, height: 800, show: showDemo },
  console: { width: 1280, height: 700, show: showConsole },
  inspector: { width: 1280, height: 900, show: showInspector },
};

/** The conversations of the console: who asks for what, and what its agent asks a supervisor. */
const CASES = [
  {
    session: "order-4711",
    title: "A broken kettle",
    person: ["ada", "Ada"],
    said: "The kettle arrived broken. I would like my money back.",
    answer: "I am sorry about that. I have found your order, and ask for the refund.",
    question: "Refund 40 €?",
    data: { order: "4711", amount: 40 },
  },
  {
    session: "order-4688",
    title: "Another address",
    person: ["ben", "Ben"],
    said: "Can I still change the address?",
    answer: "It leaves the warehouse tonight, so I ask for it at once.",
    question: "Hold the order back?",
    data: { order: "4688", until: "18:00" },
  },
  {
    session: "order-4702",
    title: "When does it arrive?",
    person: ["cleo", "Cleo"],
    said: "When does it arrive?",
    answer: "Tomorrow, between nine and eleven.",
  },
];

/** Two devices, while an answer streams and the phone has no network. */
async function showDemo(page, { origin, theme }) {
  await page.goto(`${origin}/?session=tides-${theme}`);
  await tell(page, /story/);
  const [laptop, phone] = ["Laptop", "Phone"].map((of) => page.getByRole("region", { name: of }));
  await grown(phone, 250);
  await phone.getByRole("button", { name: /^Drop/ }).click();
  await grown(laptop, 600);
  const { y, height } = await page.locator(".devices").boundingBox();
  return { height: Math.ceil(y + height + 12) };
}

/** An approval that waits for a supervisor, among others. */
async function showConsole(page, place) {
  for (const it of place.theme === "light" ? CASES : []) await converse(place, it);
  await page.goto(`${place.origin}/console#session=${CASES[0].session}`);
  await page.getByText(CASES[0].question).last().waitFor();
  await page.getByText(CASES[1].question).last().waitFor();
}

async function converse(place, { session, title, person, said, answer, question, data }) {
  const [client, name] = person;
  const caps = (role) => ({ [session]: [role] });
  const user = await tokenOf(place, { client, name, caps: caps("user") });
  const agent = await tokenOf(place, { client: "desk", name: "Desk", caps: caps("agent") });
  const admin = await tokenOf(place, { client: "root", caps: caps("admin") });
  const at = (path, token, body, method) => send(place, path, token, body, method);
  const address = `/v1/sessions/${session}`;
  await at(address, admin, { settings: { title } }, "PATCH");
  const { messages } = await at(`${address}/messages`, user, { data: said });
  const turn = { turn: "answer", attempt: 1 };
  await at(`${address}/turns`, agent, { id: "answer", input: messages[0].serial });
  await at(`${address}/messages`, agent, { role: "assistant", data: answer, ...turn });
  if (question) {
    const assignees = ["role:supervisor"];
    await at(`${address}/approvals`, agent, { ...turn, title: question, data, assignees });
  } else await at(`${address}/turns/answer/end`, agent, { attempt: 1, status: "complete" });
}

/** A session in which specialists work, a phone was away, and a hook cannot be reached. */
async function showInspector(page, place) {
  const session = `trip-${place.theme}`;
  const admin = await tokenOf(place, { client: "root", caps: { [session]: ["admin"] } });
  const settings = { title: "A trip for two", hooks: [{ url: "http://127.0.0.1:9/hooks" }] };
  await send(place, `/v1/sessions/${session}`, admin, { settings }, "PATCH");
  await page.goto(`${place.origin}/?session=${session}`);
  await tell(page, /^Plan a trip/);
  const phone = page.getByRole("region", { name: "Phone" });
  await shows(phone, "side by side");
  await phone.getByRole("button", { name: /^Drop/ }).click();
  await page.waitForTimeout(1500);
  await phone.getByRole("button", { name: /^Bring/ }).click();
  await shows(phone, "Hotels");
  await page.waitForTimeout(2500);
  const inspector = await page.context().newPage();
  await inspector.goto(`${place.origin}/inspect/${session}`);
  await inspector.waitForTimeout(2500);
  return { page: inspector };
}

/** Waits until a device shows so many more characters than at first. */
async function grown(device, more) {
  const shown = device.frameLocator("iframe").locator("body");
  const length = async () => (await shown.textContent()).length;
  for (const first = await length(); (await length()) < first + more; ) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Says something on the laptop. */
async function tell(page, words) {
  const laptop = page.frameLocator("iframe").first();
  await laptop.getByRole("button", { name: words }).click();
}

/** Waits until a device shows a text. */
function shows(device, text) {
  return device.frameLocator("iframe").getByText(text).last().waitFor();
}

/** A token of the local Worker, as its own pages get it. */
async function tokenOf(place, wanted) {
  return (await send(place, "/v1/dev/tokens", undefined, wanted)).token;
}

async function send({ origin }, path, token, body, method = "POST") {
  const headers = { origin, ...(token && { authorization: `Bearer ${token}` }) };
  const answer = await fetch(origin + path, { method, headers, body: JSON.stringify(body) });
  const result = await answer.json();
  if (!answer.ok) throw new Error(`${path}: ${result.error.message}`);
  return result;
}
