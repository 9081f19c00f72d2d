//! Presence: who is there, and how everybody is told (P7).
//!
//! A member is a connection, and is kept with it. What has changed is told as the difference
//! to what was told before, so that many changes put together are no more than they come to.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::answer::Reply;
use super::connection::{Connection, Live, Sender, socket_of};
use super::crowd::Crowd;
use super::expiry::after;
use super::frames::misplaced;
use super::outbox::Outbox;
use super::read::encode;
use super::{Error, Session};
use crate::protocol::capability::Operation;
use crate::protocol::data::Data;
use crate::protocol::decode::SetPresence;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::frame::{Outcome, Presence, ServerFrame};
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::limits::{LIST_BYTES, PRESENCE_MS};
use crate::protocol::presence::Member;
use crate::protocol::turn::State;

/// What makes a connection a member.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Present {
    /// What it tells of itself.
    pub data: Option<Data>,
    /// Since when it is there.
    pub since: Timestamp,
    /// Whether it is only counted, and not listed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_counted: bool,
}

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
pub(super) struct Told {
    /// Who is there.
    pub(super) crowd: Crowd,
    changed: Vec<Change>,
    comings: VecDeque<Coming>,
    at: Timestamp,
    /// How long after that what changed next must wait.
    wait_ms: Timestamp,
    /// Counts changes, so that whoever attaches is not told what it was told in `attached`.
    pub(super) count: u64,
}

#[derive(Debug)]
struct Change {
    connection: ConnectionId,
    count: u64,
    /// Whether it is a member from then on.
    is_here: bool,
    /// Who has left.
    left: Option<Member>,
    /// Whether everybody had been told of a connection that is gone.
    was_told: bool,
}

impl Told {
    /// Somebody entered or changed.
    fn note(&mut self, connection: &ConnectionId) {
        self.push(connection, true, None, false);
    }

    /// Somebody left; of a connection that is gone, whether everybody had been told of it.
    fn note_left(&mut self, connection: &ConnectionId, left: Option<Member>, was_told: bool) {
        self.push(connection, false, left, was_told);
    }

    fn push(
        &mut self,
        connection: &ConnectionId,
        is_here: bool,
        left: Option<Member>,
        was_told: bool,
    ) {
        self.count += 1;
        self.changed.push(Change {
            connection: connection.clone(),
            count: self.count,
            is_here,
            left,
            was_told,
        });
    }

    /// Keeps who came or left, for a while.
    fn keep(&mut self, at: Timestamp, is_here: bool, member: &Member) {
        self.crowd.list_changed();
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
    fn take(&mut self) -> Vec<Change> {
        let mut changed = std::mem::take(&mut self.changed);
        changed.sort_by(|a, b| (&a.connection, a.count).cmp(&(&b.connection, b.count)));
        changed
    }

    /// When what has changed is told.
    pub(super) fn due(&self) -> Option<Timestamp> {
        let wait = self.wait_ms.max(PRESENCE_MS);
        let is_told = self.changed.is_empty() && self.crowd.is_told();
        (!is_told).then_some(self.at.saturating_add(wait))
    }
}

impl Connection {
    /// The connection as a member, if it is one.
    pub(super) fn as_member(&self) -> Option<Member> {
        let present = self.member.as_ref()?;
        Some(Member {
            client: self.client.clone(),
            name: self.name.clone(),
            connection: self.id.clone(),
            role: self.role,
            data: present.data.clone(),
            since: present.since,
        })
    }

