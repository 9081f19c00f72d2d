//! Properties of any input: every reader ends with the same text, however it was cut, grouped
//! and resumed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    unreachable_pub,
    dead_code
)]

#[path = "session/host.rs"]
mod host;
mod judge;
#[path = "session/reader.rs"]
mod reader;
#[path = "sqlite/mod.rs"]
mod sqlite;

use std::collections::BTreeMap;

use host::{Fate, Host};
use proptest::collection::vec;
use proptest::prelude::*;
use reader::{Held, Reader};
use serde_json::{Value, json};
use sessile::protocol::capability::{Operations, Role};
use sessile::protocol::ids::{ConnectionId, Timestamp};
use sessile::protocol::limits::Limits;
use sessile::protocol::query::Turns;
use sessile::session::{Carrier, Chains, Connection, Effect, Input, Read, Request, Sender, Start};
use sessile::store::Span;

/// After so long without an append nothing is held: it was stored after the shortest window,
/// and then sent after the reader's own.
const WINDOWS_MS: Timestamp = 1_000;

/// One thing that is done to the session.
#[derive(Clone, Debug)]
enum Step {
    Publish(String),
    Append(usize, String),
    Close(usize),
    Update(usize, String),
    Headers(usize),
    Delete(usize),
    Start,
    /// Something is said in a turn, or told to whoever leads it.
    Talk(usize, String),
    Instruct(usize, String),
    TakeOver(usize, bool),
    Finish(usize),
    Wait(Timestamp),
    Evict,
}

/// Text that is easily cut or counted in the wrong way.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-z ]{1,8}",
        1 => Just("👍🏽".to_owned()),
        1 => Just("👩\u{200d}👩\u{200d}👧".to_owned()),
        1 => Just("e\u{301}".to_owned()),
        1 => Just("न्दे".to_owned()),
        1 => Just("\u{10ffff}".to_owned()),
        1 => Just("\"\\\n\u{0}".to_owned()),
        1 => any::<char>().prop_map(String::from),
        1 => (500usize..2_000).prop_map(|length| "é".repeat(length)),
    ];
    vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

fn step() -> impl Strategy<Value = Step> {
    let which = 0usize..4;
    prop_oneof![
        2 => text().prop_map(Step::Publish),
        20 => (which.clone(), text()).prop_map(|(which, text)| Step::Append(which, text)),
        1 => which.clone().prop_map(Step::Close),
        1 => (which.clone(), text()).prop_map(|(which, text)| Step::Update(which, text)),
        1 => which.clone().prop_map(Step::Headers),
        1 => Just(Step::Start),
        1 => (which.clone(), text()).prop_map(|(which, text)| Step::Talk(which, text)),
        1 => (which.clone(), text()).prop_map(|(which, text)| Step::Instruct(which, text)),
        1 => (which.clone(), any::<bool>()).prop_map(|(which, keep)| Step::TakeOver(which, keep)),
        1 => which.clone().prop_map(Step::Finish),
        1 => which.prop_map(Step::Delete),
        15 => (0i64..120).prop_map(Step::Wait),
        2 => Just(Step::Evict),
    ]
}

/// A session with an agent and some readers, without a network between.
struct Stage {
    host: Host,
    now: Timestamp,
    readers: BTreeMap<ConnectionId, Reader>,
    connections: usize,
    /// The state of readers at their positions.
    positions: Vec<Reader>,
    messages: Vec<String>,
    turns: usize,
}

impl Stage {
    fn new(windows: &[u64]) -> Self {
        let mut stage = Self {
            host: Host::new(Limits::default()),
            now: 1_800_000_000_000,
            readers: BTreeMap::new(),
            connections: 0,
            positions: Vec::new(),
            messages: Vec::new(),
            turns: 0,
        };
        stage.open(
            Reader {
                is_writer: true,
                ..Reader::default()
            },
            500,
        );
        for window_ms in windows {
            stage.open(Reader::default(), *window_ms);
        }
        stage
    }

    fn open(&mut self, reader: Reader, window_ms: u64) -> ConnectionId {
        self.connections += 1;
        let id = ConnectionId::new(format!("c{}", self.connections));
        let connection = Connection {
            id: id.clone(),
            carrier: Carrier::Socket,
            client: "agent".to_owned(),
            name: None,
            role: Role::Agent,
            operations: Operations::ALL,
            expires_at: Timestamp::MAX,
            issued_at: 0,
            window_ms,
            names: None,
            told: None,
            chains: Chains::default(),
            is_probed: false,
            heard_at: 0,
            member: None,
        };
        let start = Start {
            since: reader.position.clone(),
            rewind: 1000,
        };
        self.readers.insert(id.clone(), reader);
        self.handle(Input::Open { connection, start });
        id
    }

