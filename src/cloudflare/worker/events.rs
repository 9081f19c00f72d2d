//! Frames as events of an event stream (P3.8).

use std::borrow::Cow;

use crate::protocol::frame::split;
use crate::protocol::object::Object;

/// Writes frames as events, with the reader's position where it moves.
#[derive(Default)]
pub(super) struct Writer {
    text: String,
    /// The highest version of what was written.
    position: String,
    /// Before that the position stays where it was (P3.7).
    is_caught_up: bool,
    /// Bytes of the replay: a reader that takes long over them is not yet a slow reader (P13.7).
    pub(super) replayed: u64,
}

/// The fields that decide an event's id.
struct Peek<'a> {
    kind: Cow<'a, str>,
    serial: Option<Cow<'a, str>>,
    version: Option<Cow<'a, str>>,
    /// A message; its serial alone has no fields.
    message: Option<Object<'a>>,
}

impl<'a> Peek<'a> {
    fn read(frame: &'a str) -> Option<Self> {
        let fields = Object::read(frame)?;
        let message = fields.raw("message");
        Some(Self {
            kind: fields.word("type")?,
            serial: fields.word("serial"),
            version: fields.word("version"),
            message: message.and_then(|message| Object::read(message.get())),
        })
    }
}

impl Writer {
    /// Writes one frame or an array of frames.
    pub(super) fn write(&mut self, text: &str) {
        let (before, was_caught_up) = (self.text.len(), self.is_caught_up);
        self.write_frames(text);
        if !was_caught_up {
            let bytes = self.text.len().saturating_sub(before);
            self.replayed = self
                .replayed
                .saturating_add(u64::try_from(bytes).unwrap_or(0));
        }
    }

    fn write_frames(&mut self, text: &str) {
        let frames = split(text);
        let mut has_moved = false;
        let last = frames.len().saturating_sub(1);
        for (index, frame) in frames.iter().enumerate() {
            let Some(peek) = Peek::read(frame.get()) else {
                continue;
            };
            has_moved |= self.advance(&peek);
            let is_caught_up = peek.kind == "caught-up";
            if is_caught_up || (index == last && has_moved && self.is_caught_up) {
                self.text.push_str("id: ");
                self.text.push_str(&self.position);
                self.text.push('\n');
            }
            self.text.push_str("data: ");
            self.text.push_str(frame.get());
            self.text.push_str("\n\n");
        }
    }

    /// The events written since the last call.
    pub(super) fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }

    /// Moves the position by a frame; returns whether it moved. A message counts by its version,
    /// everything else in the log by its serial.
    fn advance(&mut self, peek: &Peek<'_>) -> bool {
        if peek.kind == "caught-up" {
            self.is_caught_up = true;
            self.position = peek.serial.as_deref().unwrap_or_default().to_owned();
            return false;
        }
        if peek.kind == "attached" {
            return false;
        }
        let message = peek.message.as_ref();
        let place = message
            .and_then(|message| message.word("version"))
            .or_else(|| peek.version.clone())
            .or_else(|| peek.serial.clone());
        match place {
            Some(place) if self.position.as_str() < place.as_ref() => {
                self.position = place.into_owned();
                true
            }
            _ => false,
        }
    }
}
