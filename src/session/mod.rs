//! Decisions: the session as a deterministic state machine.
//!
//! Everything that happens to a session is an [`Input`]; everything that follows is rows in the
//! [`Store`] and [`Effect`]s. Nothing here awaits, reads a clock or draws randomness. Features
//! stand above an engine that knows none of them; this file holds the contract and the one match
//! over inputs.

mod annotations;
mod approvals;
mod calls;
mod context;
mod deliveries;
mod engine;
mod files;
mod frames;
mod full;
mod handover;
mod inboxes;
mod life;
mod machine;
mod marks;
mod messages;
mod notices;
mod part;
mod parts;
mod presence;
mod readers;
mod reads;
mod refuse;
mod request;
mod revocation;
mod search;
mod settings;
mod state;
mod transfer;
mod turns;
mod usage;
mod waking;

pub use crate::machine::{Carrier, Text};
pub use crate::protocol::reads::Read;
pub use crate::protocol::request::Request;
pub use deliveries::report::DeliveryReport;
pub use engine::{
    Chains, Connection, Delivered, Delivery, Effect, Outcome, Present, Sender, Trace, Traces,
};
pub use presence::state::Coming;
pub use readers::replay::Start;

use crate::protocol::deployment::Deployment;
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::serial::Serial;
use crate::store::{Store, StoreError};
use context::{Context, Memory};
use deliveries::hooks::tell_start;
use engine::{Engine, Outbox, Wait, Work};

/// Everything that can happen to a session.
pub type Input = crate::machine::Input<Session>;

/// One session in memory. Everything it must not lose is in the store or kept with its connections.
#[derive(Debug)]
pub struct Session {
    engine: Engine,
    memory: Memory,
}

impl Session {
    /// Rebuilds a session from its rows and surviving connections; the only way in, for a first
    /// boot and after a sleep, a deployment or a crash. `entropy` gives the epoch of a session that
    /// has none yet.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn load(
        id: &str,
        deployment: impl Into<Deployment>,
        store: &Store,
        connections: Vec<Connection>,
        entropy: u32,
    ) -> Result<Self, StoreError> {
        let mut session = Self {
            engine: Engine::load(id, deployment.into(), store, connections, entropy)?,
            memory: Memory::default(),
        };
        session.memory.importing = transfer::progress::load(store)?;
        if session.memory.importing.is_some() {
            return Ok(session);
        }
        let mut out = Outbox::default();
        parts::load(&mut session.context(store, Timestamp::MIN, &mut out))?;
        session.engine.clock.ask_for_pings();
        Ok(session)
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
        let mut cx = self.context(store, now, &mut out);
        if let Input::Heard { heard } = input {
            cx.engine.heard_pings(heard);
            parts::hear_pings(&mut cx);
            return Ok(Vec::new());
        }
        if cx.memory.importing.is_some() {
            match input {
                Input::Request {
                    sender,
                    request: request @ Request::Import(_),
                } => request::answer(&mut cx, &sender, request)?,
                Input::Deadline => transfer::import::give_up(&mut cx)?,
                Input::Delivered(delivered) => transfer::import::settle(&mut cx, &delivered)?,
                input => {
                    refuse::refuse_all(&mut cx, input);
                    transfer::import::ask(&mut cx);
                }
            }
            parts::hear(&mut cx)?;
            tell_start(&mut cx)?;
            let groups = cx.engine.group();
            return Ok(out.into_effects(groups));
        }
        if !cx.engine.is_gone
            && let Err(error) = parts::ring(&mut cx)
        {
            full::survive(&mut cx, error)?;
        }
        if cx.engine.is_gone {
            refuse::refuse_all(&mut cx, input);
        } else {
            let waiting = refuse::Waiting::of(&input);
            if let Err(error) = take(&mut cx, input) {
                full::survive(&mut cx, error)?;
                waiting.refuse_full(&mut cx);
            }
            parts::hear(&mut cx)?;
            parts::finish(&mut cx)?;
        }
        let groups = cx.engine.group();
        parts::hear(&mut cx)?;
        Ok(out.into_effects(groups))
    }

    /// The end of the nearest rollup window, at most 500 ms away; the platform keeps a timer for
    /// it. `None` while nothing is pending or held: then no timer may run.
    pub fn window(&self) -> Option<Timestamp> {
        let rollup = self.engine.rollup.due(&self.engine.settings);
        rollup.into_iter().chain(parts::window(&self.memory)).min()
    }

    /// The time of the next alarm: after an alarm it is exact, before that it may be early. `None`
    /// while nothing is waited for.
    pub fn deadline(&self) -> Option<Timestamp> {
        if let Some(importing) = &self.memory.importing {
            return Some(importing.due_at());
        }
        let next = self.engine.clock.next(Wait::Alarm);
        (next < Timestamp::MAX).then_some(next)
    }

    /// The earliest time at which a live client could be taken for silent: the platform answers
    /// pings by itself, and must be asked for their times before then. Far away while no silence
    /// matters.
    pub fn listens_at(&self) -> Timestamp {
        self.engine.clock.next(Wait::Pings)
    }

    /// All connections.
    pub fn connections(&self) -> impl Iterator<Item = &Connection> {
        self.engine
            .connections
            .values()
            .map(|live| &live.connection)
    }

    /// A connection's trace, and the bytes that it has not confirmed, if it is probed (P13.7).
    pub fn trace(&self, connection: &ConnectionId) -> Option<(&Trace, u64)> {
        self.engine.traced(connection)
    }

    /// Everything kept of connections since the session woke, and the end of the log (P11.4).
    pub fn traces(&self) -> (&Traces, Serial) {
        (&self.engine.traces, self.engine.epoch.at(self.engine.end))
    }

    /// Recent members that came or left, the latest last (P7.3), since the session woke.
    pub fn comings(&self) -> impl Iterator<Item = &Coming> {
        self.memory.presence.comings()
    }

    /// The pending deliveries, and the dead letters (P11.4). Reads one row for each.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn deliveries(&self, store: &Store) -> Result<DeliveryReport, StoreError> {
        deliveries::report::report(&self.memory.deliveries, store)
    }

    fn context<'a>(
        &'a mut self,
        store: &'a Store,
        now: Timestamp,
        out: &'a mut Outbox,
    ) -> Context<'a> {
        let engine = Work {
            state: &mut self.engine,
            store,
            now,
            out,
            rows_before: store.rows_read(),
            frame_id: None,
        };
        let memory = &mut self.memory;
        let others = parts::OTHERS;
        Context {
            engine,
            memory,
            others,
        }
    }
}

