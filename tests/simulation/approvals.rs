//! Approvals while everything breaks: agents that ask and come back, people who decide at once,
//! evictions, deaths, disks that fail, a clock that jumps past deadlines; grants, and people who
//! answer in words.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sessile::protocol::approval::{Approval, Event, OnMessage, Status};
use sessile::protocol::capability::{Operations, Role};
use sessile::protocol::grant::{Grant, Scope};
use sessile::protocol::ids::{ConnectionId, Timestamp};
use sessile::protocol::limits::Limits;
use sessile::protocol::query::Id;
use sessile::protocol::reads::Read;
use sessile::protocol::serial::PLACE_MAX;
use sessile::protocol::turn::State;
use sessile::session::{Effect, Input, Request, Sender, Start};

use crate::answer::answer;
use crate::host::{Fate, Host};
use crate::random::Random;
use crate::seeds::each_seed;
use crate::sim::{START, connection};

const PEOPLE: [&str; 3] = ["ann", "bob", "cid"];
const IDS: u64 = 40;
const TURNS: u64 = 3;
const KEYS: [&str; 2] = ["k1", "k2"];

struct World {
    random: Random,
    host: Host,
    time: i64,
    is_calm: bool,
    link: Option<ConnectionId>,
    links: u32,
    /// Every approval as it was found after the last input.
    known: BTreeMap<u64, Approval>,
    /// The client that was told to have decided.
    winners: BTreeMap<String, String>,
    /// The grants in force after the last input.
    grants: Vec<Grant>,
    /// The keys that somebody tries to revoke with this input.
    revoked: Option<String>,
    settled: u64,
    waited: u64,
    granted: u64,
    dismissed: u64,
}

/// Returns how many approvals were settled, how often a turn was found to wait for some, how many
/// a grant settled, and how many words did.
fn run(seed: u64) -> [u64; 4] {
    let mut world = World {
        random: Random::new(seed),
        host: Host::new(Limits::default()),
        time: 0,
        is_calm: false,
        link: None,
        links: 0,
        known: BTreeMap::new(),
        winners: BTreeMap::new(),
        grants: Vec::new(),
        revoked: None,
        settled: 0,
        waited: 0,
        granted: 0,
        dismissed: 0,
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
    [world.settled, world.waited, world.granted, world.dismissed]
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
            35..66 => self.decide(),
            66..74 => self.say(),
            74..75 => self.revoke(),
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
        if self.random.chance(700) {
            frame["grant"] = (*self.random.pick(&KEYS)).into();
        }
        if self.random.chance(300) {
            frame["onMessage"] = "dismiss".into();
        }
        self.request("agent", frame);
    }

    /// Somebody answers in words.
    fn say(&mut self) {
        let who = *self.random.pick(&PEOPLE);
        let message = json!({ "data": "no", "wake": true });
        let frame = json!({ "type": "publish", "messages": [message] });
        if let Some((200, body)) = self.request(who, frame) {
            let serial = &body["result"]["messages"][0]["serial"];
            for approval in self.known.values() {
                let is_asking = approval.asked.on_message == OnMessage::Dismiss;
                assert!(!(is_asking && approval.is_pending()), "P8.7: {approval:?}");
                let is_by_it = approval.verdict.comment.as_deref() == serial.as_str();
                self.dismissed += u64::from(is_by_it);
                assert!(!is_by_it || is_asking && approval.status == Status::Dismissed);
            }
        }
    }

    fn revoke(&mut self) {
        let (who, key) = (*self.random.pick(&PEOPLE), *self.random.pick(&KEYS));
        self.revoked = Some(key.to_owned());
        let frame = json!({ "type": "grant.revoke", "key": key });
        if let Some((200, _)) = self.request(who, frame) {
            let left = self.grants.iter().find(|grant| grant.key == key);
            assert_eq!(left, None, "P8.6: an administrator ended all of {key}");
        }
        self.revoked = None;
    }

    /// Several people at once.
    fn decide(&mut self) {
        let pending = self.known.values().filter(|approval| approval.is_pending());
        let pending: Vec<String> = pending.map(|approval| approval.id.clone()).collect();
        let id = match pending.is_empty() || self.random.chance(400) {
            true => format!("a{}", self.random.between(0, IDS)),
            false => self.random.pick(&pending).clone(),
        };
        let known = self.known.values().find(|approval| approval.id == id);
        let has_turn = known.is_some_and(|approval| approval.turn.is_some());
        let has_grant = known.is_some_and(|approval| approval.asked.grant.is_some());
        for _ in 0..self.random.between(1, 4) {
            let who = *self.random.pick(&PEOPLE);
            let decision = *self
                .random
                .pick(&["approve", "approve", "reject", "dismiss"]);
            let mut frame =
                json!({ "type": "approval.decide", "approval": id, "decision": decision });
            if decision == "approve" && has_grant && self.random.chance(600) {
                let is_of_turn = has_turn && self.random.chance(700);
                frame["scope"] = if is_of_turn { "turn" } else { "session" }.into();
            }
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
        let sender = sender(client);
        let request = Request::Frame(received);
        let effects = self.handle(Input::Request { sender, request });
        answer(effects)
    }

    fn handle(&mut self, input: Input) -> Vec<Effect> {
        let fate = self.random.fate(self.is_calm, 850);
        let now = self.now();
        let effects = self.host.handle(now, input, fate);
        if fate != Fate::Lives {
            self.link = None;
        }
        self.check(now, fate == Fate::Lives);
        effects
    }

    /// The stored approvals after an input.
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
        self.check_grants(&found);
        let waits = |turn: &str| {
            let mut pending = found.iter().filter(|approval| approval.is_pending());
            pending.any(|approval| approval.turn.as_deref() == Some(turn))
        };
        let mut suspended = Vec::new();
        for index in 0..TURNS {
            let id = format!("t{index}");
            let Some(turn) = store.turn(&id).unwrap() else {
                continue;
            };
            // The request tells it, and its turn's row need not (P8.4).
            let is_suspended = matches!(turn.state, State::Suspended { .. });
            let is_open = matches!(turn.state, State::Active(_)) || is_suspended;
            assert!(is_open || !waits(&id), "P8.4: {turn:?} {found:?}");
            assert!(waits(&id) || !is_suspended, "P8.4: {turn:?} {found:?}");
            let is_suspended = waits(&id);
            if is_handled {
                suspended.push((id, is_suspended));
            }
            self.waited += u64::from(is_suspended);
        }
        self.known = found
            .into_iter()
            .map(|approval| (approval.place, approval))
            .collect();
        for (id, is_suspended) in suspended {
            assert_eq!(self.status(&id) == "suspended", is_suspended, "P8.4: {id}");
        }
    }

    /// A turn's status as the session tells it.
    fn status(&mut self, id: &str) -> String {
        let read = Read::Turn(Id(id.to_owned()));
        let sender = sender("ann");
        let request = Request::Read(read);
        let now = self.now();
        let effects = self
            .host
            .handle(now, Input::Request { sender, request }, Fate::Lives);
        let body = effects.into_iter().find_map(|effect| match effect {
            Effect::Respond { body, .. } => Some(serde_json::from_str::<Value>(&body).unwrap()),
            _ => None,
        });
        body.unwrap()["turn"]["status"].as_str().unwrap().to_owned()
    }
}

