//! The shape of a core: a deterministic state machine that an object runs.
//!
//! Everything that happens to a machine is an [`Input`]; everything that follows from it is rows
//! in its store and [`Effect`]s. A machine awaits nothing, reads no clock and draws no
//! randomness, so the program that runs one ([`Machine`]) runs any: the session and the inbox.

mod bucket;
mod carrier;
mod text;

pub(crate) use bucket::Bucket;
pub use carrier::{Attached, Carrier};
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
use crate::protocol::query::Parts;
use crate::protocol::routes::Decode;
use crate::store::StoreError;
use crate::store::sql::Sql;
use crate::token::Claims;

/// Deliveries of one machine that are under way at once: an object may have six calls to
/// somebody outside, and two are left for the keys that a token needs.
pub const DELIVERIES_AT_ONCE: usize = 4;

/// Everything that can happen to a machine.
#[derive(Debug)]
pub enum Input<M: Machine> {
    /// A connection was accepted.
    Open {
        /// Who and how.
        connection: M::Connection,
        /// Where it begins to read (P3.3).
        start: M::Start,
    },
    /// A WebSocket message came in.
    Message {
        /// Over which connection.
        connection: ConnectionId,
        /// The frames in it.
        frames: Vec<Received>,
        /// Its size in bytes.
        bytes: usize,
        /// Whether no other is expected in this turn of the event loop: then what is due at
        /// once is stored and sent with it, and waits for no timer (P5.4).
        is_alone: bool,
    },
    /// A WebSocket message came in that cannot be read at all (P13.6).
    Unreadable {
        /// Over which connection.
        connection: ConnectionId,
        /// Why not.
        error: ErrorInfo,
    },
    /// A streamed HTTP body came to its end: what is pending is stored and answered (P5.4).
    BodyEnd {
        /// The connection that carries it.
        connection: ConnectionId,
    },
    /// A fresh token came over a connection, and was checked (P2.6).
    Renew {
        /// Over which connection.
        connection: ConnectionId,
        /// The frame's own mark.
        reference: Option<Ref>,
        /// The frames that it stands on (P13.8).
        chain: Option<u64>,
        /// The token's grant, or why it does not hold.
        grant: Result<M::Grant, ErrorInfo>,
    },
    /// The platform tells when connections last sent a text `ping`, which it answers without
    /// a word (P7.2). To be given before another input once [`Machine::listens_at`] has come.
    Heard {
        /// When, for those that ever did.
        heard: Vec<(ConnectionId, Timestamp)>,
    },
    /// The platform tells how much a reader has not taken yet (P13.7).
    Unsent {
        /// The reader.
        connection: ConnectionId,
        /// Bytes sent and not taken.
        bytes: u64,
    },
    /// The platform tells what every reader has not taken yet (P14).
    Backlog {
        /// Those who have anything to take, and how many bytes.
        unsent: Vec<(ConnectionId, u64)>,
        /// Whether they had time to take something since it was sent.
        had_time: bool,
    },
    /// A connection is gone, with or without a goodbye.
    Close {
        /// Which.
        connection: ConnectionId,
    },
    /// An HTTP request; its answer is the one [`Effect::Respond`] among the effects.
    Request {
        /// The client that asks.
        sender: M::Sender,
        /// Its request.
        request: M::Request,
    },
    /// A time that [`Machine::deadline`] or [`Machine::window`] named has come, or may have.
    Deadline,
    /// A delivery has come to its end, well or not ([`Effect::Deliver`]). None comes for one that
    /// was under way when the machine was lost: loading it counts such as never begun.
    Delivered(M::Delivered),
}

/// Everything that follows from an input, to be performed in order. `C` is a machine's
/// connection, `D` its delivery.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect<C, D> {
    /// Send one WebSocket message to each of these connections.
    Send {
        /// To whom.
        to: Vec<ConnectionId>,
        /// A frame or an array of frames.
        text: Text,
    },
    /// Keep this with the connection, so that it survives the machine's sleep.
    Remember(C),
    /// Close a connection.
    Close {
        /// Which.
        connection: ConnectionId,
        /// A close code of P13.3.
        code: u16,
        /// Why, in at most 123 bytes.
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
    /// Call somebody outside. Nobody waits for it; its outcome is an [`Input::Delivered`]. At
    /// most [`DELIVERIES_AT_ONCE`] may be under way.
    Deliver(D),
}

/// The effects of one input of a machine.
pub type Effects<M> = Vec<Effect<<M as Machine>::Connection, <M as Machine>::Delivery>>;

/// A core, as the program that runs it sees it.
pub trait Machine: Sized + Debug + 'static {
    /// Its rows.
    type Store: From<Rc<dyn Sql>>;
    /// What is kept with a connection while the machine sleeps.
    type Connection: Attached;
    /// Where a connection begins to read.
    type Start: Debug;
    /// The query of an attach, as the Worker reads it and the object gets it.
    type Attach: Serialize + DeserializeOwned;
    /// What a token allows in one machine.
    type Grant: Debug + Serialize + DeserializeOwned;
    /// The client that asks by HTTP.
    type Sender: Debug;
    /// A request by HTTP.
    type Request: Debug;
    /// A call to somebody outside.
    type Delivery;
    /// Its outcome.
    type Delivered: Debug;

    /// Rebuilds a machine from its rows and from the connections that survived; the only way
    /// in, for a first boot, after a sleep, a deployment or a crash. `name` is what its object
    /// was addressed by, `entropy` is drawn at random.
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

    /// When something is due within half a second: the platform keeps a timer for it. `None`
    /// while nothing is: then no timer may run.
    fn window(&self) -> Option<Timestamp>;

    /// When something is due: the platform keeps an alarm for it, which outlives a sleep.
    fn deadline(&self) -> Option<Timestamp>;

    /// From when on [`Input::Heard`] is to come before any other input.
    fn listens_at(&self) -> Timestamp;

    /// Everybody who is attached.
    fn connections(&self) -> impl Iterator<Item = &Self::Connection>;

    /// A request, decoded; one that cannot be is one as well, so that it counts (P14).
    fn request(decode: Decode, parts: &Parts<'_>, limits: &Limits) -> Self::Request;

    /// What a token allows in the machine of this name (P2.5, P2.6).
    ///
    /// # Errors
    /// `forbidden`, when it allows nothing there.
    fn grant(claims: &Claims, name: &str) -> Result<Self::Grant, ErrorInfo>;

    /// The client behind a grant, as the one who asks by HTTP.
    fn sender(grant: &Self::Grant) -> Self::Sender;

    /// A new connection. `is_probed` says that the platform does not tell how much of what was
    /// sent the client has taken (P13.7).
    fn attach(
        id: ConnectionId,
        carrier: Carrier,
        grant: Self::Grant,
        attach: Self::Attach,
        is_probed: bool,
    ) -> (Self::Connection, Self::Start);
}