    fn handle(&mut self, input: Input) {
        for effect in self.host.handle(self.now, input, Fate::Lives) {
            let Effect::Send { to, text } = effect else {
                continue;
            };
            let frames = match serde_json::from_str(&text.whole()).unwrap() {
                Value::Array(frames) => frames,
                frame => vec![frame],
            };
            for id in to {
                let Some(reader) = self.readers.get_mut(&id) else {
                    continue;
                };
                frames.iter().for_each(|frame| reader.take(frame));
                assert!(reader.violations.is_empty(), "{:#?}", reader.violations);
                if !reader.is_writer && reader.is_caught_up() {
                    self.positions.push(reader.clone());
                }
            }
        }
    }

    fn send(&mut self, frame: &Value) {
        let id = ConnectionId::new("c1");
        let input = self.host.message(&id, &frame.to_string(), false);
        self.handle(input);
    }

    fn publish(&mut self, message: &Value) {
        let before = self.newest();
        self.send(&json!({ "type": "publish", "messages": [message] }));
        let after = self.newest();
        self.messages
            .extend(after.clone().filter(|_| before != after));
    }

    fn newest(&self) -> Option<String> {
        let held = self.readers.values().flat_map(|reader| reader.held.keys());
        held.max().cloned()
    }

    /// Lets time pass, and timers ring.
    fn wait(&mut self, until: Timestamp) {
        while let Some(due) = self.host.window().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.handle(Input::Deadline);
        }
        self.now = self.now.max(until);
    }

    fn step(&mut self, step: &Step) {
        let serial = |which: &usize| self.messages.get(*which).cloned();
        let frame = match step {
            Step::Publish(text) if self.messages.len() < 4 => {
                return self.publish(&json!({ "data": text, "status": "streaming" }));
            }
            Step::Talk(which, text) if self.messages.len() < 4 && *which < self.turns => {
                let turn = format!("t{which}");
                return self.publish(&json!({ "data": text, "status": "streaming", "turn": turn }));
            }
            Step::Wait(duration) => return self.wait(self.now + duration),
            Step::Evict if self.host.window().is_none() => return self.host.evict(),
            Step::Publish(_) | Step::Talk(..) | Step::Evict => return,
            Step::Start => {
                self.turns += 1;
                json!({ "type": "turn.start", "id": format!("t{}", self.turns - 1) })
            }
            Step::Instruct(which, text) => {
                json!({ "type": "steer", "turn": format!("t{which}"), "data": text })
            }
            Step::TakeOver(which, keep) => {
                json!({ "type": "turn.adopt", "turn": format!("t{which}"), "keep": keep })
            }
            Step::Finish(which) => {
                json!({ "type": "turn.end", "turn": format!("t{which}"), "status": "complete" })
            }
            Step::Append(which, text) => {
                json!({ "type": "append", "serial": serial(which), "data": text })
            }
            Step::Close(which) => {
                json!({ "type": "append", "serial": serial(which), "status": "complete" })
            }
            Step::Update(which, text) => {
                json!({ "type": "update", "serial": serial(which), "data": text })
            }
            Step::Headers(which) => {
                let headers = json!({ "at": self.now.to_string() });
                json!({ "type": "update", "serial": serial(which), "headers": headers })
            }
            Step::Delete(which) => json!({ "type": "delete", "serial": serial(which) }),
        };
        self.send(&frame);
    }

    /// All turns, as GET has them.
    fn turns(&mut self) -> BTreeMap<String, Value> {
        let sender = Sender {
            connection: None,
            client: "agent".to_owned(),
            operations: Operations::ALL,
            role: Role::Agent,
        };
        let (all, before, limit) = (true, None, 1000);
        let request = Request::Read(Read::Turns(Turns { all, before, limit }));
        let input = Input::Request { sender, request };
        let effects = self.host.handle(self.now, input, Fate::Lives);
        let body = effects.iter().find_map(|effect| match effect {
            Effect::Respond { body, .. } => Some(body),
            _ => None,
        });
        let page: Value = serde_json::from_str(body.unwrap()).unwrap();
        let turns = page["turns"].as_array().unwrap().iter();
        turns
            .map(|turn| (turn["id"].as_str().unwrap().to_owned(), lasting(turn)))
            .collect()
    }

    fn log(&self) -> BTreeMap<String, Held> {
        let log = self.host.log();
        let Some(beginning) = log.beginning().unwrap() else {
            return BTreeMap::new();
        };
        let span = Span {
            after: 0,
            before: 1 << 33,
            newest_first: false,
            names: None,
            limit: 1000,
            bytes: 1 << 30,
        };
        let messages = log
            .page(beginning.epoch, &span)
            .unwrap()
            .messages
            .into_iter();
        let items = messages.map(|message| {
            let item = serde_json::to_value(message).unwrap();
            (
                item["serial"].as_str().unwrap().to_owned(),
                without_tombstones_rest(Held::of(&item)),
            )
        });
        items.collect()
    }
}

