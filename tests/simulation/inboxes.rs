//! Sessions and the inboxes that they tell, while everything breaks: the processes of both, the
//! disk, the clocks, the calls between them. At rest each inbox equals what the sessions say.

pub mod kept;
mod work;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sessile::inbox::Grant;
use sessile::protocol::capability::{Operations, Role};
use sessile::protocol::decode::decode_frame;
use sessile::protocol::ids::Timestamp;
use sessile::protocol::inbox::Request as Ask;
use sessile::protocol::limits::Limits;
use sessile::session::{Delivered, Delivery, Effect, Input, Outcome, Read, Request, Sender};
use sessile::store::DeliveryKind;

use crate::host::{Disk, Fate, Host};
use crate::random::Random;
use crate::seeds::each_seed;
use crate::sim::START;
use crate::sqlite::Sqlite;
use kept::Kept;

const SESSIONS: [&str; 3] = ["s1", "s2", "s3"];
const INBOXES: [&str; 6] = [
    "client:ann",
    "client:bob",
    "client:sue",
    "client:bot",
    "client:kit",
    "role:supervisor",
];
const CALL_MS: u64 = 10_000;

#[derive(Debug)]
enum Event {
    /// A session's call arrives, made by the process of that number.
    Arrives(usize, Box<Delivery>, u32),
    /// Its outcome is known to that process, if it still lives.
    Ends(usize, Delivered, u32),
    Trouble,
}

struct World {
    random: Random,
    sessions: Vec<Host>,
    inboxes: Vec<Kept>,
    time: u64,
    skew: Vec<i64>,
    events: BTreeMap<(u64, u64), Event>,
    ties: u64,
    is_calm: bool,
    asked: u64,
    told: u64,
    lost: u64,
}

/// Returns how many calls arrived, how many of them were lost in some way, and how much work is
/// left.
fn run(seed: u64) -> [u64; 3] {
    let mut random = Random::new(seed);
    let host = |id: &&str| {
        let mut host = Host::new(Limits::default());
        host.id = (*id).to_owned();
        host.outbound.has_inboxes = true;
        host
    };
    let kept = |name: &&'static str| Kept {
        name,
        disk: Disk(Sqlite::new()),
        awake: None,
        alarm: None,
    };
    let skew = SESSIONS.map(|_| random.between(0, 1000) as i64).to_vec();
    let mut world = World {
        random,
        sessions: SESSIONS.iter().map(host).collect(),
        inboxes: INBOXES.iter().map(kept).collect(),
        time: 0,
        skew,
        events: BTreeMap::new(),
        ties: 0,
        is_calm: false,
        asked: 0,
        told: 0,
        lost: 0,
    };
    world.schedule(1, Event::Trouble);
    world.pass(90_000);
    world.is_calm = true;
    // Nobody touches it: timers and alarms alone bring it to rest.
    world.pass(3 * 60 * 60 * 1000);
    let left = world.judge();
    [world.told, world.lost, left as u64]
}

impl World {
    fn now(&self, session: usize) -> Timestamp {
        START + self.time as i64 + self.skew[session]
    }

    fn schedule(&mut self, after: u64, event: Event) {
        self.ties += 1;
        self.events.insert((self.time + after, self.ties), event);
    }

    /// When a session is woken by its timer or its alarm, as the platform keeps them.
    fn wakes(&self, session: usize) -> Option<u64> {
        let host = &self.sessions[session];
        let now = self.now(session);
        let wait = |at: Timestamp| (at - now).max(0) as u64;
        let timer = host.window().map(|at| self.time + wait(at).min(500));
        let alarm = host.alarm.map(|at| self.time + wait(at));
        timer.into_iter().chain(alarm).min()
    }

