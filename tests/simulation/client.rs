//! Clients as they should be: they resend what was not acknowledged, resume where they were,
//! and put up with nothing.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sessile::protocol::ids::ConnectionId;
use sessile::session::{Carrier, Start};

use crate::checks::frames;
use crate::draft::Draft;
use crate::reader::Reader;
use crate::sim::{Event, Sim, connection, note};

/// How long a client waits for an answer before it tries again on a new connection.
const PATIENCE_MS: u64 = 3_000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Reads.
    #[default]
    Reader,
    /// Writes over a WebSocket.
    Agent,
    /// Writes by HTTP requests.
    Caller,
    /// Streams each message as the body of one request (P5.5).
    Body,
    /// Changes what others wrote.
    Editor,
}

/// What an answer is about.
#[derive(Clone, Debug)]
enum Asked {
    Publish(usize),
    Append(usize, usize),
    Update(usize, usize),
    Other,
}

#[derive(Debug, Default)]
pub struct Client {
    pub index: usize,
    pub name: String,
    pub kind: Kind,
    pub window_ms: u64,
    pub names: Option<Vec<String>>,
    pub rewind: usize,
    pub reader: Reader,
    pub drafts: Vec<Draft>,
    pub link: Option<ConnectionId>,
    is_attached: bool,
    /// The position it asked to resume after, if it did.
    resumes_after: Option<String>,
    /// Whether there was more before where it began.
    pub has_older: bool,
    references: u64,
    /// What waits for an answer, since when.
    pending: BTreeMap<u64, (Asked, u64)>,
    changes: u64,
    /// The draft that its connection carries, if that is a body.
    body: Option<usize>,
}

impl Client {
    pub fn new(
        index: usize,
        name: String,
        kind: Kind,
        window_ms: u64,
        names: Option<Vec<String>>,
        rewind: usize,
    ) -> Self {
        Self {
            index,
            name,
            kind,
            window_ms,
            names,
            rewind,
            ..Self::default()
        }
    }

    pub fn is_done(&self) -> bool {
        self.drafts.iter().all(Draft::is_done)
    }

    pub fn is_caught_up(&self) -> bool {
        self.link.is_some() && self.is_attached && self.reader.is_caught_up()
    }

    /// Now and then a client does something.
    pub fn tick(&mut self, sim: &mut Sim) {
        let next = sim.random.between(5, 60);
        sim.schedule(next, Event::Tick(self.index));
        if self
            .pending
            .values()
            .any(|(_, since)| since + PATIENCE_MS < sim.time)
        {
            note(sim.time, &format!("{} waits no longer", self.name));
            self.let_go(sim);
        }
        match self.kind {
            Kind::Caller => self.post(sim),
            Kind::Body if self.link.is_none() && self.is_done() => {}
            _ if self.link.is_none() => self.connect(sim),
            _ if !self.is_attached && self.kind != Kind::Body => {}
            Kind::Reader => {
                if !sim.is_calm && sim.random.chance(5) {
                    self.let_go(sim);
                }
            }
            Kind::Agent | Kind::Body => self.write(sim),
            Kind::Editor => self.edit(sim),
        }
    }

    fn connect(&mut self, sim: &mut Sim) {
        let is_anew = sim.random.chance(100) || self.reader.position.is_none();
        let expires_at = sim.now() + sim.random.between(2_000, 100_000) as i64;
        let words = if self.kind == Kind::Editor {
            "supervisor"
        } else {
            "agent"
        };
        let mut connection = connection(&self.name, words, expires_at);
        connection.window_ms = self.window_ms;
        connection.names.clone_from(&self.names);
        connection.is_probed = sim.random.chance(300);
        if self.kind == Kind::Body {
            connection.carrier = Carrier::Body;
            self.body = self.drafts.iter().position(|draft| !draft.is_done());
        }
        let since = self.reader.position.clone().filter(|_| !is_anew);
        self.resumes_after.clone_from(&since);
        let start = Start {
            since,
            rewind: self.rewind,
        };
        self.link = Some(sim.connect(connection, start, self.index));
    }

    /// Leaves its connection, which may not know it yet.
    fn let_go(&mut self, sim: &mut Sim) {
        if let Some(id) = self.link.take() {
            sim.leave(&id);
        }
        self.cut(sim);
    }

