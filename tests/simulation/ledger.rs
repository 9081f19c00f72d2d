//! A run's outside knowledge of its turns: who may speak in them, who was heard when, who asked for
//! what. It sees every frame to the session, every answer and every row, and derives everything
//! else from the rules.

mod interrupts;
mod members;
mod output;
pub mod turns;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::Value;
use sessile::protocol::ids::{ConnectionId, Timestamp};
use sessile::protocol::serial::{Epoch, Place, Serial};
use sessile::protocol::turn::{State, Turn};
use sessile::store::Store;

use crate::checks::Said;
use crate::host::Host;
use crate::sim::Rules;
use members::Members;
use output::Output;

/// Whether a frame comes from who leads the turn that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leads {
    Yes,
    No,
    /// An earlier frame in the same array may have made it so.
    Perhaps,
    /// An edit of another client's message drives nothing.
    Beside,
}

/// A frame that waits for its answer.
#[derive(Clone, Debug)]
pub struct Question {
    /// `None` for a request.
    from: Option<ConnectionId>,
    client: String,
    frame: Value,
    at: Timestamp,
    /// The turn that it drives, and which attempt that was at.
    turn: Option<String>,
    attempt_place: Place,
    leads: Leads,
}

/// When the leader of an attempt was last heard.
#[derive(Clone, Copy, Debug)]
struct Heard {
    attempt_place: Place,
    /// For certain: by a frame that was acknowledged, or a ping.
    low: Timestamp,
    /// The same without pings, of which nobody knows after a crash.
    said: Timestamp,
    /// At the latest.
    high: Timestamp,
}

/// The client that asked for an end, and its target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Asked {
    Turn(String),
    Input(String),
    /// Everything, or everything active.
    All,
}

#[derive(Debug, Default)]
pub struct Ledger {
    rules: Rules,
    waiting: Vec<Question>,
    /// The frames of the input at hand.
    input: Vec<Question>,
    /// Turns that are open, and the last that was known of those that were.
    pub open: BTreeMap<String, Turn>,
    ended: BTreeMap<String, Turn>,
    heard: BTreeMap<String, Heard>,
    /// When each was heard for certain before the input at hand.
    heard_before: BTreeMap<String, Timestamp>,
    /// Since when turns wait for an agent.
    queued: BTreeMap<String, Timestamp>,
    epoch: Option<Epoch>,
    /// Up to here turns were looked at, and how many rows were written then.
    end: Place,
    rows: u64,
    cancels: BTreeSet<(String, Asked)>,
    /// Turns of which it was acknowledged that they are cancelled.
    must_cancel: BTreeSet<String>,
    cancelled_inputs: BTreeSet<String>,
    /// Turns that were asked for as another answer.
    again: BTreeSet<String>,
    /// The answers to frames with an id: what they were about.
    answered: BTreeMap<(String, String, String), String>,
    ends: BTreeMap<String, String>,
    /// Instructions that were taken, and those of which nobody was told that they were.
    steered: BTreeSet<Place>,
    unanswered: BTreeSet<Place>,
    pub steers: BTreeMap<String, Place>,
    pinged: BTreeMap<ConnectionId, Timestamp>,
    /// Until then what is stored may have come before a clock jumped.
    jumped_until: Timestamp,
    members: Members,
    pub output: Output,
    /// How often a reader saw turns cancelled and what interrupted them.
    pub interruptions: u64,
}

