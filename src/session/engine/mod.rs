//! The engine: the log, its streams, connections, rates and clock. It knows no feature; features
//! use the names exported here, and nothing behind them.

mod answers;
mod backlog;
mod chain;
mod class;
mod clock;
mod closing;
mod connection;
mod connections;
mod delivery;
mod ending;
mod error;
mod form;
mod frame_id;
mod guard;
mod log;
mod milestone;
mod milestones;
mod once;
mod outbox;
mod page;
mod probe;
mod rate;
mod rollup;
mod send;
mod settle;
mod step;
mod streams;
mod trace;
mod traces;
mod work;

pub use crate::machine::Outcome;
pub use chain::Chains;
pub use connection::{Connection, Present, Sender};
pub use delivery::{Delivered, Delivery};
pub use outbox::Effect;
pub use trace::{Trace, Traces};

pub(crate) use crate::protocol::ids::after;
pub(crate) use answers::{Answer, Pending, Reply};
pub(crate) use clock::{Owner, Wait};
pub(crate) use closing::Closing;
pub(crate) use connection::{Live, socket_of};
pub(crate) use error::Error;
pub(crate) use frame_id::{FrameId, Known};
pub(crate) use guard::{check_pending, misplaced};
pub(crate) use outbox::Outbox;
pub(crate) use page::{brief, in_order, newest};
pub(crate) use step::Step;
pub(crate) use streams::Stream;
pub(crate) use work::{Created, Engine, News, Work};
