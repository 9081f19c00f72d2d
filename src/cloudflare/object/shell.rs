//! A machine in its object: inputs in, effects out. Decides nothing.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use worker::wasm_bindgen::JsValue;
use worker::wasm_bindgen_futures::spawn_local;
use worker::{Env, State, console_error};

use super::backlog::Backlog;
use super::class::Class;
use super::loaded::Core;
use super::sockets::{Sockets, Unsent};
use super::sql::PlatformSql;
use super::stalled::Stalled;
use super::wake::Wake;
use crate::cloudflare::platform::config::config;
use crate::cloudflare::platform::js;
use crate::cloudflare::platform::panics::Registered;
use crate::cloudflare::platform::schema::PlatformJudge;
use crate::cloudflare::platform::time::now;
use crate::machine::{Attached, Effect, Effects, Input};
use crate::protocol::deployment::Deployment;
use crate::protocol::error::close;
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::milestone::Milestone;
use crate::store::StoreError;
use crate::store::sql::Sql;

/// An object, with its machine once something has happened.
pub(super) struct Shell<M: Class> {
    pub(super) state: State,
    pub(super) env: Env,
    this: Weak<Self>,
    object: Registered,
    wake: Wake,
    stalled: Stalled,
    backlog: Backlog,
    /// About to be reset: its memory no longer matches its sockets and storage.
    is_lost: Cell<bool>,
    /// Its rows are those of a later release: they are left alone, and nothing is done.
    is_newer: Cell<bool>,
    core: RefCell<Option<Core<M>>>,
}

/// The work left after an input.
pub(super) struct Outcome<M: Class> {
    /// The answer to a request.
    pub(super) response: Option<(u16, String)>,
    /// Delete everything, then do this.
    pub(super) erase: Option<Effects<M>>,
}

/// The object failed and is about to be reset.
#[derive(Debug)]
pub(super) struct Lost;

impl<M: Class> Shell<M> {
    pub(super) fn new(state: State, env: Env) -> Rc<Self> {
        Rc::new_cyclic(|shell: &Weak<Self>| {
            let ringing = shell.clone();
            let wake = Wake::new(move || ringing.upgrade().is_none_or(|shell| shell.ring()));
            let looking = shell.clone();
            let look = move || looking.upgrade().is_none_or(|shell| shell.look());
            let stalled = Stalled::new(look);
            let judging = shell.clone();
            let judge = move || judging.upgrade().is_none_or(|shell| shell.judge());
            let backlog = Backlog::new(judge);
            let object = Registered::new(state.as_raw().into());
            let [is_lost, is_newer] = [false, false].map(Cell::new);
            let core = RefCell::new(None);
            Self {
                state,
                env,
                this: shell.clone(),
                object,
                wake,
                stalled,
                backlog,
                is_lost,
                is_newer,
                core,
            }
        })
    }

    /// Whether the object takes no more calls.
    pub(super) fn is_lost(&self) -> bool {
        self.is_lost.get()
    }

    /// Gives the object up: it is made anew, and its clients reconnect and resume.
    pub(super) fn lose(&self, why: &str) -> Lost {
        console_error!("{why}");
        if !self.is_lost.replace(true) {
            let _ = js::abort_later(self.state.as_raw().as_ref(), why);
        }
        Lost
    }

    /// Whether a later release has stored its rows.
    pub(super) fn is_newer(&self) -> bool {
        self.is_newer.get()
    }

    /// Whether the message is expected to be the only one for now.
    pub(super) fn is_alone(&self) -> bool {
        self.wake.took_message()
    }

    /// Runs a function that must not await, so that a panic in it resets this object.
    pub(super) fn run<T>(&self, body: impl FnOnce() -> T) -> T {
        self.object.run(body)
    }

    /// Runs a function with the machine, which is loaded if necessary.
    pub(super) fn with<T>(
        &self,
        body: impl FnOnce(&mut Core<M>) -> Result<T, Lost>,
    ) -> Result<T, Lost> {
        if self.is_lost() {
            return Err(Lost);
        }
        self.object.run(|| {
            let Ok(mut core) = self.core.try_borrow_mut() else {
                return Err(self.lose("the machine was entered twice"));
            };
            if core.is_none() {
                *core = Some(self.load()?);
            }
            core.as_mut().map_or(Err(Lost), body)
        })
    }