    /// The same if it is listed.
    pub(super) fn as_listed(&self) -> Option<Member> {
        let is_counted = self.member.as_ref().is_none_or(|it| it.is_counted);
        self.as_member().filter(|_| !is_counted)
    }
}

impl Live {
    /// When it was last heard.
    fn last_heard(&self) -> Timestamp {
        self.heard_at.max(self.pinged_at)
    }
}

impl Session {
    /// Enters, or changes what a member tells of itself.
    pub(super) fn set_presence(
        &mut self,
        now: Timestamp,
        sender: &Sender,
        set: SetPresence,
        reply: &Reply,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        sender.must(Operation::Presence, "be present", &self.id)?;
        self.limit_frame(now, sender, "be present")?;
        let Some(live) = socket_of(&mut self.connections, sender) else {
            return Err(misplaced("presence.set").into());
        };
        let known = live.connection.member.as_ref();
        let (since, is_counted) = known.map_or((now, true), |it| (it.since, it.is_counted));
        let before = live.connection.member.replace(Present {
            data: set.data,
            since,
            is_counted,
        });
        if !live.connection.fits() {
            live.connection.member = before;
            let message = "unable to be present; data is too large to be kept with the names \
                           that this connection follows and its client's";
            return Err(ErrorInfo::new(ErrorCode::TooLarge, message).into());
        }
        let (id, role) = (&live.connection.id, live.connection.role);
        let most = usize::try_from(self.limits.presence_listed).unwrap_or(usize::MAX);
        if let Some(present) = &mut live.connection.member {
            if before.is_none() {
                present.is_counted = !self.told.crowd.enter(id, role, most);
            }
            if !present.is_counted {
                self.told.note(id);
            }
        }
        live.connection.heard_at = live.connection.heard_at.max(now);
        out.remember(&live.connection);
        let member = live.connection.as_member();
        // Its silence matters from now on, that of the others as before.
        let silent = after(live.last_heard(), self.settings.presence_timeout_ms());
        self.listens_at = self.listens_at.min(silent);
        self.tell_presence(now, out);
        if let Some(member) = member {
            self.answer(out, reply, Ok(Outcome::Member { member }));
        }
        Ok(())
    }

    /// Leaves, and stays connected.
    pub(super) fn leave_presence(
        &mut self,
        now: Timestamp,
        sender: &Sender,
        reply: &Reply,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        sender.must(Operation::Presence, "leave", &self.id)?;
        self.limit_frame(now, sender, "leave")?;
        let Some(live) = socket_of(&mut self.connections, sender) else {
            return Err(misplaced("presence.leave").into());
        };
        let Some(member) = live.connection.as_member() else {
            let message =
                "unable to leave; this connection is not present, enter with presence.set";
            return Err(ErrorInfo::new(ErrorCode::NotFound, message).into());
        };
        live.connection.member = None;
        out.remember(&live.connection);
        self.left(member.clone());
        self.tell_presence(now, out);
        self.answer(out, reply, Ok(Outcome::Member { member }));
        Ok(())
    }

    /// A member that stays connected left.
    fn left(&mut self, member: Member) {
        if self.told.crowd.leave(&member.connection) {
            let id = member.connection.clone();
            self.told.note_left(&id, Some(member), false);
        }
    }

    /// A fresh token may call a member otherwise (P2.6).
    pub(super) fn renamed(&mut self, connection: &ConnectionId) {
        let Some(live) = self.connections.get(connection) else {
            return;
        };
        self.told.crowd.rank(connection, live.connection.role);
        if live.connection.as_listed().is_some() {
            self.told.note(connection);
        }
    }

    /// A connection is gone: it is there no longer (P7.2).
    pub(super) fn absent(&mut self, live: &Live) {
        let (id, member) = (&live.connection.id, live.connection.as_listed());
        self.told.crowd.leave(id);
        if member.is_some() || live.is_told {
            self.told.note_left(id, member, live.is_told);
        }
    }

