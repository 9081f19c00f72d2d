//! Decisions: the session as a deterministic state machine.
//!
//! Everything that happens to a session is an [`Input`]; everything that follows is rows in
//! the [`Store`] and [`Effect`]s. Nothing here awaits, reads a clock or draws randomness.
//! One feature is one file; this one holds the contract and the one match over inputs.

mod answer;
mod append;
mod attach;
mod change;
mod check;
mod connection;
mod expiry;
mod life;
mod outbox;
mod publish;
mod rate;
mod read;
mod replay;
mod request;
mod rollup;
mod signal;

pub use connection::{Carrier, Connection, Sender};

use std::collections::BTreeMap;

use crate::protocol::decode::{ClientFrame, Received, Ref};
use crate::protocol::error::{ErrorCode, ErrorInfo, close};
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::limits::Limits;
use crate::protocol::serial::{Epoch, Place};
use crate::protocol::settings::Settings;
use crate::store::{End, Store, StoreError};
use crate::token::Grant;
use answer::Reply;
use connection::Live;
use outbox::Outbox;
use rollup::{Open, Rollup};

/// Everything that can happen to a session.
#[derive(Debug)]
pub enum Input {
    /// A connection was accepted.
    Open {
        /// Who and how; `told` is filled in by the session.
        connection: Connection,
        /// Where its replay begins (P3.3).
        start: Start,
    },
    /// A WebSocket message came in.
    Message {
        /// Over which connection.
        connection: ConnectionId,
        /// The frames in it.
        frames: Vec<Received>,
        /// Its size in bytes.
        bytes: usize,
    },
    /// A WebSocket message came in that cannot be read at all (P13.6).
    Unreadable {
        /// Over which connection.
        connection: ConnectionId,
        /// Why not.
        error: ErrorInfo,
    },
    /// A streamed HTTP body came to its end: what is pending is stored and answered (P5.4).
    BodyEnd {
        /// The connection that carries it.
        connection: ConnectionId,
    },
    /// A fresh token came over a connection, and was checked (P2.6).
    Renew {
        /// Over which connection.
        connection: ConnectionId,
        /// The frame's own mark.
        reference: Option<Ref>,
        /// What the token grants, or why it does not hold.
        grant: Result<Grant, ErrorInfo>,
    },
    /// The platform tells how much a reader has not taken yet (P13.7).
    Unsent {
        /// The reader.
        connection: ConnectionId,
        /// Bytes sent and not taken.
        bytes: u64,
    },
    /// A connection is gone, with or without a goodbye.
    Close {
        /// Which.
        connection: ConnectionId,
    },
    /// An HTTP request; its answer is the one [`Effect::Respond`] among the effects.
    Request {
        /// Who asks.
        sender: Sender,
        /// What for.
        request: Request,
    },
    /// A time that [`Session::deadline`] or [`Session::window`] named has come, or may have.
    Deadline,
}

/// Where a replay begins (P3.3).
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// The position to resume after, as the client gave it.
    pub since: Option<String>,
    /// How many messages to go back otherwise.
    pub rewind: usize,
}

/// What an HTTP request asks for.
#[derive(Debug)]
pub enum Request {
    /// `POST …/frames` with one frame: the answer is its ack or nack (P12.1).
    Frame(Received),
    /// `POST …/frames` with an array: the answer is one ack or nack for each (P12.1).
    Frames(Vec<Received>),
    /// A shorthand: the answer is the ack's result alone (P12.2).
    Shorthand(Result<ClientFrame, ErrorInfo>),
    /// `GET …/messages` (P3.9).
    History {
        /// Older than this serial, newest first.
        before: Option<String>,
        /// Newer than this serial, oldest first.
        after: Option<String>,
        /// How many, 1–1000.
        limit: usize,
    },
    /// `GET …/messages/{serial}` (P3.9); without its data for the end of a streamed body.
    Message {
        /// The message.
        serial: String,
        /// Whether to leave its data out (P5.5).
        without_data: bool,
    },
    /// `GET …` (P11.1).
    Snapshot {
        /// How many of the newest messages.
        rewind: usize,
    },
    /// `PATCH …`: the value of `settings` (P11.2).
    Settings(serde_json::Value),
    /// `DELETE …` (P11.2).
    Erase,
}

/// Everything that follows from an input, to be performed in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Send one WebSocket message to each of these connections.
    Send {
        /// To whom.
        to: Vec<ConnectionId>,
        /// A frame or an array of frames, encoded.
        text: String,
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
}

