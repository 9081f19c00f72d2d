//! Reads: the one table of what may be asked over HTTP without changing anything.

use super::context::Context;
use super::engine::{Error, Sender};
use super::presence::list as members;
use super::readers::{conversation, history, snapshot};
use super::turns::list as turns;
use crate::protocol::capability::Operation;

macro_rules! reads {
    ($($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $field:ident: $type:ty,)* }
        = $operation:ident, $read:path;)*) => {
        /// Something to be read.
        #[derive(Debug)]
        pub enum Read {
            $($(#[$doc])* $name { $($(#[$of])* $field: $type,)* },)*
        }

        /// Reads, if the token grants it.
        pub(super) fn read(
            cx: &Context<'_>,
            sender: &Sender,
            read: Read,
        ) -> Result<String, Error> {
            match read {
                $(Read::$name { $($field),* } => {
                    sender.must(Operation::$operation, "read", &cx.engine.id)?;
                    $read(cx, $($field),*)
                })*
            }
        }
    };
}

reads! {
    /// `GET …/messages` (P3.9).
    History {
        /// Older than this serial, newest first.
        before: Option<String>,
        /// Newer than this serial, oldest first.
        after: Option<String>,
        /// How many, 1–1000.
        limit: usize,
    } = Read, history::history;

    /// `GET …/messages?to=` (P6.9).
    Conversation {
        /// The message that it leads to.
        to: String,
        /// Where the page before ended.
        before: Option<String>,
        /// How many, 1–1000.
        limit: usize,
    } = Read, conversation::conversation;

    /// `GET …/messages/{serial}` (P3.9).
    Message {
        /// The message.
        serial: String,
    } = Read, history::one_message;

    /// The same without its data: whoever streams a body is told what became of it, without a
    /// right to read others (P5.5).
    Body {
        /// The message.
        serial: String,
    } = Publish, history::one_body;

    /// `GET …/turns` (P6).
    Turns {
        /// Whether those that are final are meant as well, the newest first.
        all: bool,
        /// Older than this serial.
        before: Option<String>,
        /// How many, 1–1000.
        limit: usize,
    } = Read, turns::list_turns;

    /// `GET …/turns/{id}`.
    Turn {
        /// The turn.
        id: String,
    } = Read, turns::one_turn;

    /// `GET …/presence` (P7.4).
    Presence {} = Read, members::list_presence;

    /// `GET …` (P11.1).
    Snapshot {
        /// How many of the newest messages.
        rewind: usize,
    } = Read, snapshot::snapshot;
}
