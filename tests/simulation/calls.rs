//! Calls while everything breaks (P8.9): devices that claim at once, die, come back and bring their
//! results late; agents that end their turns; deadlines, evictions, a clock that jumps.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sessile::protocol::call::{Call, Event, Status};
use sessile::protocol::capability::{Operations, Role};
use sessile::protocol::decode::decode_frame;
use sessile::protocol::ids::{ConnectionId, Timestamp};
use sessile::protocol::limits::Limits;
use sessile::protocol::serial::PLACE_MAX;
use sessile::protocol::turn::State;
use sessile::session::{Effect, Input, Request, Sender, Start};

use crate::host::{Fate, Host};
use crate::random::Random;
use crate::seeds::each_seed;
use crate::sim::{START, connection};

const IDS: u64 = 10;
const TURNS: u64 = 3;
/// Devices: two of one person, one of another.
const DEVICES: [&str; 3] = ["ann", "ann", "bob"];

#[derive(Default)]
struct Device {
    link: Option<ConnectionId>,
    /// When its connection was last heard.
    heard_at: Timestamp,
    /// The calls that it was told to have, each with the claim's id: it runs them to their end,
    /// whatever becomes of its connection.
    runs: BTreeMap<String, String>,
}

struct World {
    random: Random,
    host: Host,
    time: i64,
    is_calm: bool,
    agent: Option<ConnectionId>,
    devices: [Device; 3],
    links: u32,
    marks: u64,
    /// Every call as it was found after the last input.
    known: BTreeMap<u64, Call>,
    /// The device whose result was acknowledged.
    winners: BTreeMap<String, usize>,
    settled: u64,
    released: u64,
    late: u64,
}

/// Returns how many calls were settled by a device, how many claims ended, and how many results
/// came over another connection than the claim.
fn run(seed: u64) -> [u64; 3] {
    let mut world = World {
        random: Random::new(seed),
        host: Host::new(Limits::default()),
        time: 0,
        is_calm: false,
        agent: None,
        devices: [(); 3].map(|()| Device::default()),
        links: 0,
        marks: 0,
        known: BTreeMap::new(),
        winners: BTreeMap::new(),
        settled: 0,
        released: 0,
        late: 0,
    };
    for _ in 0..500 {
        world.moment();
    }
    // Nobody touches it: alarms alone bring everything to its end.
    world.is_calm = true;
    world.part(None);
    (0..3).for_each(|device| world.part(Some(device)));
    for _ in 0..200 {
        let Some(alarm) = world.host.alarm.take() else {
            break;
        };
        world.time = world.time.max(alarm - START);
        world.handle(Input::Deadline);
    }
    for call in world.known.values() {
        assert!(!call.is_pending(), "it waits for ever: {call:?}");
    }
    [world.settled, world.released, world.late]
}

impl World {
    fn now(&self) -> Timestamp {
        START + self.time
    }

    fn moment(&mut self) {
        self.time += self.random.between(0, 400) as i64;
        if self.host.alarm.is_some_and(|alarm| alarm <= self.now()) && self.random.chance(800) {
            self.host.alarm = None;
            self.handle(Input::Deadline);
        }
        let device = self.random.between(0, 3) as usize;
        match self.random.between(0, 100) {
            0..8 => self.lead(),
            8..28 => self.call(),
            28..53 => self.claim(),
            53..66 => self.settle(device),
            66..69 => self.end(),
            69..73 => self.attach_agent(),
            73..84 => self.attach(device),
            84..87 => self.part(Some(device)),
            87..92 => self.ping(device),
            92..95 => self.host.evict(),
            95..97 => {
                self.host.die();
                self.lose_all();
            }
            97..99 => self.time += self.random.between(0, 20_000) as i64,
            _ => self.time += self.random.between(0, 400_000) as i64,
        }
    }

    fn lose_all(&mut self) {
        self.agent = None;
        for device in &mut self.devices {
            device.link = None;
        }
    }

    fn open(&mut self, client: &str, words: &str) -> ConnectionId {
        self.links += 1;
        let mut connection = connection(client, words, Timestamp::MAX);
        connection.id = ConnectionId::new(format!("{client}-{}", self.links));
        let id = connection.id.clone();
        let (since, rewind) = (None, 0);
        let start = Start { since, rewind };
        self.handle(Input::Open { connection, start });
        id
    }

    /// Whether it is still there: an input may have been its process's last.
    fn is_open(&self, id: &ConnectionId) -> bool {
        self.host.attachments.contains_key(id)
    }

    fn attach_agent(&mut self) {
        self.part(None);
        let id = self.open("agent", "agent");
        self.agent = Some(id).filter(|id| self.is_open(id));
    }

    fn attach(&mut self, device: usize) {
        self.part(Some(device));
        let id = self.open(DEVICES[device], "user");
        self.devices[device].link = Some(id).filter(|id| self.is_open(id));
    }