    /// Its connection is gone.
    pub fn lost(&mut self, sim: &mut Sim, id: &ConnectionId) {
        if self.link.as_ref() == Some(id) {
            self.link = None;
            self.cut(sim);
        }
    }

    fn cut(&mut self, sim: &mut Sim) {
        self.is_attached = false;
        self.pending.clear();
        let body = self.body.take();
        for (index, draft) in self.drafts.iter_mut().enumerate() {
            let is_begun = draft.serial.is_some() || draft.is_asked;
            if body == Some(index) && is_begun && !draft.is_done() {
                draft.dead = Some("the body broke off".to_owned());
            }
            draft.cut(sim.random.chance(200));
        }
    }

    pub fn receive(&mut self, sim: &mut Sim, id: &ConnectionId, text: &str) {
        if self.link.as_ref() != Some(id) {
            return;
        }
        for frame in frames(text) {
            match frame["type"].as_str().unwrap() {
                "ack" | "nack" => {
                    let link = sim.links.get_mut(id).unwrap();
                    let expected = link.asked.get(link.answered).copied();
                    link.answered += 1;
                    assert_eq!(frame["ref"].as_u64(), expected, "answers in order: {frame}");
                    self.answer(sim, &frame);
                }
                "probe" => sim.send(id, &[json!({ "type": "seen", "n": frame["n"] })]),
                "attached" => self.attached(sim, &frame),
                _ => self.reader.take(&frame),
            }
        }
        let is_strict = matches!(self.kind, Kind::Reader);
        assert!(
            !is_strict || self.reader.violations.is_empty(),
            "{:#?}",
            self.reader.violations
        );
    }

    fn attached(&mut self, sim: &Sim, frame: &Value) {
        self.is_attached = true;
        let is_resumed = frame["resumed"] == true;
        let end = frame["serial"].as_str().unwrap().to_owned();
        if let Some(since) = self.resumes_after.take() {
            let is_known = since.get(..4) == end.get(..4);
            let must = is_known && sim.plan.retention_ms.is_none();
            assert!(is_resumed || !must, "{since} is known here: {frame}");
            assert!(
                is_known || !is_resumed,
                "{since} is of another life: {frame}"
            );
        } else {
            assert!(!is_resumed, "nobody asked to resume: {frame}");
        }
        if !is_resumed {
            self.has_older = frame["hasOlder"] == true;
        }
        self.reader.take(frame);
    }

    fn answer(&mut self, sim: &Sim, frame: &Value) {
        let Some(reference) = frame["ref"].as_u64() else {
            panic!("refused: {frame}")
        };
        let Some((asked, _)) = self.pending.remove(&reference) else {
            panic!("answered twice: {frame}");
        };
        let (error, result) = (&frame["error"], &frame["result"]);
        let code = error["code"].as_str();
        match asked {
            Asked::Publish(index) => {
                let draft = &mut self.drafts[index];
                draft.is_asked = false;
                assert_eq!(code, None, "a publish is taken: {frame}");
                let serial = result["messages"][0]["serial"].as_str().unwrap().to_owned();
                let is_known = draft.serial.as_ref().is_none_or(|known| *known == serial);
                assert!(
                    is_known || sim.plan.retention_ms.is_some(),
                    "made twice: {frame}"
                );
                draft.serial = Some(serial);
                draft.sent = draft.sent.max(1);
                draft.taken(1);
                draft.acked = draft.acked.max(1);
            }
            Asked::Append(index, chunks) | Asked::Update(index, chunks) => {
                let draft = &mut self.drafts[index];
                match code {
                    None => draft.taken(chunks),
                    Some("gap") => gap(sim, draft, error),
                    Some("closed" | "deleted" | "not-found") => {
                        draft.dead = Some(code.unwrap().to_owned());
                    }
                    Some(_) => panic!("why: {frame}"),
                }
            }
            Asked::Other => {}
        }
    }

    fn ask(&mut self, time: u64, mut frame: Value, about: Asked) -> Value {
        self.references += 1;
        self.pending.insert(self.references, (about, time));
        frame["ref"] = self.references.into();
        frame
    }

