//! Shared state, annotations and read marks while everything breaks (P9): the session is what a
//! model says that is too simple to be wrong, and every reader agrees, who was there all the time
//! and who came back.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use sessile::protocol::capability::{Operations, Role};
use sessile::protocol::decode::decode_frame;
use sessile::protocol::ids::{ConnectionId, Timestamp};
use sessile::protocol::limits::Limits;
use sessile::protocol::{query, state};
use sessile::session::{Input, Read, Request, Sender, Start};

use crate::answer::answer;
use crate::checks::said;
use crate::host::{Fate, Host};
use crate::random::Random;
use crate::reader::{Held, Reader};
use crate::sim::{START, connection};

const CLIENTS: [&str; 4] = ["ann", "bob", "cleo", "dan"];
const KINDS: [&str; 3] = ["like:distinct", "vote:unique", "cite:multiple"];
const NAMES: [&str; 3] = ["", "x", "y"];

/// Counts by kind, name and client.
type Sums = BTreeMap<(String, String, String), u64>;

struct World {
    random: Random,
    host: Host,
    time: i64,
    ids: u64,
    tree: Value,
    /// The messages that stand, and what was added to them.
    messages: BTreeMap<String, Sums>,
    marks: BTreeMap<String, String>,
    readers: Vec<Follower>,
    connections: u64,
    changes: u64,
    resumed: u64,
}

#[derive(Default)]
struct Follower {
    reader: Reader,
    link: Option<ConnectionId>,
}

fn run(seed: u64) -> (u64, u64) {
    let mut random = Random::new(seed);
    let limits = Limits {
        // Trees are stored anew often, and too large at times.
        state_bytes: random.between(300, 20_000),
        ..Limits::default()
    };
    let mut world = World {
        host: Host::new(limits),
        random,
        time: 0,
        ids: 0,
        tree: json!({}),
        messages: BTreeMap::new(),
        marks: BTreeMap::new(),
        readers: (0..3).map(|_| Follower::default()).collect(),
        connections: 0,
        changes: 0,
        resumed: 0,
    };
    for _ in 0..250 {
        world.moment();
    }
    world.wait(5_000);
    world.agree();
    (world.changes, world.resumed)
}

impl World {
    fn now(&self) -> Timestamp {
        START + self.time
    }

    fn moment(&mut self) {
        let pause = self.random.between(0, 400) as i64;
        self.wait(pause);
        match self.random.between(0, 100) {
            0..40 => self.change_state(),
            40..60 => self.annotate(),
            60..66 => self.publish(),
            66..69 => self.delete(),
            69..76 => self.read(),
            76..80 if self.host.window().is_none() => self.host.evict(),
            80..83 => self.die(),
            83..87 => self.leave(),
            _ => self.come(),
        }
        if self.random.chance(200) {
            self.agree();
        }
    }

    /// Time passes, and timers ring.
    fn wait(&mut self, pause: i64) {
        let until = self.time + pause;
        while let Some(due) = self.host.window().filter(|due| *due - START <= until) {
            self.time = self.time.max(due - START);
            self.handle(Input::Deadline, Fate::Lives);
        }
        self.time = until;
    }

