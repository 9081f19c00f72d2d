// The inspector's sentences: what follows from a log and from diagnostics, and by which rule.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Evidence, findings } from "../../pages/inspect/findings.ts";
import type { Approval, Gone, Letter, Turn } from "../../pages/inspect/shapes.ts";

const NOW = Date.UTC(2026, 10, 29, 12);
const MIN = 60_000;

function evidence(more: Partial<Evidence> = {}): Evidence {
  return {
    now: NOW,
    overview: { session: "s", serial: "abcd00000009", createdAt: NOW - 60 * MIN, settings: {} },
    diagnostics: {
      session: "s",
      serial: "abcd00000009",
      rowsWritten: 1,
      rowsRead: 1,
      databaseBytes: 1,
      memoryBytes: 1,
      connections: [],
      traces: {
        attached: 0,
        resumed: 0,
        frames: 0,
        bytes: 0,
        refused: {},
        closed: {},
        gone: [],
      },
      presence: [],
      deliveries: { pending: 0, failing: [], dead: [] },
    },
    turns: [],
    approvals: [],
    entries: [],
    trimmed: undefined,
    devices: undefined,
    own: undefined,
    ...more,
  };
}

type Diagnostics = Evidence["diagnostics"];

function diagnosed(more: Partial<Diagnostics>, traces: Partial<Diagnostics["traces"]> = {}) {
  const { diagnostics } = evidence();
  return evidence({
    diagnostics: { ...diagnostics, ...more, traces: { ...diagnostics.traces, ...traces } },
  });
}

function turn(more: Partial<Turn>): Turn {
  const it = { id: "t1", agent: "bot", attempt: 1, createdAt: NOW - 5 * MIN };
  return { ...it, status: "active", ...more } as Turn;
}

function gone(more: Partial<Gone>): Gone {
  const trace = { frames: 0, bytes: 0, refused: {}, attachedAt: NOW - 9 * MIN };
  const it = { connection: "c1", client: "bot", kind: "socket", goneAt: NOW - 3 * MIN };
  return { ...it, serial: "abcd00000007", trace, ...more };
}

/** The sentences with their rules. */
function told(of: Evidence): [string, string][] {
  return findings(of).map(({ text, rule }) => [text, rule]);
}

describe("turns", () => {
  const lost = turn({
    status: "failed",
    reason: "agent-lost",
    startedAt: NOW - 5 * MIN,
    endedAt: NOW - 2 * MIN,
  });

  test("that a lost agent left are told with the lease, and with its connection's end", () => {
    assert.deepEqual(told(evidence({ turns: [lost] })), [
      ["The agent `bot` stopped answering; turn `t1` was failed by its lease 2 min ago.", "P6.8"],
    ]);
    const before = diagnosed({}, { gone: [gone({})] });
    assert.deepEqual(told({ ...before, turns: [lost] }), [
      [
        "The agent `bot` stopped answering 3 min ago, when its connection ended; " +
          "turn `t1` was failed by its lease 2 min ago.",
        "P6.8",
      ],
    ]);
  });

  test("are less grave once the agent has come to a good end again", () => {
    const later = turn({ id: "t2", status: "complete", endedAt: NOW - MIN });
    assert.equal(findings(evidence({ turns: [lost] }))[0]?.tone, "bad");
    assert.equal(findings(evidence({ turns: [later, lost] }))[0]?.tone, "warn");
  });

  test("that the agent failed itself are told with its error, as often as it happened", () => {
    const failed = turn({ status: "failed", endedAt: NOW - MIN, error: { message: "no `model`" } });
    const again = { ...failed, id: "t0", endedAt: NOW - 4 * MIN };
    assert.deepEqual(told(evidence({ turns: [failed, again] })), [
      [
        "The agent `bot` ended turn `t1` as failed 1 min ago: `no ˋmodelˋ`. So did 1 before it.",
        "P6.3",
      ],
    ]);
  });

  test("that nobody leads, that wait, or are being cancelled are told", () => {
    const active = turn({ leaseUntil: NOW + 8000 });
    assert.match(told(evidence({ turns: [active] }))[0]?.[0] ?? "", /no connection.*ends in 8.0 s/);
    const here = diagnosed({
      connections: [{ connection: "c", client: "bot", kind: "socket", window: 40, unsent: 0 }],
    });
    assert.deepEqual(told({ ...here, turns: [active] }), []);
    const queued = turn({ status: "queued" });
    assert.match(
      told(evidence({ turns: [queued] }))[0]?.[0] ?? "",
      /waited for an agent for 5 min/,
    );
    const next = turn({ status: "queued", attempt: 2 });
    assert.match(told(evidence({ turns: [next] }))[0]?.[0] ?? "", /waits for attempt 2/);
    const cancelled = turn({ cancel: { by: "ann", at: NOW - 2000 } });
    assert.deepEqual(told(evidence({ turns: [cancelled] }))[0]?.[1], "P6.5");
  });

  test("that are many do not fill the page", () => {
    const many = Array.from({ length: 90 }, (_, at) => turn({ id: `t${at}` }));
    const all = told(evidence({ turns: many }));
    assert.equal(all.length, 7);
    assert.match(all.map(([text]) => text).join(), /84 more open turns/);
  });
});

