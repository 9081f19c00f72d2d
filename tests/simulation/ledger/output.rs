//! The allowed content of turns' messages: every chunk tells its own position, its author and its
//! predecessor.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sessile::protocol::message::Status;
use sessile::protocol::serial::Place;

use super::{Leads, Question, serial, text};
use crate::host::Host;

/// A chunk of a turn's output.
#[derive(Debug, Default)]
struct Piece {
    /// Whether it was said by who led the turn then.
    is_led: bool,
    /// Where it was acknowledged, and at which attempt.
    taken: Option<(Place, u64)>,
}

#[derive(Debug, Default)]
pub struct Output {
    pieces: BTreeMap<String, Piece>,
    turns: BTreeMap<Place, Option<String>>,
    /// Messages that somebody meant to delete.
    deleted: BTreeSet<Place>,
}

/// The turn, the speaker and the number that a chunk tells.
fn tag(piece: &str) -> Option<(&str, &str, &str)> {
    let mut parts = piece.strip_suffix('|')?.rsplit('~');
    let (number, speaker, turn) = (parts.next()?, parts.next()?, parts.next()?);
    Some((turn, speaker, number))
}

fn pieces(data: &str) -> Vec<&str> {
    data.split_inclusive('|').collect()
}

impl Output {
    /// The turn that a frame drives, if it does.
    pub fn driven(&mut self, host: &Host, frame: &Value) -> Option<String> {
        match frame["type"].as_str()? {
            "publish" => frame["messages"][0]["turn"].as_str().map(str::to_owned),
            "append" | "update" | "delete" => {
                let place = serial(&frame["serial"])?.place;
                let known = self.turns.entry(place).or_insert_with(|| {
                    let head = host.log().head(place).unwrap();
                    head.and_then(|head| head.turn)
                });
                known.clone()
            }
            "turn.end" | "turn.suspend" | "turn.resume" | "turn.heartbeat" | "turn.usage"
            | "turn.steered" => Some(text(&frame["turn"])),
            _ => None,
        }
    }

    /// Something is said in a turn, by who leads it or not.
    pub fn said(&mut self, question: &Question, turn: &str, attempt: u64) {
        let leads = matches!(question.leads, Leads::Yes | Leads::Perhaps);
        let frame = &question.frame;
        if frame["type"] == "delete" {
            self.deleted
                .extend(serial(&frame["serial"]).map(|at| at.place));
        }
        let data = match frame["type"].as_str() {
            Some("publish") => &frame["messages"][0]["data"],
            _ => &frame["data"],
        };
        for piece in pieces(data.as_str().unwrap_or_default()) {
            if let Some((tagged, _, _)) = tag(piece) {
                assert_eq!(tagged, turn, "the agents of this run keep turns apart");
                let known = self.pieces.entry(piece.to_owned()).or_default();
                known.is_led |= leads && 0 < attempt;
            }
        }
    }

    /// It was acknowledged.
    pub fn taken(&mut self, question: &Question, result: &Value) {
        let frame = &question.frame;
        let (place, data) = match frame["type"].as_str() {
            Some("publish") => (
                &result["messages"][0]["serial"],
                &frame["messages"][0]["data"],
            ),
            Some("append") => (&result["serial"], &frame["data"]),
            _ => return,
        };
        let place = serial(place).unwrap().place;
        for piece in pieces(data.as_str().unwrap_or_default()) {
            if let Some(piece) = self.pieces.get_mut(piece) {
                piece.taken = Some((place, question.attempt_place));
            }
        }
    }

    /// P4.2, P6.8: an id does not stand for what was superseded, nor for what an attempt
    /// before left unfinished.
    pub fn check_repeat(&self, host: &Host, question: &Question, result: &Value) {
        let Some(place) = serial(&result["messages"][0]["serial"]).map(|at| at.place) else {
            return;
        };
        let Some(head) = host.log().head(place).unwrap() else {
            return;
        };
        let is_earlier = place < question.attempt_place && !self.deleted.contains(&place);
        let is_left = head.is_deleted || head.status == Some(Status::Failed);
        assert!(
            !is_earlier || !is_left,
            "its id is free: {head:?} {question:?}"
        );
    }

    /// Nothing is in the log that must not be, and what was acknowledged is.
    pub fn check(
        &self,
        log: &BTreeMap<String, Value>,
        touched: &BTreeSet<String>,
        attempts: &BTreeMap<String, Place>,
    ) {
        let mut found = BTreeSet::new();
        for (serial, message) in log
            .iter()
            .filter(|(_, message)| message["turn"].is_string())
        {
            let data = message["data"].as_str().unwrap_or_default();
            found.extend(pieces(data));
            if message["name"] != "steer" && !touched.contains(serial) {
                self.check_message(message, data);
            }
        }
        for (piece, known) in &self.pieces {
            let is_in = |data: &Value| data.as_str().is_some_and(|data| data.contains(piece));
            let is_foreign = !known.is_led && log.values().any(|message| is_in(&message["data"]));
            assert!(!is_foreign, "P6.8: said without leading: {piece:?}");
            let Some((place, attempt_place)) = known.taken else {
                continue;
            };
            let in_log = log.iter().find(|(text, _)| {
                super::serial(&Value::from(text.as_str())).is_some_and(|at| at.place == place)
            });
            let (serial, message) = in_log.unwrap_or_else(|| panic!("{piece:?} is lost"));
            let (turn, _, _) = tag(piece).unwrap();
            let is_superseded = attempts[turn] != attempt_place;
            let is_gone = message["deletedAt"].is_i64();
            // Another takes the place of what was left failed, whoever failed it.
            let is_left = message["status"] == "failed" && place < attempt_place;
            let may_go = is_superseded || is_left || self.deleted.contains(&place);
            assert!(
                found.contains(piece.as_str()) || touched.contains(serial) || (is_gone && may_go),
                "{piece:?} was acknowledged: {message}"
            );
        }
    }

    /// One message: of its turn alone, each speaker in order and whole, one after the other.
    fn check_message(&self, message: &Value, data: &str) {
        let mut speakers: Vec<(&str, u64)> = Vec::new();
        for piece in pieces(data) {
            let (turn, speaker, number) =
                tag(piece).unwrap_or_else(|| panic!("{piece:?} is no chunk: {message}"));
            assert_eq!(
                message["turn"], turn,
                "{piece:?} belongs elsewhere: {message}"
            );
            let known = self.pieces.get(piece).is_some_and(|known| known.is_led);
            assert!(
                known,
                "P6.8: {piece:?} was said by who did not lead: {message}"
            );
            let is_numbered = number.starts_with('n');
            let index: u64 = number[1..].parse().unwrap();
            match speakers.last_mut() {
                Some((last, before)) if *last == speaker => {
                    let follows = if is_numbered {
                        index == *before + 1
                    } else {
                        *before < index
                    };
                    assert!(follows, "{piece:?} after {before}: {message}");
                    *before = index;
                }
                _ => {
                    let is_new = speakers.iter().all(|(known, _)| *known != speaker);
                    assert!(is_new, "{piece:?} was superseded: {message}");
                    assert!(
                        !is_numbered || index == 0,
                        "{piece:?} begins late: {message}"
                    );
                    speakers.push((speaker, index));
                }
            }
        }
    }
}