    fn client(&mut self) -> &'static str {
        CLIENTS[self.random.between(0, 4) as usize]
    }

    fn path(&mut self) -> Vec<String> {
        let length = self.random.between(0, 4);
        let keys = ["a", "b", "c", "d\"é"];
        (0..length)
            .map(|_| (*self.random.pick(&keys)).to_owned())
            .collect()
    }

    fn change_state(&mut self) {
        let count = self.random.between(1, 4);
        let ops: Vec<Value> = (0..count).map(|_| self.op()).collect();
        let mut after = self.tree.clone();
        let expected = ops.iter().try_for_each(|op| apply(&mut after, op));
        let is_large = self.host.limits.state_bytes() < after.to_string().len();
        let who = self.client();
        let (status, body) = self.ask(who, json!({ "type": "state", "ops": ops }));
        match (expected, is_large) {
            (Ok(()), false) => {
                assert_eq!(status, 200, "P9.1: {ops:?} {body}");
                self.tree = after;
                self.changes += 1;
            }
            (Ok(()), true) => assert_eq!(status, 413, "P14: {ops:?} {body}"),
            (Err(()), _) => assert_eq!(status, 400, "P9.1: {ops:?} {body}"),
        }
    }

    fn op(&mut self) -> Value {
        let path = self.path();
        match self.random.between(0, 20) {
            0 => json!({ "op": "reset" }),
            1..5 if !path.is_empty() => json!({ "op": "remove", "path": path }),
            5..12 => {
                let by = *self.random.pick(&[1.0, -2.0, 0.5]);
                json!({ "op": "increment", "path": path, "by": by })
            }
            12 => json!({ "op": "set", "path": [], "value": { "a": { "b": 1 } } }),
            _ => {
                let long = "é".repeat(self.random.between(0, 300) as usize);
                let values = [json!(7), json!(null), json!({ "b": [1] }), json!(long)];
                let path = if path.is_empty() {
                    vec!["a".to_owned()]
                } else {
                    path
                };
                json!({ "op": "set", "path": path, "value": self.random.pick(&values).clone() })
            }
        }
    }

    fn annotate(&mut self) {
        let Some(serial) = self.message() else { return };
        let (who, kind) = (self.client(), *self.random.pick(&KINDS));
        let name = *self.random.pick(&NAMES);
        let is_added = self.random.chance(650);
        let mut frame = json!({ "type": "annotate", "serial": serial, "kind": kind, "name": name });
        if !is_added {
            frame["type"] = json!("unannotate");
        } else if kind == "cite:multiple" && self.random.chance(500) {
            frame["count"] = json!(3);
        }
        let count = frame["count"].as_u64().unwrap_or(1);
        let (status, body) = self.ask(who, frame);
        assert_eq!(status, 200, "P9.3: {body}");
        let sums = self.messages.get_mut(&serial).unwrap();
        let key = (kind.to_owned(), name.to_owned(), who.to_owned());
        if kind == "vote:unique" && is_added {
            sums.retain(|(of, _, by), _| (of.as_str(), by.as_str()) != (kind, who));
        }
        match is_added {
            true if kind == "cite:multiple" => *sums.entry(key).or_default() += count,
            true => drop(sums.insert(key, 1)),
            false => drop(sums.remove(&key)),
        }
    }

    fn message(&mut self) -> Option<String> {
        let standing: Vec<String> = self.messages.keys().cloned().collect();
        (!standing.is_empty()).then(|| self.random.pick(&standing).clone())
    }

    fn publish(&mut self) {
        let (_, body) = self.ask(
            "ann",
            json!({ "type": "publish", "messages": [{ "data": "m" }] }),
        );
        let serial = body["result"]["messages"][0]["serial"].as_str().unwrap();
        self.messages.insert(serial.to_owned(), Sums::new());
    }

    fn delete(&mut self) {
        let Some(serial) = self.message() else { return };
        let (status, body) = self.ask("ann", json!({ "type": "delete", "serial": serial }));
        assert_eq!(status, 200, "{body}");
        self.messages.remove(&serial);
    }

    fn read(&mut self) {
        let Some(serial) = self.message() else { return };
        let who = self.client();
        let (status, body) = self.ask(who, json!({ "type": "read", "serial": serial }));
        assert_eq!(status, 200, "P9.5: {body}");
        let mark = self.marks.entry(who.to_owned()).or_default();
        *mark = serial.max(mark.clone());
    }

    /// Asks until there is an answer: a frame with an id is taken once.
    fn ask(&mut self, who: &str, mut frame: Value) -> (u16, Value) {
        self.ids += 1;
        frame["id"] = json!(format!("i{}", self.ids));
        if frame["type"] == "publish" {
            frame["messages"][0]["id"] = frame["id"].take();
        }
        let mut fate = match self.random.between(0, 100) {
            0..6 => Fate::DiesBefore,
            6..12 => Fate::DiesAfter,
            12..16 => Fate::DiskFails(self.random.between(0, 5)),
            _ => Fate::Lives,
        };
        loop {
            let received = decode_frame(&frame.to_string(), &self.host.limits);
            let sender = Sender {
                connection: None,
                client: who.to_owned(),
                operations: Operations::parse("user").unwrap(),
                role: Role::User,
            };
            let request = Request::Frame(received);
            let answer = self.handle(Input::Request { sender, request }, fate);
            if let Some((status, body)) = answer {
                return (status, body);
            }
            fate = Fate::Lives;
        }
    }

    fn handle(&mut self, input: Input, fate: Fate) -> Option<(u16, Value)> {
        let effects = self.host.handle(self.now(), input, fate);
        for said in said(&effects) {
            for follower in &mut self.readers {
                let link = follower.link.as_ref();
                let is_told =
                    link.is_some_and(|id| said.to.as_ref().is_some_and(|to| to.contains(id)));
                for frame in said.frames.iter().filter(|_| is_told) {
                    follower.reader.take(frame);
                }
            }
        }
        if !self.host.is_awake() {
            self.cut();
        }
        answer(effects)
    }

    fn die(&mut self) {
        self.host.die();
        self.cut();
        // P9.5: what was not yet stored of a mark is where it was.
        self.marks.clear();
    }

    fn cut(&mut self) {
        for follower in &mut self.readers {
            follower.link = None;
        }
        self.marks.clear();
    }

    fn leave(&mut self) {
        let index = self.random.between(0, 3) as usize;
        if let Some(connection) = self.readers[index].link.take() {
            self.handle(Input::Close { connection }, Fate::Lives);
        }
    }

    fn come(&mut self) {
        let index = self.random.between(0, 3) as usize;
        if self.readers[index].link.is_some() {
            return;
        }
        self.connections += 1;
        let mut connection = connection("viewer", "viewer", Timestamp::MAX);
        connection.id = ConnectionId::new(format!("v{}", self.connections));
        let follower = &mut self.readers[index];
        follower.link = Some(connection.id.clone());
        let since = follower.reader.position.clone();
        self.resumed += u64::from(since.is_some());
        let rewind = 1_000;
        let start = Start { since, rewind };
        self.handle(Input::Open { connection, start }, Fate::Lives);
    }

    fn get(&mut self, read: Read) -> Value {
        let sender = Sender {
            connection: None,
            client: "ann".to_owned(),
            operations: Operations::ALL,
            role: Role::User,
        };
        let request = Request::Read(read);
        let answer = self.handle(Input::Request { sender, request }, Fate::Lives);
        answer.unwrap().1
    }

    /// The session, every reader and the model hold the same.
    fn agree(&mut self) {
        let tree = self.get(Read::State(state::Part(Vec::new())))["value"].clone();
        assert_eq!(tree, self.tree, "P9.1");
        let page = query::History {
            before: None,
            after: None,
            to: None,
            limit: 1_000,
        };
        let page = self.get(Read::Messages(page));
        let messages = page["messages"].as_array().unwrap();
        let standing = messages.iter().filter(|it| it["deletedAt"].is_null());
        let mut found = BTreeSet::new();
        for message in standing {
            let serial = message["serial"].as_str().unwrap();
            let expected = shown(&self.messages[serial]);
            assert_eq!(message["annotations"], expected, "P9.3: {message}");
            found.insert(serial.to_owned());
        }
        assert!(found.iter().eq(self.messages.keys()));
        for follower in self.readers.iter().filter(|it| it.link.is_some()) {
            let reader = &follower.reader;
            assert!(reader.violations.is_empty(), "{:#?}", reader.violations);
            assert_eq!(reader.state, self.tree, "P9.2");
            for message in messages {
                let held = &reader.held[message["serial"].as_str().unwrap()];
                assert_eq!(*held, Held::of(message), "P3.5");
            }
        }
        let marks = self.get(Read::Marks(query::Nothing))["marks"].clone();
        for mark in marks.as_array().unwrap() {
            let known = self.marks.get(mark["client"].as_str().unwrap());
            let serial = mark["serial"].as_str().unwrap();
            assert!(
                known.is_none_or(|known| serial >= known.as_str()),
                "P9.5: {mark}"
            );
        }
    }
}

