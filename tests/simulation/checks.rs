//! Invariants of everything that a session sends, and at the end.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use serde_json::Value;
use sessile::protocol::ids::ConnectionId;
use sessile::protocol::serial::Serial;
use sessile::session::Effect;
use sessile::store::Store;

/// Looks over the session's shoulder.
#[derive(Default)]
pub struct Witness {
    /// The change that made each version, and the text's length then.
    versions: BTreeMap<String, (String, Option<u64>)>,
    /// Whether retention may take what was just said.
    is_trimmed: bool,
}

pub fn frames(text: &str) -> Vec<Value> {
    match serde_json::from_str(text).unwrap() {
        Value::Array(frames) => frames,
        frame => vec![frame],
    }
}

/// Frames sent together, parsed once for all their readers.
pub struct Said {
    /// Connections; `None` for who made the request at hand.
    pub to: Option<Vec<ConnectionId>>,
    text: String,
    pub frames: Vec<Value>,
}

impl fmt::Debug for Said {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// Everything that is said, in order.
pub fn said(effects: &[Effect]) -> Vec<Rc<Said>> {
    let said = effects.iter().filter_map(|effect| {
        let (to, text) = match effect {
            Effect::Send { to, text } => (Some(to.clone()), text.whole()),
            Effect::Respond { body, .. } => (None, Cow::Borrowed(body.as_str())),
            Effect::Remember(_)
            | Effect::Close { .. }
            | Effect::Erase
            | Effect::Deliver(_)
            | Effect::Reach(_) => return None,
        };
        let (frames, text) = (frames(&text), text.into_owned());
        Some(Rc::new(Said { to, text, frames }))
    });
    said.collect()
}

impl Witness {
    pub fn new(is_trimmed: bool) -> Self {
        Self {
            is_trimmed,
            ..Self::default()
        }
    }

    /// P3.2: what is sent is stored. P3.1: a serial stands for one thing only.
    pub fn check(&mut self, log: &Store, said: &[Rc<Said>]) {
        for frame in said.iter().flat_map(|said| &said.frames) {
            self.frame(log, frame);
        }
    }

    fn frame(&mut self, log: &Store, frame: &Value) {
        let subject = match frame["type"].as_str() {
            Some("message.create" | "message.update") => &frame["message"],
            Some("message.append" | "message.delete") => frame,
            Some("ack") => {
                for placed in frame["result"]["messages"].as_array().into_iter().flatten() {
                    self.is_stored(log, placed);
                }
                &frame["result"]
            }
            Some(kind) if kind.starts_with("turn.") => return self.turn(log, frame),
            _ => return,
        };
        if !subject["version"].is_string() {
            return;
        }
        self.is_stored(log, subject);
        let units = |data: &Value| data.as_str().map(|text| text.encode_utf16().count() as u64);
        let length = match frame["type"].as_str() {
            Some("message.append") => units(&frame["data"])
                .zip(frame["offset"].as_u64())
                .map(|(units, offset)| units + offset),
            Some("message.create" | "message.update") => units(&subject["data"]),
            _ => None,
        };
        let version = subject["version"].as_str().unwrap().to_owned();
        let serial = subject["serial"].as_str().unwrap().to_owned();
        let known = self
            .versions
            .entry(version)
            .or_insert_with(|| (serial.clone(), length));
        assert_eq!(known.0, serial, "a version of two messages: {frame}");
        known.1 = known.1.or(length);
        assert!(
            length.is_none() || known.1 == length,
            "{:?} long before: {frame}",
            known.1
        );
    }

    /// A turn is stored as it is told, or has changed since.
    fn turn(&self, log: &Store, frame: &Value) {
        let place = Serial::parse(frame["serial"].as_str().unwrap())
            .unwrap()
            .place;
        let turn = &frame["turn"];
        match log.turn(turn["id"].as_str().unwrap()).unwrap() {
            Some(stored) => {
                let status = serde_json::to_value(stored.status()).unwrap();
                let is_steer = frame["type"] == "turn.steer";
                let is_latest = stored.version == place && !is_steer;
                assert!(stored.version >= place || is_steer, "not stored: {frame}");
                assert!(
                    !is_latest || turn["status"] == status,
                    "{stored:?}: {frame}"
                );
            }
            None => assert!(self.is_trimmed, "not stored: {frame}"),
        }
    }

    fn is_stored(&self, log: &Store, placed: &Value) {
        let serial = Serial::parse(placed["serial"].as_str().unwrap()).unwrap();
        let version = Serial::parse(placed["version"].as_str().unwrap()).unwrap();
        assert!(
            serial.place <= version.place,
            "changed before it was created: {placed}"
        );
        match log.head(serial.place).unwrap() {
            Some(head) => {
                assert!(
                    version.place <= head.version,
                    "{} is stored: {placed}",
                    head.version
                );
            }
            None => assert!(self.is_trimmed, "not stored: {placed}"),
        }
    }
}