describe("calls to other systems", () => {
  const letter = (more: Partial<Letter>): Letter => {
    const it = { id: "d1", target: "https://a.example/hook", createdAt: NOW - 60 * MIN };
    return { ...it, attempts: 12, reason: "it answered 503", ...more };
  };

  test("that fail are told once for each target, with the last answer and the next try", () => {
    const failing = [letter({ dueAt: NOW + 4 * MIN }), letter({ id: "d2", attempts: 3 })];
    const it = diagnosed({ deliveries: { pending: 2, failing, dead: [] } });
    assert.deepEqual(told(it), [
      [
        "Webhook `https://a.example/hook` has failed 12 times, last: it answered 503; " +
          "2 deliveries to it wait. The next try is in 4 min.",
        "P10.4",
      ],
    ]);
  });

  test("that were given up are told as dead letters", () => {
    const dead = [letter({ target: "queue:JOBS", attempts: 1, deadAt: NOW - MIN, reason: "gone" })];
    const [first] = told(diagnosed({ deliveries: { pending: 0, failing: [], dead } }));
    assert.match(first?.[0] ?? "", /^The target `queue:JOBS` was given up 1 min ago/);
    assert.match(first?.[0] ?? "", /failed once, last: gone; 1 dead letter\.$/);
  });

  test("a refused notice is told with its device and the service's reason", () => {
    const dead = {
      id: "s-aaaa00000005",
      device: "phone",
      attempts: 1,
      createdAt: NOW - 2 * MIN,
      deadAt: NOW - MIN,
      reason: "it answered 400: BadJwtToken",
    };
    const elsewhere = { ...dead, id: "s-two-aaaa00000001" };
    const { deadAt: _, ...rest } = { ...dead, reason: "it answered 503", dueAt: NOW + MIN };
    const ann = { client: "ann", devices: [], pending: 0 };
    const it = evidence({ devices: [{ ...ann, failing: [rest], dead: [dead, elsewhere] }] });
    assert.deepEqual(told(it), [
      [
        "A push notice to the device `phone` of `ann` was refused 1 min ago, " +
          "last: it answered 400: BadJwtToken.",
        "P10.2",
      ],
      [
        "A push notice to the device `phone` of `ann` has failed once, last: it answered 503; " +
          "the next try is in 1 min.",
        "P10.2",
      ],
    ]);
  });
});

