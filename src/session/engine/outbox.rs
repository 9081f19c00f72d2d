//! What one input sends: every frame encoded once, one WebSocket message per connection.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use super::connection::Connection;
use super::delivery::Delivery;
use super::work::Work;
use crate::protocol::error::close;
use crate::protocol::frame::{ServerFrame, join};
use crate::protocol::ids::ConnectionId;
use crate::protocol::limits::REPLAY_ARRAY_BYTES;

/// Everything that follows from an input, to be performed in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Send one WebSocket message to each of these connections.
    Send {
        /// To whom.
        to: Vec<ConnectionId>,
        /// A frame or an array of frames.
        text: Text,
    },
    /// Keep this with the connection, so that it survives the session's sleep.
    Remember(Connection),
    /// Close a connection.
    Close {
        /// Which.
        connection: ConnectionId,
        /// A close code of P13.3.
        code: u16,
        /// Why, in at most 123 bytes.
        reason: &'static str,
    },
    /// Delete everything in storage, the alarm too, and load the session anew. Only then
    /// does the `Respond` that follows go out (P11.2).
    Erase,
    /// The answer to [`Input::Request`].
    Respond {
        /// The HTTP status.
        status: u16,
        /// JSON.
        body: String,
    },
    /// Attempt a delivery, once. Nothing waits for it; its outcome is an input.
    Deliver(Delivery),
}

/// Collected while an input is handled, turned into effects at its end.
#[derive(Debug, Default)]
pub(in crate::session) struct Outbox {
    frames: Vec<String>,
    /// For each connection the frames that it gets, in order, as indices.
    lists: BTreeMap<ConnectionId, Vec<usize>>,
    replays: Vec<(ConnectionId, String)>,
    remembered: Vec<Connection>,
    closed: Vec<(ConnectionId, u16, &'static str)>,
    /// The answers to the HTTP request at hand, and each encoded.
    pub(in crate::session) answers: Vec<(ServerFrame, String)>,
    /// Bytes of what this input makes: frames, answers, rows that are written anew.
    pub(in crate::session) made: usize,
    pub(super) is_erased: bool,
    pub(in crate::session) response: Option<(u16, String)>,
    /// Deliveries to attempt.
    pub(in crate::session) deliveries: Vec<Delivery>,
}

/// The text of one WebSocket message. It is put together when it is sent: of what many connections
/// are sent in many different ways there is only one copy until then.
#[derive(Clone)]
pub struct Text {
    frames: Rc<Vec<String>>,
    list: Vec<usize>,
}

impl Text {
    /// The whole of it.
    pub fn whole(&self) -> Cow<'_, str> {
        let frames = self.list.iter().filter_map(|index| self.frames.get(*index));
        let frames: Vec<&String> = frames.collect();
        match *frames {
            [only] => Cow::Borrowed(only),
            _ => Cow::Owned(join(&frames)),
        }
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        let frames = Rc::new(vec![text]);
        Self {
            frames,
            list: vec![0],
        }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.whole() == other.whole()
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.whole().fmt(formatter)
    }
}

impl Outbox {
    /// Encodes a frame for any number of readers.
    pub(in crate::session) fn add(&mut self, frame: &ServerFrame) -> usize {
        let text = frame.encode();
        self.made += text.len();
        self.frames.push(text);
        self.frames.len() - 1
    }

    /// Sends a frame that was added.
    pub(in crate::session) fn deliver(&mut self, connection: &ConnectionId, index: usize) {
        match self.lists.get_mut(connection) {
            Some(list) => list.push(index),
            None => {
                self.lists.insert(connection.clone(), vec![index]);
            }
        }
    }

    /// The bytes of a frame that was added.
    pub(in crate::session) fn bytes(&self, index: usize) -> u64 {
        let bytes = self.frames.get(index).map_or(0, String::len);
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    /// Sends a frame to one connection.
    pub(in crate::session) fn send(&mut self, connection: &ConnectionId, frame: &ServerFrame) {
        let index = self.add(frame);
        self.deliver(connection, index);
    }

    /// Sends encoded frames in arrays of some 64 KiB (P13.6), before anything else of this
    /// input; returns their size.
    pub(in crate::session) fn replay(
        &mut self,
        connection: &ConnectionId,
        frames: &[String],
    ) -> usize {
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
    pub(in crate::session) fn remember(&mut self, connection: &Connection) {
        self.remembered.push(connection.clone());
    }

    pub(in crate::session) fn close(
        &mut self,
        connection: &ConnectionId,
        code: u16,
        reason: &'static str,
    ) {
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
            let text = Text { frames, list };
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
    pub(in crate::session) fn broadcast(&mut self, frame: &ServerFrame, name: Option<&str>) {
        let index = self.out.add(frame);
        for (id, live) in &self.state.connections {
            let connection = &live.connection;
            if connection.is_reader() && name.is_none_or(|name| connection.follows(name)) {
                self.out.deliver(id, index);
            }
        }
    }

    /// Everything that goes out after an input, in the order in which it must happen.
    pub(in crate::session) fn finish(&mut self) -> Vec<Effect> {
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
