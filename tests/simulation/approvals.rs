//! Approvals while everything breaks: agents that ask and come back, people who decide at once,
//! evictions, deaths, disks that fail, a clock that jumps past deadlines.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sessile::protocol::approval::{Approval, Event, Status};
use sessile::protocol::capability::{Operations, Role};
use sessile::protocol::ids::{ConnectionId, Timestamp};
use sessile::protocol::limits::Limits;
use sessile::protocol::serial::PLACE_MAX;
use sessile::protocol::turn::State;
use sessile::session::{Effect, Input, Request, Sender, Start};

use crate::host::{Fate, Host};
use crate::random::Random;
use crate::sim::{START, connection};

const PEOPLE: [&str; 3] = ["ann", "bob", "cid"];
const IDS: u64 = 12;
const TURNS: u64 = 3;

struct World {
    random: Random,
    host: Host,
    time: i64,
    is_calm: bool,
    link: Option<ConnectionId>,
    links: u32,
    /// Every approval as it was found after the last input.
    known: BTreeMap<u64, Approval>,
    /// Who was told to have decided.
    winners: BTreeMap<String, String>,
    settled: u64,
    waited: u64,
}

/// Returns how many approvals were settled, and how often a turn was found to wait for some.
fn run(seed: u64) -> (u64, u64) {
    let mut world = World {
        random: Random::new(seed),
        host: Host::new(Limits::default()),
        time: 0,
        is_calm: false,
        link: None,
        links: 0,
        known: BTreeMap::new(),
        winners: BTreeMap::new(),
        settled: 0,
        waited: 0,
    };
    for _ in 0..400 {
        world.moment();
    }
    // Nobody touches it: alarms alone bring everything to its end.
    world.is_calm = true;
    world.attach(false);
    for _ in 0..200 {
        let Some(alarm) = world.host.alarm.take() else {
            break;
        };
        world.time = world.time.max(alarm - START);
        world.handle(Input::Deadline);
    }
    let pending = world
        .known
        .values()
        .filter(|approval| approval.is_pending());
    for approval in pending {
        let is_timed = approval.deadline_at.is_some() || approval.turn.is_some();
        assert!(!is_timed, "it waits for ever: {approval:?}");
    }
    (world.settled, world.waited)
}

impl World {
    fn now(&self) -> Timestamp {
        START + self.time
    }

    fn moment(&mut self) {
        self.time += self.random.between(0, 300) as i64;
        if self.host.alarm.is_some_and(|alarm| alarm <= self.now()) && self.random.chance(800) {
            self.host.alarm = None;
            self.handle(Input::Deadline);
        }
        match self.random.between(0, 100) {
            0..8 => self.take(),
            8..35 => self.ask(),
            35..75 => self.decide(),
            75..80 => self.withdraw(),
            80..84 => self.end(),
            84..88 => self.attach(true),
            88..91 => self.attach(false),
            91..94 => self.host.evict(),
            94..96 => {
                self.host.die();
                self.link = None;
            }
            96..99 => self.time += self.random.between(0, 30_000) as i64,
            _ => self.time += 8 * 24 * 60 * 60 * 1000,
        }
    }

    /// The agent comes or goes.
    fn attach(&mut self, comes: bool) {
        if let Some(connection) = self.link.take() {
            self.handle(Input::Close { connection });
        }
        if comes {
            self.links += 1;
            let mut connection = connection("agent", "agent", Timestamp::MAX);
            connection.id = ConnectionId::new(format!("agent-{}", self.links));
            self.link = Some(connection.id.clone());
            let (since, rewind) = (None, 0);
            let start = Start { since, rewind };
            self.handle(Input::Open { connection, start });
        }
    }

    fn turn(&mut self) -> String {
        format!("t{}", self.random.between(0, TURNS))
    }

    /// Over the socket, so that there is a leader who is connected.
    fn take(&mut self) {
        let id = self.turn();
        let frame = match self.random.chance(500) {
            true => json!({ "type": "turn.start", "id": id }),
            false => json!({ "type": "turn.adopt", "turn": id }),
        };
        let text = frame.to_string();
        let frames = sessile::protocol::decode::decode(&text, &self.host.limits).unwrap();
        let Some(connection) = self.link.clone() else {
            self.request("agent", frame);
            return;
        };
        let (bytes, is_alone) = (text.len(), true);
        self.handle(Input::Message {
            connection,
            frames,
            bytes,
            is_alone,
        });
    }

    fn attempt(&self, turn: &str) -> u64 {
        let turn = self.host.log().turn(turn).unwrap();
        turn.map_or(1, |turn| turn.attempt)
    }

    fn ask(&mut self) {
        let id = format!("a{}", self.random.between(0, IDS));
        let mut frame = json!({ "type": "approval.request", "id": id, "title": "?" });
        if self.random.chance(700) {
            let turn = self.turn();
            frame["attempt"] = self.attempt(&turn).into();
            frame["turn"] = turn.into();
        }
        if self.random.chance(600) {
            frame["deadlineMs"] = self.random.between(1, 20_000).into();
            frame["onDeadline"] = (*self.random.pick(&["reject", "approve", "expire"])).into();
        }
        if self.random.chance(300) {
            let (first, second) = (self.random.between(1, 9_000), self.random.between(1, 9_000));
            frame["escalate"] = json!([
                { "afterMs": first, "assignees": ["bob"] },
                { "afterMs": second, "assignees": ["role:supervisor"] },
            ]);
        }
        self.request("agent", frame);
    }

