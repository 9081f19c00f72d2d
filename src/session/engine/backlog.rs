//! Unsent bytes of readers: of one client, and of all of them (P13.7, P14).
//!
//! Each reader may be slow within its own bound, but many together exhaust the memory of the object
//! and of its neighbours. The reader with the most unsent bytes is closed first; one that keeps up
//! has next to none.

use super::work::Work;
use crate::ordered::{Map, sort_by_number};
use crate::protocol::error::close;
use crate::protocol::ids::ConnectionId;

impl Work<'_> {
    /// The platform reports the unsent bytes of every reader. A reader that had no time yet to take
    /// anything is not judged: its report only counts against the room for others.
    pub(crate) fn judge_backlog(&mut self, mut unsent: Vec<(ConnectionId, u64)>, had_time: bool) {
        unsent.retain(|(id, _)| self.state.connections.contains_key(id));
        self.state.backlog = unsent.iter().map(|(_, bytes)| bytes).sum();
        if !had_time {
            return;
        }
        let mut clients: Map<String, u64> = Map::new();
        for (id, bytes) in &unsent {
            *clients.or_default(self.client_of(id)) += bytes;
        }
        sort_by_number(&mut unsent, |(_, bytes)| u64::MAX - *bytes);
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
