//! A writer's intended text, and how much of it is known to have been taken.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::random::Random;

/// Texts that are easily cut in the wrong place.
const PIECES: [&str; 8] = [
    "token ",
    "é",
    "👍🏽",
    "न्दे",
    "ab\u{301}",
    "👩‍👩‍👧 ",
    "한글",
    "\n\"\\ ",
];

/// How a draft ends: by an append, by one with headers, or by an update with the whole text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Plain,
    Headers,
    Update,
}

/// One message, and how far its writer is with it.
#[derive(Clone, Debug)]
pub struct Draft {
    pub id: String,
    pub name: &'static str,
    pub chunks: Vec<String>,
    pub end: &'static str,
    pub way: Way,
    /// The turn that it belongs to.
    pub turn: Option<String>,
    /// A message that is published whole.
    pub is_whole: bool,
    /// Whether its appends are numbered, so that they may be sent again (P5.3).
    pub is_numbered: bool,
    pub serial: Option<String>,
    /// Whether `publish` was sent and not answered.
    pub is_asked: bool,
    /// Chunks sent, and those known to be stored. The first is in the `publish`.
    pub sent: usize,
    pub acked: usize,
    pub acked_chunks: BTreeSet<usize>,
    /// How often it was told of a gap: then it goes on in another chain (P13.8).
    pub gaps: u64,
    /// Why it will never be finished.
    pub dead: Option<String>,
}

impl Draft {
    pub fn new(random: &mut Random, id: String, is_whole: bool, is_numbered: bool) -> Self {
        let count = if is_whole { 1 } else { random.between(2, 40) };
        let chunks = (0..count).map(|index| {
            let long = if random.chance(20) {
                random.between(1000, 5000)
            } else {
                0
            };
            format!(
                "{}{index}.{}",
                random.pick(&PIECES),
                "x".repeat(long as usize)
            )
        });
        let chunks = chunks.collect();
        let name = *random.pick(&["answer", "progress", "message"]);
        let end = *random.pick(&["complete", "complete", "cancelled", "failed"]);
        let way = match is_numbered {
            true => *random.pick(&[Way::Plain, Way::Headers, Way::Update]),
            false => *random.pick(&[Way::Plain, Way::Headers]),
        };
        Self {
            id,
            name,
            chunks,
            end,
            way,
            turn: None,
            is_whole,
            is_numbered,
            serial: None,
            is_asked: false,
            sent: 0,
            acked: 0,
            acked_chunks: BTreeSet::new(),
            gaps: 0,
            dead: None,
        }
    }

    /// The text after so many chunks.
    pub fn text(&self, chunks: usize) -> String {
        self.chunks[..chunks].concat()
    }

    pub fn is_done(&self) -> bool {
        let is_all_sent = self.sent == self.chunks.len();
        let is_taken = if self.is_numbered || self.is_whole {
            self.acked == self.chunks.len()
        } else {
            is_all_sent && !self.is_asked
        };
        self.dead.is_some() || (self.serial.is_some() && is_taken)
    }

    pub fn publish(&self) -> Value {
        let mut message = json!({ "id": self.id, "name": self.name, "data": self.chunks[0] });
        if !self.is_whole {
            message["status"] = "streaming".into();
        }
        if let Some(turn) = &self.turn {
            message["turn"] = turn.clone().into();
            message["role"] = "assistant".into();
        }
        json!({ "type": "publish", "messages": [message] })
    }

    /// The next append, if there is one to send; the last one closes the message.
    pub fn append(&mut self) -> Option<(usize, Value)> {
        let serial = self.serial.clone()?;
        let chunk = self.chunks.get(self.sent)?.clone();
        self.sent += 1;
        let mut frame = json!({ "type": "append", "serial": serial, "data": chunk });
        if self.is_numbered {
            frame["seq"] = (self.sent - 1).into();
        }
        if self.sent == self.chunks.len() {
            frame["status"] = self.end.into();
            if self.way != Way::Plain {
                frame["headers"] = json!({ "ended": self.end });
            }
            if self.way == Way::Update {
                frame["type"] = "update".into();
                frame["data"] = self.text(self.sent).into();
            }
        }
        Some((self.sent, frame))
    }

    /// Whether an update may say what its appends said. Not once the last one was sent: the
    /// `seq` of an update that closes nothing makes the append that would a duplicate.
    pub fn may_update(&self) -> bool {
        self.is_numbered && 1 < self.sent && self.sent < self.chunks.len()
    }

    /// Everything up to here is stored. An unnumbered append speaks for itself alone.
    pub fn taken(&mut self, chunks: usize) {
        self.acked_chunks.insert(chunks);
        if self.is_numbered {
            self.acked = self.acked.max(chunks);
        }
    }

    /// The connection is gone, and with it what was not answered.
    pub fn cut(&mut self, is_sloppy: bool) {
        self.is_asked = false;
        if self.serial.is_none() {
            self.sent = 0;
        } else if self.is_numbered && (!is_sloppy || self.sent == self.chunks.len()) {
            self.sent = self.acked;
        }
    }

    /// Whether a stored text is what the writer was told that it is.
    pub fn explains(&self, text: &str) -> Result<(), String> {
        if self.is_whole {
            return (text == self.chunks[0])
                .then_some(())
                .ok_or_else(|| "not as sent".into());
        }
        if !self.is_numbered {
            return self.explains_unnumbered(text);
        }
        let least = if self.dead.is_some() {
            self.acked
        } else {
            self.chunks.len()
        };
        let is_prefix = (least..=self.chunks.len()).any(|count| self.text(count) == text);
        is_prefix
            .then_some(())
            .ok_or_else(|| format!("not {least} chunks or more"))
    }

    fn explains_unnumbered(&self, text: &str) -> Result<(), String> {
        let mut rest = text;
        for (index, chunk) in self.chunks.iter().enumerate() {
            match rest.strip_prefix(chunk.as_str()) {
                Some(after) => rest = after,
                None if self.acked_chunks.contains(&(index + 1)) => {
                    return Err(format!("chunk {index} was acknowledged"));
                }
                None => {}
            }
        }
        rest.is_empty()
            .then_some(())
            .ok_or_else(|| format!("nobody sent {rest:?}"))
    }
}