    /// A connection closes: that of the agent, or of a device.
    fn part(&mut self, device: Option<usize>) {
        let link = match device {
            Some(device) => &mut self.devices[device].link,
            None => &mut self.agent,
        };
        if let Some(connection) = link.take() {
            self.handle(Input::Close { connection });
        }
    }

    fn ping(&mut self, device: usize) {
        let now = self.now();
        let device = &mut self.devices[device];
        if let Some(id) = &device.link {
            self.host.ping(id, now);
            device.heard_at = now;
        }
    }

    fn turn(&mut self) -> String {
        format!("t{}", self.random.between(0, TURNS))
    }

    fn attempt(&self, turn: &str) -> u64 {
        let turn = self.host.log().turn(turn).unwrap();
        turn.map_or(1, |turn| turn.attempt)
    }

    fn lead(&mut self) {
        let id = self.turn();
        let frame = match self.random.chance(500) {
            true => json!({ "type": "turn.start", "id": id, "leaseMs": 20_000 }),
            false => json!({ "type": "turn.adopt", "turn": id, "keep": true }),
        };
        let agent = self.agent.clone();
        self.say(agent, "agent", frame);
    }

    fn call(&mut self) {
        let turn = self.turn();
        let id = format!("c{}", self.random.between(0, IDS));
        let mut frame = json!({ "type": "tool.call", "id": id, "turn": turn, "name": "where",
                                "attempt": self.attempt(&turn) });
        if self.random.chance(500) {
            frame["deadlineMs"] = self.random.between(1, 30_000).into();
        }
        if self.random.chance(300) {
            frame["suspend"] = true.into();
        }
        if self.random.chance(300) {
            frame["to"] = json!([*self.random.pick(&["ann", "role:user", "agent"])]);
        }
        self.say(None, "agent", frame);
    }

    /// Devices race for a call, some by HTTP.
    fn claim(&mut self) {
        let id = format!("c{}", self.random.between(0, IDS));
        for _ in 0..self.random.between(1, 4) {
            let device = self.random.between(0, 3) as usize;
            if self.devices[device].link.is_none() && self.random.chance(700) {
                self.attach(device);
            }
            self.marks += 1;
            let own = self.devices[device].runs.get(&id).cloned();
            let mark = own.filter(|_| self.random.chance(700));
            let mark = mark.unwrap_or_else(|| format!("k{}", self.marks));
            let lease = self.random.between(1_000, 10_000);
            let frame = json!({ "type": "tool.claim", "call": id, "id": mark, "leaseMs": lease });
            let before = self.known.values().rfind(|call| call.id == id).cloned();
            let link = self.devices[device].link.clone();
            let Some(answer) = self.say(link, DEVICES[device], frame) else {
                continue;
            };
            self.devices[device].heard_at = self.now();
            if answer["type"] == "ack" {
                assert_eq!(answer["result"]["call"]["claim"]["id"], mark.as_str());
                self.devices[device].runs.insert(id.clone(), mark);
            } else if answer["error"]["code"] == "claimed" {
                let held = before.as_ref().and_then(Call::held);
                assert!(held.is_some(), "P8.9: {answer} {before:?}");
            }
        }
    }

    /// A device brings the result of what it once had, wherever it is now.
    fn settle(&mut self, device: usize) {
        let runs = &self.devices[device].runs;
        let Some((id, mark)) = runs
            .iter()
            .next()
            .map(|(id, mark)| (id.clone(), mark.clone()))
        else {
            return;
        };
        let frame = json!({ "type": "tool.result", "call": id, "claim": mark, "output": device });
        let link = self.devices[device].link.clone();
        let own = mark.clone();
        let is_of = |call: &Call| {
            let claim = call.claim.as_ref();
            claim.is_some_and(|claim| claim.id.as_ref() == Some(&own))
        };
        let is_over_its_own = |call: &&Call| {
            let claim = call.claim.as_ref();
            claim.is_some_and(|claim| claim.connection == link)
        };
        let before = self.known.values().rfind(|call| call.id == id).cloned();
        let Some(answer) = self.say(link.clone(), DEVICES[device], frame) else {
            return;
        };
        self.devices[device].heard_at = self.now();
        self.devices[device].runs.remove(&id);
        if answer["type"] != "ack" {
            let code = answer["error"]["code"].as_str().unwrap();
            let expected = ["claimed", "already-settled", "conflict"];
            assert!(expected.contains(&code), "{answer}");
            return;
        }
        assert_eq!(answer["result"]["call"]["output"], device, "P8.9: {answer}");
        let winner = self.winners.insert(id, device);
        let is_duplicate = answer["result"]["duplicate"] == true;
        assert!(
            winner.is_none() || is_duplicate && winner == Some(device),
            "P8.9: settled twice: {answer}"
        );
        assert!(
            is_duplicate || before.as_ref().is_some_and(is_of),
            "P8.9: not by its holder: {answer} {before:?}"
        );
        self.late += u64::from(before.as_ref().filter(is_over_its_own).is_none());
    }

