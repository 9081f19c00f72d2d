//! Rows: the session's reads ([`Store`]) and writes ([`Write`]).
//!
//! The only SQL of the project is in this folder. Each stored kind has a file of its own, with its
//! columns, its writes and its reads; a read is a function of [`Store`] that states the most rows
//! it reads. Rows hold places, never serials: the epoch belongs to the session, and is added where
//! messages leave.
//!
//! A new kind is another file of that shape, with its table in `schema/` and a line in each of
//! `schema.rs`, `write.rs` and this list; the numbers of its log entries, if any, stand in
//! `change.rs`.

mod annotation;
mod approval;
mod asking;
mod call;
mod change;
mod delivery;
mod device;
mod erasure;
mod error;
mod file;
mod follower;
mod frame_id;
mod grant;
mod handover;
mod inbox;
mod log;
mod logged;
mod mark;
mod message;
mod meta;
mod retention;
mod revocation;
mod row;
mod schema;
mod scrub;
mod search;
pub mod sql;
mod state;
#[expect(clippy::module_inception, reason = "the store itself")]
mod store;
mod stored;
mod text;
mod transfer;
mod turn;
mod usage;
mod write;

pub use annotation::{Annotated, AnnotationWrite, Withdrawn};
pub use approval::ApprovalWrite;
pub use call::CallWrite;
pub use change::{Change, Changed, Entry};
pub use delivery::{DeadLetter, DeliveryKind, DeliveryWrite, Owed, Parcel};
pub use device::{Device, DeviceWrite};
pub use erasure::Erasure;
pub use error::StoreError;
pub use file::FileWrite;
pub use follower::FollowerWrite;
pub use frame_id::{IdWrite, Kind};
pub use grant::GrantWrite;
pub use handover::HandoverWrite;
pub use inbox::{Entry as ItemEntry, InboxStore, InboxWrite, ItemKey, ItemState, ItemWrite, Life};
pub use log::{End, Extent};
pub use logged::Logged;
pub use mark::MarkWrite;
pub use message::{Head, Link, MessageWrite, NewFields, Page, Span, Streaming};
pub use meta::{Beginning, MetaWrite};
pub use retention::{Aged, Trim};
pub use search::SearchWrite;
pub use state::{StateChange, StateRows, StateTree, StateWrite};
pub use store::Store;
pub use text::{Close, Growth, Missing, TAIL_BYTES, Tail, TextWrite};
pub use transfer::{ImportWrite, Importing, SECTIONS, Section};
pub use turn::{Answers, Kept, TurnWrite};
pub use usage::UsageWrite;
pub use write::Write;
