//! Rows: what the session reads ([`Store`]) and what it stores ([`Write`]).
//!
//! The only SQL of the project is in this folder. Each stored kind has a file of its own, with
//! its columns, its writes and its reads; a read is a function of [`Store`], which says how many
//! rows it reads at most. Rows hold places, never serials: the epoch belongs to the session, and
//! comes in where messages go out.

mod change;
mod delivery;
mod error;
mod frame_id;
mod input;
mod log;
mod message;
mod meta;
mod retention;
mod row;
mod schema;
pub mod sql;
#[expect(clippy::module_inception, reason = "the store itself")]
mod store;
mod text;
mod turn;
mod write;

pub use change::{Change, Changed};
pub use delivery::{DeadLetter, DeliveryKind, DeliveryWrite, Owed, Parcel};
pub use error::StoreError;
pub use frame_id::Kind;
pub use log::End;
pub use message::{Head, Link, Page, Span, Streaming};
pub use meta::Beginning;
pub use retention::Aged;
pub use store::Store;
pub use text::{Growth, Missing, TAIL_BYTES, Tail};
pub use turn::Kept;
pub use write::Write;
