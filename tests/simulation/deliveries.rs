//! Deliveries while everything breaks: the process, the disk, the clock, the network and the
//! endpoints. Only an administrator is there, who asks, decides, leads, and deletes the session now
//! and then.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sessile::protocol::capability::{Operations, Role};
use sessile::protocol::hooks::Hook;
use sessile::protocol::ids::Timestamp;
use sessile::protocol::limits::{DEAD_LETTER_MS, Limits};
use sessile::protocol::serial::PLACE_MAX;
use sessile::protocol::turn::State;
use sessile::session::{Delivered, Delivery, Effect, Input, Outcome, Request, Sender};

use crate::host::Host;
use crate::random::Random;
use crate::seeds::each_seed;
use crate::sim::START;

const TARGETS: [&str; 3] = [
    "https://a.example/",
    "https://b.example/",
    "https://c.example/",
];
/// How the deliveries begin of what time alone brings about.
const DUE: [&str; 3] = [
    r#"{"type":"approval.settle""#,
    r#"{"type":"turn.end""#,
    r#"{"type":"turn.lost""#,
];
const GIVE_UP_MS: u64 = 120_000;
/// The longest call, and the time after which the process that made it is taken to be gone.
const CALL_MS: u64 = 10_000;

/// Something that happens at a time.
#[derive(Debug)]
enum Event {
    /// A call arrives at its endpoint, made by the process of that number.
    Arrives(Box<Delivery>, u32),
    /// Its outcome is known to that process, if it still lives.
    Ends(Delivered, u32),
    Trouble,
}

/// A delivery as seen from outside.
#[derive(Debug)]
struct Known {
    id: String,
    target: String,
    owed_at: Timestamp,
    is_taken: bool,
    is_gone: bool,
}

/// Everything in a session that hooks hear of.
#[derive(Default)]
struct Heard {
    ended: BTreeSet<u64>,
    turns: u64,
    /// The attempts of turns, which only grow when an agent is lost.
    attempts: u64,
    lost: usize,
    asked: BTreeSet<u64>,
    settled: BTreeSet<u64>,
    lead: u64,
}

struct World {
    random: Random,
    host: Host,
    time: u64,
    skew: i64,
    events: BTreeMap<(u64, u64), Event>,
    ties: u64,
    is_calm: bool,
    /// Targets that answer nobody until then.
    down: BTreeMap<String, u64>,
    /// Everything that was ever owed, in order.
    known: Vec<Known>,
    /// The rows of deliveries after the last input, by number.
    rows: BTreeSet<u64>,
    /// Everything that hooks hear of, as it stood after the last input.
    heard: Heard,
    deletions: u64,
    events_told: u64,
    attempts: u64,
    dead: u64,
}

/// Returns how many deletions were told, and in how many attempts, and how many were given up.
fn run(seed: u64) -> [u64; 4] {
    let mut random = Random::new(seed);
    let limits = Limits {
        give_up_ms: GIVE_UP_MS,
        deliveries: *random.pick(&[1_000, 1_000, 4]),
        ..Limits::default()
    };
    let mut host = Host::new(limits);
    let count = random.between(1, 4) as usize;
    let hook = |url: &&str| Hook {
        url: (*url).to_owned(),
        events: None,
    };
    host.outbound.hooks = TARGETS[..count].iter().map(hook).collect();
    host.outbound.has_secret = true;
    let mut world = World {
        random,
        host,
        time: 0,
        skew: 0,
        events: BTreeMap::new(),
        ties: 0,
        is_calm: false,
        down: BTreeMap::new(),
        known: Vec::new(),
        rows: BTreeSet::new(),
        heard: Heard::default(),
        deletions: 0,
        events_told: 0,
        attempts: 0,
        dead: 0,
    };
    world.schedule(1, Event::Trouble);
    world.pass(60_000);
    world.is_calm = true;
    // Nobody touches it: alarms alone bring everything to its end.
    world.pass(GIVE_UP_MS * 2 + 3 * CALL_MS);
    world.judge();
    [
        world.deletions,
        world.attempts,
        world.dead,
        world.events_told,
    ]
}

