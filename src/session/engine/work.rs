//! The state under every feature, and one input's hold on it.

use std::ops::Deref;
use std::rc::Rc;

use super::clock::Clock;
use super::connection::{Connection, Live};
use super::frame_id::FrameId;
use super::milestone::Milestones;
use super::outbox::Outbox;
use super::rate::Clients;
use super::rollup::Rollup;
use super::streams::Stream;
use super::trace::Traces;
use crate::ordered::Map;
use crate::protocol::agent::Agent;
use crate::protocol::deployment::{Deployment, Outbound};
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::limits::Limits;
use crate::protocol::schema::Judge;
use crate::protocol::serial::{Epoch, Place};
use crate::protocol::settings::Settings;
use crate::store::{Beginning, End, MetaWrite, Store, StoreError, Write};

/// The log, its streams, its connections and its clock, in memory.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) id: String,
    pub(crate) limits: Limits,
    /// The allowed targets of calls.
    pub(crate) outbound: Outbound,
    /// Checks what people answer, and the state, by their schemas (P8.2, P9.4).
    pub(crate) judge: Rc<dyn Judge>,
    /// Drawn at random when the session was loaded.
    entropy: u32,
    /// The epoch of its serials, also while nothing has been written yet.
    pub(crate) epoch: Epoch,
    /// When the session began; `None` until the first write (P1.2).
    pub(crate) created_at: Option<Timestamp>,
    /// The place up to which messages have been trimmed (P11.2).
    pub(crate) floor: Place,
    /// When messages were last trimmed.
    pub(crate) trimmed_at: Option<Timestamp>,
    pub(crate) settings: Settings,
    pub(crate) end: Place,
    pub(crate) written_at: Timestamp,
    pub(crate) connections: Map<ConnectionId, Live>,
    /// The number of each client's connections.
    pub(super) client_connections: Map<String, usize>,
    pub(super) clients: Clients,
    pub(crate) rollup: Rollup,
    pub(crate) clock: Clock,
    pub(crate) news: News,
    /// Unsent bytes of all readers together, as last reported by the platform.
    pub(crate) backlog: u64,
    /// Of connections, for diagnostics (P11.4).
    pub(crate) traces: Traces,
    /// The bound on what its owner is told (P11.8).
    pub(super) milestones: Milestones,
    /// Whether a part keeps the session from expiring.
    pub(crate) is_busy: bool,
    /// Between the decision to delete everything and its end (P11.2).
    pub(crate) is_gone: bool,
}

/// Events in the engine for features to hear before the input ends.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// The first new message that is not work in progress.
    pub(crate) created: Option<Created>,
    /// The session was deleted but for its deliveries, and a new life begins.
    pub(crate) is_anew: bool,
    /// Messages that streamed or belonged to an open turn are settled.
    pub(crate) is_settled: bool,
    /// Something changed that inboxes show (P15), in a deployment that has them.
    pub(crate) has_event: bool,
    /// A connection whose fresh token changes its name or role.
    pub(crate) renamed: Option<ConnectionId>,
    /// Closed connections.
    pub(crate) gone: Vec<Live>,
}

/// A new message.
#[derive(Debug)]
pub(crate) struct Created {
    pub(crate) place: Place,
    pub(crate) at: Timestamp,
    pub(crate) client: String,
}

impl News {
    pub(crate) fn is_empty(&self) -> bool {
        let Self {
            is_anew,
            created,
            is_settled,
            has_event,
            renamed,
            gone,
        } = self;
        let is_quiet = !is_anew && !is_settled && !has_event;
        is_quiet && created.is_none() && renamed.is_none() && gone.is_empty()
    }
}

/// The engine while one input is handled.
pub(crate) struct Work<'a> {
    pub(crate) state: &'a mut Engine,
    pub(crate) store: &'a Store,
    pub(crate) now: Timestamp,
    pub(crate) out: &'a mut Outbox,
    /// The current frame's id, until its step is stored.
    pub(crate) frame_id: Option<FrameId>,
    /// Rows that the store had read when the input came.
    pub(crate) rows_before: u64,
}

impl Deref for Work<'_> {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        self.state
    }
}