    /// Tells everybody what has changed, at most five times a second, and no more bytes than
    /// may be told in one; the rest in its turn (P7.3).
    pub(super) fn tell_presence(&mut self, now: Timestamp, out: &mut Outbox) {
        self.list_more(out);
        // A clock that jumped back must not hold it for longer.
        let due = self.told.due();
        if due.is_none_or(|due| now < due && self.told.at <= now) {
            return;
        }
        self.told.at = now;
        let mut changed = self.told.take();
        let most = self.limits.presence_bytes_per_second.max(1);
        let (mut told, mut bytes) = (0, 0);
        for changes in changed.chunk_by(|a, b| a.connection == b.connection) {
            if most <= bytes {
                break;
            }
            bytes += self.tell_changes(now, changes, out);
            told += changes.len();
        }
        self.told.changed = changed.split_off(told);
        // What is told later of the list is added to it by whoever counts.
        if self.told.changed.is_empty() && !self.told.crowd.is_told() {
            bytes += self.tell_count(out);
        }
        let wait = bytes.saturating_mul(1000) / most;
        self.told.wait_ms = Timestamp::try_from(wait).unwrap_or(Timestamp::MAX);
    }

    /// Who was only counted takes the place in the list of one that left.
    fn list_more(&mut self, out: &mut Outbox) {
        let most = usize::try_from(self.limits.presence_listed).unwrap_or(usize::MAX);
        while let Some(id) = self.told.crowd.next(most) {
            let Some(live) = self.connections.get_mut(&id) else {
                continue;
            };
            if let Some(present) = &mut live.connection.member {
                present.is_counted = false;
                out.remember(&live.connection);
                self.told.note(&id);
            }
        }
    }

    /// Tells everybody how many there are; how many bytes that is.
    fn tell_count(&mut self, out: &mut Outbox) -> u64 {
        self.told.crowd.tell();
        let presence_count = self.told.crowd.total();
        let index = out.add(&ServerFrame::Count { presence_count });
        let readers = self.connections.iter();
        let mut readers = readers.filter(|(_, live)| live.connection.is_reader());
        let told = readers
            .by_ref()
            .map(|(reader, _)| out.deliver(reader, index));
        let told = told.count();
        out.bytes(index)
            .saturating_mul(u64::try_from(told).unwrap_or(0))
    }

    /// Tells what the changes of one connection come to, to each reader by what it knew: what
    /// was told before, or what it was listed when it attached in between. How many bytes that
    /// is for all of them.
    fn tell_changes(&mut self, now: Timestamp, changes: &[Change], out: &mut Outbox) -> u64 {
        let Some(last) = changes.last() else { return 0 };
        let live = self.connections.get_mut(&last.connection);
        let member = live.as_ref().and_then(|live| live.connection.as_listed());
        let was_told = live.map_or(last.was_told, |live| {
            std::mem::replace(&mut live.is_told, member.is_some())
        });
        let left = changes.iter().rev().find_map(|change| change.left.clone());
        let known = |told_at: u64| {
            let mut listed = changes.iter().rev();
            let listed = listed.find(|change| change.count <= told_at);
            listed.map_or(was_told, |change| change.is_here)
        };
        match (&member, &left) {
            (Some(member), _) if !was_told => self.told.keep(now, true, member),
            (None, Some(member)) if was_told => self.told.keep(now, false, member),
            _ => {}
        }
        // One frame for those who know it, one for those who do not.
        let frame = |is_known: bool| match (member.clone(), left.clone()) {
            (Some(member), _) if is_known => Some(ServerFrame::Present { member }),
            (Some(member), _) => Some(ServerFrame::Enter { member }),
            (None, Some(member)) if is_known => Some(ServerFrame::Leave { member }),
            // It came and went.
            (None, _) => None,
        };
        let (mut added, mut bytes) = ([None, None], 0);
        for (reader, live) in &self.connections {
            if !live.connection.is_reader() || last.count <= live.told_at {
                continue;
            }
            let is_known = known(live.told_at);
            let [new, old] = &mut added;
            let added = if is_known { old } else { new };
            let index = added.get_or_insert_with(|| frame(is_known).map(|frame| out.add(&frame)));
            if let Some(index) = *index {
                out.deliver(reader, index);
                bytes += out.bytes(index);
            }
        }
        bytes
    }

    /// Who came and left lately, the latest last (P7.3), as far as the session was awake.
    pub fn comings(&self) -> impl Iterator<Item = &Coming> {
        self.told.comings.iter()
    }

