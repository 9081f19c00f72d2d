//! A client whose tokens are revoked while it comes and goes in sessions that are evicted and
//! killed, as are its inbox and the object that keeps revocations (P11.5). Five seconds later no
//! connection that a revoked token opened is left, and those of later tokens are.

use sessile::inbox::{self, Delivery as Call, Grant as InboxGrant, Revoking};
use sessile::machine::{Carrier, Machine};
use sessile::protocol::capability::{Operations, Role};
use sessile::protocol::decode::decode_frame;
use sessile::protocol::ids::{ConnectionId, Timestamp};
use sessile::protocol::inbox::Request as Ask;
use sessile::protocol::limits::Limits;
use sessile::protocol::query::Attach;
use sessile::protocol::revocation::Revocation;
use sessile::session::{Delivered, Delivery, Effect, Input, Outcome, Request, Sender, Session};
use sessile::store::DeliveryKind;
use sessile::token::Grant;

use crate::host::{Disk, Fate, Host};
use crate::inboxes::kept::Kept;
use crate::random::Random;
use crate::seeds::each_seed;
use crate::sim::START;
use crate::sqlite::Sqlite;

const SESSIONS: [&str; 3] = ["s1", "s2", "s3"];
/// The time of the revocation.
const REVOKED: u64 = 20_000;
/// Until then a Worker may admit a revoked token: its list is three seconds old at most.
const STALE: u64 = REVOKED + 3_000;
/// From then on nothing is killed any more.
const CALM: u64 = REVOKED + 2_000;
/// No revoked token is in use from here on.
const CUT: u64 = REVOKED + 5_000;
const STEP: u64 = 20;

enum Event {
    /// A session's contact arrives at the inbox, and its outcome at the process of that number.
    Contact(usize, Box<Delivery>, u32),
    Contacted(usize, Delivered, u32),
    /// A call of the list (0) or the inbox (1) arrives, and its outcome at that life of it.
    Revokes(usize, Revoking, u32),
    Revoked(usize, inbox::Delivered, u32),
}

struct World {
    random: Random,
    sessions: Vec<Host>,
    /// The list of revocations, and the inbox of the client.
    inboxes: [Kept; 2],
    deaths: [u32; 2],
    time: u64,
    events: Vec<(u64, Event)>,
    connections: u64,
}

/// Returns how many connections were cut, and how many are open at the end.
fn run(seed: u64) -> [usize; 2] {
    let host = |id: &&str| {
        let mut host = Host::new(Limits::default());
        host.id = (*id).to_owned();
        host.outbound.has_inboxes = true;
        host
    };
    let kept = |name| Kept {
        name,
        disk: Disk(Sqlite::new()),
        awake: None,
        alarm: None,
    };
    let mut world = World {
        random: Random::new(seed),
        sessions: SESSIONS.iter().map(host).collect(),
        inboxes: [kept("revocations"), kept("client:ann")],
        deaths: [0; 2],
        time: 0,
        events: Vec::new(),
        connections: 0,
    };
    let before = world.at(REVOKED);
    let mut open = 0;
    while world.time < CUT {
        world.time += STEP;
        if world.time == REVOKED {
            open = world.old(before);
            world.revoke();
        }
        world.step();
    }
    assert_eq!(world.old(before), 0, "seed {seed}");
    let all = world.sessions.iter().map(|host| host.attachments.len());
    [open, all.sum()]
}

impl World {
    fn at(&self, time: u64) -> Timestamp {
        START + time as i64
    }

    fn now(&self) -> Timestamp {
        self.at(self.time)
    }

    fn is(&mut self, percent: u64) -> bool {
        self.random.between(0, 1_000) < percent
    }

    /// Connections whose tokens are revoked.
    fn old(&self, before: Timestamp) -> usize {
        let all = self.sessions.iter();
        let all = all.flat_map(|host| host.attachments.values());
        all.filter(|it| it.client == "ann" && it.issued_at < before)
            .count()
    }

    fn revoke(&mut self) {
        let ask = Revocation {
            client: Some("ann".to_owned()),
            ..Revocation::default()
        };
        self.ask(0, Ask::Revoke(ask));
    }

    /// A request to the list or the inbox; whether it was answered well.
    fn ask(&mut self, index: usize, request: Ask) -> bool {
        let input = inbox::Input::Request {
            sender: InboxGrant::of_session(),
            request,
        };
        self.inbox(index, input)
    }

    fn inbox(&mut self, index: usize, input: inbox::Input) -> bool {
        let dies = self.time < CALM && self.is(20);
        let now = self.now();
        let effects = self.inboxes[index].handle(now, input, dies.then_some(false));
        if dies {
            self.deaths[index] += 1;
            return false;
        }
        let mut is_answered = true;
        for effect in effects {
            match effect {
                inbox::Effect::Deliver(Call::Revoke(call)) => {
                    let after = self.random.between(1, 150);
                    let event = Event::Revokes(index, call, self.deaths[index]);
                    self.events.push((self.time + after, event));
                }
                inbox::Effect::Respond { status, .. } => is_answered = status == 200,
                _ => {}
            }
        }
        is_answered
    }

    fn session(&mut self, index: usize, input: Input) {
        let now = self.now();
        let effects = self.sessions[index].handle(now, input, Fate::Lives);
        let process = self.sessions[index].loads;
        for effect in effects {
            let Effect::Deliver(delivery) = effect else {
                continue;
            };
            if delivery.kind == DeliveryKind::Contact && delivery.target == "client:ann" {
                let after = self.random.between(1, 150);
                let event = Event::Contact(index, Box::new(delivery), process);
                self.events.push((self.time + after, event));
            } else {
                let outcome = Outcome::Answered {
                    status: 200,
                    retry_after_ms: None,
                };
                let number = delivery.number;
                let delivered = Delivered { number, outcome };
                self.events
                    .push((self.time + 1, Event::Contacted(index, delivered, process)));
            }
        }
    }

