//! The shape of a core: a deterministic state machine that an object runs.
//!
//! Everything that happens to a machine is an [`Input`]; everything that follows is rows in its
//! store and [`Effect`]s. A machine awaits nothing, reads no clock and draws no randomness, so the
//! program that runs one ([`Machine`]) runs any: the session and the inbox.

mod backoff;
mod bucket;
mod carrier;
mod numbers;
mod outcome;
mod queue;
mod text;

pub(crate) use backoff::wait_ms;
pub(crate) use bucket::Bucket;
pub use carrier::{Attached, Carrier};
pub(crate) use numbers::{first_number, next_number};
pub use outcome::Outcome;
pub(crate) use queue::{Queue, Started};
pub use text::Text;

use std::fmt::Debug;
use std::rc::Rc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::protocol::decode::{Received, Ref};
use crate::protocol::deployment::Deployment;
use crate::protocol::error::ErrorInfo;
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::limits::Limits;
use crate::protocol::milestone::Milestone;
use crate::protocol::query::Parts;
use crate::protocol::routes::Decode;
use crate::store::StoreError;
use crate::store::sql::Sql;
use crate::token::Claims;

/// Deliveries of one machine in flight at once: an object may have six outgoing calls, and two are
/// left for fetching a token's keys.
pub const DELIVERIES_AT_ONCE: usize = 4;
/// Those of them that are for inboxes where a deployment has any, so that hooks and inboxes never
/// wait for each other.
pub const TELLINGS_AT_ONCE: usize = 2;

/// Everything that can happen to a machine.
#[derive(Debug)]
pub enum Input<M: Machine> {
    /// A connection was accepted.
    Open {
        /// The connection.
        connection: M::Connection,
        /// The position from which it reads (P3.3).
        start: M::Start,
    },
    /// A WebSocket message arrived.
    Message {
        /// The connection.
        connection: ConnectionId,
        /// The frames in it.
        frames: Vec<Received>,
        /// Its size in bytes.
        bytes: usize,
        /// Whether no other message is expected in this turn of the event loop: then due work is
        /// stored and sent with it, without a timer (P5.4).
        is_alone: bool,
    },
    /// An unreadable WebSocket message arrived (P13.6).
    Unreadable {
        /// The connection.
        connection: ConnectionId,
        /// The reason.
        error: ErrorInfo,
    },
    /// A streamed HTTP body ended: pending text is stored and answered (P5.4).
    BodyEnd {
        /// The connection that carries it.
        connection: ConnectionId,
    },
    /// A fresh token arrived over a connection, and was checked (P2.6).
    Renew {
        /// The connection.
        connection: ConnectionId,
        /// The frame's own mark.
        reference: Option<Ref>,
        /// The frame's chain (P13.8).
        chain: Option<u64>,
        /// The token's grant, or the reason why it is invalid.
        grant: Result<M::Grant, ErrorInfo>,
    },
    /// The platform reports when connections last sent a text `ping`, which it answers by itself
    /// (P7.2). Must come before another input once [`Machine::listens_at`] has passed.
    Heard {
        /// The times, for connections that ever sent one.
        heard: Vec<(ConnectionId, Timestamp)>,
    },
    /// The platform reports a reader's unsent bytes (P13.7).
    Unsent {
        /// The reader.
        connection: ConnectionId,
        /// Unsent bytes.
        bytes: u64,
    },
    /// The platform reports the unsent bytes of every reader (P14).
    Backlog {
        /// The readers that have any, and how many.
        unsent: Vec<(ConnectionId, u64)>,
        /// Whether they had time to take something since it was sent.
        had_time: bool,
    },
    /// A connection is gone, with or without a close.
    Close {
        /// The connection.
        connection: ConnectionId,
    },
    /// An HTTP request; its answer is the one [`Effect::Respond`] among the effects.
    Request {
        /// The client that asks.
        sender: M::Sender,
        /// Its request.
        request: M::Request,
    },
    /// A time named by [`Machine::deadline`] or [`Machine::window`] has come, or may have.
    Deadline,
    /// A delivery ended, well or not ([`Effect::Deliver`]). A delivery in flight when the machine
    /// was lost has no outcome: loading counts it as never begun.
    Delivered(M::Delivered),
}