    fn end(&mut self) {
        let turn = self.turn();
        let frame = match self.random.chance(500) {
            true => json!({ "type": "cancel", "turn": turn }),
            false => json!({ "type": "turn.end", "turn": turn, "status": "complete",
                             "attempt": self.attempt(&turn) }),
        };
        self.say(None, "agent", frame);
    }

    /// A frame over a connection, or by HTTP; its answer.
    fn say(&mut self, over: Option<ConnectionId>, client: &str, mut frame: Value) -> Option<Value> {
        let Some(connection) = over else {
            let words = if client == "agent" { "agent" } else { "user" };
            let request = Request::Frame(decode_frame(&frame.to_string(), &self.host.limits));
            let sender = Sender {
                connection: None,
                client: client.to_owned(),
                operations: Operations::parse(words).unwrap(),
                role: Role::User,
            };
            let effects = self.handle(Input::Request { sender, request });
            return effects.into_iter().find_map(|effect| match effect {
                Effect::Respond { body, .. } => serde_json::from_str(&body).ok(),
                _ => None,
            });
        };
        frame["ref"] = 1.into();
        let input = self.host.message(&connection, &frame.to_string(), true);
        let effects = self.handle(input);
        effects.into_iter().find_map(|effect| match effect {
            Effect::Send { to, text } if to.contains(&connection) => {
                let frames: Value = serde_json::from_str(&text.whole()).ok()?;
                let frames = match frames {
                    Value::Array(frames) => frames,
                    frame => vec![frame],
                };
                frames.into_iter().find(|frame| frame["ref"] == 1)
            }
            _ => None,
        })
    }

    fn handle(&mut self, input: Input) -> Vec<Effect> {
        let fate = self.random.fate(self.is_calm, 960);
        let now = self.now();
        let effects = self.host.handle(now, input, fate);
        let is_handled = fate == Fate::Lives || self.host.is_awake();
        if !is_handled {
            self.lose_all();
        }
        self.check(now, is_handled);
        effects
    }

    /// The stored calls after an input.
    fn check(&mut self, now: Timestamp, is_handled: bool) {
        let store = self.host.log();
        let (found, _) = store.calls_before(PLACE_MAX, 1_000, 1 << 30).unwrap();
        assert!(self.known.len() <= found.len(), "one is lost");
        for call in &found {
            if let Some(before) = self.known.get(&call.place) {
                assert!(before.is_pending() || before == call, "{before:?} {call:?}");
                let is_settled = before.is_pending() && call.event == Event::Result;
                self.settled += u64::from(is_settled && !call.is_pending());
                self.released += u64::from(before.is_held && !call.is_held);
            }
            let is_late = call.deadline_at.is_some_and(|at| at <= now);
            assert!(
                !(is_handled && is_late && call.is_pending()),
                "P8.9: {now} {call:?}"
            );
            if let (true, Some(claim)) = (is_handled && call.is_pending(), call.held()) {
                self.check_claim(now, claim);
            }
            let is_over = matches!(call.status, Status::Complete | Status::Failed);
            assert!(!is_over || call.is_held, "nobody settled it: {call:?}");
        }
        for index in 0..TURNS {
            let id = format!("t{index}");
            let Some(turn) = store.turn(&id).unwrap() else {
                continue;
            };
            let mut pending = found
                .iter()
                .filter(|call| call.is_pending() && call.turn == id);
            assert!(turn.is_open() || pending.next().is_none(), "P8.9: {turn:?}");
            let mut pending = found
                .iter()
                .filter(|call| call.is_pending() && call.turn == id);
            let waits = pending.any(|call| call.called.suspend);
            // The call tells that its turn is suspended, and the turn's row need not.
            let is_suspended = matches!(turn.state, State::Suspended { .. });
            let is_led = is_suspended || matches!(turn.state, State::Active(_));
            assert!(waits || !is_suspended, "P8.4: {turn:?} {found:?}");
            assert!(is_led || !waits, "P8.4: {turn:?} {found:?}");
        }
        let found = found.into_iter().map(|call| (call.place, call));
        self.known = found.collect();
    }

    /// A claim that holds is of a device that is there and was heard.
    fn check_claim(&self, now: Timestamp, claim: &sessile::protocol::call::Claim) {
        let mut heard_at = claim.at;
        if let Some(id) = &claim.connection {
            let mut devices = self.devices.iter();
            let device = devices.find(|device| device.link.as_ref() == Some(id));
            let Some(device) = device else {
                // The input that it came over was the last of its process, or it closes just now.
                assert!(self.is_open(id), "P8.9: nobody is there: {claim:?}");
                return;
            };
            heard_at = heard_at.max(device.heard_at);
        }
        let lease = claim.lease_ms as i64;
        assert!(
            now < heard_at + lease + lease / 3 + 1,
            "P8.9: {now} {claim:?}"
        );
    }
}

#[test]
fn every_call_is_settled_once_and_no_claim_outlives_its_device() {
    let (sums, is_whole) = each_seed("call", 30, run);
    let [settled, released, late] = sums;
    assert!(
        !is_whole || 40 < settled && 50 < released && 15 < late,
        "{sums:?}"
    );
}
