//! The world of a simulation: one host, a network, clocks, and everything that breaks.

mod network;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::rc::Rc;

use sessile::protocol::capability::{Operations, Role};
use sessile::protocol::ids::{ConnectionId, Timestamp};
use sessile::protocol::limits::Limits;
use sessile::session::{Carrier, Chains, Connection, Effect, Input, Start};

use crate::checks::{Said, Witness, frames, said};
use crate::client::Client;
use crate::host::{Fate, Host};
use crate::ledger::Ledger;
use crate::random::Random;

pub const START: Timestamp = 1_800_000_000_000;

thread_local! {
    /// Everything that happened, readable also after a panic.
    pub static TRACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Adds a line to the trace.
pub fn note(time: u64, what: &str) {
    TRACE.with_borrow_mut(|trace| {
        let _ = writeln!(trace, "{time} {what}");
    });
}

/// Something that happens at a time.
#[derive(Debug)]
pub enum Event {
    Opened(ConnectionId, Box<(Connection, Start)>),
    ToServer(ConnectionId, String),
    Pinged(ConnectionId),
    ToClient(ConnectionId, Rc<Said>),
    /// The server learns that a connection is gone.
    Left(ConnectionId),
    /// Its client learns it.
    Lost(ConnectionId),
    Asked(usize, u64, String),
    Answered(usize, u64, String),
    Tick(usize),
    Timer(u64),
    Alarm(Timestamp),
    Trouble,
}

/// A connection with frames on their way in both directions, in order.
#[derive(Debug, Default)]
pub struct Link {
    pub client: usize,
    up: u64,
    down: u64,
    delay: u64,
    /// Nothing arrives any more.
    is_cut: bool,
    /// The client does not listen any more.
    pub is_left: bool,
    /// The refs sent, in order, and how many of them were answered.
    pub asked: Vec<u64>,
    pub answered: usize,
}

/// How much goes wrong in this run.
#[derive(Debug)]
pub struct Plan {
    evict: u64,
    die: u64,
    cut: u64,
    jump: u64,
    pub retention_ms: Option<u64>,
    late: u64,
    trouble_ms: u64,
}

impl Plan {
    fn new(random: &mut Random) -> Self {
        Self {
            evict: *random.pick(&[0, 5, 100, 1000]),
            die: *random.pick(&[0, 1, 5, 20]),
            cut: *random.pick(&[0, 300, 700]),
            jump: *random.pick(&[0, 0, 100]),
            retention_ms: random.chance(150).then(|| random.between(1000, 4000)),
            late: *random.pick(&[0, 5, 50]),
            trouble_ms: *random.pick(&[50, 200, 1000]),
        }
    }
}

/// The settings of this run for turns and presence.
#[derive(Debug, Default)]
pub struct Rules {
    pub grace_ms: Timestamp,
    pub suspend_ms: Timestamp,
    pub presence_ms: Timestamp,
    pub attempts: u64,
    /// The effect of an input during another one's answer.
    pub on_input: &'static str,
    /// Whether final turns may be forgotten.
    pub is_trimmed: bool,
    /// Whether somebody changes what others wrote, instructions too.
    pub is_meddled: bool,
}

pub struct Sim {
    pub random: Random,
    pub host: Host,
    pub time: u64,
    skew: i64,
    events: BTreeMap<(u64, u64), Event>,
    ties: u64,
    pub links: BTreeMap<ConnectionId, Link>,
    connections: u64,
    pub clients: Vec<Client>,
    timer: Option<(u64, u64)>,
    alarm: Option<Timestamp>,
    pub plan: Plan,
    /// The first settings of each life of the session.
    pub settings: Option<serde_json::Value>,
    /// Nothing breaks any more.
    pub is_calm: bool,
    pub witness: Witness,
    pub ledger: Ledger,
    /// Whether the process died of the last input.
    is_dead: bool,
    /// The latest time that any clock has shown.
    latest: Timestamp,
    /// Messages that somebody else than their writer changed.
    pub touched: BTreeSet<String>,
}

impl Sim {
    pub fn new(seed: u64) -> Self {
        TRACE.with_borrow_mut(String::clear);
        let mut random = Random::new(seed);
        let plan = Plan::new(&mut random);
        note(0, &format!("{plan:?}"));
        let mut limits = Limits::default();
        if random.chance(250) {
            limits.unsent_bytes = 3_000;
        }
        if random.chance(300) {
            limits.presence_listed = random.between(0, 4);
        }
        let is_trimmed = plan.retention_ms.is_some();
        Self {
            random,
            host: Host::new(limits),
            time: 0,
            skew: 0,
            events: BTreeMap::new(),
            ties: 0,
            links: BTreeMap::new(),
            connections: 0,
            clients: Vec::new(),
            timer: None,
            alarm: None,
            plan,
            settings: None,
            is_calm: false,
            witness: Witness::new(is_trimmed),
            ledger: Ledger::default(),
            is_dead: false,
            latest: START,
            touched: BTreeSet::new(),
        }
    }

    pub fn now(&self) -> Timestamp {
        START + self.time as i64 + self.skew
    }

    pub fn schedule(&mut self, after: u64, event: Event) -> u64 {
        self.ties += 1;
        self.events.insert((self.time + after, self.ties), event);
        self.ties
    }

    /// Lets the next thing happen; false when nothing is left to happen before `until`.
    pub fn step(&mut self, until: u64) -> bool {
        let Some(entry) = self.events.first_entry() else {
            return false;
        };
        let (time, tie) = *entry.key();
        if until < time {
            return false;
        }
        let event = entry.remove();
        self.time = time;
        if !matches!(event, Event::Timer(_) | Event::Tick(_)) {
            note(time, &format!("{event:?}"));
        }
        self.happen(event, tie);
        true
    }

    /// Whether anything is on its way to a client.
    pub fn is_underway(&self) -> bool {
        let mut events = self.events.values();
        events.any(|event| matches!(event, Event::ToClient(..)))
    }

    fn happen(&mut self, event: Event, tie: u64) {
        match event {
            Event::Opened(id, opening) => {
                if !self.links[&id].is_cut {
                    let (connection, start) = *opening;
                    self.ledger.opened(self.now(), &id);
                    self.handle(Input::Open { connection, start });
                }
            }
            Event::ToServer(id, text) => {
                let is_there = self.host.attachments.contains_key(&id);
                if is_there && !self.links[&id].is_cut {
                    let (now, client) = (
                        self.now(),
                        self.clients[self.links[&id].client].name.clone(),
                    );
                    self.ledger
                        .ask(&self.host, now, Some(&id), &client, &frames(&text));
                    let is_alone = tie.is_multiple_of(3);
                    let input = self.host.message(&id, &text, is_alone);
                    self.handle(input);
                }
            }
            Event::Pinged(id) => {
                let is_there = self.host.attachments.contains_key(&id);
                if is_there && !self.links[&id].is_cut {
                    // The platform knows the last one only, which a clock that jumped back
                    // makes earlier than the one before: nobody can tell then.
                    let known = self.host.pings.get(&id).copied();
                    let at = known.map_or(self.now(), |known| known.max(self.now()));
                    self.host.ping(&id, at);
                    self.ledger.ping(at, &id);
                }
            }
            Event::ToClient(id, said) => {
                let link = &self.links[&id];
                if !link.is_cut && !link.is_left {
                    let index = link.client;
                    self.with_client(index, |client, sim| client.receive(sim, &id, &said.frames));
                }
            }
            Event::Left(id) => {
                if self.host.attachments.contains_key(&id) {
                    self.handle(Input::Close { connection: id });
                }
            }
            Event::Lost(id) => {
                let link = &self.links[&id];
                if !link.is_left {
                    let index = link.client;
                    self.leave(&id);
                    self.with_client(index, |client, sim| client.lost(sim, &id));
                }
            }
            Event::Asked(index, number, text) => self.ask(index, number, &text),
            Event::Answered(index, number, body) => {
                self.with_client(index, |client, sim| client.answered(sim, number, &body));
            }
            Event::Tick(index) => self.with_client(index, Client::tick),
            Event::Timer(number) => {
                if self.timer.is_some_and(|(_, armed)| armed == number) {
                    debug_assert!(number <= tie);
                    self.timer = None;
                    self.handle(Input::Deadline);
                }
            }
            Event::Alarm(at) => self.ring(at),
            Event::Trouble => self.trouble(),
        }
    }

    fn with_client(&mut self, index: usize, act: impl FnOnce(&mut Client, &mut Self)) {
        let mut client = std::mem::take(&mut self.clients[index]);
        act(&mut client, self);
        self.clients[index] = client;
    }
}

/// The platform's behaviour.
impl Sim {
    /// Handles an input, and whatever breaks meanwhile. Returns the HTTP response.
    pub fn handle(&mut self, input: Input) -> Option<String> {
        let is_deadline = matches!(input, Input::Deadline);
        let fate = match self.plan.die {
            chance if self.is_calm || !self.random.chance(chance) => Fate::Lives,
            _ if self.random.chance(300) => Fate::DiskFails(self.random.between(0, 6)),
            _ if self.random.chance(500) => Fate::DiesBefore,
            _ => Fate::DiesAfter,
        };
        let now = self.now();
        self.latest = self.latest.max(now);
        let effects = self.host.handle(now, input, fate);
        let is_dead = fate != Fate::Lives && !self.host.is_awake();
        self.is_dead = is_dead;
        if is_dead {
            note(self.time, &format!("{fate:?}"));
            self.after_death();
        }
        let said = said(&effects);
        if !effects.contains(&Effect::Erase) {
            let log = self.host.log();
            self.witness.check(&log, &said);
            self.ledger.follow(&self.host, &log, now, &said, is_dead);
        }
        let mut said = said.into_iter();
        let mut response = None;
        let is_closing = effects
            .iter()
            .any(|effect| matches!(effect, Effect::Close { .. }));
        for effect in effects {
            match effect {
                Effect::Send { to, .. } => {
                    let said = said.next().unwrap();
                    to.iter().for_each(|id| self.sent(id, &said));
                }
                Effect::Close {
                    connection, code, ..
                } => {
                    note(self.time, &format!("closes {connection} {code}"));
                    let after = self.down(&connection);
                    self.schedule(after, Event::Lost(connection));
                }
                Effect::Respond { body, .. } => response = Some(body),
                Effect::Remember(_) | Effect::Erase | Effect::Deliver(_) | Effect::Reach(_) => {}
            }
        }
        // A member closed last is announced as left by the next input.
        if is_deadline && !is_dead && !is_closing {
            let due = self.host.window();
            assert!(
                due.is_none_or(|due| now < due),
                "a timer that rang wants to ring at once"
            );
        }
        self.arm();
        let may_sleep = !self.is_calm && self.host.window().is_none();
        if may_sleep && self.random.chance(self.plan.evict) {
            self.host.evict();
        }
        response
    }

    fn sent(&mut self, id: &ConnectionId, said: &Rc<Said>) {
        let after = self.down(id);
        self.schedule(after, Event::ToClient(id.clone(), Rc::clone(said)));
    }

    /// One timer for the rollup window, one alarm: as the session wants them.
    fn arm(&mut self) {
        let now = self.now();
        self.timer = match (self.host.window(), self.timer) {
            (None, _) => None,
            (Some(due), armed) => {
                let after = u64::try_from((due - now).max(0)).unwrap();
                assert!(
                    after <= 500 || 0 != self.skew,
                    "timers serve 500 ms at most"
                );
                let after = after.min(500) + self.random.between(0, self.plan.late + 1);
                match armed {
                    Some((at, _)) if at <= self.time + after => armed,
                    _ => {
                        let number = self.schedule(after, Event::Timer(self.ties + 1));
                        Some((self.time + after, number))
                    }
                }
            }
        };
        if self.alarm != self.host.alarm {
            self.alarm = self.host.alarm;
            if let Some(at) = self.alarm {
                let after = u64::try_from(at.saturating_sub(now).max(0)).unwrap();
                let late = self.random.between(0, self.plan.late * 10 + 1);
                self.schedule(after + late, Event::Alarm(at));
            }
        }
    }

    fn ring(&mut self, at: Timestamp) {
        if self.host.alarm != Some(at) {
            return;
        }
        self.alarm = None;
        if at <= self.now() {
            self.host.alarm = None;
            self.handle(Input::Deadline);
            if self.is_dead && self.host.alarm.is_none() {
                // The platform tries again.
                self.host.alarm = Some(at);
                self.arm();
            }
        } else {
            // The clock jumped back meanwhile.
            self.arm();
        }
    }

    fn after_death(&mut self) {
        self.timer = None;
        let links: Vec<ConnectionId> = self.links.keys().cloned().collect();
        for id in links {
            if !self.links[&id].is_cut && !self.links[&id].is_left {
                self.cut(&id);
            }
        }
    }

    /// Something breaks, or only seems to.
    fn trouble(&mut self) {
        if self.is_calm {
            return;
        }
        let next = self.random.between(1, self.plan.trouble_ms);
        self.schedule(next, Event::Trouble);
        let open: Vec<ConnectionId> = self
            .links
            .iter()
            .filter(|(_, link)| !link.is_cut)
            .map(|(id, _)| id.clone())
            .collect();
        if !open.is_empty() && self.random.chance(self.plan.cut) {
            let id = self.random.pick(&open).clone();
            note(self.time, &format!("cuts {id}"));
            self.cut(&id);
        }
        if self.random.chance(self.plan.jump) {
            let back = self.random.chance(500);
            let far = *self.random.pick(&[100, 3_000, 400_000]);
            self.skew += self.random.between(0, far) as i64 * if back { -1 } else { 1 };
            note(self.time, &format!("the clock is {} ms off", self.skew));
            self.ledger.jumped(self.now());
            // An alarm that the clock has passed rings.
            self.alarm = None;
            self.arm();
        }
        if self.random.chance(50) {
            note(self.time, "an alarm rings early");
            self.handle(Input::Deadline);
        }
        if self.random.chance(self.plan.die * 2) {
            note(self.time, "the process dies");
            self.host.die();
            self.ledger.died(self.now());
            self.after_death();
        }
    }

    /// From now on nothing breaks, and clocks do not go back.
    pub fn calm_down(&mut self) {
        self.is_calm = true;
        self.skew += (self.latest - self.now()).max(0);
        note(
            self.time,
            &format!("calm, the clock is {} ms off", self.skew),
        );
        self.alarm = None;
        self.arm();
    }
}

/// A connection as most of them are.
pub fn connection(client: &str, words: &str, expires_at: Timestamp) -> Connection {
    Connection {
        id: ConnectionId::new("unnamed"),
        carrier: Carrier::Socket,
        client: client.to_owned(),
        name: None,
        role: Role::User,
        operations: Operations::parse(words).unwrap(),
        expires_at,
        issued_at: 0,
        window_ms: 40,
        names: None,
        told: None,
        chains: Chains::default(),
        is_probed: false,
        heard_at: 0,
        member: None,
    }
}