describe("readers", () => {
  test("that were dropped as too slow are told with their place", () => {
    const dropped = gone({ client: "frozen", code: 4429, reason: "the reader is too slow" });
    assert.deepEqual(told(diagnosed({}, { gone: [dropped] })), [
      [
        "The reader `frozen` took too little of what it was sent, and was dropped as too slow " +
          "3 min ago at `abcd00000007`.",
        "P13.7",
      ],
    ]);
  });

  test("that lag, lost their place, or come and go are told", () => {
    const trace = { frames: 0, bytes: 0, refused: {}, resumed: false, reason: "not of this log" };
    const slow = { connection: "c9", client: "ann", kind: "socket", window: 40, unsent: 900_000 };
    const rules = (of: Evidence) => told(of).map(([, rule]) => rule);
    assert.deepEqual(rules(diagnosed({ connections: [slow] })), ["P13.7"]);
    assert.deepEqual(rules(diagnosed({ connections: [{ ...slow, unsent: 0, trace }] })), ["P3.6"]);
    const restless = [1, 2, 3, 4, 5].map((at) => gone({ goneAt: NOW - at * 1000 }));
    assert.deepEqual(rules(diagnosed({}, { gone: restless })), ["P3.5"]);
    const own = { ...diagnosed({ connections: [slow] }), own: "c9" };
    assert.deepEqual(told(own), [], "the inspector is not told of itself");
  });

  test("whose frames were refused are told apart from those by HTTP", () => {
    const trace = { frames: 0, bytes: 0, refused: { "not-leader": 3 } };
    const bot = { connection: "c", client: "bot", kind: "socket", window: 0, unsent: 0, trace };
    const it = diagnosed({ connections: [bot] }, { refused: { "not-leader": 4, gap: 1 } });
    assert.deepEqual(
      told(it).map(([text]) => text),
      [
        "Frames by HTTP, or connections that never began, were refused: 1 not-leader, 1 gap.",
        "Frames of `bot` were refused: 3 not-leader.",
      ],
    );
    const many = Array.from({ length: 500 }, (_, at) => ({ ...bot, client: `c${at % 100}` }));
    const told500 = told(diagnosed({ connections: many }));
    assert.equal(told500.length, 6, "they do not fill the page");
    assert.match(told500.at(-1)?.[0] ?? "", /95 readers/);
    assert.match(told500[0]?.[0] ?? "", /: 15 not-leader/, "by client");
  });
});

describe("people", () => {
  const asked: Approval = {
    id: "a1",
    session: "s",
    kind: "approval",
    status: "pending",
    title: "Refund?",
    client: "bot",
    history: [],
    createdAt: NOW - 3 * MIN,
    serial: "abcd00000003",
    version: "abcd00000003",
  };

  test("who are asked, and who did not answer in time, are told", () => {
    const pending = { ...asked, assignees: ["ann"], deadlineAt: NOW + MIN };
    assert.deepEqual(told(evidence({ approvals: [pending] })), [
      [
        "The approval `Refund?` of `bot` has waited for 3 min; it asks `ann`; " +
          "its deadline is in 1 min.",
        "P8.2",
      ],
    ]);
    const expired: Approval = { ...asked, status: "expired" };
    assert.equal(told(evidence({ approvals: [expired] }))[0]?.[1], "P8.3");
  });

  test("who lead, and budgets that are spent, are told", () => {
    const { overview } = evidence();
    const led = { ...overview, lead: { client: "sue", since: NOW - MIN } };
    assert.equal(told(evidence({ overview: led }))[0]?.[1], "P8.8");
    const spent = { ...overview, overBudget: { name: "tokens", limit: 10, used: 12 } };
    assert.equal(told(evidence({ overview: spent }))[0]?.[1], "P6.12");
  });
});

test("a healthy session has nothing to tell, and hostile names stay within their marks", () => {
  assert.deepEqual(findings(evidence()), []);
  const failed = turn({ id: "`<b>`\u202e", agent: "`x`", status: "failed", endedAt: NOW });
  const [text = ""] = told(evidence({ turns: [failed] }))[0] ?? [];
  assert.equal(text.split("`").length, 5, "only its own marks");
  assert.match(text, /ˋ<b>ˋ\\u\{202e\}/);
});