    fn pass(&mut self, duration: u64) {
        let until = self.time + duration;
        loop {
            let event = self.events.keys().next().copied();
            let wake = (0..SESSIONS.len()).filter_map(|it| Some((self.wakes(it)?, it)));
            let wake = wake.min();
            let at = event.map(|(at, _)| at).into_iter();
            let at = at.chain(wake.map(|(at, _)| at)).min();
            let Some(at) = at.filter(|at| *at <= until) else {
                break;
            };
            self.time = self.time.max(at);
            if let Some(event) = event.filter(|(due, _)| *due <= at) {
                let event = self.events.remove(&event).unwrap();
                self.happen(event);
                continue;
            }
            let Some((_, session)) = wake else { break };
            let now = self.now(session);
            let host = &mut self.sessions[session];
            if host.alarm.is_some_and(|alarm| alarm <= now) {
                host.alarm = None;
            }
            self.handle(session, Input::Deadline);
            // The platform rings again where a process died of it.
            let now = self.now(session);
            let host = &mut self.sessions[session];
            if !host.is_awake() && host.alarm.is_none() {
                host.alarm = Some(now + 2_000);
            }
        }
        self.time = until;
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Arrives(session, delivery, process) => self.arrive(session, *delivery, process),
            Event::Ends(session, delivered, process) => {
                let host = &self.sessions[session];
                if host.is_awake() && host.loads == process {
                    self.handle(session, Input::Delivered(delivered));
                }
            }
            Event::Trouble if self.is_calm => {}
            Event::Trouble => {
                self.trouble();
                let after = self.random.between(1, 700);
                self.schedule(after, Event::Trouble);
            }
        }
    }

    fn trouble(&mut self) {
        let session = self.random.between(0, SESSIONS.len() as u64) as usize;
        if self.random.chance(300) {
            return self.work(session);
        }
        let person = *self.random.pick(&["ann", "bob", "sue"]);
        match self.random.between(0, 100) {
            0..20 => self.frame(
                session,
                person,
                json!({
                    "type": "publish", "messages": [{ "data": "x" }],
                }),
            ),
            20..40 => self.ask_somebody(session),
            40..58 => self.decide(session),
            58..66 => self.turn(session),
            66..70 => {
                let patch = json!({ "settings": { "title": format!("T{}", self.ties) } });
                self.request(
                    session,
                    "admin",
                    Request::Settings(patch["settings"].clone()),
                );
            }
            70..74 => self.frame(session, person, json!({ "type": "lead.take" })),
            74..78 => self.frame(session, person, json!({ "type": "lead.return" })),
            78..80 => self.request(session, "admin", Request::Erase),
            80..84 => self.of_message(session, "sue", "delete"),
            84..90 => self.of_message(session, person, "read"),
            90..93 => self.sessions[session].die(),
            93..95 if self.sessions[session].window().is_none() => self.sessions[session].evict(),
            95..97 => self.skew[session] += self.random.between(0, 60_000) as i64 - 30_000,
            _ => {
                let inbox = self.random.between(0, INBOXES.len() as u64) as usize;
                self.inboxes[inbox].awake = None;
            }
        }
    }

    /// An agent asks: somebody by name, or whoever it may be.
    fn ask_somebody(&mut self, session: usize) {
        self.asked += 1;
        let id = format!("a{}", self.asked);
        let names = ["ann", "bob", "role:supervisor", "sue"];
        let assignees: Vec<&str> = match self.random.between(0, 3) {
            0 => Vec::new(),
            _ => (0..self.random.between(1, 3))
                .map(|_| *self.random.pick(&names))
                .collect(),
        };
        let assignees: BTreeSet<&str> = assignees.into_iter().collect();
        let mut frame = json!({
            "type": "approval.request", "id": id, "title": "Buy?", "assignees": assignees,
        });
        // One that was asked of nobody by name stays with the supervisors after an escalation.
        if !assignees.is_empty() && self.random.chance(300) {
            frame["deadlineMs"] = json!(self.random.between(1, 40_000));
            frame["escalate"] = json!([{ "afterMs": self.random.between(1, 20_000),
                                         "assignees": [*self.random.pick(&names)] }]);
        }
        self.frame(session, "bot", frame);
    }

    fn decide(&mut self, session: usize) {
        let pending = self.sessions[session].log().pending_approvals().unwrap();
        let Some(first) = pending.first() else { return };
        let id = first.id.clone();
        let decision = *self.random.pick(&["approve", "reject", "dismiss"]);
        self.frame(
            session,
            "sue",
            json!({
                "type": "approval.decide", "approval": id, "decision": decision,
            }),
        );
    }

    fn turn(&mut self, session: usize) {
        let open = self.sessions[session].log().open_turns().unwrap();
        let frame = match open.first() {
            Some(kept) if self.random.chance(600) => json!({
                "type": "turn.end", "turn": kept.turn.id, "status": "complete",
                "attempt": kept.turn.attempt,
            }),
            _ => json!({ "type": "turn.start", "id": format!("t{}", self.ties) }),
        };
        self.frame(session, "bot", frame);
    }

    /// Somebody reads up to some place, or deletes what is there.
    fn of_message(&mut self, session: usize, client: &str, kind: &str) {
        let log = self.sessions[session].log();
        let Some(beginning) = log.beginning().unwrap() else {
            return;
        };
        let end = log.end().unwrap().place;
        let place = self.random.between(end.saturating_sub(9), end + 1);
        let serial = beginning.epoch.at(place).to_string();
        self.frame(session, client, json!({ "type": kind, "serial": serial }));
    }

    fn frame(&mut self, session: usize, client: &str, frame: Value) {
        let received = decode_frame(&frame.to_string(), &Limits::default());
        self.request(session, client, Request::Frame(received));
    }

    fn request(&mut self, session: usize, client: &str, request: Request) {
        let sender = sender(client);
        self.handle(session, Input::Request { sender, request });
    }

    fn handle(&mut self, session: usize, input: Input) {
        let fate = self.random.fate(self.is_calm, 900);
        let now = self.now(session);
        let effects = self.sessions[session].handle(now, input, fate);
        for effect in effects {
            if let Effect::Deliver(delivery) = effect {
                let after = self.random.between(1, 200);
                let process = self.sessions[session].loads;
                self.schedule(after, Event::Arrives(session, Box::new(delivery), process));
            }
        }
    }

    fn arrive(&mut self, session: usize, delivery: Delivery, process: u32) {
        self.told += 1;
        let number = delivery.number;
        let failed = || Outcome::Failed {
            reason: "nobody answered".to_owned(),
        };
        let found = self
            .inboxes
            .iter_mut()
            .find(|it| it.name == delivery.target);
        let Some(inbox) = found else {
            panic!("{} is nobody's inbox", delivery.target)
        };
        let body = &delivery.body;
        let request = match delivery.kind {
            DeliveryKind::Contact => Ask::Contact(serde_json::from_str(body).unwrap()),
            _ => Ask::Told(Box::new(serde_json::from_str(body).unwrap())),
        };
        let trouble = match self.is_calm {
            true => 100,
            false => self.random.between(0, 100),
        };
        let dies = match trouble {
            0..8 => Some(true),
            8..16 => Some(false),
            _ => None,
        };
        let now = START + self.time as i64;
        let (outcome, after) = match trouble {
            16..22 => (failed(), CALL_MS),
            _ => {
                let answer = inbox.ask(now, Grant::of_session(), request, dies);
                assert_eq!(answer[0], 200, "{answer}");
                match (dies, trouble) {
                    (None, 22..28) => (failed(), CALL_MS),
                    (None, _) => {
                        let status = 200;
                        let retry_after_ms = None;
                        (
                            Outcome::Answered {
                                status,
                                retry_after_ms,
                            },
                            self.random.between(1, 40),
                        )
                    }
                    (Some(_), _) => (failed(), self.random.between(1, CALL_MS)),
                }
            }
        };
        self.lost += u64::from(matches!(outcome, Outcome::Failed { .. }));
        self.schedule(
            after,
            Event::Ends(session, Delivered { number, outcome }, process),
        );
    }

    /// A session's own account, read beside it: it has been at rest for hours.
    fn snapshot(&mut self, session: usize) -> Value {
        let read = Read::Snapshot(sessile::protocol::query::Snapshot { rewind: 1000 });
        let input = Input::Request {
            sender: sender("admin"),
            request: Request::Read(read),
        };
        let now = self.now(session);
        let effects = self.sessions[session].handle(now, input, Fate::Lives);
        let body = effects.into_iter().find_map(|effect| match effect {
            Effect::Respond { body, .. } => Some(body),
            _ => None,
        });
        serde_json::from_str(&body.unwrap()).unwrap()
    }

    fn judge(&mut self) -> usize {
        let said: Vec<Value> = (0..SESSIONS.len()).map(|it| self.snapshot(it)).collect();
        for kept in &mut self.inboxes {
            let shown = kept.shown();
            let name = kept.name;
            let sessions = shown["sessions"].as_array().unwrap();
            for item in sessions {
                let said = said.iter().find(|it| it["session"] == item["id"]).unwrap();
                assert!(
                    !said["createdAt"].is_null(),
                    "{name} shows a session that is gone: {item}"
                );
                let open = said["turns"].as_array().unwrap().iter();
                let open = open.filter(|turn| turn["endedAt"].is_null()).count();
                let told = [
                    &item["title"],
                    &item["openTurns"],
                    &item["pendingApprovals"],
                ];
                let pending = said["approvals"].as_array().unwrap().len();
                assert_eq!(
                    (told, &item["lead"]["client"], &item["createdAt"]),
                    (
                        [&said["settings"]["title"], &json!(open), &json!(pending)],
                        &said["lead"]["client"],
                        &said["createdAt"]
                    ),
                    "{name} of {item}"
                );
                let client = name.strip_prefix("client:");
                let unread = client.map(|client| unread(said, client));
                assert_eq!(item["unread"].as_u64(), unread, "{name} of {item}");
            }
            let ids: BTreeSet<String> = sessions.iter().map(|it| it["id"].to_string()).collect();
            let mut wanted = BTreeSet::new();
            for said in &said {
                for approval in said["approvals"].as_array().unwrap() {
                    if concerns(approval, name) {
                        wanted.insert(approval.to_string());
                    }
                }
                let authors = said["messages"].as_array().unwrap().iter();
                let authors =
                    authors.map(|it| format!("client:{}", it["client"].as_str().unwrap()));
                let lead = said["lead"]["client"]
                    .as_str()
                    .map(|it| format!("client:{it}"));
                let mut follows = authors.chain(lead);
                if follows.any(|it| it == name) {
                    let id = said["session"].to_string();
                    assert!(ids.contains(&id), "{name} lacks {id}");
                }
            }
            let approvals = shown["approvals"].as_array().unwrap().iter();
            let approvals: BTreeSet<String> = approvals.map(Value::to_string).collect();
            assert_eq!(approvals, wanted, "{name}");
        }
        self.judge_work(&said)
    }
}

