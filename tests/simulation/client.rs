//! Clients as they should be: they resend what was not acknowledged, resume where they were,
//! and put up with nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sessile::protocol::ids::ConnectionId;
use sessile::session::{Carrier, Start};

use crate::checks::frames;
use crate::draft::Draft;
use crate::job::{Deed, Job};
use crate::reader::Reader;
use crate::sim::{Event, Sim, connection, note};
use crate::writer::gap;

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
    /// A process of an agent that leads turns.
    Leader,
    /// Gives leaders something to answer, cancels, interrupts and steers.
    User,
}

/// The subject of an answer.
#[derive(Clone, Debug)]
pub enum Asked {
    Publish(usize),
    Append(usize, usize),
    Update(usize, usize),
    /// A turn, by the number of the job.
    Turn(u64, Deed),
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
    /// Frames that wait for an answer, with the time they were sent.
    pub pending: BTreeMap<u64, (Asked, u64)>,
    /// The same of requests, whose answers may be lost.
    posted: BTreeMap<u64, Asked>,
    /// Which of what waits is in which chain, and the chains that broke (P13.8).
    chained: BTreeMap<u64, u64>,
    broken: BTreeSet<u64>,
    pub changes: u64,
    /// The draft that its connection carries, if that is a body.
    pub body: Option<usize>,
    /// The turns that this process means to lead.
    pub jobs: Vec<Job>,
    pub job_count: u64,
    /// Until when it does nothing at all.
    pub hangs_until: u64,
    /// Messages that want an answer, and instructions with their turns.
    pub inputs: Vec<String>,
    pub steers: Vec<(String, String)>,
    /// Frames that it may repeat, with the same id.
    pub said: Vec<Value>,
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
        self.drafts.iter().all(Draft::is_done) && self.jobs.is_empty()
    }

    /// Nothing of what was is worth anything any more.
    pub fn start_over(&mut self) {
        self.jobs.clear();
        self.posted.clear();
        self.inputs.clear();
        self.steers.clear();
        self.said.clear();
    }

    /// The operations of its token.
    pub fn words(&self) -> &'static str {
        match self.kind {
            Kind::Editor => "supervisor",
            Kind::User => "user",
            _ => "agent",
        }
    }

    pub fn is_caught_up(&self) -> bool {
        self.link.is_some() && self.is_attached && self.reader.is_caught_up()
    }

    /// Whether its connection stands, as far as it knows.
    pub fn is_live(&self) -> bool {
        self.link.is_some() && self.is_attached
    }

    /// Now and then a client does something.
    pub fn tick(&mut self, sim: &mut Sim) {
        let next = sim.random.between(5, 60);
        sim.schedule(next, Event::Tick(self.index));
        if sim.time < self.hangs_until && !sim.is_calm {
            return;
        }
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
            Kind::Leader => self.lead(sim),
            Kind::User => self.use_it(sim),
        }
    }

    fn connect(&mut self, sim: &mut Sim) {
        let is_anew = sim.random.chance(100) || self.reader.position.is_none();
        let expires_at = sim.now() + sim.random.between(2_000, 100_000) as i64;
        let mut connection = connection(&self.name, self.words(), expires_at);
        connection.window_ms = self.window_ms;
        connection.names.clone_from(&self.names);
        // Only who reads is asked how far it has come.
        connection.is_probed = sim.random.chance(300) && self.kind != Kind::Body;
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
    pub fn let_go(&mut self, sim: &mut Sim) {
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
        self.chained.clear();
        self.broken.clear();
        let body = self.body.take();
        for (index, draft) in self.drafts.iter_mut().enumerate() {
            let is_begun = draft.serial.is_some() || draft.is_asked;
            if body == Some(index) && is_begun && !draft.is_done() {
                draft.dead = Some("the body broke off".to_owned());
            }
            draft.cut(sim.random.chance(200));
        }
        for job in &mut self.jobs {
            job.cut(&mut sim.random);
        }
    }

    pub fn receive(&mut self, sim: &mut Sim, id: &ConnectionId, frames: &[Value]) {
        if self.link.as_ref() != Some(id) {
            return;
        }
        for frame in frames {
            match frame["type"].as_str().unwrap() {
                "ack" | "nack" => {
                    let link = sim.links.get_mut(id).unwrap();
                    let expected = link.asked.get(link.answered).copied();
                    link.answered += 1;
                    assert_eq!(frame["ref"].as_u64(), expected, "answers in order: {frame}");
                    self.answer(sim, frame);
                }
                "probe" => sim.send(id, &[json!({ "type": "seen", "n": frame["n"] })]),
                "attached" => self.attached(sim, frame),
                _ => {
                    self.reader.take(frame);
                    self.learn(frame);
                }
            }
        }
        let is_strict = matches!(self.kind, Kind::Reader | Kind::User);
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

    fn answer(&mut self, sim: &mut Sim, frame: &Value) {
        let Some(reference) = frame["ref"].as_u64() else {
            panic!("refused: {frame}")
        };
        let asked = self.pending.remove(&reference).map(|(asked, _)| asked);
        let Some(asked) = asked.or_else(|| self.posted.remove(&reference)) else {
            panic!("answered twice: {frame}");
        };
        let (error, result) = (&frame["error"], &frame["result"]);
        let code = error["code"].as_str();
        if let Some(chain) = self.chained.remove(&reference) {
            // P13.8: nothing of a chain after the first that was refused, and nothing else.
            let is_broken = self.broken.contains(&chain);
            assert_eq!(code == Some("skipped"), is_broken, "chain {chain}: {frame}");
            self.broken.extend(code.map(|_| chain));
        }
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
                    // The answer that broke the chain has repaired it.
                    Some("skipped") => {}
                    Some("closed" | "deleted" | "not-found") => {
                        draft.dead = Some(code.unwrap().to_owned());
                    }
                    Some(_) => panic!("why: {frame}"),
                }
            }
            Asked::Turn(job, deed) => self.turn_answered(sim, job, &deed, code, frame),
            Asked::Other => {}
        }
    }

    /// The same by a request of its own.
    pub fn request(&mut self, sim: &mut Sim, mut frame: Value, about: Asked) {
        self.references += 1;
        self.posted.insert(self.references, about);
        frame["ref"] = self.references.into();
        sim.post(self.index, self.references, &[frame]);
    }

    pub fn ask(&mut self, time: u64, mut frame: Value, about: Asked) -> Value {
        self.references += 1;
        self.pending.insert(self.references, (about, time));
        frame["ref"] = self.references.into();
        if let Some(chain) = frame["chain"].as_u64() {
            self.chained.insert(self.references, chain);
        }
        frame
    }

    /// A request was answered, unless the client has given up on it.
    pub fn answered(&mut self, sim: &mut Sim, number: u64, body: &str) {
        if matches!(self.kind, Kind::Leader | Kind::User) {
            for frame in frames(body) {
                self.answer(sim, &frame);
            }
            return;
        }
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
}
