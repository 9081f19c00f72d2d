//! Storing: everything that is ever stored, a line for each kind.

use super::annotation::AnnotationWrite;
use super::approval::ApprovalWrite;
use super::call::CallWrite;
use super::change::Entry;
use super::delivery::DeliveryWrite;
use super::error::StoreError;
use super::file::FileWrite;
use super::follower::FollowerWrite;
use super::frame_id::IdWrite;
use super::grant::GrantWrite;
use super::handover::HandoverWrite;
use super::mark::MarkWrite;
use super::message::MessageWrite;
use super::meta::MetaWrite;
use super::retention::Trim;
use super::schema::Rare;
use super::search::{self, SearchWrite};
use super::sql::Sql;
use super::state::StateWrite;
use super::store::Store;
use super::stored::Stored;
use super::text::TextWrite;
use super::transfer::ImportWrite;
use super::turn::TurnWrite;
use super::usage::UsageWrite;
use crate::protocol::serial::Place;
use crate::protocol::turn::Event;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident($write:ty);)*) => {
        /// Everything that is ever stored, by its kind.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Write { $($(#[$doc])* $kind($write),)* }

        $(impl From<$write> for Write {
            fn from(write: $write) -> Self {
                Self::$kind(write)
            }
        })*

        impl Write {
            fn of_kind(&self) -> &dyn Stored {
                match self { $(Self::$kind(write) => write,)* }
            }
        }
    };
}

kinds! {
    /// How a session begins, and its settings.
    Meta(MetaWrite);
    /// A message as a whole.
    Message(MessageWrite);
    /// A text that grows.
    Text(TextWrite);
    /// An entry of a change of a message.
    Change(Entry);
    /// A turn, and its entry.
    Turn(TurnWrite);
    /// The id of a frame.
    Id(IdWrite);
    /// A hand-over to a person.
    Handover(HandoverWrite);
    /// A delivery.
    Delivery(DeliveryWrite);
    /// An inbox that is told.
    Follower(FollowerWrite);
    /// An approval, and its entry.
    Approval(ApprovalWrite);
    /// A grant.
    Grant(GrantWrite);
    /// A call, and its entry.
    Call(CallWrite);
    /// A change of the shared state, or its tree.
    State(StateWrite);
    /// A read mark.
    Mark(MarkWrite);
    /// The session's sums.
    Usage(UsageWrite);
    /// A change of a message's annotations.
    Annotation(AnnotationWrite);
    /// A file.
    File(FileWrite);
    /// The oldest of the log goes.
    Trim(Trim);
    /// Texts that are to be searched.
    Search(SearchWrite);
    /// How far an import has come, and its entries.
    Import(ImportWrite);
}

impl Write {
    /// Whether it changes something of the session that inboxes show (P15).
    pub fn is_event(&self) -> bool {
        match self {
            Self::Turn(TurnWrite::Put { kept, .. }) => kept.turn.event != Event::Usage,
            Self::Handover(write) => matches!(write, HandoverWrite::Put { .. }),
            Self::Meta(write) => matches!(write, MetaWrite::Set { .. }),
            Self::Call(write) => write.is_entry,
            // It is no unread message any more.
            Self::Message(write) => matches!(write, MessageWrite::Delete { .. }),
            Self::Approval(_) => true,
            _ => false,
        }
    }
}

impl Store {
    /// Stores all of it in one step, in order, or nothing. Later reads see it.
    pub fn write(&self, writes: &[Write]) -> Result<(), StoreError> {
        let mut tables = self.tables()?;
        match writes {
            [] => {}
            [write] if write.of_kind().is_one_statement() => write.of_kind().store(self.sql())?,
            _ => self.sql().transaction(&mut || {
                for write in writes {
                    write.of_kind().make_tables(self.sql(), &mut tables)?;
                }
                all(self.sql(), writes)?;
                match tables.has(Rare::Search) {
                    true => search::forget(self.sql(), &unsaid(writes), &mut tables),
                    false => Ok(()),
                }
            })?,
        }
        self.wrote(writes.iter().map(bytes).sum(), tables);
        Ok(())
    }
}

fn all(sql: &dyn Sql, writes: &[Write]) -> Result<(), StoreError> {
    let mut rest = writes;
    while let [write, after @ ..] = rest {
        rest = after;
        if let (Write::Text(text), [Write::Text(next), after @ ..]) = (write, after)
            && text.store_with(next, sql)?
        {
            rest = after;
        } else {
            write.of_kind().store(sql)?;
        }
    }
    Ok(())
}

/// The messages whose texts these writes delete or replace.
fn unsaid(writes: &[Write]) -> Vec<Place> {
    let mut gone = Vec::new();
    for write in writes {
        match write {
            Write::Message(MessageWrite::Delete { place, .. }) => gone.push(*place),
            Write::Message(MessageWrite::Update(new)) if new.data.is_some() => gone.push(new.place),
            Write::Trim(trim) => gone.extend(&trim.gone),
            _ => {}
        }
    }
    gone
}

/// About how many bytes a write adds to the database.
fn bytes(write: &Write) -> usize {
    /// More than the fixed columns of any row, with its indexes.
    const ROW: usize = 256;
    ROW + write.of_kind().bytes()
}
