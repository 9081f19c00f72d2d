//! The context of every feature while an input is handled.

use super::approvals::state::{Approvals, Grants};
use super::calls::state::Calls;
use super::engine::{Step, Work};
use super::files::memory::Files;
use super::handover::state::Held;
use super::inboxes::state::Followers;
use super::marks::memory::Marks;
use super::messages::state::Retention;
use super::presence::state::Presence;
use super::revocation::state::Revoked;
use super::state::memory::State;
use super::transfer::progress::Progress;
use super::turns::state::Turns;
use super::usage::memory::Sums;
use super::waking::state::Wakes;
use crate::machine::Queue;
use crate::ordered::Set;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::PENDING_NAMES;
use crate::protocol::news::Telling;
use crate::protocol::serial::Place;
use crate::store::StoreError;

/// The memory of all features, one field each.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) turns: Turns,
    pub(super) approvals: Approvals,
    pub(super) grants: Grants,
    pub(super) calls: Calls,
    pub(super) presence: Presence,
    pub(super) retention: Retention,
    pub(super) deliveries: Queue,
    pub(super) handover: Option<Held>,
    pub(super) followers: Followers,
    /// When the pings of silent connections were last known (P10.2).
    pub(super) listened_at: Timestamp,
    pub(super) state: State,
    pub(super) marks: Marks,
    pub(super) usage: Sums,
    pub(super) wakes: Wakes,
    pub(super) files: Files,
    /// The import that the session waits for; then it does nothing else.
    pub(super) importing: Option<Progress>,
    /// Contacts, and revocations that came just now (P11.5).
    pub(super) revoked: Revoked,
}

/// A request that a turn waits for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// Its place.
    pub(super) place: Place,
    /// When it was made.
    pub(super) at: Timestamp,
    /// Its word, the reason of the suspended turn.
    pub(super) reason: &'static str,
}

/// The questions of one feature to all others, none of which it knows: to all parts (`parts.rs`).
#[derive(Clone, Copy)]
pub(super) struct Others {
    /// The oldest of the requests that a turn waits for (P8.4).
    pub(super) asked: fn(&Memory, &str) -> Option<Asked>,
    /// A turn is about to end in a step.
    pub(super) turn_ends: fn(&mut Context<'_>, &mut Step, &str) -> Result<(), StoreError>,
    /// The inboxes that something pending concerns (P15).
    pub(super) recipients: fn(&Context<'_>, &mut Set<String>),
    /// The names of those that pending requests are for, or will be, in any order (P15).
    pub(super) named: for<'a> fn(&'a Context<'_>, &mut Vec<&'a str>),
    /// Collects what an inbox is told (P15).
    pub(super) tell: fn(&Context<'_>, &mut Telling<'_>) -> Result<(), StoreError>,
}

/// One input's hold on the session: the engine, and the memory of every feature.
pub(super) struct Context<'a> {
    pub(super) engine: Work<'a>,
    pub(super) memory: &'a mut Memory,
    pub(super) others: Others,
}

impl Context<'_> {
    /// Whether a request may be for these as well: all that wait are for so many distinct names.
    pub(super) fn check_named<'a>(
        &'a self,
        verb: &str,
        more: impl Iterator<Item = &'a str>,
    ) -> Result<(), ErrorInfo> {
        let mut names: Vec<&'a str> = more.collect();
        (self.others.named)(self, &mut names);
        if names.len() <= PENDING_NAMES {
            return Ok(());
        }
        names.sort_unstable();
        names.dedup();
        if names.len() <= PENDING_NAMES {
            return Ok(());
        }
        let message = format!(
            "unable to {verb}; approvals and calls would wait for more than {PENDING_NAMES} names"
        );
        Err(ErrorInfo::new(ErrorCode::OverLimit, message))
    }
}