/// One session in memory. All that it must not lose is in the store and with its connections.
#[derive(Debug)]
pub struct Session {
    id: String,
    limits: Limits,
    /// The epoch of its serials, also while nothing has been written yet.
    epoch: Epoch,
    /// When it began; `None` until the first write (P1.2).
    created_at: Option<Timestamp>,
    /// Up to here messages have been trimmed (P11.2).
    floor: Place,
    settings: Settings,
    end: Place,
    written_at: Timestamp,
    connections: BTreeMap<ConnectionId, Live>,
    rollup: Rollup,
    expiry: expiry::Expiry,
    /// Between the decision to delete everything and its end (P11.2).
    is_gone: bool,
}

/// Why an input did not do what it asked for.
#[derive(Debug)]
enum Error {
    /// The client's mistake, or a race that it lost: a nack, and nothing has changed.
    Refused(ErrorInfo),
    /// The storage failed: the session is dropped.
    Store(StoreError),
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<ErrorInfo> for Error {
    fn from(error: ErrorInfo) -> Self {
        Self::Refused(error)
    }
}

impl Session {
    /// Rebuilds a session from its rows and from the connections that survived; the only
    /// way in, for a first boot, after a sleep, a deployment or a crash. `entropy` gives the
    /// epoch of a session that has none yet.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn load(
        id: &str,
        limits: Limits,
        store: &dyn Store,
        connections: Vec<Connection>,
        entropy: u32,
    ) -> Result<Self, StoreError> {
        let beginning = store.beginning()?;
        let end = if beginning.is_some() {
            store.end()?
        } else {
            End::default()
        };
        let told = connections
            .iter()
            .find_map(|connection| connection.told.as_deref());
        let told = told.and_then(Epoch::parse);
        let mut session = Self {
            id: id.to_owned(),
            limits,
            epoch: told.unwrap_or_else(|| Epoch::from_entropy(entropy)),
            created_at: None,
            floor: 0,
            settings: Settings::default(),
            end: end.place,
            written_at: end.written_at,
            connections: BTreeMap::new(),
            rollup: Rollup::default(),
            expiry: expiry::Expiry::default(),
            is_gone: false,
        };
        if let Some(beginning) = beginning {
            session.epoch = beginning.epoch;
            session.created_at = Some(beginning.created_at);
            session.floor = beginning.floor;
            session.settings = beginning.settings;
            session.written_at = session.written_at.max(beginning.created_at);
            for streaming in store.streaming()? {
                session
                    .rollup
                    .open
                    .insert(streaming.head.place, Open::new(streaming));
            }
        }
        for connection in connections {
            if connection.is_reader() {
                session.rollup.join(&connection);
            }
            let live = Live::new(connection, &session.limits);
            session.expect_reminder(&live);
            session.connections.insert(live.connection.id.clone(), live);
        }
        session.disown_bodies();
        session.expect_anew(store)?;
        Ok(session)
    }

    /// A streamed body whose connection is gone has broken off (P5.5): its message is due to
    /// fail at the next input.
    fn disown_bodies(&mut self) {
        for open in self.rollup.open.values_mut() {
            let origin = open.origin.as_ref().filter(|origin| origin.is_body());
            if origin.is_some_and(|origin| !self.connections.contains_key(origin)) {
                open.heard_at = Timestamp::MIN;
            }
        }
    }

    /// Decides everything that follows from one input, and stores it. Never awaits.
    ///
    /// # Errors
    /// When the storage fails; the session must then be dropped and loaded again.
    pub fn handle(
        &mut self,
        store: &dyn Store,
        now: Timestamp,
        input: Input,
    ) -> Result<Vec<Effect>, StoreError> {
        let mut out = Outbox::default();
        if !self.is_gone {
            self.pass_deadlines(store, now, &mut out)?;
        }
        if self.is_gone {
            self.refuse_all(input, &mut out);
        } else {
            self.dispatch(store, now, input, &mut out)?;
        }
        Ok(self.finish(now, out))
    }

    fn dispatch(
        &mut self,
        store: &dyn Store,
        now: Timestamp,
        input: Input,
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        match input {
            Input::Open { connection, start } => self.open(store, now, connection, &start, out)?,
            Input::Message {
                connection,
                frames,
                bytes,
            } => {
                self.message(store, now, &connection, frames, bytes, out)?;
            }
            Input::Unreadable { connection, error } => {
                self.unreadable(now, &connection, error, out);
            }
            Input::BodyEnd { connection: _ } => self.settle(store, now, out)?,
            Input::Renew {
                connection,
                reference,
                grant,
            } => {
                self.renew(now, &connection, reference, grant, out);
            }
            Input::Unsent { connection, bytes } => self.unsent(&connection, bytes, out),
            Input::Close { connection } => self.leave(store, now, &connection, out)?,
            Input::Request { sender, request } => {
                self.request(store, now, &sender, request, out)?;
            }
            Input::Deadline => self.tick(store, now, out)?,
        }
        Ok(())
    }

