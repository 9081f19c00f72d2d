//! Ids of frames that were taken, so that no frame is taken twice (P13.1).
//!
//! A row of `once` is one id. Few sessions have any, so the table is made with the first. The ids
//! of messages are in `message`, and stay as long as their message.
//!
//! | column | holds |
//! | --- | --- |
//! | `client` | who sent the frame |
//! | `kind` | its type: a number of [`Kind`] |
//! | `id` | the id |
//! | `serial` | the place that it stands for |
//! | `at` | when it was taken, in ms |

use super::error::StoreError;
use super::message;
use super::row::Row;
use super::schema::{Rare, Tables};
use super::sql::{Sql, Value};
use super::store::Store;
use super::stored::Stored;
use crate::protocol::ids::Timestamp;
use crate::protocol::serial::Place;

/// The type of a frame with an id (P13.1). The numbers are kept in rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A message of a `publish`; kept as long as the message.
    Message = 0,
    /// An `append`.
    Append = 1,
    /// An `update`.
    Update = 2,
    /// A `delete`.
    Delete = 3,
    /// A `signal`.
    Signal = 4,
    /// A `turn.end`.
    EndTurn = 5,
    /// A `turn.suspend`.
    SuspendTurn = 6,
    /// A `turn.resume`.
    ResumeTurn = 7,
    /// A `turn.heartbeat`.
    Heartbeat = 8,
    /// A `turn.adopt`.
    AdoptTurn = 9,
    /// A `turn.steered`.
    Steered = 10,
    /// A `cancel`.
    Cancel = 11,
    /// A `steer`.
    Steer = 12,
    /// An `approval.decide`.
    DecideApproval = 13,
    /// An `approval.withdraw`.
    WithdrawApproval = 14,
    /// A `lead.take`.
    TakeLead = 15,
    /// A `lead.return`.
    ReturnLead = 16,
    /// A `grant.revoke`.
    RevokeGrant = 17,
    /// A `turn.usage`.
    Usage = 18,
    /// A `notify`.
    Notify = 50,
    /// A `tool.result`.
    SettleCall = 40,
    /// A `tool.withdraw`.
    WithdrawCall = 41,
    /// A `state`.
    State = 30,
    /// An `annotate`.
    Annotate = 31,
    /// An `unannotate`.
    Unannotate = 32,
}

/// The id of a frame that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdWrite {
    /// The client.
    pub client: String,
    /// The type of frame.
    pub kind: Kind,
    /// The id.
    pub id: String,
    /// The place that it stands for.
    pub place: Place,
    /// When.
    pub at: Timestamp,
    /// Old ids are deleted, a few with each new one: more than are added, and never so many that
    /// the session stalls.
    pub keep_since: Timestamp,
}

impl Stored for IdWrite {
    fn store(&self, sql: &dyn Sql) -> Result<(), StoreError> {
        // A frame with a deleted id may come a second time: the id then stands for the new frame.
        const KEEP: &str = "INSERT INTO once(client, kind, id, serial, at) \
                            VALUES(?1, ?2, ?3, ?4, ?5) \
                            ON CONFLICT DO UPDATE SET serial=excluded.serial, at=excluded.at";
        const FORGET: &str = "DELETE FROM once WHERE (client, kind, id) IN \
                              (SELECT client, kind, id FROM once WHERE at<?1 \
                              ORDER BY at LIMIT 16)";
        let (client, id) = (self.client.as_str().into(), self.id.as_str().into());
        let (kind, place) = (Value::Integer(self.kind as i64), Value::number(self.place));
        sql.run(KEEP, &[client, kind, id, place, self.at.into()])?;
        sql.run(FORGET, &[self.keep_since.into()])
    }

    fn make_tables(&self, sql: &dyn Sql, tables: &mut Tables) -> Result<(), StoreError> {
        tables.add(sql, Rare::Once)
    }
}

impl Store {
    /// The place that an id stands for, unless the row is older than `since` (messages' ids do not
    /// age). Two rows.
    pub fn once(
        &self,
        client: &str,
        kind: Kind,
        id: &str,
        since: Timestamp,
    ) -> Result<Option<Place>, StoreError> {
        const ONCE: &str = "SELECT serial FROM once WHERE client=?1 AND kind=?2 AND id=?3 \
                            AND ?4<=at";
        if kind == Kind::Message {
            return self.read(|sql| message::of_id(sql, client, id));
        }
        if !self.tables()?.has(Rare::Once) {
            return Ok(None);
        }
        let kind = Value::Integer(kind as i64);
        let params = [client.into(), kind, id.into(), since.into()];
        let row = Row::first(self.sql().query(ONCE, &params)?);
        row.map(|mut row| row.number()).transpose()
    }
}