impl World {
    /// P8.6: a grant is what was approved with a scope, until it is revoked or its turn ends; a
    /// request that one covers is settled by one, and no other is.
    fn check_grants(&mut self, found: &[Approval]) {
        let store = self.host.log();
        let grants = store.grants().unwrap();
        let is_open = |turn: &str| {
            let turn = store.turn(turn).unwrap();
            turn.is_some_and(|turn| turn.is_open())
        };
        for grant in &grants {
            let given = found.iter().find(|approval| approval.place == grant.place);
            let given = given.expect("the approval of a grant");
            let is_of_turn = given.verdict.scope == Some(Scope::Turn);
            assert_eq!(given.status, Status::Approved, "{grant:?}");
            assert_eq!(given.asked.grant.as_ref(), Some(&grant.key), "{grant:?}");
            assert_eq!(grant.turn, given.turn.clone().filter(|_| is_of_turn));
            assert!(grant.turn.as_deref().is_none_or(is_open), "{grant:?}");
        }
        let is_kept = |place| grants.iter().any(|grant| grant.place == place);
        for grant in self.grants.iter().filter(|grant| !is_kept(grant.place)) {
            let is_revoked = self.revoked.as_ref() == Some(&grant.key);
            let is_over = grant.turn.as_deref().is_some_and(|turn| !is_open(turn));
            assert!(is_revoked || is_over, "P8.6: it is lost: {grant:?}");
        }
        for approval in found {
            let before = self.known.get(&approval.place);
            let covers = |grant: &&Grant| {
                Some(&grant.key) == approval.asked.grant.as_ref()
                    && (grant.turn.is_none() || grant.turn == approval.turn)
            };
            let by = approval.history.last().and_then(|past| past.by.as_ref());
            match before {
                None => {
                    let covering: Vec<&Grant> = self.grants.iter().filter(covers).collect();
                    assert_eq!(by.is_some(), !covering.is_empty(), "P8.6: {approval:?}");
                    assert!(by.is_none_or(|by| covering.iter().any(|it| it.approval == *by)));
                    assert_eq!(approval.is_pending(), by.is_none(), "{approval:?}");
                    self.granted += u64::from(by.is_some());
                }
                Some(before) if before.is_pending() && approval.verdict.scope.is_some() => {
                    assert!(is_kept(approval.place), "P8.6: {approval:?}");
                }
                Some(_) => {}
            }
        }
        self.grants = grants;
    }
}

fn sender(client: &str) -> Sender {
    Sender {
        connection: None,
        client: client.to_owned(),
        operations: Operations::ALL,
        role: Role::User,
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
    let (sums, is_whole) = each_seed("approval", 30, run);
    let [settled, waited, granted, dismissed] = sums;
    let is_enough = 100 < settled && 200 < waited && 100 < granted && 20 < dismissed;
    assert!(!is_whole || is_enough, "{sums:?}");
}
