//! What one input sends: every frame encoded once, one WebSocket message per connection.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::connection::Connection;
use super::delivery::Delivery;
use super::work::Work;
use crate::machine::{self, Text};
use crate::protocol::error::close;
use crate::protocol::frame::{ServerFrame, join};
use crate::protocol::ids::ConnectionId;
use crate::protocol::limits::REPLAY_ARRAY_BYTES;

/// Everything that follows from an input, to be performed in order.
pub type Effect = machine::Effect<Connection, Delivery>;

/// Collected while an input is handled, turned into effects at its end.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    frames: Vec<String>,
    /// For each connection the frames that it gets, in order, as indices.
    lists: BTreeMap<ConnectionId, Vec<usize>>,
    replays: Vec<(ConnectionId, String)>,
    remembered: Vec<Connection>,
    closed: Vec<(ConnectionId, u16, &'static str)>,
    /// The answers to the HTTP request at hand, and each encoded.
    pub(crate) answers: Vec<(ServerFrame, String)>,
    /// Bytes of what this input makes: frames, answers, rows that are written anew.
    pub(crate) made: usize,
    pub(super) is_erased: bool,
    pub(crate) response: Option<(u16, String)>,
    /// Deliveries to attempt.
    pub(crate) deliveries: Vec<Delivery>,
}

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

    /// Keeps a connection's state with it.
    pub(crate) fn remember(&mut self, connection: &Connection) {
        self.remembered.push(connection.clone());
    }

    pub(crate) fn close(&mut self, connection: &ConnectionId, code: u16, reason: &'static str) {
        self.closed.push((connection.clone(), code, reason));
    }

    /// Everything that goes out, with the frames that each group of connections is sent.
    fn into_effects(self, groups: BTreeMap<Vec<usize>, Vec<ConnectionId>>) -> Vec<Effect> {
        let replays = self.replays.into_iter().map(|(id, text)| Effect::Send {
            to: vec![id],
            text: Text::from(text),
        });
        let mut effects: Vec<Effect> = replays.collect();
        let frames = Rc::new(self.frames);
        for (list, to) in groups {
            let frames = Rc::clone(&frames);
            let text = Text::new(frames, list);
            effects.push(Effect::Send { to, text });
        }
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

impl Work<'_> {
    /// Sends a frame to every reader, or to those that follow a name.
    pub(crate) fn broadcast(&mut self, frame: &ServerFrame, name: Option<&str>) {
        let index = self.out.add(frame);
        for (id, live) in &self.state.connections {
            let connection = &live.connection;
            if connection.is_reader() && name.is_none_or(|name| connection.follows(name)) {
                self.out.deliver(id, index);
            }
        }
    }

    /// Everything that goes out after an input, in the order in which it must happen.
    pub(crate) fn finish(&mut self) -> Vec<Effect> {
        let mut groups: BTreeMap<Vec<usize>, Vec<ConnectionId>> = BTreeMap::new();
        for (id, mut list) in std::mem::take(&mut self.out.lists) {
            match self.check_reader(&id, &mut list) {
                Ok(()) => groups.entry(list).or_default().push(id),
                Err((code, reason)) => self.shut(&id, code, reason),
            }
        }
        std::mem::take(self.out).into_effects(groups)
    }

    /// Checks that a connection may still be sent to; else gives its close code.
    fn check_reader(
        &mut self,
        id: &ConnectionId,
        list: &mut Vec<usize>,
    ) -> Result<(), (u16, &'static str)> {
        // A connection that was refused is not among them, but is told why.
        let Some(live) = self.state.connections.get_mut(id) else {
            return Ok(());
        };
        if live.connection.is_expired(self.now) {
            return Err((close::UNAUTHORIZED, "the token expired")); // P2.6
        }
        if live.connection.is_probed {
            let sent = list
                .iter()
                .filter_map(|index| self.out.frames.get(*index))
                .map(String::len);
            let sent: usize = sent.sum();
            let allowance = self.state.limits.unsent_bytes.saturating_add(live.replayed);
            live.probe.sent += u64::try_from(sent).unwrap_or(0);
            if live.probe.is_late(self.now, allowance) {
                return Err((close::TOO_FAST, "the reader is too slow")); // P13.7
            }
            if let Some(n) = live.probe.next(self.now, &self.state.limits) {
                list.push(self.out.add(&ServerFrame::Probe { n }));
            }
        }
        Ok(())
    }
}
