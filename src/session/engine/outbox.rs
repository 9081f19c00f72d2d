//! The output of one input: every frame encoded once, one WebSocket message per connection.

use std::rc::Rc;

use super::connection::Connection;
use super::delivery::Delivery;
use crate::machine::{self, Text};
use crate::ordered::Map;
use crate::protocol::frame::{ServerFrame, join};
use crate::protocol::ids::ConnectionId;
use crate::protocol::limits::REPLAY_ARRAY_BYTES;
use crate::protocol::milestone::Milestone;

/// All effects of an input, to be performed in order.
pub type Effect = machine::Effect<Connection, Delivery>;

/// Output collected while an input is handled, turned into effects at its end.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pub(super) frames: Vec<String>,
    /// Each connection's frames, in order, as indices.
    pub(super) lists: Map<ConnectionId, Vec<usize>>,
    replays: Vec<(ConnectionId, String)>,
    remembered: Vec<Connection>,
    closed: Vec<(ConnectionId, u16, &'static str)>,
    /// The answers to the current HTTP request, and each encoded.
    pub(crate) answers: Vec<(ServerFrame, String)>,
    /// Bytes of this input's output: frames, answers, rewritten rows.
    pub(crate) made: usize,
    pub(super) is_erased: bool,
    pub(crate) response: Option<(u16, String)>,
    /// Deliveries to attempt.
    pub(crate) deliveries: Vec<Delivery>,
    /// Milestones to tell of (P11.8).
    pub(super) milestones: Vec<Milestone>,
}

/// Connections with the same frames, keyed by these.
pub(crate) type Groups = Map<Vec<usize>, Vec<ConnectionId>>;

impl Outbox {
    /// Encodes a frame for any number of readers.
    pub(crate) fn add(&mut self, frame: &ServerFrame) -> usize {
        let text = frame.encode();
        self.made += text.len();
        self.frames.push(text);
        self.frames.len() - 1
    }

    /// Sends a frame that was added.
    pub(crate) fn deliver(&mut self, connection: &ConnectionId, index: usize) {
        match self.lists.get_mut(connection) {
            Some(list) => list.push(index),
            None => {
                self.lists.insert(connection.clone(), vec![index]);
            }
        }
    }

    /// The bytes of a frame that was added.
    pub(crate) fn bytes(&self, index: usize) -> u64 {
        let bytes = self.frames.get(index).map_or(0, String::len);
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    /// Sends a frame to one connection.
    pub(crate) fn send(&mut self, connection: &ConnectionId, frame: &ServerFrame) {
        let index = self.add(frame);
        self.deliver(connection, index);
    }

    /// Sends encoded frames in arrays of some 64 KiB (P13.6), before anything else of this
    /// input; returns their size.
    pub(crate) fn replay(&mut self, connection: &ConnectionId, frames: &[String]) -> usize {
        let mut sent = 0;
        let mut rest = frames;
        while !rest.is_empty() {
            let mut bytes = 0;
            let fitting = rest.iter().take_while(|frame| {
                let is_first = bytes == 0;
                bytes += frame.len();
                is_first || bytes <= REPLAY_ARRAY_BYTES
            });
            let (array, later) = rest.split_at(fitting.count().min(rest.len()));
            let text = join(array);
            sent += text.len();
            self.replays.push((connection.clone(), text));
            rest = later;
        }
        sent
    }

    /// Stores a connection's state with it.
    pub(crate) fn remember(&mut self, connection: &Connection) {
        self.remembered.push(connection.clone());
    }

    pub(crate) fn close(&mut self, connection: &ConnectionId, code: u16, reason: &'static str) {
        self.closed.push((connection.clone(), code, reason));
    }

    /// The whole output, with the frames of each group of connections.
    pub(crate) fn into_effects(self, groups: Groups) -> Vec<Effect> {
        let replays = self.replays.into_iter().map(|(id, text)| Effect::Send {
            to: vec![id],
            text: Text::from(text),
        });
        let mut effects: Vec<Effect> = replays.collect();
        let frames = Rc::new(self.frames);
        for (list, to) in groups {
            let text = Text::new(Rc::clone(&frames), list);
            effects.push(Effect::Send { to, text });
        }
        effects.extend(self.milestones.into_iter().map(Box::new).map(Effect::Reach));
        effects.extend(self.remembered.into_iter().map(Effect::Remember));
        let closed = self.closed.into_iter();
        effects.extend(closed.map(|(connection, code, reason)| Effect::Close {
            connection,
            code,
            reason,
        }));
        if self.is_erased {
            effects.push(Effect::Erase);
        }
        if let Some((status, body)) = self.response {
            effects.push(Effect::Respond { status, body });
        }
        effects.extend(self.deliveries.into_iter().map(Effect::Deliver));
        effects
    }
}
