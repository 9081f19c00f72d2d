//! The reads of a session: one line each, of which [`Read`] and the table of routes are made.

use super::annotation;
use super::asking_query;
use super::capability::Operation;
use super::log_query;
use super::query;
use super::search;
use super::state;

/// Hands the reads of a session to a macro, with whatever else it takes.
///
/// A line is the name of the read, the query that it is asked with, its path below the session's
/// and the operation that it needs.
macro_rules! with_reads {
    ($callback:ident $($rest:tt)*) => {
        $callback! {
        reads {
                /// The snapshot (P11.1).
                Snapshot(query::Snapshot) = "", Read;
                /// A page of history, or the conversation that leads to a message (P3.9, P6.9).
                Messages(query::History) = "/messages", Read;
                /// One message (P3.9).
                Message(query::Serial) = "/messages/{serial}", Read;
                /// Turns (P6.10).
                Turns(query::Turns) = "/turns", Read;
                /// One turn.
                Turn(query::Id) = "/turns/{turn}", Read;
                /// Approvals (P8.3).
                Approvals(asking_query::Askings) = "/approvals", Read;
                /// One approval.
                Approval(query::Id) = "/approvals/{approval}", Read;
                /// Calls (P8.9).
                Calls(asking_query::Askings) = "/calls", Read;
                /// One call.
                Call(query::Id) = "/calls/{call}", Read;
                /// The shared state, or a part of it (P9.2).
                State(state::Part) = "/state", Read;
                /// The read marks, and how much is unread (P9.5).
                Marks(query::Nothing) = "/marks", Read;
                /// A page of the annotations of a message (P9.3).
                Annotations(annotation::Annotations) = "/messages/{serial}/annotations", Read;
                /// The members (P7.4).
                Presence(query::Nothing) = "/presence", Read;
                /// A page of the log as a record (P11.4).
                Log(log_query::Log) = "/log", Admin;
                /// Messages that have some words (P11.9).
                Search(search::Search) = "/search", Read;
            }
            $($rest)*
        }
    };
}

pub(super) use with_reads;

macro_rules! define {
    (reads { $($(#[$doc:meta])* $name:ident($query:ty) = $path:literal, $needs:ident;)* }) => {
        /// Everything of a session that is only looked at, by `GET`.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Read { $($(#[$doc])* $name($query),)* }

        impl Read {
            /// The operation that it needs.
            pub const fn needs(&self) -> Operation {
                match self { $(Self::$name(_) => Operation::$needs,)* }
            }
        }
    };
}

with_reads!(define);
