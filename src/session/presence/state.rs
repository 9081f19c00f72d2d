//! What was announced of presence, and what is to be announced next (P7.3).

use std::collections::VecDeque;

use serde::Serialize;

use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::limits::PRESENCE_MS;
use crate::protocol::presence::Member;
use crate::session::presence::roster::Roster;

/// How many of those who came and left are kept for diagnostics.
const COMINGS_MAX: usize = 100;

/// Somebody came or left, for diagnostics (P7.3). In memory alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Coming {
    /// When everybody was told.
    pub at: Timestamp,
    /// `enter` or `leave`.
    pub what: &'static str,
    /// Who.
    pub client: String,
    /// Over which connection.
    pub connection: ConnectionId,
}

/// What everybody was told, and what they are to be told next.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    /// The members.
    pub(crate) roster: Roster,
    pub(crate) changed: Vec<Change>,
    comings: VecDeque<Coming>,
    pub(crate) at: Timestamp,
    /// How long after that what changed next must wait.
    pub(crate) wait_ms: Timestamp,
    /// Counts changes, so that whoever attaches is not told what it was told in `attached`.
    pub(crate) count: u64,
}

#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) connection: ConnectionId,
    pub(crate) count: u64,
    /// Whether it is a member from then on.
    pub(crate) is_here: bool,
    /// Who has left.
    pub(crate) left: Option<Member>,
    /// Whether everybody had been told of a connection that is gone.
    pub(crate) was_announced: bool,
}

impl Presence {
    /// Who came and left lately, the latest last (P7.3), as far as the session was awake.
    pub(crate) fn comings(&self) -> impl Iterator<Item = &Coming> {
        self.comings.iter()
    }

    /// Somebody entered or changed.
    pub(crate) fn note(&mut self, connection: &ConnectionId) {
        self.push(connection, true, None, false);
    }

    /// A member left that stays connected; whether it was listed.
    pub(crate) fn leave(&mut self, member: &Member) -> bool {
        let was_listed = self.roster.leave(&member.connection);
        if was_listed {
            self.note_left(&member.connection, Some(member.clone()), false);
        }
        was_listed
    }

    /// Somebody left; of a connection that is gone, whether everybody had been told of it.
    pub(crate) fn note_left(
        &mut self,
        connection: &ConnectionId,
        left: Option<Member>,
        was_announced: bool,
    ) {
        self.push(connection, false, left, was_announced);
    }

    fn push(
        &mut self,
        connection: &ConnectionId,
        is_here: bool,
        left: Option<Member>,
        was_announced: bool,
    ) {
        self.count += 1;
        self.changed.push(Change {
            connection: connection.clone(),
            count: self.count,
            is_here,
            left,
            was_announced,
        });
    }

    /// Keeps who came or left, for a while.
    pub(crate) fn keep(&mut self, at: Timestamp, is_here: bool, member: &Member) {
        self.roster.list_changed();
        if COMINGS_MAX <= self.comings.len() {
            self.comings.pop_front();
        }
        self.comings.push_back(Coming {
            at,
            what: if is_here { "enter" } else { "leave" },
            client: member.client.clone(),
            connection: member.connection.clone(),
        });
    }

    /// What has changed, connection by connection.
    pub(crate) fn take(&mut self) -> Vec<Change> {
        let mut changed = std::mem::take(&mut self.changed);
        changed.sort_by(|a, b| (&a.connection, a.count).cmp(&(&b.connection, b.count)));
        changed
    }

    /// When what has changed is told.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        let wait = self.wait_ms.max(PRESENCE_MS);
        let is_announced = self.changed.is_empty() && self.roster.is_announced();
        (!is_announced).then_some(self.at.saturating_add(wait))
    }
}