/// Handles one input; if the session begins with it, hooks hear of that.
fn take(cx: &mut Context<'_>, input: Input) -> Result<(), StoreError> {
    let is_new = cx.engine.created_at.is_none();
    dispatch(cx, input)?;
    match is_new {
        true => tell_start(cx),
        false => Ok(()),
    }
}

/// The one match over inputs.
fn dispatch(cx: &mut Context<'_>, input: Input) -> Result<(), StoreError> {
    match input {
        Input::Open { connection, start } => readers::attach::attach(cx, connection, &start)?,
        Input::Message {
            connection,
            frames,
            bytes,
            is_alone,
        } => {
            frames::take_message(cx, &connection, frames, bytes)?;
            if is_alone {
                cx.engine.pass_window()?;
            }
        }
        Input::Unreadable { connection, error } => {
            frames::refuse_message(cx, &connection, error)?;
        }
        Input::BodyEnd { connection } => cx.engine.settle_for(Some(&connection))?,
        Input::Renew {
            connection,
            reference,
            chain,
            grant,
        } => readers::renew::renew(cx, &connection, reference, chain, grant)?,
        Input::Unsent { connection, bytes } => cx.engine.judge_unsent(&connection, bytes),
        Input::Backlog { unsent, had_time } => cx.engine.judge_backlog(unsent, had_time),
        Input::Close { connection } => {
            turns::lease::keep_pings(cx)?;
            handover::heard::keep_heard(cx)?;
            cx.engine.forget(&connection);
            // A body breaks off with its connection (P5.5); nothing else follows: a closed
            // connection is never a cancel.
            parts::ring(cx)?;
        }
        Input::Request { sender, request } => request::answer(cx, &sender, request)?,
        Input::Deadline => cx.engine.pass_window()?,
        Input::Delivered(delivered) if delivered.number < inboxes::state::NUMBERS => {
            deliveries::part::settle(cx, &delivered)?;
        }
        Input::Delivered(delivered) if delivered.number < revocation::state::NUMBERS => {
            inboxes::part::settle(cx, &delivered)?;
        }
        Input::Delivered(delivered) => revocation::contact::settle(cx, &delivered),
        // Taken before any other.
        Input::Heard { .. } => {}
    }
    Ok(())
}