/// A turn without what a reader is not told of anew with every sign of life.
fn lasting(turn: &Value) -> Value {
    let mut turn = turn.clone();
    turn["leaseUntil"] = Value::Null;
    turn
}

fn turns(reader: &Reader) -> BTreeMap<String, Value> {
    let turns = reader.turns.iter();
    turns
        .map(|(id, turn)| (id.clone(), lasting(turn)))
        .collect()
}

/// Of a tombstone only that it is one, and since when, is the same for everybody.
fn without_tombstones_rest(held: Held) -> Held {
    if !held.is_deleted {
        return held;
    }
    Held {
        status: None,
        headers: Value::Null,
        data: Value::Null,
        ..held
    }
}

fn held(reader: &Reader) -> BTreeMap<String, Held> {
    let held = reader.held.clone().into_iter();
    held.map(|(serial, held)| (serial, without_tombstones_rest(held)))
        .collect()
}

/// A failing input is printed whole: nothing is kept beside the tests.
fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 150,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    /// P5.4: a window changes how often frames come, never what they add up to.
    #[test]
    fn every_reader_comes_to_what_is_stored(
        windows in vec(0u64..=500, 1..4),
        steps in vec(step(), 1..80),
    ) {
        let mut stage = Stage::new(&windows);
        stage.step(&Step::Publish(String::new()));
        steps.iter().for_each(|step| stage.step(step));
        stage.wait(stage.now + WINDOWS_MS);
        prop_assert_eq!(stage.host.window(), None);
        let (log, all) = (stage.log(), stage.turns());
        for reader in stage.readers.values().filter(|reader| !reader.is_writer) {
            prop_assert_eq!(&held(reader), &log);
            prop_assert_eq!(&turns(reader), &all);
        }
    }

    /// P3.5: what a reader had at any position, and what it missed from there, are the whole.
    #[test]
    fn any_position_resumed_is_the_whole(
        windows in vec(0u64..=500, 1..4),
        steps in vec(step(), 1..60),
        evicted: bool,
    ) {
        let mut stage = Stage::new(&windows);
        stage.step(&Step::Publish(String::new()));
        steps.iter().for_each(|step| stage.step(step));
        stage.wait(stage.now + WINDOWS_MS);
        if evicted {
            stage.host.evict();
        }
        let (log, all) = (stage.log(), stage.turns());
        for before in std::mem::take(&mut stage.positions) {
            let missed = before.held.len() != log.len();
            let id = stage.open(before, 40);
            let after = stage.readers.remove(&id).unwrap();
            prop_assert_eq!(held(&after), log.clone(), "had all messages: {}", !missed);
            prop_assert_eq!(turns(&after), all.clone());
            stage.handle(Input::Close { connection: id });
        }
    }

    /// P3.10: text cut anywhere between its characters adds up to the text, by UTF-16 offsets.
    #[test]
    fn any_cut_adds_up_to_the_text(
        whole in text(),
        cuts in vec(any::<prop::sample::Index>(), 0..9),
    ) {
        let mut stage = Stage::new(&[0, 40]);
        stage.step(&Step::Publish(String::new()));
        let ends: Vec<usize> = whole.char_indices().map(|(at, _)| at).collect();
        let mut cuts: Vec<usize> =
            cuts.iter().filter(|_| !ends.is_empty()).map(|cut| *cut.get(&ends)).collect();
        cuts.extend([0, whole.len()]);
        cuts.sort_unstable();
        for pair in cuts.windows(2) {
            stage.step(&Step::Append(0, whole[pair[0]..pair[1]].to_owned()));
            stage.step(&Step::Wait(15));
        }
        stage.wait(stage.now + WINDOWS_MS);
        for reader in stage.readers.values().filter(|reader| !reader.is_writer) {
            let held = reader.held.values().next().unwrap();
            prop_assert_eq!(&held.data, &json!(whole));
        }
    }
}