    /// The frames of one WebSocket message.
    fn message(
        &mut self,
        store: &dyn Store,
        now: Timestamp,
        connection: &ConnectionId,
        frames: Vec<Received>,
        bytes: usize,
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        let Some(live) = self.connections.get_mut(connection) else {
            return Ok(());
        };
        if live.connection.is_expired(now) {
            self.shut(out, connection, close::UNAUTHORIZED, "the token expired"); // P2.6
            return Ok(());
        }
        if live.connection.carrier == Carrier::Events || live.rates.message(now).is_err() {
            self.shut(out, connection, close::TOO_FAST, "too many messages");
            return Ok(());
        }
        let too_much = live.rates.text(now, bytes).err();
        let (sender, carrier) = (live.connection.sender(), live.connection.carrier);
        for received in frames {
            let reply = Reply::new(&sender, Some(carrier), received.reference);
            let frame = too_much.clone().map_or(received.frame, Err);
            self.frame(store, now, &sender, frame, &reply, out)?;
        }
        Ok(())
    }

    /// One frame: the one match over everything that a client may ask for.
    fn frame(
        &mut self,
        store: &dyn Store,
        now: Timestamp,
        sender: &Sender,
        frame: Result<ClientFrame, ErrorInfo>,
        reply: &Reply,
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        let done = match frame {
            Err(error) => Err(error.into()),
            Ok(ClientFrame::Append(append)) => self.append(store, now, sender, &append, reply, out),
            Ok(ClientFrame::Publish(publish)) => {
                self.publish(store, now, sender, publish, reply, out)
            }
            Ok(ClientFrame::Update(update)) => self.update(store, now, sender, update, reply, out),
            Ok(ClientFrame::Delete(delete)) => self.delete(store, now, sender, &delete, reply, out),
            Ok(ClientFrame::Signal(signal)) => self.signal(store, now, sender, signal, reply, out),
            Ok(ClientFrame::Seen(_)) if sender.connection.is_none() => {
                Err(misplaced("seen").into())
            }
            Ok(ClientFrame::Seen(seen)) => {
                self.seen(sender, &seen, reply, out);
                Ok(())
            }
            // The platform checks tokens, and hands what they grant to `renew`.
            Ok(ClientFrame::Auth(_)) => Err(misplaced("auth").into()),
        };
        match done {
            Err(Error::Store(error)) => Err(error),
            Err(Error::Refused(error)) => {
                self.answer(out, reply, Err(error));
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    fn request(
        &mut self,
        store: &dyn Store,
        now: Timestamp,
        sender: &Sender,
        request: Request,
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        let done = match request {
            Request::Frame(received) => {
                let frames = vec![received];
                return self.frames(store, now, sender, frames, request::Shape::Frame, out);
            }
            Request::Frames(frames) => {
                return self.frames(store, now, sender, frames, request::Shape::Frames, out);
            }
            Request::Shorthand(frame) => {
                let frames = vec![Received {
                    reference: None,
                    frame,
                }];
                return self.frames(store, now, sender, frames, request::Shape::Result, out);
            }
            Request::History {
                before,
                after,
                limit,
            } => {
                let (before, after) = (before.as_deref(), after.as_deref());
                self.history(store, sender, before, after, limit)
            }
            Request::Message {
                serial,
                without_data,
            } => self.one_message(store, sender, &serial, without_data),
            Request::Snapshot { rewind } => self.snapshot(store, sender, rewind),
            Request::Settings(patch) => self.change_settings(store, now, sender, &patch, out),
            Request::Erase => self.erase(sender, out),
        };
        out.response = Some(match done {
            Ok(body) => (200, body),
            Err(Error::Refused(error)) => request::refusal(&error),
            Err(Error::Store(error)) => return Err(error),
        });
        Ok(())
    }

    /// The end of the nearest rollup window, at most 500 ms away; the platform keeps a timer
    /// for it. `None` while nothing is pending or held: then no timer may run.
    pub fn window(&self) -> Option<Timestamp> {
        self.rollup.due(&self.settings)
    }

    /// Everybody who is attached.
    pub fn connections(&self) -> impl Iterator<Item = &Connection> {
        self.connections.values().map(|live| &live.connection)
    }
}

fn misplaced(kind: &str) -> ErrorInfo {
    let message = format!("unable to take {kind}; it only means something on a WebSocket");
    ErrorInfo::new(ErrorCode::UnknownFrame, message)
}