    /// Several people at once.
    fn decide(&mut self) {
        let id = format!("a{}", self.random.between(0, IDS));
        for _ in 0..self.random.between(1, 4) {
            let who = *self.random.pick(&PEOPLE);
            let decision = *self.random.pick(&["approve", "reject", "dismiss"]);
            let frame = json!({ "type": "approval.decide", "approval": id, "decision": decision });
            let Some((status, body)) = self.request(who, frame) else {
                continue;
            };
            if status == 200 {
                let before = self.winners.insert(id.clone(), who.to_owned());
                assert_eq!(before, None, "P8.2: {id} was decided twice");
                assert_eq!(body["result"]["approval"]["decidedBy"], who);
            } else if body["error"]["code"] == "already-decided" {
                assert_ne!(body["error"]["approval"]["status"], "pending", "{body}");
            }
        }
    }

    fn withdraw(&mut self) {
        let id = format!("a{}", self.random.between(0, IDS));
        let found = self.known.values().find(|approval| approval.id == id);
        let turn = found.and_then(|approval| approval.turn.clone());
        let attempt = turn.map_or(1, |turn| self.attempt(&turn));
        let frame = json!({ "type": "approval.withdraw", "approval": id, "attempt": attempt });
        self.request("agent", frame);
    }

    fn end(&mut self) {
        let turn = self.turn();
        let frame = match self.random.chance(500) {
            true => json!({ "type": "cancel", "turn": turn }),
            false => json!({ "type": "turn.end", "turn": turn, "status": "complete",
                             "attempt": self.attempt(&turn) }),
        };
        self.request("agent", frame);
    }

    fn request(&mut self, client: &str, frame: Value) -> Option<(u16, Value)> {
        let received =
            sessile::protocol::decode::decode_frame(&frame.to_string(), &self.host.limits);
        let sender = Sender {
            connection: None,
            client: client.to_owned(),
            operations: Operations::ALL,
            role: Role::User,
        };
        let request = Request::Frame(received);
        let effects = self.handle(Input::Request { sender, request });
        effects.into_iter().find_map(|effect| match effect {
            Effect::Respond { status, body } => {
                Some((status, serde_json::from_str(&body).unwrap()))
            }
            _ => None,
        })
    }

    fn handle(&mut self, input: Input) -> Vec<Effect> {
        let fate = match () {
            () if self.is_calm || self.random.chance(850) => Fate::Lives,
            () if self.random.chance(300) => Fate::DiskFails(self.random.between(0, 12)),
            () if self.random.chance(500) => Fate::DiesBefore,
            () => Fate::DiesAfter,
        };
        let now = self.now();
        let effects = self.host.handle(now, input, fate);
        if fate != Fate::Lives {
            self.link = None;
        }
        self.check(now, fate == Fate::Lives);
        effects
    }

    /// What is stored after an input.
    fn check(&mut self, now: Timestamp, is_handled: bool) {
        let store = self.host.log();
        let (found, _) = store.approvals_before(PLACE_MAX, 1_000, 1 << 30).unwrap();
        for approval in &found {
            check_history(approval);
            if let Some(before) = self.known.get(&approval.place) {
                assert!(
                    approval.history.starts_with(&before.history),
                    "the past has changed: {before:?} {approval:?}"
                );
                assert!(
                    before.is_pending() || before == approval,
                    "P8.2: {before:?} {approval:?}"
                );
                self.settled += u64::from(before.is_pending() && !approval.is_pending());
            }
            let is_late = approval.deadline_at.is_some_and(|at| at <= now);
            assert!(
                !(is_handled && is_late && approval.is_pending()),
                "P8.3: {now} {approval:?}"
            );
        }
        assert!(self.known.len() <= found.len(), "one is lost");
        let waits = |turn: &str| {
            let mut pending = found.iter().filter(|approval| approval.is_pending());
            pending.any(|approval| approval.turn.as_deref() == Some(turn))
        };
        for index in 0..TURNS {
            let id = format!("t{index}");
            let Some(turn) = store.turn(&id).unwrap() else {
                continue;
            };
            let is_suspended = matches!(turn.state, State::Suspended { .. });
            assert_eq!(is_suspended, waits(&id), "P8.4: {turn:?} {found:?}");
            self.waited += u64::from(is_suspended);
        }
        self.known = found
            .into_iter()
            .map(|approval| (approval.place, approval))
            .collect();
    }
}

/// P8.3: everything in order, each at its time; one end at most.
fn check_history(approval: &Approval) {
    let times: Vec<Timestamp> = approval.history.iter().map(|past| past.at).collect();
    assert!(times.is_sorted(), "{approval:?}");
    let ends = approval.history.iter();
    let ends: Vec<_> = ends
        .filter(|past| !matches!(past.what, Event::Request | Event::Escalate))
        .collect();
    assert_eq!(
        ends.len(),
        usize::from(!approval.is_pending()),
        "{approval:?}"
    );
    if let Some(end) = ends.first() {
        let is_expiry = end.what == Event::Expire;
        assert!(
            !is_expiry || approval.deadline_at == Some(end.at),
            "{approval:?}"
        );
        assert_eq!(approval.history.last(), Some(*end), "{approval:?}");
        assert_eq!(
            end.what == Event::Withdraw,
            approval.status == Status::Withdrawn
        );
    }
}

#[test]
fn every_approval_is_settled_once_and_no_turn_waits_for_nothing() {
    let seeds = match crate::number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..crate::number("SESSILE_SEEDS").unwrap_or(30),
    };
    let is_whole = 30 <= seeds.end - seeds.start;
    let (mut settled, mut waited) = (0, 0);
    for seed in seeds {
        let ran = std::panic::catch_unwind(|| run(seed));
        let Ok((more, longer)) = ran else {
            panic!("SEED={seed} cargo test --test simulation approval repeats this");
        };
        settled += more;
        waited += longer;
    }
    assert!(
        !is_whole || 100 < settled && 200 < waited,
        "{settled} {waited}"
    );
}
