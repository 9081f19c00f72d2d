//! A person who is away, with two devices, while everything breaks: the processes of the sessions
//! and of the inbox, the calls between them, the push service. At rest each device has heard of
//! everything that still matters, each under one id, and nothing is owed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sessile::inbox::{self, Grant, Sight};
use sessile::protocol::capability::{Capabilities, Operations, Role};
use sessile::protocol::decode::decode_frame;
use sessile::protocol::device::{Address, DeviceRequest, Service};
use sessile::protocol::ids::Timestamp;
use sessile::protocol::inbox::Request as Ask;
use sessile::protocol::limits::Limits;
use sessile::session::{Delivered, Delivery, Effect, Input, Outcome, Request, Sender};
use sessile::store::DeliveryKind;

use crate::host::{Disk, Fate, Host};
use crate::inboxes::kept::Kept;
use crate::random::Random;
use crate::seeds::each_seed;
use crate::sim::START;
use crate::sqlite::Sqlite;

const SESSIONS: [&str; 2] = ["s1", "s2"];
const DEVICES: [&str; 2] = ["laptop", "phone"];

enum Event {
    /// A session's call arrives at the inbox, made by the process of that number.
    Tells(usize, Box<Delivery>, u32),
    /// Its outcome is known to that process, if it still lives.
    Told(usize, Delivered, u32),
    /// A notice arrives at the push service.
    Pushes(Box<inbox::Posting>),
    /// Its outcome is known to the inbox's process, if it still lives.
    Pushed(inbox::Delivered, u32),
    Trouble,
}

struct World {
    random: Random,
    sessions: Vec<Host>,
    inbox: Kept,
    /// How often the inbox's process has ended.
    deaths: u32,
    time: u64,
    events: BTreeMap<(u64, u64), Event>,
    ties: u64,
    is_calm: bool,
    /// Notices as devices have them: the device, and the notice.
    seen: Vec<(String, Value)>,
}

/// Returns how many notices devices got, and how many of these they had already.
fn run(seed: u64) -> [usize; 2] {
    let host = |id: &&str| {
        let mut host = Host::new(Limits::default());
        host.id = (*id).to_owned();
        host.outbound.has_inboxes = true;
        host.outbound.push.web = true;
        host
    };
    let mut world = World {
        random: Random::new(seed),
        sessions: SESSIONS.iter().map(host).collect(),
        inbox: Kept {
            name: "client:ann",
            disk: Disk(Sqlite::new()),
            awake: None,
            alarm: None,
        },
        deaths: 0,
        time: 0,
        events: BTreeMap::new(),
        ties: 0,
        is_calm: false,
        seen: Vec::new(),
    };
    DEVICES.iter().for_each(|device| world.register(device));
    world.schedule(1, Event::Trouble);
    world.pass(60_000);
    world.is_calm = true;
    world.pass(3 * 60 * 60 * 1000);
    world.judge()
}

impl World {
    fn now(&self) -> Timestamp {
        START + self.time as i64
    }

    fn schedule(&mut self, after: u64, event: Event) {
        self.ties += 1;
        self.events.insert((self.time + after, self.ties), event);
    }

    fn register(&mut self, device: &str) {
        let place = format!("https://push.example/{device}");
        let address = Address {
            service: Service::Web,
            json: json!({ "web": { "endpoint": place } }).to_string(),
            place,
        };
        let put = DeviceRequest::Put {
            id: device.to_owned(),
            address,
            origin: "https://host.example".to_owned(),
        };
        let caps = [("*".to_owned(), vec!["user".to_owned()])];
        let grant = Grant {
            client: "ann".to_owned(),
            expires_at: Timestamp::MAX,
            issued_at: 0,
            sight: Sight {
                capabilities: Capabilities::parse(&caps).unwrap(),
                role: None,
            },
        };
        let answer = self.inbox.ask(self.now(), grant, Ask::Device(put), None);
        assert_eq!(answer[0], 200, "{answer}");
    }