/// Everything that follows from an input, to be performed in order. `C` is a machine's connection,
/// `D` its delivery.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect<C, D> {
    /// Send one WebSocket message to each of these connections.
    Send {
        /// The connections.
        to: Vec<ConnectionId>,
        /// A frame or an array of frames.
        text: Text,
    },
    /// Store this with the connection, so that it survives the machine's sleep.
    Remember(C),
    /// Close a connection.
    Close {
        /// The connection.
        connection: ConnectionId,
        /// A close code of P13.3.
        code: u16,
        /// The reason, in at most 123 bytes.
        reason: &'static str,
    },
    /// Delete everything in storage, the alarm too, and load the machine anew. Only then
    /// does the `Respond` that follows go out (P11.2).
    Erase,
    /// The answer to [`Input::Request`].
    Respond {
        /// The HTTP status.
        status: u16,
        /// JSON.
        body: String,
    },
    /// Call another system. Nothing waits for the call; its outcome is an [`Input::Delivered`]. At
    /// most [`DELIVERIES_AT_ONCE`] may be in flight.
    Deliver(D),
    /// Tell the deployment's owner of this (P11.8).
    Reach(Box<Milestone>),
}

/// The effects of one input of a machine.
pub type Effects<M> = Vec<Effect<<M as Machine>::Connection, <M as Machine>::Delivery>>;

/// A core, as seen by the program that runs it.
pub trait Machine: Sized + Debug + 'static {
    /// Its rows.
    type Store: From<Rc<dyn Sql>>;
    /// The state kept with a connection while the machine sleeps.
    type Connection: Attached;
    /// The position from which a connection reads.
    type Start: Debug;
    /// The query of an attach, as the Worker parses it and the object gets it.
    type Attach: Serialize + DeserializeOwned;
    /// A token's permissions in one machine.
    type Grant: Debug + Serialize + DeserializeOwned;
    /// The client of an HTTP request.
    type Sender: Debug;
    /// A request by HTTP.
    type Request: Debug;
    /// A call to another system.
    type Delivery;
    /// Its outcome.
    type Delivered: Debug;

    /// Rebuilds a machine from its rows and surviving connections; the only way in, for a first
    /// boot and after a sleep, a deployment or a crash. `name` is the object's name, `entropy` is
    /// random.
    ///
    /// # Errors
    /// When the storage fails.
    fn load(
        name: &str,
        deployment: Deployment,
        store: &Self::Store,
        connections: Vec<Self::Connection>,
        entropy: u32,
    ) -> Result<Self, StoreError>;

    /// Decides everything that follows from one input, and stores it.
    ///
    /// # Errors
    /// When the storage fails; the machine must then be dropped and loaded again.
    fn handle(
        &mut self,
        store: &Self::Store,
        now: Timestamp,
        input: Input<Self>,
    ) -> Result<Effects<Self>, StoreError>;

    /// When something is due within half a second: the platform keeps a timer for it. `None` while
    /// nothing is: then no timer may run.
    fn window(&self) -> Option<Timestamp>;

    /// When something is due: the platform keeps an alarm for it, which outlives a sleep.
    fn deadline(&self) -> Option<Timestamp>;

    /// The time from which [`Input::Heard`] must come before any other input.
    fn listens_at(&self) -> Timestamp;

    /// All connections.
    fn connections(&self) -> impl Iterator<Item = &Self::Connection>;

    /// A request, decoded; an invalid one is a request as well, so that it counts (P14).
    fn request(decode: Decode, parts: &Parts<'_>, limits: &Limits) -> Self::Request;

    /// A token's permissions in the machine of this name (P2.5, P2.6).
    ///
    /// # Errors
    /// `forbidden`, without any permission there.
    fn grant(claims: &Claims, name: &str) -> Result<Self::Grant, ErrorInfo>;

    /// The client behind a grant, as the sender of an HTTP request.
    fn sender(grant: &Self::Grant) -> Self::Sender;

    /// A new connection. `is_probed` says that the platform does not report its unsent bytes
    /// (P13.7).
    fn attach(
        id: ConnectionId,
        carrier: Carrier,
        grant: Self::Grant,
        attach: Self::Attach,
        is_probed: bool,
    ) -> (Self::Connection, Self::Start);
}