    /// Who is there. Whoever is named first has the first connection.
    pub(super) fn presence(&self) -> Presence {
        Presence {
            presence: Some(self.listed().collect()),
            presence_count: self.told.crowd.count(),
        }
    }

    fn listed(&self) -> impl Iterator<Item = Member> {
        let listed = self.told.crowd.listed();
        let live = listed.filter_map(|id| self.connections.get(id));
        live.filter_map(|live| live.connection.as_member())
    }

    /// The same for `attached`, which leaves a long list to `GET …/presence` (P3.4).
    pub(super) fn brief_presence(&self) -> Presence {
        let mut bytes = 0;
        // What is too long is not even put together.
        let fitting = self.listed().take_while(|member| {
            bytes += encode(member).len();
            bytes <= LIST_BYTES
        });
        let listed: Vec<Member> = fitting.collect();
        let is_long = LIST_BYTES < bytes;
        let total = is_long.then(|| self.told.crowd.total());
        Presence {
            presence: (!is_long).then_some(listed),
            presence_count: self.told.crowd.count().or(total),
        }
    }

    /// When somebody might be held silent who is not: the platform answers pings without a
    /// word, and must be asked for them before then. Far away while nobody's silence matters.
    pub fn listens_at(&self) -> Timestamp {
        self.listens_at
    }

    /// Works that out anew.
    pub(super) fn listen(&mut self) {
        let timeout = self.settings.presence_timeout_ms();
        let members = self.connections.values();
        let members = members.filter(|live| live.connection.member.is_some());
        let silent = members.map(|live| after(live.last_heard(), timeout));
        let turns = self.turns.values();
        let led = turns.filter(|open| matches!(open.turn.state, State::Active(_)));
        let led = led.filter(|open| {
            let connection = open.turn.lead().and_then(|lead| lead.connection.as_ref());
            connection.is_some_and(|id| self.connections.contains_key(id))
        });
        let leases = led.map(|open| self.lease_until(open));
        self.listens_at = silent.chain(leases).min().unwrap_or(Timestamp::MAX);
    }

    /// The platform tells when connections last sent a text `ping` (P7.2).
    pub(super) fn heard(&mut self, heard: Vec<(ConnectionId, Timestamp)>) {
        for (id, at) in heard {
            if let Some(live) = self.connections.get_mut(&id) {
                live.pinged_at = live.pinged_at.max(at);
            }
        }
        self.listen();
    }

    /// A frame came over a connection. For a member that is kept with it now and then, so
    /// that the session's sleep does not make it silent.
    pub(super) fn heard_frame(
        &mut self,
        now: Timestamp,
        connection: &ConnectionId,
        out: &mut Outbox,
    ) {
        let slack = self.silence_slack();
        let Some(live) = self.connections.get_mut(connection) else {
            return;
        };
        live.heard_at = live.heard_at.max(now);
        let known = &mut live.connection;
        if known.member.is_some() && slack < now.saturating_sub(known.heard_at) {
            known.heard_at = now;
            out.remember(known);
        }
    }

    /// How much later than what is kept with it a connection may have been heard.
    pub(super) fn silence_slack(&self) -> Timestamp {
        Timestamp::try_from(self.settings.presence_timeout_ms() / 3).unwrap_or(0)
    }

    /// Members that were not heard for too long are there no longer (P7.2).
    pub(super) fn drop_silent(&mut self, now: Timestamp, out: &mut Outbox) {
        let timeout = self.settings.presence_timeout_ms();
        let mut silent = Vec::new();
        for live in self.connections.values_mut() {
            let Some(member) = live.connection.as_member() else {
                continue;
            };
            if after(live.last_heard(), timeout) <= now {
                live.connection.member = None;
                out.remember(&live.connection);
                silent.push(member);
            }
        }
        silent.into_iter().for_each(|member| self.left(member));
        self.listen();
    }
}
