//! What one input sends: every frame encoded once, one WebSocket message per connection.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::connection::{Connection, Live};
use super::{Effect, Session, Text};
use crate::protocol::error::close;
use crate::protocol::frame::{ServerFrame, join};
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::limits::{DRAIN_MS, DRAIN_MS_LEAST, Limits, REPLAY_ARRAY_BYTES};

/// Collected while an input is handled, turned into effects at its end.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    frames: Vec<String>,
    /// For each connection the frames that it gets, in order, as indices.
    lists: BTreeMap<ConnectionId, Vec<usize>>,
    replays: Vec<(ConnectionId, String)>,
    remembered: Vec<Connection>,
    closed: Vec<(ConnectionId, u16, &'static str)>,
    /// The answers to the HTTP request at hand, and each encoded.
    pub(super) answers: Vec<(ServerFrame, String)>,
    /// Bytes of what this input makes: frames, answers, rows that are written anew.
    pub(super) made: usize,
    pub(super) is_erased: bool,
    pub(super) response: Option<(u16, String)>,
}

impl Outbox {
    /// Encodes a frame for any number of readers.
    pub(super) fn add(&mut self, frame: &ServerFrame) -> usize {
        let text = frame.encode();
        self.made += text.len();
        self.frames.push(text);
        self.frames.len() - 1
    }

    /// Sends a frame that was added.
    pub(super) fn deliver(&mut self, connection: &ConnectionId, index: usize) {
        match self.lists.get_mut(connection) {
            Some(list) => list.push(index),
            None => {
                self.lists.insert(connection.clone(), vec![index]);
            }
        }
    }

    /// The bytes of a frame that was added.
    pub(super) fn bytes(&self, index: usize) -> u64 {
        let bytes = self.frames.get(index).map_or(0, String::len);
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    /// Sends a frame to one connection.
    pub(super) fn send(&mut self, connection: &ConnectionId, frame: &ServerFrame) {
        let index = self.add(frame);
        self.deliver(connection, index);
    }

    /// Sends encoded frames in arrays of some 64 KiB (P13.6), before anything else of this
    /// input; returns their size.
    pub(super) fn replay(&mut self, connection: &ConnectionId, frames: &[String]) -> usize {
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
    pub(super) fn remember(&mut self, connection: &Connection) {
        self.remembered.push(connection.clone());
    }

    pub(super) fn close(&mut self, connection: &ConnectionId, code: u16, reason: &'static str) {
        self.closed.push((connection.clone(), code, reason));
    }
}

impl Session {
    /// Sends a frame to every reader, or to those that follow a name.
    pub(super) fn broadcast(&self, out: &mut Outbox, frame: &ServerFrame, name: Option<&str>) {
        let index = out.add(frame);
        for (id, live) in &self.connections {
            let connection = &live.connection;
            if connection.is_reader() && name.is_none_or(|name| connection.follows(name)) {
                out.deliver(id, index);
            }
        }
    }

    /// Lets go of a connection and closes it.
    pub(super) fn shut(
        &mut self,
        out: &mut Outbox,
        connection: &ConnectionId,
        code: u16,
        reason: &'static str,
    ) {
        self.forget(connection);
        out.close(connection, code, reason);
    }

    /// Everything that goes out after an input, in the order in which it must happen.
    pub(super) fn finish(&mut self, now: Timestamp, mut out: Outbox) -> Vec<Effect> {
        let mut groups: BTreeMap<Vec<usize>, Vec<ConnectionId>> = BTreeMap::new();
        for (id, mut list) in std::mem::take(&mut out.lists) {
            match self.admit(now, &id, &mut list, &mut out) {
                Ok(()) => groups.entry(list).or_default().push(id),
                Err((code, reason)) => self.shut(&mut out, &id, code, reason),
            }
        }
        let replays = out.replays.into_iter().map(|(id, text)| Effect::Send {
            to: vec![id],
            text: Text::from(text),
        });
        let mut effects: Vec<Effect> = replays.collect();
        let frames = Rc::new(out.frames);
        for (list, to) in groups {
            let frames = Rc::clone(&frames);
            let text = Text::new(frames, list);
            effects.push(Effect::Send { to, text });
        }
        effects.extend(out.remembered.into_iter().map(Effect::Remember));
        effects.extend(
            out.closed
                .into_iter()
                .map(|(connection, code, reason)| Effect::Close {
                    connection,
                    code,
                    reason,
                }),
        );
        if out.is_erased {
            effects.push(Effect::Erase);
        }
        if let Some((status, body)) = out.response {
            effects.push(Effect::Respond { status, body });
        }
        effects
    }

    /// Whether a connection may be sent what there is for it; if not, how it is closed.
    fn admit(
        &mut self,
        now: Timestamp,
        id: &ConnectionId,
        list: &mut Vec<usize>,
        out: &mut Outbox,
    ) -> Result<(), (u16, &'static str)> {
        // A connection that was refused is not among them, but is told why.
        let Some(live) = self.connections.get_mut(id) else {
            return Ok(());
        };
        if live.connection.is_expired(now) {
            return Err((close::UNAUTHORIZED, "the token expired")); // P2.6
        }
        if live.connection.is_probed {
            let sent = list
                .iter()
                .filter_map(|index| out.frames.get(*index))
                .map(String::len);
            let sent: usize = sent.sum();
            let allowance = self.limits.unsent_bytes.saturating_add(live.replayed);
            live.probe.sent += u64::try_from(sent).unwrap_or(0);
            if live.probe.is_late(now, allowance) {
                return Err((close::TOO_FAST, "the reader is too slow")); // P13.7
            }
            if let Some(n) = live.probe.next(now, &self.limits) {
                list.push(out.add(&ServerFrame::Probe { n }));
            }
        }
        Ok(())
    }
}

/// How far a reader has come, where the platform does not tell (P13.7).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Probe {
    /// Bytes sent to it.
    sent: u64,
    /// Bytes that it has taken for certain.
    seen: u64,
    /// The number of the last probe, and how much had been sent then.
    last: u64,
    sent_at_last: u64,
    /// Since when it is out.
    out_since: Option<Timestamp>,
}

impl Probe {
    /// The next probe, once a quarter of what may be unsent has gone out since the last.
    fn next(&mut self, now: Timestamp, limits: &Limits) -> Option<u64> {
        if self.out_since.is_some() || self.sent - self.seen < limits.unsent_bytes / 4 {
            return None;
        }
        self.out_since = Some(now);
        self.last += 1;
        self.sent_at_last = self.sent;
        Some(self.last)
    }

    /// Whether too much is under way, and the reader had time to say that it has some of it.
    fn is_late(&self, now: Timestamp, allowance: u64) -> bool {
        let unsent = self.sent - self.seen;
        let given = if allowance.saturating_mul(2) < unsent {
            DRAIN_MS_LEAST
        } else {
            DRAIN_MS
        };
        let is_given = |since: Timestamp| given <= now.saturating_sub(since);
        allowance < unsent && self.out_since.is_some_and(is_given)
    }

    /// The reader answered.
    pub(super) fn answered(&mut self, n: u64) {
        if self.out_since.is_some() && n == self.last {
            self.out_since = None;
            self.seen = self.sent_at_last;
        }
    }

    /// A replay went out.
    pub(super) fn replayed(&mut self, bytes: u64) {
        self.sent += bytes;
    }
}

impl Live {
    /// The platform told what the reader has not taken; whether that is too much.
    pub(super) fn is_slow(&self, bytes: u64, limits: &Limits) -> bool {
        limits.unsent_bytes.saturating_add(self.replayed) < bytes
    }
}
