//! The inbox: one client's, or one role's, part of every session (P15).
//!
//! A deterministic state machine in the shape of the session ([`crate::machine`]). Sessions tell it
//! of themselves; it keeps what they said last, shows it to whoever may read the session, and tells
//! its readers of each change.

mod attached;
mod connection;
mod delivery;
mod devices;
mod erasure;
mod grant;
mod items;
mod machine;
mod notices;
mod post;
mod read;
mod revocation;
mod revocations;
mod scrub;
mod take;

pub use connection::{Connection, Start};
pub use delivery::{Decide, Delivered, Delivery, Posting, Revoking};
pub use grant::{Grant, Sight};

use crate::machine::{Bucket, Queue};
use crate::ordered::Map;
use crate::protocol::capability::Role;
use crate::protocol::deployment::Outbound;
use crate::protocol::error::close;
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::inbox::Request;
use crate::protocol::limits::Limits;
use crate::protocol::serial::Epoch;
use crate::store::{Device, Erasure, InboxStore, StoreError};
use connection::Live;
use items::Items;
use revocations::{NUMBERS, Revocations};

/// Everything that can happen to an inbox.
pub type Input = crate::machine::Input<Inbox>;

/// Everything that follows from an input.
pub type Effect = crate::machine::Effect<Connection, Delivery>;

/// The name of an inbox's object: a client's own, or a role's. No client is named `role:NAME`
/// (P2.1), and no role `client:ID`.
pub fn address(client: &str, role: Option<Role>) -> String {
    match role {
        Some(role) => format!("role:{}", role.as_str()),
        None => format!("client:{client}"),
    }
}

/// One inbox in memory.
#[derive(Debug)]
pub struct Inbox {
    name: String,
    /// The role whose inbox it is.
    role: Option<Role>,
    limits: Limits,
    /// The epoch of its serials, by its name: a serial of another inbox is known as one.
    epoch: Epoch,
    items: Items,
    connections: Map<ConnectionId, Live>,
    /// The devices of its client, by its names for them (P10.1).
    devices: Map<String, Device>,
    /// Everything that they are owed.
    queue: Queue,
    /// The rate at which devices change (P14).
    changes: Bucket,
    /// Revoked tokens, and all that are to hear of that (P11.5).
    revocations: Revocations,
    /// The erasure of its client (P11.10).
    erasure: Option<Erasure>,
    /// The next step in which bytes are overwritten, and when it is due.
    scrub: Option<(u64, Timestamp)>,
    outbound: Outbound,
}

impl Inbox {
    /// Decides everything that follows from one input, and stores it.
    ///
    /// # Errors
    /// When the storage fails; the inbox must then be dropped and loaded again.
    pub fn handle(
        &mut self,
        store: &InboxStore,
        now: Timestamp,
        input: Input,
    ) -> Result<Vec<Effect>, StoreError> {
        let mut out = Vec::new();
        match input {
            Input::Open { connection, start } => {
                self.open(store, now, connection, &start, &mut out)?;
            }
            Input::Message {
                connection, frames, ..
            } => self.message(now, &connection, frames, &mut out),
            Input::Unreadable { connection, error } => {
                self.unreadable(now, &connection, error, &mut out);
            }
            Input::Renew {
                connection,
                reference,
                chain: _,
                grant,
            } => self.renew(now, &connection, &reference, grant, &mut out),
            Input::Unsent { connection, bytes } => {
                if self.limits.unsent_bytes < bytes {
                    self.shut(
                        &connection,
                        close::TOO_FAST,
                        "the reader is too slow",
                        &mut out,
                    );
                }
            }
            Input::Close { connection } => {
                self.connections.remove(&connection);
            }
            Input::Request { sender, request } => {
                let (status, body) = self.answer(store, now, &sender, request, &mut out)?;
                out.push(Effect::Respond { status, body });
            }
            Input::Delivered(delivered) if NUMBERS <= delivered.number => {
                let (number, status) = (delivered.number, delivered.status);
                let ended = self.revocations.end(store, now, number, status)?;
                if let Some(call) = ended.filter(|call| call.erases) {
                    self.erased(store, &call.name)?;
                }
            }
            Input::Delivered(delivered) => self.settle(store, now, &delivered)?,
            Input::Deadline => {
                self.forget_letters(store, now)?;
                self.take_step(store, now)?;
            }
            // All of a client's readers may leave as much unsent as it has connections (P14):
            // frames of an inbox are small. No body ends here.
            Input::Backlog { .. } | Input::Heard { .. } | Input::BodyEnd { .. } => {}
        }
        if !self.queue.is_empty() {
            self.post(store, now, &mut out)?;
        }
        self.go_on(store, now, &mut out)?;
        let calls = self.revocations.start(now).into_iter();
        out.extend(calls.map(|call| Effect::Deliver(Delivery::Revoke(call))));
        Ok(out)
    }

    /// Answers a request (P15.1).
    fn answer(
        &mut self,
        store: &InboxStore,
        now: Timestamp,
        grant: &Grant,
        request: Request,
        out: &mut Vec<Effect>,
    ) -> Result<(u16, String), StoreError> {
        Ok(match request {
            Request::Read => (200, self.content(store, &grant.sight)?),
            Request::Page(page) => (200, self.one_list(store, &grant.sight, &page)?),
            Request::Told(news) => self.take(store, now, *news, out)?,
            Request::Said(said) => self.pass_on(store, now, &said)?,
            Request::Device(request) => self.answer_device(store, now, grant, request)?,
            Request::Revoke(ask) => self.revoke(store, now, ask)?,
            Request::Revocations(after) => (200, self.list_revocations(after)),
            Request::Revoked(revocation) => {
                self.revoked(store, now, revocation, out)?;
                (200, "{}".to_owned())
            }
            Request::Contact(contact) => {
                self.contact(store, now, contact)?;
                (200, "{}".to_owned())
            }
            Request::Erase { begins } => self.erase(store, now, begins)?,
            Request::Refused(error) => (error.status, error.body()),
        })
    }
}

/// The epoch of the serials of an inbox: the same after every sleep, without a row.
fn epoch_of(name: &str) -> Epoch {
    let mixed = name.bytes().fold(0x811c_9dc5_u32, |mixed, byte| {
        (mixed ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    Epoch::from_entropy(mixed)
}
