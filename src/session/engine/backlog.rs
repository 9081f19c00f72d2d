//! Bytes that readers were sent and have not taken: of one client, and of all of them (P13.7, P14).
//!
//! Each may be slow within its own bound, and many together take the memory of the object and
//! of others beside it. The reader that has most to take goes first; one that keeps up has next
//! to nothing.

use std::collections::BTreeMap;

use super::work::Work;
use crate::protocol::error::close;
use crate::protocol::ids::ConnectionId;

impl Work<'_> {
    /// The platform told what every reader has not taken. A reader that had no time to take
    /// anything is not judged: what is told then only says how much room there is for others.
    pub(crate) fn judge_backlog(&mut self, mut unsent: Vec<(ConnectionId, u64)>, had_time: bool) {
        unsent.retain(|(id, _)| self.state.connections.contains_key(id));
        self.state.backlog = unsent.iter().map(|(_, bytes)| bytes).sum();
        if !had_time {
            return;
        }
        let mut clients: BTreeMap<String, u64> = BTreeMap::new();
        for (id, bytes) in &unsent {
            *clients.entry(self.client_of(id)).or_default() += bytes;
        }
        unsent.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        for (id, bytes) in unsent {
            let Some(of_client) = clients.get_mut(&self.client_of(&id)) else {
                continue;
            };
            let reason = if self.state.limits.client_unsent_bytes < *of_client {
                "the client's readers are too slow"
            } else if self.state.limits.readers_unsent_bytes < self.state.backlog {
                "the readers are too slow"
            } else {
                continue;
            };
            *of_client -= bytes;
            self.state.backlog -= bytes;
            self.shut(&id, close::TOO_FAST, reason);
        }
    }

    fn client_of(&self, id: &ConnectionId) -> String {
        let live = self.state.connections.get(id);
        live.map(|live| live.connection.client.clone())
            .unwrap_or_default()
    }
}
