//! Forks while everything breaks (P11.6): the session that is forked goes on, both objects are
//! evicted and die, calls are lost, late or made twice, and sometimes the source is deleted.

use serde_json::Value;
use sessile::protocol::capability::{Operation, Operations, Role};
use sessile::protocol::decode::decode_frame;
use sessile::protocol::ids::Timestamp;
use sessile::protocol::limits::{FORK_MS, Limits};
use sessile::protocol::serial::{PLACE_MAX, Place, Serial};
use sessile::protocol::transfer::{Batch, Cursor, Origin, Page};
use sessile::session::{Delivered, Delivery, Effect, Input, Outcome, Request, Sender};
use sessile::store::{Span, Store};

use crate::host::Host;
use crate::random::Random;
use crate::seeds::each_seed;
use crate::sim::START;

const FROM: &str = "s1";

struct World {
    random: Random,
    source: Host,
    fork: Host,
    time: i64,
    is_calm: bool,
    /// Calls on their way.
    calls: Vec<Delivery>,
    /// Where the fork was begun.
    at: Option<Serial>,
    texts: u64,
    steps: u64,
    gone: u64,
    whole: u64,
}

/// Returns how many steps were made, and how many forks were whole, and thrown away.
fn run(seed: u64) -> [u64; 3] {
    let mut source = Host::new(Limits::default());
    let mut fork = Host::new(Limits::default());
    // Its epochs are others.
    (source.loads, fork.loads) = (0, 1_000);
    fork.id = "s2".to_owned();
    let mut world = World {
        random: Random::new(seed),
        source,
        fork,
        time: 0,
        is_calm: false,
        calls: Vec::new(),
        at: None,
        texts: 0,
        steps: 0,
        gone: 0,
        whole: 0,
    };
    for _ in 0..60 {
        world.speak();
    }
    for _ in 0..100 {
        world.moment();
    }
    // In calm the alarm alone brings it to its end.
    world.is_calm = true;
    for _ in 0..2_000 {
        if let Some(call) = world.calls.pop() {
            world.answer(&call);
        } else if let Some(alarm) = world.fork.alarm.take() {
            world.time = world.time.max(alarm - START);
            world.tell_fork(Input::Deadline);
        }
        if !world.is_going_on() {
            break;
        }
    }
    assert!(!world.is_going_on(), "it goes on for ever");
    let is_whole = world.fork.log().beginning().unwrap().is_some();
    if let Some(at) = world.at.filter(|_| is_whole) {
        world.check(at);
    }
    [world.steps, world.whole + u64::from(is_whole), world.gone]
}

/// A client with one right.
fn sender(operation: Operation) -> Sender {
    Sender {
        connection: None,
        client: "bot".to_owned(),
        operations: Operations::of(&[operation]),
        role: Role::User,
    }
}

impl World {
    fn now(&self) -> Timestamp {
        START + self.time
    }

    fn is_going_on(&self) -> bool {
        self.fork.log().importing().unwrap().is_some()
    }

    fn moment(&mut self) {
        self.time += self.random.between(0, 3_000) as i64;
        if self.fork.alarm.is_some_and(|alarm| alarm <= self.now()) && self.random.chance(700) {
            self.fork.alarm = None;
            self.tell_fork(Input::Deadline);
        }
        match self.random.between(0, 100) {
            0..5 => self.speak(),
            5..10 => self.end(),
            10..35 => self.begin(),
            35..70 => self.deliver(),
            70..77 => self.source.evict(),
            77..84 => self.fork.evict(),
            84..88 => self.source.die(),
            88..92 => {
                self.fork.die();
                // Nobody is left to make its calls.
                let is_made = self.random.chance(200);
                self.calls.retain(|_| is_made);
            }
            92..95 => self.time += self.random.between(0, 60_000) as i64,
            95 => self.time += FORK_MS as i64 / 4,
            96..98 if self.is_going_on() && self.random.chance(300) => {
                self.tell_source(sender(Operation::Admin), Request::Erase);
            }
            _ => self.look(),
        }
    }

    /// Somebody says something in the source.
    fn speak(&mut self) {
        self.texts += 1;
        let bytes = self.random.between(20_000, 60_000) as usize;
        let data = format!("{} {}", self.texts, "x".repeat(bytes));
        let frame = serde_json::json!({ "type": "publish", "messages": [{ "data": data }] });
        let received = decode_frame(&frame.to_string(), &Limits::default());
        self.tell_source(sender(Operation::Publish), Request::Frame(received));
    }

    fn tell_source(&mut self, sender: Sender, request: Request) -> Option<(u16, String)> {
        let fate = self.random.fate(self.is_calm, 900);
        let input = Input::Request { sender, request };
        let effects = self.source.handle(self.now(), input, fate);
        answer(&effects)
    }

    fn tell_fork(&mut self, input: Input) -> Option<(u16, String)> {
        let was_going_on = self.is_going_on();
        let fate = self.random.fate(self.is_calm, 900);
        let effects = self.fork.handle(self.now(), input, fate);
        for effect in &effects {
            if let Effect::Deliver(call) = effect {
                self.calls.push(call.clone());
            }
        }
        let is_gone = self.fork.log().beginning().unwrap().is_none();
        self.gone += u64::from(was_going_on && is_gone);
        answer(&effects)
    }

