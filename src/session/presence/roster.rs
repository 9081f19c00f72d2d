//! Listed members, and those that are only counted when there are many (P7.3).

use crate::ordered::Set;
use crate::protocol::capability::Role;
use crate::protocol::ids::ConnectionId;
use crate::protocol::limits::PRESENCE_AGENTS;
use crate::session::engine::Connection;

/// The priority of a member in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// Agents and supervisors.
    Staff,
    /// Everybody else.
    Public,
}

impl From<Role> for Rank {
    fn from(role: Role) -> Self {
        match role {
            Role::Agent | Role::Supervisor => Self::Staff,
            Role::User => Self::Public,
        }
    }
}

/// All members. A listed one stays listed until it leaves.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    listed: Set<ConnectionId>,
    counted: Set<(Rank, ConnectionId)>,
    /// The announced number of members; `None` if all are listed.
    told: Option<usize>,
    /// Whether the list changed since: readers that add and subtract need the number again.
    is_stale: bool,
}

impl Roster {
    /// Adds a member that outlived a sleep and was announced before it.
    pub(crate) fn found(&mut self, connection: &Connection) {
        let id = connection.id.clone();
        match &connection.member {
            Some(present) if present.is_counted => {
                self.counted.insert((connection.role.into(), id));
            }
            Some(_) => {
                self.listed.insert(id);
            }
            None => {}
        }
        self.told = self.count();
    }

    /// Adds a member to a list of at most so many; returns whether it is listed.
    pub(crate) fn enter(&mut self, id: &ConnectionId, role: Role, most: usize) -> bool {
        let is_listed = self.has_room(role.into(), most);
        if is_listed {
            self.listed.insert(id.clone());
        } else {
            self.counted.insert((role.into(), id.clone()));
        }
        is_listed
    }

    /// Removes a member; returns whether it was listed.
    pub(crate) fn leave(&mut self, id: &ConnectionId) -> bool {
        self.uncount(id);
        self.listed.remove(id)
    }

    /// A member has another role.
    pub(crate) fn rank(&mut self, id: &ConnectionId, role: Role) {
        if self.uncount(id) {
            self.counted.insert((role.into(), id.clone()));
        }
    }

    fn uncount(&mut self, id: &ConnectionId) -> bool {
        let ranks = [Rank::Staff, Rank::Public];
        let mut counted = ranks.map(|rank| (rank, id.clone())).into_iter();
        counted.any(|member| self.counted.remove(&member))
    }

    fn has_room(&self, rank: Rank, most: usize) -> bool {
        let more = match rank {
            Rank::Staff => PRESENCE_AGENTS,
            Rank::Public => 0,
        };
        self.listed.len() < most.saturating_add(more)
    }

    /// The counted member that takes the place of a listed one that left.
    pub(crate) fn next(&mut self, most: usize) -> Option<ConnectionId> {
        let (rank, _) = self.counted.first()?;
        if !self.has_room(*rank, most) {
            return None;
        }
        let (_, id) = self.counted.pop_first()?;
        self.listed.insert(id.clone());
        Some(id)
    }

    /// The listed members.
    pub(crate) fn listed(&self) -> impl Iterator<Item = &ConnectionId> {
        self.listed.iter()
    }

    /// The number of all members.
    pub(crate) fn total(&self) -> usize {
        self.listed.len() + self.counted.len()
    }

    /// The number of all members, unless all are listed.
    pub(crate) fn count(&self) -> Option<usize> {
        (!self.counted.is_empty()).then(|| self.total())
    }

    /// Whether the announced number is right.
    pub(crate) fn is_announced(&self) -> bool {
        let count = self.count();
        self.told == count && (count.is_none() || !self.is_stale)
    }

    /// A change of the list was announced.
    pub(crate) fn list_changed(&mut self) {
        self.is_stale = true;
    }

    /// The number was announced.
    pub(crate) fn tell(&mut self) {
        self.told = self.count();
        self.is_stale = false;
    }
}