    /// Passes an input to the machine and performs the effects.
    pub(super) fn feed(&self, input: Input<M>) -> Result<Outcome<M>, Lost> {
        self.with(|core| {
            let now = now();
            if is_of_somebody(&input) {
                self.stalled.heard(now);
            }
            let mut outcome = Outcome::new();
            if core.machine.listens_at() <= now {
                let heard = core.sockets.pings(&self.state);
                self.take(core, now, Input::Heard { heard }, &mut outcome)?;
            }
            self.take(core, now, input, &mut outcome)?;
            if let Some(unsent) = core.sockets.backlog(Backlog::step(&core.limits)) {
                self.watch_backlog(core, &unsent);
                let had_time = false;
                self.take(core, now, Input::Backlog { unsent, had_time }, &mut outcome)?;
            }
            self.wake
                .set_timer(&self.state, now, core.machine.window())
                .map_err(|error| self.lose(&js::describe(&error)))?;
            self.wake
                .set_alarm(&self.state, now, core.machine.deadline());
            self.look_at_stalled(core, now);
            Ok(outcome)
        })
    }

    /// Passes an input to the machine and performs the effects.
    fn take(
        &self,
        core: &mut Core<M>,
        now: Timestamp,
        input: Input<M>,
        outcome: &mut Outcome<M>,
    ) -> Result<(), Lost> {
        let effects = core.machine.handle(&core.store, now, input);
        let effects = effects.map_err(|error| self.lose(&error.to_string()))?;
        self.perform(core, now, effects, outcome);
        Ok(())
    }

    /// Schedules the next check of all readers' unsent bytes, if there are many.
    fn watch_backlog(&self, core: &Core<M>, unsent: &[(ConnectionId, u64)]) {
        let bytes = unsent.iter().map(|(_, bytes)| bytes).sum();
        if let Err(error) = self.backlog.watch(&self.state, bytes, &core.limits) {
            console_error!("unable to watch slow readers: {}", js::describe(&error));
        }
    }

    /// The timer of all readers' unsent bytes rang; returns whether all went well.
    fn judge(self: Rc<Self>) -> bool {
        self.backlog.rang();
        let unsent = self.with(|core| {
            let unsent = core.sockets.all_unsent();
            self.watch_backlog(core, &unsent);
            Ok(unsent)
        });
        let had_time = true;
        unsent
            .and_then(|unsent| self.feed(Input::Backlog { unsent, had_time }))
            .is_ok()
    }

    /// Passes on an input that no request waits for.
    pub(super) fn feed_and_forget(self: &Rc<Self>, input: Input<M>) {
        let Ok(Outcome {
            erase: Some(rest), ..
        }) = self.feed(input)
        else {
            return;
        };
        let shell = Rc::clone(self);
        // The machine refuses everything until this is done (P11.2).
        spawn_local(async move {
            let _ = shell.erase(rest).await;
        });
    }

    /// Deletes everything, starts anew and performs the remaining effects.
    pub(super) async fn erase(&self, rest: Effects<M>) -> Result<Outcome<M>, Lost> {
        if let Err(error) = self.delete_all().await {
            return Err(self.lose(&format!("unable to delete everything; {error}")));
        }
        self.wake.forget_alarm();
        self.core.take();
        self.with(|core| {
            let mut outcome = Outcome::new();
            self.perform(core, now(), rest, &mut outcome);
            Ok(outcome)
        })
    }

    async fn delete_all(&self) -> Result<(), String> {
        let storage = self.state.storage();
        storage
            .delete_alarm()
            .await
            .map_err(|error| short(&error))?;
        storage.delete_all().await.map_err(|error| short(&error))
    }

    /// The alarm rang. It is set again in any case while something is due, since the platform gives
    /// up on one that fails.
    pub(super) async fn alarm(&self) {
        const AGAIN_MS: i64 = 10_000;
        self.wake.forget_alarm();
        let done = match self.feed(Input::Deadline) {
            Ok(Outcome {
                erase: Some(rest), ..
            }) => self.erase(rest).await.map(|_| ()),
            done => done.map(|_| ()),
        };
        if done.is_err() {
            self.wake
                .set_alarm(&self.state, now(), Some(now() + AGAIN_MS));
        }
    }

    /// The timer rang; returns whether all went well.
    fn ring(self: Rc<Self>) -> bool {
        self.wake.timer_rang();
        match self.feed(Input::Deadline) {
            Ok(Outcome {
                erase: Some(rest), ..
            }) => {
                spawn_local(async move {
                    let _ = self.erase(rest).await;
                });
                true
            }
            Ok(_) => true,
            Err(Lost) => false,
        }
    }

    /// The machine's name, which is the object's.
    pub(super) fn name(&self) -> Option<String> {
        self.state.as_raw().id().ok()?.name()
    }

    fn load(&self) -> Result<Core<M>, Lost> {
        self.try_load()
            .map_err(|reason| self.lose(&reason))?
            .map_err(|error| {
                if !error.is_newer() {
                    return self.lose(&error.to_string());
                }
                // Another start would find the same rows.
                console_error!("{error}");
                self.is_newer.set(true);
                Lost
            })
    }