    /// The next frames that a writer sends.
    fn next_frames(&mut self, sim: &mut Sim) -> Vec<Value> {
        let mut list = Vec::new();
        for _ in 0..sim.random.between(1, 5) {
            let open: Vec<usize> = (0..self.drafts.len())
                .filter(|index| !self.drafts[*index].is_done())
                .collect();
            if open.is_empty() {
                break;
            }
            let index = match self.body {
                Some(index) => index,
                None => *sim.random.pick(&open),
            };
            let draft = &mut self.drafts[index];
            if draft.serial.is_none() {
                if !draft.is_asked {
                    draft.is_asked = true;
                    let frame = draft.publish();
                    list.push(self.ask(sim.time, frame, Asked::Publish(index)));
                }
            } else if draft.may_update() && sim.random.chance(30) {
                let (sent, serial) = (draft.sent, draft.serial.clone());
                let frame = json!({ "type": "update", "serial": serial, "seq": sent - 1,
                    "data": draft.text(sent) });
                list.push(self.ask(sim.time, frame, Asked::Update(index, sent)));
            } else if let Some((chunks, frame)) = draft.append() {
                list.push(self.ask(sim.time, frame, Asked::Append(index, chunks)));
            }
        }
        list
    }

    fn write(&mut self, sim: &mut Sim) {
        let Some(id) = self.link.clone() else { return };
        if self.body.is_some_and(|index| self.drafts[index].is_done()) {
            return self.let_go(sim);
        }
        let list = self.next_frames(sim);
        if !list.is_empty() && sim.random.chance(500) {
            sim.send(&id, &list);
        } else {
            list.iter()
                .for_each(|frame| sim.send(&id, std::slice::from_ref(frame)));
        }
    }

    fn post(&mut self, sim: &mut Sim) {
        if !self.pending.is_empty() || self.is_done() {
            return;
        }
        let list = self.next_frames(sim);
        if !list.is_empty() {
            self.changes += 1;
            sim.post(self.index, self.changes, &list);
        }
    }

    /// A request was answered, unless the client has given up on it.
    pub fn answered(&mut self, sim: &mut Sim, number: u64, body: &str) {
        if number != self.changes || self.pending.is_empty() {
            return;
        }
        for frame in frames(body) {
            let is_mine = frame["ref"]
                .as_u64()
                .is_some_and(|r| self.pending.contains_key(&r));
            if is_mine {
                self.answer(sim, &frame);
            }
        }
        assert!(self.pending.is_empty(), "every frame is answered: {body}");
    }

    fn edit(&mut self, sim: &mut Sim) {
        let Some(id) = self.link.clone() else { return };
        if sim.is_calm || !sim.random.chance(100) {
            return;
        }
        let known: Vec<(String, String)> = self
            .reader
            .held
            .iter()
            .map(|(serial, held)| (serial.clone(), held.version.clone()))
            .collect();
        if known.is_empty() {
            return;
        }
        let (serial, version) = sim.random.pick(&known).clone();
        self.changes += 1;
        let id_text = format!("{}-{}", self.name, self.changes);
        let mut frame = match sim.random.between(0, 10) {
            0..=2 => json!({ "type": "update", "data": format!("edited {}", self.changes) }),
            3 => json!({ "type": "update", "headers": { "n": id_text } }),
            4..=5 => json!({ "type": "delete" }),
            6 => json!({ "type": "signal", "name": "look" }),
            _ => json!({ "type": "append", "data": "[sic]" }),
        };
        frame["serial"] = serial.clone().into();
        if sim.random.chance(300) {
            frame["ifVersion"] = version.into();
        }
        if sim.random.chance(500) {
            frame["id"] = id_text.into();
        }
        sim.touched.insert(serial);
        let frame = self.ask(sim.time, frame, Asked::Other);
        sim.send(&id, &[frame]);
    }
}

/// P5.3: the message tells where it stands, and the writer goes on from there.
fn gap(sim: &Sim, draft: &mut Draft, error: &Value) {
    let taken = usize::try_from(error["expectedSeq"].as_u64().unwrap()).unwrap();
    let is_own = draft
        .serial
        .as_ref()
        .is_some_and(|serial| !sim.touched.contains(serial));
    if is_own {
        let units = draft.text(taken).encode_utf16().count();
        assert_eq!(
            error["length"], units,
            "the length after {taken} chunks: {error}"
        );
    }
    draft.sent = taken;
    draft.taken(taken);
}
