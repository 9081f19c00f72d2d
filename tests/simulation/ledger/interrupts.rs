//! The effect of an input on turns that answer others (P10.3), and its interrupts (P6.6): everyone
//! sees the cancelled turns, then the message, with nothing in between.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value;
use sessile::protocol::serial::Place;
use sessile::protocol::turn::{State, Turn};

use super::{Ledger, Question, serial};
use crate::checks::Said;

fn is_active(turn: &Turn) -> bool {
    matches!(turn.state, State::Active(_))
}

impl Ledger {
    /// A message of a user that came by itself.
    pub(super) fn sole_input(&self) -> Option<&Question> {
        let [question] = self.input.as_slice() else {
            return None;
        };
        let is_user = question.client.starts_with("user");
        (is_user && question.frame["type"] == "publish").then_some(question)
    }

    /// An input was answered: what it was to cancel is cancelled, and where it has to wait it
    /// waits. `before` are the turns that were open before it.
    pub(super) fn check_input(&self, before: &BTreeMap<String, Turn>, answer: &Value) {
        let Some(question) = self.sole_input() else {
            return;
        };
        let interrupt = &question.frame["interrupt"];
        let on_input = self.rules.on_input;
        let active = self.open.values().filter(|turn| is_active(turn));
        // Those that answer another input, and that nobody asked to stop.
        let mut answering = active.clone().filter(|turn| {
            let was_active = before.get(&turn.id).is_some_and(is_active);
            was_active && turn.input.is_some() && turn.cancel.is_none()
        });
        let first = answering.next();
        if answer["error"]["code"] == "busy" {
            let was_busy = before
                .values()
                .any(|turn| is_active(turn) && turn.input.is_some());
            assert!(
                on_input == "reject" && was_busy,
                "P10.3: not busy: {question:?}"
            );
            return;
        }
        let placed = &answer["result"]["messages"][0];
        let Some(place) = serial(&placed["serial"]).map(|at| at.place) else {
            return;
        };
        if placed["duplicate"] == true {
            return;
        }
        let goes_on = |turn: &&Turn| {
            let is_named = *interrupt == turn.id.as_str();
            let is_meant = *interrupt == true || is_named;
            let gives_way = on_input == "interrupt" && turn.input.is_some();
            turn.cancel.is_none() && (is_meant || gives_way)
        };
        let left = active.clone().find(goes_on);
        assert!(left.is_none(), "P6.6: {left:?} goes on: {question:?}");
        assert!(
            on_input != "reject" || first.is_none(),
            "P10.3: {first:?} {question:?}"
        );
        let waits = self.waits(place);
        if on_input == "steer" {
            let mut known = self.open.values().chain(self.ended.values());
            let steers = known.any(|turn| turn.inputs.contains(&place));
            let is_given = first.is_none() || steers || waits;
            // A turn that was asked to stop meanwhile reads nothing more.
            assert!(is_given, "P10.3: {first:?} {question:?}");
            return;
        }
        assert!(
            waits == (on_input == "queue" && first.is_some()),
            "P10.3: {waits} {question:?}"
        );
    }

    fn waits(&self, input: Place) -> bool {
        let mut open = self.open.values();
        open.any(|turn| turn.input == Some(input) && turn.state == State::Queued)
    }
}

/// Checks what an interrupting `publish` makes everybody hear; how many heard it.
pub fn check(input: &[Question], said: &[Rc<Said>]) -> u64 {
    let interrupts = |question: &&Question| !question.frame["interrupt"].is_null();
    let [question] = input else { return 0 };
    if !interrupts(&question) {
        return 0;
    }
    let (id, client) = (&question.frame["messages"][0]["id"], &question.client);
    let heard = said.iter().filter(|said| said.to.is_some()).map(|said| {
        let frames = &said.frames;
        let is_it = |frame: &Value| {
            let message = &frame["message"];
            frame["type"] == "message.create"
                && message["id"] == *id
                && message["client"] == client.as_str()
        };
        let by_it = |frame: &Value| {
            frame["type"] == "turn.cancel" && frame["turn"]["cancel"]["by"] == client.as_str()
        };
        let Some(create) = frames.iter().position(is_it) else {
            return 0;
        };
        let Some(first) = frames.iter().position(by_it) else {
            return 0;
        };
        let between = &frames[first..create];
        let is_of_it = |frame: &Value| {
            let is_queued = frame["type"] == "turn.queue";
            let is_within = frame["turn"]["within"].is_string() || frame["turn"].is_null();
            let may_end = question.frame["interrupt"].is_string() || is_within || is_queued;
            by_it(frame) || (may_end && is_end(frame))
        };
        assert!(
            first < create && between.iter().all(is_of_it),
            "P6.6: something in between: {frames:#?}"
        );
        said.to.as_ref().map_or(0, Vec::len) as u64
    });
    heard.sum()
}

/// A turn that nobody works on ends at once when it is interrupted by name (P6.5), or runs within
/// one that is interrupted (P6.11).
fn is_end(frame: &Value) -> bool {
    match frame["type"].as_str() {
        Some("turn.end") => true,
        Some("message.append") => frame["status"] == "cancelled",
        Some("message.update") => {
            let word = &frame["message"]["headers"]["steer"];
            word == "missed" || word == "requeued"
        }
        // An input that the turn left behind.
        Some("turn.queue") => true,
        _ => false,
    }
}