    fn try_load(&self) -> Result<Result<Core<M>, StoreError>, String> {
        let config = config(&self.env).map_err(|error| error.message)?;
        let limits = config.limits.clone();
        let thrown = |error: JsValue| js::describe(&error);
        let name = self.name().ok_or("an object without a name is nobody's")?;
        let sql = Rc::new(PlatformSql::new(&self.state).map_err(thrown)?);
        let store = M::Store::from(Rc::clone(&sql) as Rc<dyn Sql>);
        let (sockets, connections) = Sockets::wake(&self.state).map_err(thrown)?;
        let entropy = getrandom::u32().map_err(|error| error.to_string())?;
        let deployment = Deployment {
            limits: limits.clone(),
            outbound: config.outbound.clone(),
            judge: Rc::new(PlatformJudge),
        };
        let machine = M::load(&name, deployment, &store, connections, entropy);
        Ok(machine.map(|machine| Core {
            machine,
            store,
            sql,
            sockets,
            limits,
        }))
    }

    /// Performs effects in order.
    fn perform(
        &self,
        core: &mut Core<M>,
        now: Timestamp,
        effects: Effects<M>,
        outcome: &mut Outcome<M>,
    ) {
        let limit = core.limits.unsent_bytes;
        let mut effects = effects.into_iter();
        while let Some(effect) = effects.next() {
            match effect {
                Effect::Send { to, text } => {
                    core.sockets.send(now, &to, &text.whole(), limit);
                }
                Effect::Remember(connection) => {
                    core.sockets.remember(connection.id(), &connection);
                }
                Effect::Close {
                    connection,
                    code,
                    reason,
                } => {
                    let queued = core.sockets.close(&connection, code, reason);
                    if let Some(socket) = queued.filter(|_| code == close::TOO_FAST) {
                        self.stalled.add(socket);
                    }
                }
                Effect::Respond { status, body } => outcome.response = Some((status, body)),
                Effect::Deliver(delivery) => self.begin(delivery),
                Effect::Reach(milestone) => self.tell(&milestone),
                Effect::Erase => {
                    outcome.erase = Some(effects.collect());
                    return;
                }
            }
        }
    }

    /// Tells the deployment's owner of a milestone, in the log and for statistics (P11.8).
    fn tell(&self, milestone: &Milestone) {
        let logs = config(&self.env).is_ok_and(|config| config.logs);
        let line = serde_json::to_string(milestone).unwrap_or_default();
        if let Err(error) = js::tell(&self.env, &line, logs) {
            console_error!("unable to tell of a milestone: {}", js::describe(&error));
        }
    }

    /// Begins a delivery. The machine bounds how many run at once.
    fn begin(&self, delivery: M::Delivery) {
        let Some(shell) = self.this.upgrade() else {
            return;
        };
        let delivered = M::deliver(self.env.clone(), delivery);
        spawn_local(async move {
            let outcome = delivered.await;
            shell.feed_and_forget(Input::Delivered(outcome));
        });
    }

    /// The timer of the stalled readers rang; returns whether all went well.
    fn look(self: Rc<Self>) -> bool {
        self.stalled.rang();
        let slow = self.with(|core| Ok(core.sockets.too_slow(now(), core.limits.unsent_bytes)));
        let Ok(slow) = slow else { return false };
        for Unsent { connection, bytes } in slow {
            self.feed_and_forget(Input::Unsent { connection, bytes });
        }
        let looked = self.with(|core| {
            self.look_at_stalled(core, now());
            Ok(())
        });
        looked.is_ok()
    }

    /// Resets the object because of readers that take nothing, or checks again later.
    fn look_at_stalled(&self, core: &Core<M>, now: Timestamp) {
        let is_behind = core.sockets.has_behind();
        if self.stalled.is_lost(now, core.limits.unsent_bytes) {
            self.lose("a reader that was closed takes nothing and keeps the object awake");
        } else if let Err(error) = self.stalled.watch(&self.state, now, is_behind) {
            console_error!("unable to watch stalled readers: {}", js::describe(&error));
        }
    }
}

impl<M: Class> Outcome<M> {
    const fn new() -> Self {
        Self {
            response: None,
            erase: None,
        }
    }
}

/// Whether an input is sent by a client, and not by the platform or a clock.
fn is_of_somebody<M: Class>(input: &Input<M>) -> bool {
    !matches!(
        input,
        Input::Unsent { .. } | Input::Backlog { .. } | Input::Deadline | Input::Delivered(_)
    )
}

fn short(error: &worker::Error) -> String {
    error.to_string().chars().take(200).collect()
}
