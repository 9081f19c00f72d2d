//! What must hold of everything that a session says, and at the end.

use std::collections::BTreeMap;

use serde_json::Value;
use sessile::protocol::serial::Serial;
use sessile::session::Effect;
use sessile::store::Log;

use crate::host::Host;

/// Looks over the session's shoulder.
#[derive(Default)]
pub struct Witness {
    /// What each version was a change of, and how long the text was then.
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

impl Witness {
    pub fn new(is_trimmed: bool) -> Self {
        Self {
            is_trimmed,
            ..Self::default()
        }
    }

    /// P3.2: what is sent is stored. P3.1: a serial stands for one thing only.
    pub fn check(&mut self, host: &Host, effects: &[Effect]) {
        if effects.contains(&Effect::Erase) {
            return;
        }
        let log = host.log();
        for effect in effects {
            let text = match effect {
                Effect::Send { text, .. } => text,
                Effect::Respond { body, .. } => body,
                Effect::Remember(_) | Effect::Close { .. } | Effect::Erase => continue,
            };
            for frame in frames(text) {
                self.frame(&log, &frame);
            }
        }
    }

    fn frame(&mut self, log: &impl Log, frame: &Value) {
        let subject = match frame["type"].as_str().unwrap_or_default() {
            "message.create" | "message.update" => &frame["message"],
            "message.append" | "message.delete" => frame,
            "ack" => {
                for placed in frame["result"]["messages"].as_array().into_iter().flatten() {
                    self.is_stored(log, placed);
                }
                &frame["result"]
            }
            _ => return,
        };
        if !subject["serial"].is_string() {
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

    fn is_stored(&self, log: &impl Log, placed: &Value) {
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