fn serial(value: &Value) -> Option<Serial> {
    value.as_str().and_then(Serial::parse)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

impl Ledger {
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            ..Self::default()
        }
    }

    /// Everything was deleted.
    pub fn erase(&mut self) {
        let interruptions = self.interruptions;
        *self = Self::new(std::mem::take(&mut self.rules));
        self.interruptions = interruptions;
    }

    /// Every turn that there was, and the serial with which it began.
    pub fn begun(&self) -> Vec<(String, String)> {
        let turns = self.ended.values().chain(self.open.values());
        let begun = turns
            .filter_map(|turn| Some((turn.id.clone(), self.epoch?.at(turn.place).to_string())));
        begun.collect()
    }

    /// Frames are about to be handled.
    pub fn ask(
        &mut self,
        host: &Host,
        now: Timestamp,
        from: Option<&ConnectionId>,
        client: &str,
        frames: &[Value],
    ) {
        if let Some(from) = from {
            self.members.heard(from, now);
        }
        let mut is_led = false;
        for frame in frames {
            let turn = self.output.driven(host, frame);
            let open = turn.as_ref().and_then(|turn| self.open.get(turn));
            let mut leads = if open.is_some_and(|open| leads(open, from, client, frame)) {
                Leads::Yes
            } else {
                Leads::No
            };
            if client.starts_with("editor") {
                leads = Leads::Beside;
            } else if leads == Leads::No && is_led {
                leads = Leads::Perhaps;
            }
            is_led |= leads == Leads::Yes;
            let attempt_place = open.map_or(0, |open| open.attempt_place);
            let question = Question {
                from: from.cloned(),
                client: client.to_owned(),
                frame: frame.clone(),
                at: now,
                turn,
                attempt_place,
                leads,
            };
            self.note(now, &question);
            if !frame["ref"].is_null() {
                self.waiting.push(question.clone());
            }
            self.input.push(question);
        }
    }

    /// The consequences of a frame whether it is answered or not.
    fn note(&mut self, now: Timestamp, question: &Question) {
        let (frame, client) = (&question.frame, question.client.clone());
        if let Some(turn) = &question.turn {
            let attempt = self.open.get(turn).map_or(0, |open| open.attempt);
            self.output.said(question, turn, attempt);
            // An edit renews no lease; but a session that wakes up knows of what streams only
            // when it changed last, not by whom.
            if question.leads != Leads::No
                && let Some(heard) = self.heard.get_mut(turn)
            {
                heard.high = heard.high.max(now);
            }
            return;
        }
        match frame["type"].as_str() {
            Some("cancel") => {
                let asked = if frame["all"] == true {
                    Asked::All
                } else if frame["turn"].is_string() {
                    Asked::Turn(text(&frame["turn"]))
                } else {
                    Asked::Input(text(&frame["input"]))
                };
                self.cancels.insert((client, asked));
            }
            Some("turn.start") if frame["again"] == true => {
                self.again.insert(text(&frame["id"]));
            }
            Some("publish") => {
                if let Some(turn) = frame["interrupt"].as_str() {
                    let asked = Asked::Turn(turn.to_owned());
                    self.cancels.insert((client.clone(), asked));
                }
                if frame["interrupt"] == true || self.rules.on_input == "interrupt" {
                    self.cancels.insert((client, Asked::All));
                }
            }
            _ => {}
        }
    }

    /// A connection is about to be opened.
    pub fn opened(&mut self, now: Timestamp, connection: &ConnectionId) {
        self.members.opened(connection, now);
    }

    /// A ping came over a connection that stands.
    pub fn ping(&mut self, now: Timestamp, connection: &ConnectionId) {
        self.members.pinged(connection, now);
        let pinged = self.pinged.entry(connection.clone()).or_insert(now);
        *pinged = now.max(*pinged);
        for (id, turn) in &self.open {
            let lead = turn.lead().and_then(|lead| lead.connection.as_ref());
            let is_active = matches!(turn.state, State::Active(_));
            if lead == Some(connection)
                && is_active
                && let Some(heard) = self.heard.get_mut(id)
            {
                heard.low = heard.low.max(now);
                heard.high = heard.high.max(now);
            }
        }
    }

    /// A clock jumped to this time.
    pub fn jumped(&mut self, now: Timestamp) {
        self.jumped_until = now + turns::PENDING_MS;
    }

    /// The process is gone, and everything that the platform knew of connections.
    pub fn died(&mut self, now: Timestamp) {
        for question in std::mem::take(&mut self.waiting) {
            if question.frame["type"] == "turn.steered" {
                self.unanswered
                    .extend(serial(&question.frame["serial"]).map(|at| at.place));
            }
            // It may have been stored and counted for all that.
            if let Some(heard) = question.turn.and_then(|turn| self.heard.get_mut(&turn))
                && question.leads != Leads::No
            {
                heard.high = heard.high.max(now);
            }
        }
        for heard in self.heard.values_mut() {
            heard.low = heard.said;
        }
        self.members = Members::default();
    }

    /// An input was handled, with these effects; a process that died had none.
    pub fn follow(
        &mut self,
        host: &Host,
        log: &Store,
        now: Timestamp,
        said: &[Rc<Said>],
        is_dead: bool,
    ) {
        if is_dead {
            self.died(now);
        }
        let heard = self.heard.iter();
        self.heard_before = heard.map(|(id, heard)| (id.clone(), heard.low)).collect();
        self.interruptions += interrupts::check(&self.input, said);
        for said in said {
            for frame in &said.frames {
                if matches!(frame["type"].as_str(), Some("ack" | "nack")) {
                    let to = said.to.as_ref().and_then(|to| to.first());
                    self.answer(host, now, to, frame);
                }
            }
        }
        let before = self.sole_input().map(|_| self.open.clone());
        self.look(host, log, now, is_dead);
        if let Some(before) = before {
            let answers = said.iter().flat_map(|said| &said.frames);
            let is_it = |frame: &&Value| {
                let kind = frame["type"].as_str();
                matches!(kind, Some("ack" | "nack")) && frame["ref"] == self.input[0].frame["ref"]
            };
            answers
                .filter(is_it)
                .for_each(|answer| self.check_input(&before, answer));
        }
        self.input.clear();
        let asks = self.waiting.iter().filter(|question| {
            question.frame["type"]
                .as_str()
                .is_some_and(|kind| kind.starts_with("presence."))
        });
        let unclear = asks.filter_map(|question| question.from.clone()).collect();
        self.members.look(host, now, &self.rules, is_dead, &unclear);
    }

    fn answer(&mut self, host: &Host, now: Timestamp, to: Option<&ConnectionId>, frame: &Value) {
        let asks = |question: &Question| {
            question.from.as_ref() == to && question.frame["ref"] == frame["ref"]
        };
        let Some(index) = self.waiting.iter().position(asks) else {
            return;
        };
        let question = self.waiting.remove(index);
        let (result, code) = (&frame["result"], frame["error"]["code"].as_str());
        assert_ne!(code, Some("internal"), "{question:?}: {frame}");
        if question.leads == Leads::Beside {
            // Edits are the business of who reads; one was stored just now.
            let turn = question.turn.as_ref();
            if let Some(heard) = turn.and_then(|turn| self.heard.get_mut(turn)) {
                heard.high = heard.high.max(now);
            }
        } else if question.turn.is_some() {
            self.driven(host, now, &question, result, code);
        } else if code.is_none() {
            self.done(host, &question, result);
        } else if question.frame["type"] == "presence.leave" {
            // It was held silent meanwhile.
            self.members.told(to.unwrap(), false, now);
        }
    }

    /// A frame that drives a turn was answered.
    fn driven(
        &mut self,
        host: &Host,
        now: Timestamp,
        question: &Question,
        result: &Value,
        code: Option<&str>,
    ) {
        let turn = question.turn.clone().unwrap_or_default();
        let is_duplicate =
            result["duplicate"] == true || result["messages"][0]["duplicate"] == true;
        let is_refused = matches!(code, Some("not-leader" | "turn-closed" | "not-found"));
        match question.leads {
            Leads::No => assert!(
                is_refused || is_duplicate,
                "P6.8: it does not lead: {question:?}: {result} {code:?} {:?}",
                self.open.get(&turn)
            ),
            Leads::Yes if matches!(code, Some("not-leader" | "turn-closed")) => {
                let after = host.log().turn(&turn).unwrap();
                let still = after.as_ref().is_some_and(|turn| {
                    let (from, client) = (question.from.as_ref(), question.client.as_str());
                    turn.attempt_place == question.attempt_place
                        && leads(turn, from, client, &question.frame)
                });
                assert!(!still, "P6.8: it leads: {question:?}: {code:?} {after:?}");
            }
            Leads::Yes | Leads::Perhaps | Leads::Beside => {}
        }
        if is_duplicate && question.leads == Leads::Yes {
            self.output.check_repeat(host, question, result);
        }
        if code.is_some() || is_duplicate {
            return;
        }
        if let Some(heard) = self.heard.get_mut(&turn)
            && heard.attempt_place == question.attempt_place
        {
            heard.low = heard.low.max(question.at);
            heard.said = heard.said.max(question.at);
            heard.high = heard.high.max(now);
        }
        self.output.taken(question, result);
        match question.frame["type"].as_str() {
            Some("turn.end") => {
                let status = text(&question.frame["status"]);
                assert!(
                    self.ends.insert(turn, status).is_none(),
                    "ended twice: {question:?}"
                );
            }
            Some("turn.steered") => {
                let steer = serial(&question.frame["serial"]).unwrap().place;
                self.steered.insert(steer);
            }
            _ => {}
        }
    }

    /// Any other frame was taken.
    fn done(&mut self, host: &Host, question: &Question, result: &Value) {
        let frame = &question.frame;
        let kind = frame["type"].as_str().unwrap_or_default();
        let about = match kind {
            "turn.start" | "turn.adopt" => text(&result["turn"]["id"]),
            "steer" => text(&result["serial"]),
            "cancel" => String::new(),
            "presence.set" | "presence.leave" => {
                let id = question.from.as_ref().unwrap();
                self.members.told(id, kind == "presence.set", question.at);
                return;
            }
            _ => return,
        };
        if frame["id"].is_string() && kind != "turn.start" {
            let key = (question.client.clone(), kind.to_owned(), text(&frame["id"]));
            let known = self.answered.insert(key, about.clone());
            let is_twice = known.is_some();
            assert!(
                !is_twice || (known == Some(about.clone()) && result["duplicate"] == true),
                "P13.1: an id acts once: {question:?}: {result}"
            );
        }
        match kind {
            "turn.start" => self.started(host, question, result),
            "cancel" => self.cancelled(question, result),
            "steer" => {
                let place = serial(&result["serial"]).unwrap().place;
                let known = self.steers.insert(text(&frame["data"]), place);
                assert!(known.is_none_or(|known| known == place), "told twice");
            }
            _ => {}
        }
    }

    fn started(&mut self, host: &Host, question: &Question, result: &Value) {
        let (frame, turn) = (&question.frame, &result["turn"]);
        if frame["id"].is_string() && result["duplicate"].is_null() {
            let was_queued = turn["createdAt"] != turn["startedAt"] || turn["attempt"] != 1;
            let is_other = turn["id"] != frame["id"];
            let known = self.open.get(&text(&turn["id"]));
            let is_known = known.is_some_and(|turn| turn.state != State::Queued);
            assert!(
                !is_known || was_queued || is_other || question.turn.is_some(),
                "P6.2: an id is one turn: {question:?}: {result}"
            );
        }
        let is_unwanted = self.cancelled_inputs.contains(&text(&frame["input"]));
        if is_unwanted && frame["again"] != true && result["duplicate"].is_null() {
            let log = host.log();
            let stored = log.turn(&text(&turn["id"])).unwrap();
            let is_kept = serial(&frame["input"])
                .is_some_and(|input| log.head(input.place).unwrap().is_some());
            assert!(
                !is_kept || turn["status"] == "cancelled" || stored.is_none(),
                "P6.5: nobody wants an answer: {question:?}: {result}"
            );
        }
    }

    fn cancelled(&mut self, question: &Question, result: &Value) {
        for turn in result["turns"].as_array().into_iter().flatten() {
            if matches!(
                turn["status"].as_str(),
                Some("queued" | "active" | "suspended")
            ) {
                if result["duplicate"] == true && turn["cancel"].is_null() {
                    continue; // It is open now, and was not then.
                }
                assert!(!turn["cancel"].is_null(), "{question:?}: {result}");
                self.must_cancel.insert(text(&turn["id"]));
            }
        }
        if question.frame["input"].is_string() {
            self.cancelled_inputs.insert(text(&question.frame["input"]));
        }
    }
}

/// P6.8: the client of the turn, with the current attempt or on the connection that took it.
fn leads(turn: &Turn, from: Option<&ConnectionId>, client: &str, frame: &Value) -> bool {
    let Some(lead) = turn.lead() else {
        return false;
    };
    let attempt = frame["messages"][0]["attempt"].as_u64();
    let is_right = match attempt.or(frame["attempt"].as_u64()) {
        Some(attempt) => attempt == turn.attempt,
        None => from.is_some() && from == lead.connection.as_ref(),
    };
    turn.agent.as_deref() == Some(client) && is_right
}
