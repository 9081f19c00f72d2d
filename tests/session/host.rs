//! A session on a host: what the platform keeps for it, and nothing else. The session itself
//! can go at any time and is loaded again from here.

use std::collections::BTreeMap;
use std::rc::Rc;

use sessile::protocol::agent::Bindings;
use sessile::protocol::decode::decode;
use sessile::protocol::deployment::{Deployment, Outbound};
use sessile::protocol::ids::{ConnectionId, Timestamp};
use sessile::protocol::limits::Limits;
use sessile::session::{Connection, Effect, Input, Session};
use sessile::store::sql::{Sql, Value};
use sessile::store::{Store, StoreError};

use crate::judge;
use crate::sqlite::Sqlite;

/// SQLite whose transactions may be part of a larger one: one for each input, as the
/// platform commits everything that an input stores together.
#[derive(Clone)]
pub struct Disk(pub Sqlite);

impl Disk {
    fn run(&self, statement: &str) -> Result<(), StoreError> {
        self.0.query(statement, &[]).map(|_| ())
    }
}

impl Sql for Disk {
    fn rows_read(&self) -> u64 {
        self.0.rows_read()
    }

    fn query(&self, sql: &str, params: &[Value]) -> Result<Vec<Vec<Value>>, StoreError> {
        self.0.query(sql, params)
    }

    fn bytes(&self) -> Result<u64, StoreError> {
        self.0.bytes()
    }

    fn transaction(
        &self,
        body: &mut dyn FnMut() -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.run("SAVEPOINT part")?;
        let done = body();
        if done.is_err() {
            self.run("ROLLBACK TO part")?;
        }
        self.run("RELEASE part")?;
        done
    }
}

/// The fate of the process while it handles an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It lives.
    Lives,
    /// It dies before anything is durable.
    DiesBefore,
    /// It dies when all is durable and nothing was sent.
    DiesAfter,
    /// Its disk fails after so many more statements, and the process with it.
    DiskFails(u64),
}

/// One session and its platform.
pub struct Host {
    /// The session's id.
    pub id: String,
    pub disk: Disk,
    pub limits: Limits,
    /// The deployment's rules for calls that leave the session.
    pub outbound: Outbound,
    /// The state kept with open sockets.
    pub attachments: BTreeMap<ConnectionId, Connection>,
    /// When each last sent a text `ping`, which the platform answers by itself (P7.2).
    pub pings: BTreeMap<ConnectionId, Timestamp>,
    awake: Option<(Session, Store)>,
    /// How often it was loaded: entropy, and for those who wonder.
    pub loads: u32,
    /// When the platform wakes the session.
    pub alarm: Option<Timestamp>,
}

fn bindings() -> Bindings {
    let list = |name: &str| vec![name.to_owned()];
    Bindings {
        services: list("BOT"),
        queues: list("JOBS"),
        workflows: list("FLOW"),
    }
}

impl Host {
    pub fn new(limits: Limits) -> Self {
        Self {
            id: "s1".to_owned(),
            disk: Disk(Sqlite::new()),
            limits,
            outbound: Outbound {
                has_secret: true,
                has_keys: true,
                bindings: bindings(),
                ..Outbound::default()
            },
            attachments: BTreeMap::new(),
            pings: BTreeMap::new(),
            awake: None,
            loads: 0,
            alarm: None,
        }
    }

