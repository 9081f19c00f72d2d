//! What holds for any input: every reader comes to the same text, however it was cut, grouped
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
use sessile::session::{Carrier, Connection, Effect, Input, Start};
use sessile::store::{Log, Span};

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
    let which = 0usize..3;
    prop_oneof![
        2 => text().prop_map(Step::Publish),
        20 => (which.clone(), text()).prop_map(|(which, text)| Step::Append(which, text)),
        1 => which.clone().prop_map(Step::Close),
        1 => (which.clone(), text()).prop_map(|(which, text)| Step::Update(which, text)),
        1 => which.clone().prop_map(Step::Headers),
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
    /// What readers held at their positions.
    positions: Vec<Reader>,
    messages: Vec<String>,
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
            window_ms,
            names: None,
            told: None,
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
            let frames = match serde_json::from_str(&text).unwrap() {
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
        let input = self.host.message(&id, &frame.to_string());
        self.handle(input);
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
            Step::Publish(text) if self.messages.len() < 3 => {
                let message = json!({ "data": text, "status": "streaming" });
                self.send(&json!({ "type": "publish", "messages": [message] }));
                let held = self.readers.values().flat_map(|reader| reader.held.keys());
                self.messages.push(held.max().unwrap().clone());
                return;
            }
            Step::Wait(duration) => return self.wait(self.now + duration),
            Step::Evict if self.host.window().is_none() => return self.host.evict(),
            Step::Publish(_) | Step::Evict => return,
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
        let log = stage.log();
        for reader in stage.readers.values().filter(|reader| !reader.is_writer) {
            prop_assert_eq!(&held(reader), &log);
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
        let log = stage.log();
        for before in std::mem::take(&mut stage.positions) {
            let missed = before.held.len() != log.len();
            let id = stage.open(before, 40);
            let after = stage.readers.remove(&id).unwrap();
            prop_assert_eq!(held(&after), log.clone(), "had all messages: {}", !missed);
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
