//! Connections in the engine: their set, their signs of life, their ends.

use super::chain::Chains;
use super::connection::Live;
use super::work::{Engine, Work};
use crate::protocol::error::close;
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::store::StoreError;

impl Work<'_> {
    /// Adds a connection.
    pub(crate) fn join(&mut self, live: Live) {
        let Engine {
            rollup, settings, ..
        } = &mut *self.state;
        if live.connection.is_reader() {
            rollup.join(&live.connection);
            rollup.schedule(self.now, settings);
        }
        self.state.insert(live);
    }

    /// The platform reports when connections last sent a text `ping` (P7.2).
    pub(crate) fn heard_pings(&mut self, heard: Vec<(ConnectionId, Timestamp)>) {
        for (id, at) in heard {
            if let Some(live) = self.state.connections.get_mut(&id) {
                live.pinged_at = live.pinged_at.max(at);
            }
        }
    }

    /// Lets go of a connection and closes it.
    pub(crate) fn shut(&mut self, connection: &ConnectionId, code: u16, reason: &'static str) {
        self.let_go(connection, Some((code, reason)));
        self.out.close(connection, code, reason);
    }

    /// Closes a connection for a frame it sent, once every answer is out: the last one may wait
    /// behind a pending append.
    pub(crate) fn dismiss(
        &mut self,
        connection: &ConnectionId,
        code: u16,
        reason: &'static str,
    ) -> Result<(), StoreError> {
        let settled = self.settle_for(Some(connection));
        self.shut(connection, code, reason);
        settled
    }

    /// Removes a connection from everything that refers to it: it is closed.
    pub(crate) fn forget(&mut self, connection: &ConnectionId) {
        self.let_go(connection, None);
    }

    fn let_go(&mut self, connection: &ConnectionId, by: Option<(u16, &'static str)>) {
        if let Some(live) = self.state.remove(connection) {
            self.trace_gone(&live, by);
            self.state.rollup.leave(&live.connection);
            self.state.news.gone.push(live);
        }
    }

    /// The platform reports a reader's unsent bytes (P13.7).
    pub(crate) fn judge_unsent(&mut self, connection: &ConnectionId, bytes: u64) {
        let live = self.state.connections.get(connection);
        if live.is_some_and(|live| live.is_slow(bytes, &self.state.limits)) {
            self.shut(connection, close::TOO_FAST, "the reader is too slow");
        }
    }

    /// Keeps the broken chains of a connection over a sleep.
    pub(crate) fn keep_chains(&mut self, connection: &ConnectionId, chains: Chains) {
        let Some(live) = self.state.connections.get_mut(connection) else {
            return;
        };
        if live.connection.chains == chains {
            return;
        }
        live.connection.chains = chains;
        while !live.connection.fits() && !live.connection.chains.are_whole() {
            live.connection.chains.forget_one();
        }
        self.out.remember(&live.connection);
    }

    /// A frame came over a connection. For a member the time is kept with it now and then, so that
    /// a sleep of the session does not make it silent.
    pub(crate) fn heard_frame(&mut self, connection: &ConnectionId) {
        let Some(live) = self.state.connections.get_mut(connection) else {
            return;
        };
        live.heard_at = live.heard_at.max(self.now);
        if live.connection.member.is_some() {
            let slack = self.silence_slack();
            self.keep_heard(connection, slack);
        }
    }

    /// Keeps with a connection that it is heard now, where the time kept lags more than this.
    pub(crate) fn keep_heard(&mut self, connection: &ConnectionId, slack: Timestamp) {
        let Some(live) = self.state.connections.get_mut(connection) else {
            return;
        };
        let known = &mut live.connection;
        if slack < self.now.saturating_sub(known.heard_at) {
            known.heard_at = self.now;
            self.out.remember(known);
        }
    }
}

impl Engine {
    /// The number of a client's connections.
    pub(crate) fn connections_of(&self, client: &str) -> usize {
        self.client_connections.get(client).copied().unwrap_or(0)
    }

    /// Stores the state of a connection with it.
    pub(super) fn insert(&mut self, live: Live) {
        let client = live.connection.client.clone();
        *self.client_connections.or_default(client) += 1;
        self.connections.insert(live.connection.id.clone(), live);
    }

    fn remove(&mut self, connection: &ConnectionId) -> Option<Live> {
        let live = self.connections.remove(connection)?;
        let client = &live.connection.client;
        if let Some(count) = self.client_connections.get_mut(client) {
            *count -= 1;
            if *count == 0 {
                self.client_connections.remove(client);
            }
        }
        Some(live)
    }

    /// How much later than the kept time a connection may have been heard.
    pub(super) fn silence_slack(&self) -> Timestamp {
        Timestamp::try_from(self.settings.presence_timeout_ms() / 3).unwrap_or(0)
    }
}