impl World {
    fn now(&self) -> Timestamp {
        START + self.time as i64 + self.skew
    }

    fn schedule(&mut self, after: u64, event: Event) {
        self.ties += 1;
        self.events.insert((self.time + after, self.ties), event);
    }

    /// Lets time pass, with all that happens meanwhile, alarms among it.
    fn pass(&mut self, duration: u64) {
        let until = self.time + duration;
        loop {
            let event = self.events.keys().next().copied();
            let now = self.now();
            let alarm = self
                .host
                .alarm
                .map(|alarm| self.time + (alarm - now).max(0) as u64);
            let at = event.map(|(at, _)| at).into_iter().chain(alarm).min();
            let Some(at) = at.filter(|at| *at <= until) else {
                break;
            };
            self.time = self.time.max(at);
            if let Some(event) = event.filter(|(due, _)| *due <= at) {
                let event = self.events.remove(&event).unwrap();
                self.happen(event);
            } else {
                self.host.alarm = None;
                self.handle(Input::Deadline);
                // The platform rings again where a process died of it.
                if !self.host.is_awake() && self.host.alarm.is_none() {
                    self.host.alarm = Some(self.now() + 2_000);
                }
            }
        }
        self.time = until;
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Arrives(delivery, process) => self.arrive(*delivery, process),
            Event::Ends(delivered, process) => {
                if self.host.is_awake() && self.host.loads == process {
                    self.handle(Input::Delivered(delivered));
                }
            }
            Event::Trouble if self.is_calm => {}
            Event::Trouble => {
                self.trouble();
                let after = self.random.between(1, 2_000);
                self.schedule(after, Event::Trouble);
            }
        }
    }

    fn trouble(&mut self) {
        match self.random.between(0, 20) {
            0..12 => {
                let frame = self.frame();
                let received =
                    sessile::protocol::decode::decode_frame(&frame.to_string(), &self.host.limits);
                self.ask(Request::Frame(received));
            }
            12..15 => self.ask(Request::Erase),
            15 => self.host.die(),
            16 => self.host.evict(),
            17 => self.skew += self.random.between(0, 40_000) as i64 - 20_000,
            _ => {
                let target = (*self.random.pick(&TARGETS)).to_owned();
                let until = self.time + self.random.between(0, GIVE_UP_MS * 3 / 2);
                self.down.insert(target, until);
            }
        }
    }

    fn frame(&mut self) -> Value {
        let name = |kind: &str, number: u64| format!("{kind}{number}");
        let (turn, approval) = (self.random.between(0, 3), self.random.between(0, 3));
        let (turn, approval) = (name("t", turn), name("a", approval));
        match self.random.between(0, 8) {
            0 => json!({ "type": "publish", "messages": [{ "data": "x" }] }),
            1 => json!({ "type": "turn.start", "id": turn, "leaseMs": 20_000 }),
            2 | 3 => json!({ "type": "cancel", "turn": turn }),
            4 => json!({ "type": "approval.request", "id": approval, "title": "?",
                         "deadlineMs": self.random.between(1, 60_000) }),
            5 => json!({ "type": "approval.decide", "approval": approval, "decision": "dismiss" }),
            6 => json!({ "type": "lead.take" }),
            _ => json!({ "type": "lead.return" }),
        }
    }

    fn ask(&mut self, request: Request) {
        let sender = Sender {
            connection: None,
            client: "admin".to_owned(),
            operations: Operations::ALL,
            role: Role::User,
        };
        self.handle(Input::Request { sender, request });
    }

    fn handle(&mut self, input: Input) {
        let fate = self.random.fate(self.is_calm, 800);
        let (now, before) = (self.now(), self.epoch());
        let effects = self.host.handle(now, input, fate);
        let rows: BTreeSet<u64> = if effects.contains(&Effect::Erase) {
            BTreeSet::new()
        } else {
            let rows = self.host.log().deliveries().unwrap();
            rows.iter().map(|owed| owed.number).collect()
        };
        self.compare(now, before, &rows);
        self.rows = rows;
        for effect in effects {
            if let Effect::Deliver(delivery) = effect {
                self.attempts += 1;
                let index = self.index(&delivery.id);
                assert_eq!(self.known[index].target, delivery.target);
                let after = self.random.between(1, 300);
                let process = self.host.loads;
                self.schedule(after, Event::Arrives(Box::new(delivery), process));
            }
        }
    }

    /// Which life of the session there is.
    fn epoch(&self) -> Option<String> {
        let beginning = self.host.log().beginning().unwrap();
        beginning.map(|beginning| beginning.epoch.as_str().to_owned())
    }

    /// P10.4: a deletion and what is owed for it are one step, whatever breaks.
    fn compare(&mut self, now: Timestamp, before: Option<String>, rows: &BTreeSet<u64>) {
        let is_deleted = before.is_some() && before != self.epoch();
        let hooks: Vec<String> = self
            .host
            .outbound
            .hooks
            .iter()
            .map(|it| it.url.clone())
            .collect();
        let added: Vec<u64> = rows.difference(&self.rows).copied().collect();
        let mut events = self.events(is_deleted, before.is_none() && self.epoch().is_some());
        if is_deleted {
            // Deadlines that had passed came first, and only their deliveries tell of them.
            let is_due = |number: &&u64| {
                let body = self.host.log().parcel(**number).unwrap().unwrap().body;
                DUE.iter().any(|kind| body.starts_with(kind))
            };
            events += added.iter().filter(is_due).count() / hooks.len();
        }
        let expected = events * hooks.len();
        assert_eq!(added.len(), expected, "a row for each hook and event");
        self.deletions += u64::from(is_deleted);
        self.events_told += events as u64;
        for (number, target) in added.into_iter().zip(hooks.into_iter().cycle()) {
            let id = self.host.log().parcel(number).unwrap().unwrap().id;
            let is_new = self.known.iter().all(|known| known.id != id);
            assert!(is_new, "no id is given twice");
            self.known.push(Known {
                id,
                target,
                owed_at: now,
                is_taken: false,
                is_gone: false,
            });
        }
    }

    /// How many events there were with the last input.
    fn events(&mut self, is_deleted: bool, is_begun: bool) -> usize {
        let before = std::mem::take(&mut self.heard);
        let store = self.host.log();
        if is_deleted || store.beginning().unwrap().is_none() {
            return usize::from(is_deleted);
        }
        let now = &mut self.heard;
        for turn in store.turns_before(PLACE_MAX, 1_000).unwrap() {
            now.turns += 1;
            now.attempts += turn.attempt;
            if let State::Ended { reason, .. } = &turn.state {
                now.lost += usize::from(reason.as_deref() == Some("agent-lost"));
                now.ended.insert(turn.place);
            }
        }
        let (approvals, _) = store.approvals_before(PLACE_MAX, 1_000, 1 << 30).unwrap();
        for approval in &approvals {
            now.asked.insert(approval.place);
            if !approval.is_pending() {
                now.settled.insert(approval.place);
            }
        }
        now.lead = store
            .handover()
            .unwrap()
            .map_or(0, |(lead, _)| lead.version);
        let is_started = |turn: &u64| !before.ended.contains(turn);
        let ended = now.ended.iter().filter(|turn| is_started(turn)).count();
        let again = now.attempts - before.attempts - (now.turns - before.turns);
        let again = usize::try_from(again).unwrap();
        usize::from(is_begun)
            + ended
            + (now.lost - before.lost)
            + again
            + now.asked.difference(&before.asked).count()
            + now.settled.difference(&before.settled).count()
            + usize::from(now.lead != before.lead)
    }

    /// Which of all deliveries has an id: one that was a row before it went out.
    fn index(&self, id: &str) -> usize {
        let mut known = self.known.iter();
        known
            .position(|known| known.id == id)
            .expect("a delivery that is owed")
    }

    fn arrive(&mut self, delivery: Delivery, process: u32) {
        let is_down = self
            .down
            .get(&delivery.target)
            .is_some_and(|until| self.time < *until);
        let number = delivery.number;
        let failed = || Outcome::Failed {
            reason: "nobody answered".to_owned(),
        };
        let answered = |status, wait: Option<u64>| Outcome::Answered {
            status,
            retry_after_ms: wait,
        };
        let (outcome, after) = match self.random.between(0, 100) {
            _ if is_down && self.random.chance(500) => (failed(), CALL_MS),
            _ if is_down => (answered(503, Some(self.random.between(0, 30_000))), 50),
            0..15 if !self.is_calm => {
                // It was taken, and the answer is lost.
                self.take(&delivery);
                (failed(), CALL_MS)
            }
            15..30 if !self.is_calm => (answered(500, None), 50),
            30..34 => {
                let index = self.index(&delivery.id);
                self.known[index].is_gone = true;
                (answered(410, None), 50)
            }
            _ => {
                self.take(&delivery);
                (answered(204, None), self.random.between(1, 9_000))
            }
        };
        self.schedule(after, Event::Ends(Delivered { number, outcome }, process));
    }

    /// P10.4: in order for each target, by what the receiver sees first of each.
    fn take(&mut self, delivery: &Delivery) {
        let body: Value = serde_json::from_str(&delivery.body).unwrap();
        assert_eq!(body["id"], delivery.id.as_str());
        let index = self.index(&delivery.id);
        // A second call of one that was refused for good may come late.
        if !self.known[index].is_taken && !self.known[index].is_gone {
            let mut later = self.known[index..].iter();
            let is_later = |known: &&Known| known.is_taken && known.target == delivery.target;
            assert!(later.find(is_later).is_none(), "{delivery:?} was overtaken");
        }
        self.known[index].is_taken = true;
    }

    /// In the end each was taken, or is a dead letter for a reason.
    fn judge(&mut self) {
        let letters = self.host.log().dead_letters().unwrap();
        let waiting = self.host.log().deliveries().unwrap().into_iter();
        let waiting: Vec<_> = waiting.filter(|owed| owed.dead_at.is_none()).collect();
        assert!(waiting.is_empty(), "nothing waits any more: {waiting:#?}");
        let dead: BTreeMap<&str, _> = letters.iter().map(|it| (it.id.as_str(), it)).collect();
        for known in &self.known {
            let Some(letter) = dead.get(known.id.as_str()) else {
                let is_told = known.is_taken || known.is_gone;
                assert!(is_told, "it is forgotten: {known:?}");
                continue;
            };
            self.dead += 1;
            let reason = letter.reason.as_str();
            let is_due = known.owed_at + GIVE_UP_MS as i64 <= letter.owed.dead_at.unwrap();
            let is_meant = match reason {
                "it wants nothing more (410)" => known.is_gone,
                "4 are pending already" | "1000 are pending already" => letter.owed.attempts == 0,
                _ => is_due,
            };
            assert!(
                is_meant,
                "it was given up without need: {letter:?} {known:?}"
            );
        }
        if self.epoch().is_none() {
            // A week later nothing is left, and nobody had to come for it.
            self.pass(DEAD_LETTER_MS + 40_000);
            assert!(
                self.host.disk.0.tables().is_empty(),
                "{:?}",
                self.host.disk.0.tables()
            );
        }
    }
}

#[test]
fn each_delivery_arrives_in_order_or_becomes_a_dead_letter() {
    let ([deletions, attempts, dead, events], is_whole) = each_seed("deliveries", 120, run);
    let has_all = 200 < deletions && 2_000 < events && events < attempts && 40 < dead;
    assert!(
        !is_whole || has_all,
        "{deletions} deletions of {events} events, {attempts} attempts, {dead} dead"
    );
}