    /// Somebody looks into the fork: it is there, or says that it is not.
    fn look(&mut self) {
        let was_going_on = self.is_going_on();
        let page = Request::Export(Page {
            after: None,
            is_fork: true,
            at: None,
        });
        let sender = sender(Operation::Read);
        let input = Input::Request {
            sender,
            request: page,
        };
        if let Some((status, _)) = self.tell_fork(input) {
            assert_eq!(status == 409, was_going_on, "{status}");
        }
    }

    fn page(&mut self, after: Option<Cursor>, at: Option<Serial>) -> Option<(u16, String)> {
        let page = Page {
            after,
            is_fork: true,
            at,
        };
        self.tell_source(sender(Operation::Read), Request::Export(page))
    }

    fn begin(&mut self) {
        let Some(beginning) = self.source.log().beginning().unwrap() else {
            return;
        };
        let end = self.source.log().end().unwrap().place;
        let at = beginning.epoch.at(self.random.between(end / 2, end + 1));
        let at = self
            .at
            .or(Some(at))
            .filter(|it| it.epoch == beginning.epoch);
        let Some((200, lines)) = self.page(None, at) else {
            return;
        };
        let request = Request::Import(Batch {
            after: None,
            from: Some(FROM.to_owned()),
            at: at.map(|at| at.to_string()),
            lines,
        });
        let sender = sender(Operation::Turn);
        self.tell_fork(Input::Request { sender, request });
        // The answer may be lost: it has begun if there is a row of it.
        let begun = self.fork.log().beginning().unwrap();
        let origin = begun.and_then(|it| Origin::read(&it.settings.forked_from?));
        self.at = origin.map(|it| it.serial);
    }

    /// A fork that is whole is deleted, so that another one may begin.
    fn end(&mut self) {
        if self.is_going_on() || self.fork.log().beginning().unwrap().is_none() {
            return;
        }
        if let Some(at) = self.at {
            self.check(at);
        }
        let sender = sender(Operation::Admin);
        let request = Request::Erase;
        self.tell_fork(Input::Request { sender, request });
        if self.fork.log().beginning().unwrap().is_none() {
            self.whole += 1;
            self.at = None;
        }
    }

    /// A call is lost, made late, made twice, or just made.
    fn deliver(&mut self) {
        if self.calls.is_empty() {
            return;
        }
        let index = self.random.between(0, self.calls.len() as u64) as usize;
        let call = self.calls.remove(index);
        if self.random.chance(100) {
            return;
        }
        if self.random.chance(100) {
            self.calls.push(call.clone());
        }
        self.answer(&call);
    }

    fn answer(&mut self, call: &Delivery) {
        let (name, cursor) = call.body.split_once('\n').unwrap();
        let page = self.page(Cursor::parse(cursor), None);
        let outcome = match page {
            None => None,
            Some((200, lines)) => {
                let request = Request::Import(Batch {
                    after: Some(name.to_owned()),
                    from: Some(call.target.clone()),
                    at: None,
                    lines,
                });
                let sender = sender(Operation::Admin);
                let answer = self.tell_fork(Input::Request { sender, request });
                self.steps += u64::from(matches!(answer, Some((200, _))));
                answer.map(|(status, _)| status)
            }
            Some((status, _)) => Some(status),
        };
        let outcome = match outcome {
            Some(status) => Outcome::Answered {
                status,
                retry_after_ms: None,
            },
            None => Outcome::Failed {
                reason: "it was reset".to_owned(),
            },
        };
        let number = call.number;
        self.tell_fork(Input::Delivered(Delivered { number, outcome }));
    }

    /// The fork has what its source had up to a place, and nothing else.
    fn check(&self, at: Serial) {
        let copied = texts(&self.fork.log(), PLACE_MAX - 1);
        assert!(!copied.is_empty() || at.place == 0);
        if self
            .source
            .log()
            .beginning()
            .unwrap()
            .is_some_and(|it| it.epoch == at.epoch)
        {
            assert_eq!(copied, texts(&self.source.log(), at.place));
        }
        let last = copied.last().map_or(0, |(place, _)| *place);
        assert!(last <= at.place);
    }
}

/// The messages up to a place.
fn texts(store: &Store, at: Place) -> Vec<(Place, Value)> {
    let epoch = store.beginning().unwrap().unwrap().epoch;
    let span = Span {
        after: 0,
        before: at + 1,
        newest_first: false,
        names: None,
        limit: 100_000,
        bytes: 1 << 30,
    };
    let page = store.page(epoch, &span).unwrap();
    let messages = page.messages.iter();
    let text = |data| serde_json::to_value(data).unwrap();
    messages
        .map(|it| (it.serial.place, text(&it.data)))
        .collect()
}

fn answer(effects: &[Effect]) -> Option<(u16, String)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Respond { status, body } => Some((*status, body.clone())),
        _ => None,
    })
}

#[test]
fn a_fork_is_whole_or_not_there() {
    let ([steps, whole, gone], is_whole) = each_seed("a_fork_is_whole", 24, run);
    if is_whole {
        assert!(24 < steps, "{steps} steps were made");
        assert!(12 < whole, "{whole} forks were whole");
        assert!(0 < gone, "{gone} forks were thrown away");
    }
}
