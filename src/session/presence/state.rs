//! Announced presence, and changes to be announced (P7.3).

use std::collections::VecDeque;

use serde::Serialize;

use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::limits::PRESENCE_MS;
use crate::protocol::presence::Member;
use crate::session::presence::roster::Roster;

/// The number of recent arrivals and departures kept for diagnostics.
const COMINGS_MAX: usize = 100;

/// An arrival or departure, for diagnostics (P7.3). In memory only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Coming {
    /// When it was announced.
    pub at: Timestamp,
    /// `enter` or `leave`.
    pub what: &'static str,
    /// The client.
    pub client: String,
    /// The connection.
    pub connection: ConnectionId,
}

/// The members, and their changes since the last announcement.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    /// The members.
    pub(crate) roster: Roster,
    pub(crate) changed: Vec<Change>,
    comings: VecDeque<Coming>,
    pub(crate) at: Timestamp,
    /// How long after `at` the next announcement must wait.
    pub(crate) wait_ms: Timestamp,
    /// Counts changes, so that a new reader is not told again of a change included in its
    /// `attached`.
    pub(crate) count: u64,
}

#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) connection: ConnectionId,
    pub(crate) count: u64,
    /// Whether it is a member after the change.
    pub(crate) is_here: bool,
    /// The member that left.
    pub(crate) left: Option<Member>,
    /// Whether a closed connection had been announced.
    pub(crate) was_announced: bool,
}

impl Presence {
    /// Recent arrivals and departures, the latest last (P7.3), since the session woke.
    pub(crate) fn comings(&self) -> impl Iterator<Item = &Coming> {
        self.comings.iter()
    }

    /// Notes that a member entered or changed.
    pub(crate) fn note(&mut self, connection: &ConnectionId) {
        self.push(connection, true, None, false);
    }

    /// Notes that a member left and stays connected; returns whether it was listed.
    pub(crate) fn leave(&mut self, member: &Member) -> bool {
        let was_listed = self.roster.leave(&member.connection);
        if was_listed {
            self.note_left(&member.connection, Some(member.clone()), false);
        }
        was_listed
    }

    /// Notes that a member left; `was_announced` if its connection is closed and everybody knew of
    /// it.
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

    /// Keeps an arrival or departure for diagnostics.
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

    /// All changes, ordered by connection.
    pub(crate) fn take(&mut self) -> Vec<Change> {
        let mut changed = std::mem::take(&mut self.changed);
        changed.sort_by(|a, b| (&a.connection, a.count).cmp(&(&b.connection, b.count)));
        changed
    }

    /// When the changes are announced.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        let wait = self.wait_ms.max(PRESENCE_MS);
        let is_announced = self.changed.is_empty() && self.roster.is_announced();
        (!is_announced).then_some(self.at.saturating_add(wait))
    }
}