impl Engine {
    /// The engine from rows and surviving connections. `entropy` gives the epoch of a session that
    /// has none yet.
    pub(crate) fn load(
        id: &str,
        deployment: Deployment,
        store: &Store,
        connections: Vec<Connection>,
        entropy: u32,
    ) -> Result<Self, StoreError> {
        let Deployment {
            limits,
            outbound,
            judge,
        } = deployment;
        let beginning = match store.importing()? {
            Some(_) => None,
            None => store.beginning()?,
        };
        let end = match beginning {
            Some(_) => store.end()?,
            None => End::default(),
        };
        let mut told = connections.iter().filter_map(|it| it.told.as_deref());
        let told = told.next().and_then(Epoch::parse);
        let mut engine = Self {
            id: id.to_owned(),
            limits,
            outbound,
            judge,
            entropy,
            epoch: told.unwrap_or_else(|| Epoch::from_entropy(entropy)),
            created_at: None,
            floor: 0,
            trimmed_at: None,
            settings: Settings::default(),
            end: end.place,
            written_at: end.written_at,
            connections: Map::new(),
            client_connections: Map::new(),
            clients: Clients::default(),
            rollup: Rollup::default(),
            clock: Clock::default(),
            news: News::default(),
            backlog: 0,
            traces: Traces::default(),
            milestones: Milestones::default(),
            is_busy: false,
            is_gone: false,
        };
        if let Some(beginning) = beginning {
            engine.written_at = engine.written_at.max(beginning.created_at);
            engine.settings = beginning.settings.clone();
            engine.epoch = beginning.epoch;
            engine.begin(&beginning);
            for streaming in store.streaming()? {
                let place = streaming.head.place;
                let stream = Stream::new(streaming);
                engine.rollup.streams.insert(place, stream);
            }
        }
        for connection in connections {
            if connection.is_reader() {
                engine.rollup.join(&connection);
            }
            let mut live = Live::new(connection, &engine.limits);
            live.heard_at = live.connection.heard_at + engine.silence_slack();
            engine.insert(live);
        }
        Ok(engine)
    }

    /// The agent to wake: the session's own, else the deployment's (P10.3).
    pub(crate) fn agent(&self) -> Option<&Agent> {
        let own = self.settings.agent.as_ref();
        own.or(self.outbound.agent.as_ref())
    }

    fn begin(&mut self, beginning: &Beginning) {
        self.created_at = Some(beginning.created_at);
        self.floor = beginning.floor;
        self.trimmed_at = beginning.trimmed_at;
    }

    /// Returns memory to the rows' state; every connection stays.
    fn rebuild(&mut self, store: &Store) -> Result<(), StoreError> {
        self.created_at = None;
        self.floor = 0;
        self.trimmed_at = None;
        if let Some(beginning) = store.beginning()? {
            self.begin(&beginning);
        }
        self.end = store.end()?.place;
        self.rollup.rebuild(store.streaming()?);
        Ok(())
    }
}

impl Work<'_> {
    /// Deletes the session but for its deliveries: these rows and existing ones. A new life may
    /// begin at once, under another epoch.
    pub(crate) fn begin_anew(&mut self, owed: Vec<Write>) -> Result<(), StoreError> {
        let mut writes = vec![MetaWrite::End.into()];
        writes.extend(owed);
        self.write_beside(&writes)?;
        self.close_all();
        self.reload()
    }

    /// Forgets everything, and begins with what is stored.
    pub(crate) fn reload(&mut self) -> Result<(), StoreError> {
        let deployment = Deployment {
            limits: self.limits.clone(),
            outbound: self.outbound.clone(),
            judge: Rc::clone(&self.judge),
        };
        let now = u32::try_from(self.now & 0xffff_ffff).unwrap_or_default();
        let entropy = self.entropy.rotate_left(7) ^ now;
        let anew = Engine::load(&self.id, deployment, self.store, Vec::new(), entropy)?;
        *self.state = anew;
        self.state.news.is_anew = true;
        Ok(())
    }

    /// Returns memory to the rows' state; every connection stays, and waiting appends are refused.
    pub(crate) fn rebuild(&mut self) -> Result<(), StoreError> {
        self.state.rebuild(self.store)?;
        let error = self.full();
        self.state.rollup.answers.refuse(&error, self.out);
        Ok(())
    }
}