fn sender(client: &str) -> Sender {
    Sender {
        connection: None,
        client: client.to_owned(),
        operations: Operations::ALL,
        role: match client {
            "bot" | "kit" => Role::Agent,
            "sue" => Role::Supervisor,
            _ => Role::User,
        },
    }
}

/// How much a client has not read of what a session says.
fn unread(said: &Value, client: &str) -> u64 {
    let marks = said["marks"].as_array().into_iter().flatten();
    let mark = marks.filter(|it| it["client"] == client);
    let mark = mark.map(|it| it["serial"].as_str().unwrap()).next();
    let messages = said["messages"].as_array().unwrap().iter();
    let unread = messages.filter(|it| {
        let is_after = mark.is_none_or(|mark| mark < it["serial"].as_str().unwrap());
        is_after && it["client"] != client && it["deletedAt"].is_null()
    });
    unread.count() as u64
}

/// Whether an approval without a turn is for an inbox.
fn concerns(approval: &Value, inbox: &str) -> bool {
    let assignees = approval["assignees"].as_array().into_iter().flatten();
    let names: Vec<&str> = assignees.map(|it| it.as_str().unwrap()).collect();
    let is_named = names
        .iter()
        .any(|it| *it == inbox || format!("client:{it}") == inbox);
    is_named || names.is_empty() && inbox == "role:supervisor"
}

#[test]
fn at_rest_each_inbox_equals_what_the_sessions_say() {
    let ([told, lost, left], is_whole) = each_seed("inbox", 60, run);
    assert!(
        !is_whole || 2_000 < told && 200 < lost && 50 < left,
        "{told} tellings, {lost} lost, {left} inputs left"
    );
}
