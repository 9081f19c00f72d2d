//! The members (P7), according to frames, pings and closes.

use std::collections::{BTreeMap, BTreeSet};

use sessile::protocol::ids::{ConnectionId, Timestamp};

use crate::host::Host;
use crate::sim::Rules;

#[derive(Debug, Default)]
pub struct Members {
    /// When each connection was last heard, at the latest.
    high: BTreeMap<ConnectionId, Timestamp>,
    /// Those that have entered and not left, and when each was heard for certain.
    present: BTreeMap<ConnectionId, Timestamp>,
    /// Members heard by the current input: silence is judged before it.
    fresh: Vec<(ConnectionId, Timestamp)>,
}

impl Members {
    pub fn heard(&mut self, connection: &ConnectionId, now: Timestamp) {
        let high = self.high.entry(connection.clone()).or_insert(now);
        *high = now.max(*high);
        self.fresh.push((connection.clone(), now));
    }

    /// Opening one is a sign of life, which a clock that jumps back leaves in its future.
    pub fn opened(&mut self, connection: &ConnectionId, now: Timestamp) {
        self.high.insert(connection.clone(), now);
    }

    pub fn pinged(&mut self, connection: &ConnectionId, now: Timestamp) {
        self.heard(connection, now);
        self.settle();
    }

    fn settle(&mut self) {
        for (id, at) in std::mem::take(&mut self.fresh) {
            if let Some(low) = self.present.get_mut(&id) {
                *low = at.max(*low);
            }
        }
    }

    /// It was acknowledged that a connection entered or left.
    pub fn told(&mut self, connection: &ConnectionId, is_present: bool, at: Timestamp) {
        if is_present {
            self.present.entry(connection.clone()).or_insert(at);
        } else {
            self.present.remove(connection);
        }
    }

    /// P7.2: who is kept as a member was heard in time, and who was is kept.
    pub fn look(
        &mut self,
        host: &Host,
        now: Timestamp,
        rules: &Rules,
        is_dead: bool,
        unclear: &BTreeSet<ConnectionId>,
    ) {
        self.present
            .retain(|id, _| host.attachments.contains_key(id));
        if is_dead {
            self.fresh.clear();
            return;
        }
        for (id, connection) in &host.attachments {
            // Its frame was handled; the answer waits for others.
            if unclear.contains(id) {
                continue;
            }
            let heard_at = self.high.get(id).copied().unwrap_or(Timestamp::MIN);
            let late = heard_at.saturating_add(rules.presence_ms * 4 / 3 + 1);
            match (&connection.member, self.present.get(id).copied()) {
                (Some(member), Some(_)) => {
                    assert!(now <= late, "{id} is silent since {heard_at}: {member:?}");
                }
                (Some(member), None) => panic!("{id} is not there: {member:?}"),
                (None, Some(heard_at)) => {
                    let soon = heard_at.saturating_add(rules.presence_ms);
                    assert!(soon <= now, "{id} was heard at {heard_at}, now is {now}");
                    self.present.remove(id);
                }
                (None, None) => {}
            }
        }
        self.settle();
    }
}