    fn pass(&mut self, duration: u64) {
        let until = self.time + duration;
        loop {
            let now = self.now();
            let after = |at: Timestamp| self.time + (at - now).max(0) as u64;
            let wakes = (0..SESSIONS.len()).filter_map(|index| {
                let host = &self.sessions[index];
                let timer = host.window().map(|at| after(at).min(self.time + 500));
                let at = timer.into_iter().chain(host.alarm.map(after)).min()?;
                Some((at, Some(index)))
            });
            let inbox = self.inbox.alarm.map(|at| (after(at), None));
            let wake = wakes.chain(inbox).min();
            let event = self.events.keys().next().copied();
            let next = event.map(|(at, _)| at).into_iter();
            let next = next.chain(wake.map(|(at, _)| at)).min();
            let Some(at) = next.filter(|at| *at <= until) else {
                break;
            };
            self.time = self.time.max(at);
            if let Some(key) = event.filter(|(due, _)| *due <= at) {
                let event = self.events.remove(&key).unwrap();
                self.happen(event);
            } else if let Some((_, Some(session))) = wake {
                let now = self.now();
                let host = &mut self.sessions[session];
                host.alarm = host.alarm.filter(|alarm| now < *alarm);
                self.handle(session, Input::Deadline);
                let host = &mut self.sessions[session];
                // The platform rings again where a process died of it.
                if !host.is_awake() && host.alarm.is_none() {
                    host.alarm = Some(now + 2_000);
                }
            } else {
                self.inbox.alarm = None;
                if self.inbox(inbox::Input::Deadline).is_none() {
                    self.inbox.alarm = Some(self.now() + 2_000);
                }
            }
        }
        self.time = until;
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Tells(session, delivery, process) => self.tell(session, *delivery, process),
            Event::Told(session, delivered, process) => {
                let host = &self.sessions[session];
                if host.is_awake() && host.loads == process {
                    self.handle(session, Input::Delivered(delivered));
                }
            }
            Event::Pushes(delivery) => self.push(&delivery),
            Event::Pushed(delivered, process) => {
                if process == self.deaths {
                    self.inbox(inbox::Input::Delivered(delivered));
                }
            }
            Event::Trouble if self.is_calm => {}
            Event::Trouble => {
                self.trouble();
                let after = self.random.between(1, 900);
                self.schedule(after, Event::Trouble);
            }
        }
    }

    fn trouble(&mut self) {
        let session = self.random.between(0, SESSIONS.len() as u64) as usize;
        let id = format!("x{}", self.ties);
        match self.random.between(0, 100) {
            0..30 => self.answer(session),
            30..60 => {
                let ask = json!({
                    "type": "approval.request", "id": id, "title": "Buy?", "assignees": ["ann"],
                });
                self.frame(session, "bot", ask);
            }
            60..75 => {
                let pending = self.sessions[session].log().pending_approvals().unwrap();
                if let Some(first) = pending.first() {
                    let decide = json!({
                        "type": "approval.decide", "approval": first.id, "decision": "approve",
                    });
                    self.frame(session, "ann", decide);
                }
            }
            75..85 => self.sessions[session].die(),
            85..90 if self.sessions[session].window().is_none() => self.sessions[session].evict(),
            _ => self.die(),
        }
    }

    /// Ann says something, and an agent answers at once or later.
    fn answer(&mut self, session: usize) {
        let open = self.sessions[session].log().open_turns().unwrap();
        if let Some(kept) = open.first() {
            let id = kept.turn.id.clone();
            let end = json!({
                "type": "turn.end", "turn": id, "attempt": 1, "status": "complete",
            });
            return self.frame(session, "bot", end);
        }
        let id = format!("m{}", self.ties);
        let publish = json!({ "type": "publish", "messages": [{ "id": id, "data": "hello" }] });
        self.frame(session, "ann", publish);
        let end = self.sessions[session].log().end().unwrap().place;
        let Some(epoch) = self.sessions[session].log().beginning().unwrap() else {
            return;
        };
        let input = epoch.epoch.at(end).to_string();
        let start =
            json!({ "type": "turn.start", "id": format!("t{}", self.ties), "input": input });
        self.frame(session, "bot", start);
    }

    fn frame(&mut self, session: usize, client: &str, frame: Value) {
        let received = decode_frame(&frame.to_string(), &Limits::default());
        let sender = Sender {
            connection: None,
            client: client.to_owned(),
            operations: Operations::ALL,
            role: if client == "bot" {
                Role::Agent
            } else {
                Role::User
            },
        };
        let request = Request::Frame(received);
        self.handle(session, Input::Request { sender, request });
    }

    fn handle(&mut self, session: usize, input: Input) {
        let fate = match () {
            () if self.is_calm || self.random.chance(900) => Fate::Lives,
            () if self.random.chance(500) => Fate::DiesBefore,
            () => Fate::DiesAfter,
        };
        let now = self.now();
        let effects = self.sessions[session].handle(now, input, fate);
        for effect in effects {
            if let Effect::Deliver(delivery) = effect {
                let after = self.random.between(1, 200);
                let process = self.sessions[session].loads;
                self.schedule(after, Event::Tells(session, Box::new(delivery), process));
            }
        }
    }

    fn tell(&mut self, session: usize, delivery: Delivery, process: u32) {
        let number = delivery.number;
        let failed = || Outcome::Failed {
            reason: "nobody answered".to_owned(),
        };
        let is_ann = delivery.kind == DeliveryKind::Inbox && delivery.target == "client:ann";
        let is_lost = !self.is_calm && self.random.chance(100);
        let outcome = if is_ann {
            let news = serde_json::from_str(&delivery.body).unwrap();
            let request = Ask::Told(Box::new(news));
            let sender = Grant::of_session();
            self.inbox(inbox::Input::Request { sender, request })
        } else {
            Some(())
        };
        let outcome = match outcome.filter(|()| !is_lost) {
            None => failed(),
            Some(()) => Outcome::Answered {
                status: 200,
                retry_after_ms: None,
            },
        };
        let after = self.random.between(1, 100);
        self.schedule(
            after,
            Event::Told(session, Delivered { number, outcome }, process),
        );
    }

    /// An input of the inbox; `None` if its process ended by it.
    fn inbox(&mut self, input: inbox::Input) -> Option<()> {
        let dies = match self.is_calm || self.random.chance(900) {
            true => None,
            false => Some(self.random.chance(500)),
        };
        let now = self.now();
        let effects = self.inbox.handle(now, input, dies);
        if dies.is_some() {
            self.deaths += 1;
            return None;
        }
        for effect in effects {
            if let inbox::Effect::Deliver(inbox::Delivery::Post(delivery)) = effect {
                let after = self.random.between(1, 300);
                self.schedule(after, Event::Pushes(Box::new(delivery)));
            }
        }
        Some(())
    }

    fn die(&mut self) {
        self.inbox.awake = None;
        self.deaths += 1;
    }

    fn push(&mut self, delivery: &inbox::Posting) {
        let trouble = match self.is_calm {
            true => 100,
            false => self.random.between(0, 100),
        };
        let device: Value = serde_json::from_str(&delivery.device).unwrap();
        let device = device["web"]["endpoint"].as_str().unwrap().to_owned();
        let (status, retry_after_ms) = match trouble {
            0..15 => (503, None),
            15..25 => (429, Some(self.random.between(1, 5_000))),
            25..35 => (0, None),
            _ => (201, None),
        };
        if status == 201 {
            let notice = serde_json::from_str(&delivery.notice).unwrap();
            self.seen.push((device, notice));
        }
        // The answer may be lost, with or without the process.
        let status = if trouble < 45 && status == 201 {
            0
        } else {
            status
        };
        let delivered = inbox::Delivered {
            number: delivery.number,
            status,
            retry_after_ms,
            is_gone: false,
            reason: None,
        };
        let (after, process) = (self.random.between(1, 100), self.deaths);
        self.schedule(after, Event::Pushed(delivered, process));
    }

    fn judge(&mut self) -> [usize; 2] {
        let mut ids: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
        let mut all = BTreeSet::new();
        for (device, notice) in &self.seen {
            let about = [&notice["session"], &notice["turn"], &notice["approval"]];
            let about = json!(about).to_string();
            let id = notice["id"].as_str().unwrap().to_owned();
            all.insert((device.clone(), id.clone()));
            ids.entry((device.clone(), about)).or_default().insert(id);
        }
        for (about, ids) in &ids {
            assert_eq!(ids.len(), 1, "{about:?} has one id: {ids:?}");
        }
        for device in DEVICES {
            let device = format!("https://push.example/{device}");
            for (index, session) in SESSIONS.iter().enumerate() {
                let log = self.sessions[index].log();
                for approval in log.pending_approvals().unwrap() {
                    let about = json!([session, null, approval.id]).to_string();
                    let key = (device.clone(), about);
                    assert!(ids.contains_key(&key), "{key:?} was never told");
                }
                let turns = log.turns_before(u64::from(u32::MAX), 1_000).unwrap();
                let ended = turns.iter().filter(|turn| !turn.is_open());
                if let Some(last) = ended.max_by_key(|turn| turn.version) {
                    let about = json!([session, last.id, null]).to_string();
                    let key = (device.clone(), about);
                    assert!(ids.contains_key(&key), "{key:?} was never told");
                }
            }
        }
        assert_eq!(self.inbox.alarm, None, "nothing is owed");
        [self.seen.len(), self.seen.len() - all.len()]
    }
}

#[test]
fn at_rest_each_device_has_heard_of_what_matters() {
    let ([seen, again], is_whole) = each_seed("push", 60, run);
    assert!(
        !is_whole || 2_000 < seen && 100 < again,
        "{seen} notices, {again} of them again"
    );
}