    fn step(&mut self) {
        let (due, later) = std::mem::take(&mut self.events)
            .into_iter()
            .partition(|(at, _)| *at <= self.time);
        self.events = later;
        let due: Vec<(u64, Event)> = due;
        due.into_iter().for_each(|(_, event)| self.happen(event));
        // Workers read the list once a second.
        if self.time.is_multiple_of(1_000) {
            self.ask(0, Ask::Revocations(0));
        }
        for index in 0..2 {
            if self.inboxes[index].alarm.is_some_and(|at| at <= self.now()) {
                self.inboxes[index].alarm = None;
                self.inbox(index, inbox::Input::Deadline);
            }
        }
        for index in 0..SESSIONS.len() {
            let host = &self.sessions[index];
            if host.alarm.is_some_and(|at| at <= self.now()) {
                self.sessions[index].alarm = None;
                self.session(index, Input::Deadline);
            }
            self.trouble(index);
        }
    }

    /// A client comes, goes or writes; a session is evicted or dies.
    fn trouble(&mut self, index: usize) {
        if self.is(3) {
            let is_old = self.time < STALE && self.is(700);
            let issued = match is_old {
                true => self.time.min(REVOKED - 1).saturating_sub(1_000),
                false => self.time,
            };
            if self.time < REVOKED || !is_old || self.is(500) {
                self.attach(index, self.at(issued));
            }
        }
        if self.is(3) {
            self.write(index);
        }
        let gone = self.sessions[index].attachments.keys().next().cloned();
        if let Some(connection) = gone
            && self.is(1)
        {
            self.session(index, Input::Close { connection });
        }
        // A session that waits for an answer is not evicted.
        let waits = |(_, event): &(u64, Event)| match event {
            Event::Contact(of, ..) | Event::Contacted(of, ..) => *of == index,
            _ => false,
        };
        if self.is(50) && !self.events.iter().any(waits) {
            self.sessions[index].evict();
        }
        if self.time < CALM && self.is(2) {
            self.sessions[index].die();
        }
    }

    fn attach(&mut self, index: usize, issued_at: Timestamp) {
        self.connections += 1;
        let id = ConnectionId::new(format!("c{}", self.connections));
        let grant = Grant {
            client: "ann".to_owned(),
            name: None,
            role: Role::User,
            operations: match self.is(500) {
                true => Operations::ALL,
                false => Operations::parse("read").unwrap(),
            },
            expires_at: Timestamp::MAX,
            issued_at,
        };
        let attach = Attach {
            since: None,
            rewind: 0,
            window_ms: 0,
            names: None,
        };
        let (connection, start) = Session::attach(id, Carrier::Socket, grant, attach, false);
        self.session(index, Input::Open { connection, start });
    }

    fn write(&mut self, index: usize) {
        let text = r#"{"type":"publish","messages":[{"data":"x"}]}"#;
        let sender = Sender {
            connection: None,
            client: "bob".to_owned(),
            operations: Operations::ALL,
            role: Role::Agent,
        };
        let request = Request::Frame(decode_frame(text, &Limits::default()));
        self.session(index, Input::Request { sender, request });
    }

    fn happen(&mut self, event: Event) {
        let after = self.time + self.random.between(1, 150);
        match event {
            Event::Contact(index, delivery, process) => {
                let contact = serde_json::from_str(&delivery.body).unwrap();
                let outcome = match self.ask(1, Ask::Contact(contact)) {
                    true => Outcome::Answered {
                        status: 200,
                        retry_after_ms: None,
                    },
                    false => Outcome::Failed {
                        reason: "it died".to_owned(),
                    },
                };
                let number = delivery.number;
                let delivered = Delivered { number, outcome };
                self.events
                    .push((after, Event::Contacted(index, delivered, process)));
            }
            Event::Contacted(index, delivered, process) => {
                let host = &self.sessions[index];
                if host.is_awake() && host.loads == process {
                    self.session(index, Input::Delivered(delivered));
                }
            }
            Event::Revokes(from, call, life) => {
                let one: Revocation = serde_json::from_str(&call.body).unwrap();
                let is_taken = match SESSIONS.iter().position(|id| *id == call.name) {
                    Some(index) => {
                        let sender = Sender {
                            connection: None,
                            client: String::new(),
                            operations: Operations::NONE,
                            role: Role::User,
                        };
                        let request = Request::Revoked(one);
                        self.session(index, Input::Request { sender, request });
                        true
                    }
                    None if call.name == "client:ann" => self.ask(1, Ask::Revoked(one)),
                    None => true,
                };
                let delivered = inbox::Delivered {
                    number: call.number,
                    status: if is_taken { 200 } else { 0 },
                    retry_after_ms: None,
                    is_gone: false,
                    reason: None,
                };
                self.events
                    .push((after, Event::Revoked(from, delivered, life)));
            }
            Event::Revoked(index, delivered, life) => {
                if self.deaths[index] == life {
                    self.inbox(index, inbox::Input::Delivered(delivered));
                }
            }
        }
    }
}

/// P11.5: five seconds after a revocation no connection that a revoked token opened is left.
#[test]
fn p11_5_no_connection_of_a_revoked_token_is_left() {
    let ([open, left], is_whole) = each_seed("p11_5", 120, run);
    assert!(
        !is_whole || 50 < open && 50 < left,
        "open then, and at the end: {open}, {left}"
    );
}