/// Sums as the wire has them.
fn shown(counts: &Sums) -> Value {
    let mut kinds = Map::new();
    for ((kind, name, client), count) in counts {
        let names = kinds.entry(kind).or_insert(json!({}));
        let names = names.as_object_mut().unwrap();
        let sum = names
            .entry(name)
            .or_insert(json!({ "total": 0, "clients": {} }));
        sum["total"] = json!(sum["total"].as_u64().unwrap() + count);
        sum["clients"][client] = json!(count);
    }
    if kinds.is_empty() {
        Value::Null
    } else {
        Value::Object(kinds)
    }
}

/// P9.1: an operation, on a copy that is thrown away if one of them is not possible.
fn apply(tree: &mut Value, op: &Value) -> Result<(), ()> {
    let path: Vec<String> = serde_json::from_value(op["path"].clone()).unwrap_or_default();
    let kind = op["op"].as_str().unwrap();
    if kind == "reset" {
        *tree = json!({});
        return Ok(());
    }
    let Some((last, parents)) = path.split_last() else {
        *tree = op
            .get("value")
            .filter(|value| value.is_object())
            .ok_or(())?
            .clone();
        return Ok(());
    };
    let mut node = tree;
    for key in parents {
        let map = node.as_object_mut().ok_or(())?;
        if kind == "remove" && !map.contains_key(key) {
            return Ok(());
        }
        node = map.entry(key.clone()).or_insert(json!({}));
    }
    let map = node.as_object_mut().ok_or(())?;
    match kind {
        "remove" => drop(map.remove(last)),
        "set" => drop(map.insert(last.clone(), op["value"].clone())),
        _ => {
            let number = map.get(last).map_or(Some(0.0), Value::as_f64).ok_or(())?;
            let sum = number + op["by"].as_f64().unwrap();
            let whole = sum.fract() == 0.0;
            let sum = if whole { json!(sum as i64) } else { json!(sum) };
            map.insert(last.clone(), sum);
        }
    }
    Ok(())
}

#[test]
fn everybody_agrees_on_state_sums_and_marks() {
    let (mut changes, mut resumed) = (0, 0);
    for seed in 0..24 {
        let ran = run(seed);
        changes += ran.0;
        resumed += ran.1;
    }
    assert!(900 < changes && 300 < resumed, "{changes} {resumed}");
}