    /// Handles an input, and does the platform's part of its effects. Sending, closing and
    /// responding are left to the caller.
    pub fn handle(&mut self, now: Timestamp, input: Input, fate: Fate) -> Vec<Effect> {
        // A session that a close wakes knows the connection that it is about.
        let (mut session, store) = self.wake();
        self.disk.run("BEGIN").unwrap();
        let closed = match &input {
            Input::Close { connection } => Some(connection.clone()),
            _ => None,
        };
        // A ping before a close is the last that a connection was heard to say.
        if session.listens_at() <= now || closed.is_some() {
            let heard = self.heard();
            let followed = session.handle(&store, now, Input::Heard { heard });
            assert_eq!(followed.unwrap(), [], "to know more is to do nothing yet");
        }
        if let Some(connection) = closed {
            self.part(&connection);
        }
        if let Fate::DiskFails(statements) = fate {
            self.disk.0.fail_after(Some(statements));
        }
        let done = session.handle(&store, now, input);
        self.disk.0.fail_after(None);
        let is_failed = done.is_err();
        assert!(!is_failed || matches!(fate, Fate::DiskFails(_)), "{done:?}");
        let effects = done.unwrap_or_default();
        if is_failed || fate == Fate::DiesBefore {
            self.disk.run("ROLLBACK").unwrap();
            self.die();
            return Vec::new();
        }
        self.disk.run("COMMIT").unwrap();
        let is_erased = effects.contains(&Effect::Erase);
        if !is_erased && let Some(deadline) = session.deadline() {
            self.alarm = Some(self.alarm.map_or(deadline, |alarm| alarm.min(deadline)));
        }
        for effect in &effects {
            match effect {
                Effect::Remember(connection) => {
                    self.attachments
                        .insert(connection.id.clone(), connection.clone());
                }
                Effect::Close { connection, .. } => self.part(connection),
                Effect::Erase
                | Effect::Send { .. }
                | Effect::Respond { .. }
                | Effect::Deliver(_)
                | Effect::Reach(_) => {}
            }
        }
        if is_erased {
            self.disk = Disk(Sqlite::new());
            self.alarm = None;
        } else {
            self.awake = Some((session, store));
        }
        if fate == Fate::DiesAfter {
            self.die();
            return Vec::new();
        }
        effects
    }

    fn wake(&mut self) -> (Session, Store) {
        if let Some(awake) = self.awake.take() {
            return awake;
        }
        self.loads += 1;
        let store = Store::new(Rc::new(self.disk.clone()));
        let connections = self.attachments.values().cloned();
        let connections = connections.map(|connection| self.found(connection));
        let connections = connections.collect();
        let entropy = 10_000_019_u32.wrapping_mul(self.loads);
        let deployment = Deployment {
            limits: self.limits.clone(),
            outbound: self.outbound.clone(),
            judge: Rc::new(judge::Oracle),
        };
        let session = Session::load(&self.id, deployment, &store, connections, entropy);
        (session.unwrap(), store)
    }

    /// A connection as it is found again: what it was heard to say while the session slept.
    fn found(&self, mut connection: Connection) -> Connection {
        let pinged_at = self.pings.get(&connection.id).copied();
        connection.heard_at = connection.heard_at.max(pinged_at.unwrap_or(0));
        connection
    }

    fn heard(&self) -> Vec<(ConnectionId, Timestamp)> {
        // Of those that the session does not know, it learns nothing.
        let pings = self.pings.iter();
        pings.map(|(id, at)| (id.clone(), *at)).collect()
    }

    /// A text `ping` comes over a connection. It wakes nobody.
    pub fn ping(&mut self, connection: &ConnectionId, now: Timestamp) {
        self.pings.insert(connection.clone(), now);
    }

    /// A connection is gone; when it pinged is known until the session has heard of it.
    pub fn part(&mut self, connection: &ConnectionId) {
        self.attachments.remove(connection);
    }

    pub fn is_awake(&self) -> bool {
        self.awake.is_some()
    }

    /// The session sleeps: its memory is gone, its sockets stay.
    pub fn evict(&mut self) {
        self.awake = None;
    }

    /// The process is gone, and every socket with it.
    pub fn die(&mut self) {
        self.awake = None;
        self.attachments.clear();
        self.pings.clear();
    }

    /// When the session wants its timer; `None` also while it sleeps.
    pub fn window(&self) -> Option<Timestamp> {
        self.awake
            .as_ref()
            .and_then(|(session, _)| session.window())
    }

    /// When the session wants its alarm.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.awake
            .as_ref()
            .and_then(|(session, _)| session.deadline())
    }

    /// The session in memory, while it is awake.
    pub fn session(&self) -> Option<&Session> {
        self.awake.as_ref().map(|(session, _)| session)
    }

    /// The stored rows, read beside the session.
    pub fn log(&self) -> Store {
        Store::new(Rc::new(self.disk.clone()))
    }

    /// The input that a WebSocket message is.
    pub fn message(&self, connection: &ConnectionId, text: &str, is_alone: bool) -> Input {
        let connection = connection.clone();
        match decode(text, &self.limits) {
            Ok(frames) => Input::Message {
                connection,
                frames,
                bytes: text.len(),
                is_alone,
            },
            Err(error) => Input::Unreadable { connection, error },
        }
    }
}
