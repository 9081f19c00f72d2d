//! The engine: the log, its streams, connections, rates and clock. It knows no feature; features
//! use what is named here, and nothing behind it.

mod answers;
mod backlog;
mod chain;
mod class;
mod clock;
mod closing;
mod connection;
mod connections;
mod delivery;
mod error;
mod guard;
mod log;
mod once;
mod outbox;
mod probe;
mod rate;
mod rollup;
mod settle;
mod step;
mod streams;
mod work;

pub use chain::Chains;
pub use connection::{Carrier, Connection, Present, Sender};
pub use delivery::{Delivered, Delivery, Outcome};
pub use outbox::{Effect, Text};

pub(in crate::session) use answers::{Answer, Pending, Reply};
pub(in crate::session) use clock::{Owner, Wait, after};
pub(in crate::session) use closing::Closing;
pub(in crate::session) use connection::{Live, socket_of};
pub(in crate::session) use error::Error;
pub(in crate::session) use guard::misplaced;
pub(in crate::session) use once::{FrameId, Known};
pub(in crate::session) use outbox::Outbox;
pub(in crate::session) use step::Step;
pub(in crate::session) use streams::Stream;
pub(in crate::session) use work::{Engine, News, Work};
