//! Decisions: the session as a deterministic state machine.
//!
//! Everything that happens to a session is an [`Input`]; everything that follows is rows in
//! the [`Store`] and [`Effect`]s. Nothing here awaits, reads a clock or draws randomness.
//! One feature is one file; this one holds the contract and the one match over inputs.

mod adopt;
mod answer;
mod append;
mod attach;
mod backlog;
mod chain;
mod change;
mod check;
mod class;
mod closing;
mod connection;
mod control;
mod conversation;
mod deliveries;
mod drive;
mod expiry;
mod frames;
mod full;
mod lease;
mod life;
mod list;
mod outbox;
mod presence;
mod publish;
mod queue;
mod rate;
mod read;
mod replay;
mod request;
mod rollup;
mod signal;
mod steer;
mod step;
mod turn;

pub use chain::Chains;
pub use connection::{Carrier, Connection, Sender};
pub use deliveries::{Delivered, Delivery, Outcome};
pub use outbox::Text;
pub use presence::{Coming, Present};
pub use request::Request;

use std::collections::BTreeMap;

use crate::protocol::decode::{Received, Ref};
use crate::protocol::error::ErrorInfo;
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::limits::Limits;
use crate::protocol::serial::{Epoch, Place};
use crate::protocol::settings::Settings;
use crate::store::{End, Store, StoreError};
use crate::token::Grant;
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
        /// Whether no other is expected in this turn of the event loop: then what is due at
        /// once is stored and sent with it, and waits for no timer (P5.4).
        is_alone: bool,
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
        /// The frames that it stands on (P13.8).
        chain: Option<u64>,
        /// What the token grants, or why it does not hold.
        grant: Result<Grant, ErrorInfo>,
    },
    /// The platform tells when connections last sent a text `ping`, which it answers without
    /// a word (P7.2). To be given before another input once [`Session::listens_at`] has come.
    Heard {
        /// When, for those that ever did.
        heard: Vec<(ConnectionId, Timestamp)>,
    },
    /// The platform tells how much a reader has not taken yet (P13.7).
    Unsent {
        /// The reader.
        connection: ConnectionId,
        /// Bytes sent and not taken.
        bytes: u64,
    },
    /// The platform tells what every reader has not taken yet (P14).
    Backlog {
        /// Those who have anything to take, and how many bytes.
        unsent: Vec<(ConnectionId, u64)>,
        /// Whether they had time to take something since it was sent.
        had_time: bool,
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
    clients: rate::Clients,
    rollup: Rollup,
    turns: turn::Turns,
    told: presence::Told,
    /// When pings must be known of, at the latest.
    listens_at: Timestamp,
    expiry: expiry::Expiry,
    /// Bytes that all readers together had not taken when the platform last told.
    backlog: u64,
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
        store: &Store,
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
            clients: rate::Clients::default(),
            rollup: Rollup::default(),
            turns: turn::Turns::new(),
            told: presence::Told::default(),
            listens_at: Timestamp::MAX,
            expiry: expiry::Expiry::default(),
            backlog: 0,
            is_gone: false,
        };
        if let Some(beginning) = beginning {
            session.epoch = beginning.epoch;
            session.created_at = Some(beginning.created_at);
            session.floor = beginning.floor;
            if let Some(at) = beginning.trimmed_at {
                session.trimmed_at(at);
            }
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
            let mut live = Live::new(connection, &session.limits);
            live.heard_at = live.connection.heard_at + session.silence_slack();
            session.expect_reminder(&live);
            session.connections.insert(live.connection.id.clone(), live);
        }
        session.load_turns(store)?;
        session.listen();
        if session.listens_at < Timestamp::MAX {
            // Who sent pings while the session slept is to be told first.
            session.listens_at = Timestamp::MIN;
        }
        session.disown_bodies();
        session.expect_anew(store)?;
        Ok(session)
    }

    /// A streamed body whose connection is gone has broken off (P5.5): its message is due to
    /// fail at the next input.
    fn disown_bodies(&mut self) {
        for open in self.rollup.open.values_mut() {
            let body = open.body.as_ref();
            if body.is_some_and(|body| !self.connections.contains_key(body)) {
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
        store: &Store,
        now: Timestamp,
        input: Input,
    ) -> Result<Vec<Effect>, StoreError> {
        let mut out = Outbox::default();
        if let Input::Heard { heard } = input {
            self.heard(heard);
            return Ok(Vec::new());
        }
        if !self.is_gone {
            let passed = self.pass_deadlines(store, now, &mut out);
            self.survive(store, now, passed, &mut out)?;
        }
        if self.is_gone {
            self.refuse_all(input, &mut out);
        } else {
            let opened = match &input {
                Input::Open { connection, .. } => Some(connection.id.clone()),
                _ => None,
            };
            let is_request = matches!(input, Input::Request { .. });
            let done = self.dispatch(store, now, input, &mut out);
            if !self.survive(store, now, done, &mut out)? {
                if let Some(id) = opened {
                    attach::refuse_full(&id, self.full(), &mut out);
                }
                if is_request && out.response.is_none() {
                    out.response = Some(request::refusal(&self.full()));
                }
            }
            self.tell_presence(now, &mut out);
        }
        Ok(self.finish(now, out))
    }

    fn dispatch(
        &mut self,
        store: &Store,
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
                is_alone,
            } => {
                self.message(store, now, &connection, frames, bytes, out)?;
                if is_alone {
                    self.tick(store, now, out)?;
                }
            }
            Input::Unreadable { connection, error } => {
                self.unreadable(now, &connection, error, out);
            }
            Input::BodyEnd { connection } => {
                self.settle_for(store, now, Some(&connection), out)?;
            }
            Input::Renew {
                connection,
                reference,
                chain,
                grant,
            } => {
                self.renew(now, &connection, reference, chain, grant, out);
            }
            Input::Heard { heard } => self.heard(heard),
            Input::Unsent { connection, bytes } => self.unsent(&connection, bytes, out),
            Input::Backlog { unsent, had_time } => self.backlog(unsent, had_time, out),
            Input::Close { connection } => self.leave(store, now, &connection, out)?,
            Input::Request { sender, request } => {
                self.request(store, now, &sender, request, out)?;
            }
            Input::Deadline => self.tick(store, now, out)?,
        }
        Ok(())
    }

    /// The end of the nearest rollup window, at most 500 ms away; the platform keeps a timer
    /// for it. `None` while nothing is pending or held: then no timer may run.
    pub fn window(&self) -> Option<Timestamp> {
        let presence = self.told.due();
        self.rollup
            .due(&self.settings)
            .into_iter()
            .chain(presence)
            .min()
    }

    /// Everybody who is attached.
    pub fn connections(&self) -> impl Iterator<Item = &Connection> {
        self.connections.values().map(|live| &live.connection)
    }
}
