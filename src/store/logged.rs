//! The log as a record: every entry, in order (P11.4).
//!
//! Most entries are rows of `change`; a message, an asking and a change of the state are entries by
//! their own rows. So a page is read from each of these and merged by place. Nothing is written for
//! it, and it tells as much as these rows do.

use super::asking;
use super::change::Kind;
use super::error::StoreError;
use super::message::created;
use super::row::Row;
use super::schema::Rare;
use super::sql::{Sql, Value};
use super::store::Store;
use crate::ordered::{Map, sort_by_number};
use crate::protocol::ids::Timestamp;
use crate::protocol::message::Message;
use crate::protocol::serial::{Epoch, Place};

/// An entry of the log.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Logged {
    /// Its place.
    pub place: Place,
    /// The event, by the type of its frame; `message.close` for the end of a streaming message.
    pub what: &'static str,
    /// When.
    pub at: Timestamp,
    /// The client; `None` for the session itself.
    pub client: Option<String>,
    /// The message that it changed.
    pub message: Option<Place>,
    /// The turn that it changed, or that its request belongs to. A turn that is gone has no id.
    pub turn: Option<String>,
    /// The approval.
    pub approval: Option<String>,
    /// The call.
    pub call: Option<String>,
    /// A message that it created, as it now stands, without data and headers.
    pub created: Option<Box<Message>>,
    /// Bytes of what it brought: of a message at least those of its data as it now stands, with all
    /// appends.
    pub bytes: Option<usize>,
}

/// An entry by a row of `change`, whose subject is still to be named.
struct Found {
    logged: Logged,
    kind: Option<Kind>,
    subject: Place,
}

impl Store {
    /// The entries after a place in their order, `limit` at most, and whether there are more. For
    /// each of the limit: two rows of messages, of `change` and of each kind of askings, and two
    /// that name the subject; beside these all rows of the state.
    pub fn logged(
        &self,
        epoch: Epoch,
        after: Place,
        limit: usize,
    ) -> Result<(Vec<Logged>, bool), StoreError> {
        let tables = self.tables()?;
        if !tables.is_begun {
            return Ok((Vec::new(), false));
        }
        let sql = self.sql();
        let params = [Value::number(after), Value::size(limit.saturating_add(1))];
        let mut all = changes(sql, &params)?;
        let messages = created(sql, epoch, &params)?.into_iter();
        all.extend(
            messages
                .map(|(message, bytes)| Logged {
                    place: message.serial.place,
                    what: "message.create",
                    at: message.created_at,
                    client: Some(message.client.clone()),
                    turn: message.turn.clone(),
                    bytes: Some(bytes),
                    created: Some(Box::new(message)),
                    ..Logged::default()
                })
                .map(Found::from),
        );
        for asked in asking::APPROVALS.asked(self, &params)? {
            let approval = Some(asked.id.clone());
            all.push(Found::from(Logged {
                approval,
                ..Logged::from(asked)
            }));
        }
        for called in asking::CALLS.asked(self, &params)? {
            let call = Some(called.id.clone());
            all.push(Found::from(Logged {
                call,
                ..Logged::from(called)
            }));
        }
        if tables.has(Rare::State) {
            all.extend(states(sql, &params)?.into_iter().map(Found::from));
        }
        sort_by_number(&mut all, |found| found.logged.place);
        let has_more = limit < all.len();
        all.truncate(limit);
        Ok((self.named(all)?, has_more))
    }

    /// The entries with the ids of what they changed.
    fn named(&self, all: Vec<Found>) -> Result<Vec<Logged>, StoreError> {
        const TURNS: &str = "SELECT serial, id FROM turn \
                             WHERE serial IN (SELECT value FROM json_each(?1))";
        let of = |is_one: fn(Kind) -> bool| {
            let subjects = all.iter().filter(|it| it.kind.is_some_and(is_one));
            let subjects: Vec<Place> = subjects.map(|it| it.subject).collect();
            Value::Text(serde_json::json!(subjects).to_string())
        };
        let turns = asking::ids(self.sql(), TURNS, of(|kind| matches!(kind, Kind::Turn(_))))?;
        let asked = of(|kind| matches!(kind, Kind::Approval(_)));
        let approvals = asking::APPROVALS.ids(self, asked)?;
        let calls = asking::CALLS.ids(self, of(|kind| matches!(kind, Kind::Call(_))))?;
        let named = all.into_iter().map(|found| {
            let Found {
                mut logged,
                kind,
                subject,
            } = found;
            let id = |ids: &Map<Place, String>| ids.get(&subject).cloned();
            match kind {
                Some(Kind::Message(_)) => logged.message = Some(subject),
                Some(Kind::Turn(_)) => logged.turn = id(&turns),
                Some(Kind::Approval(_)) => logged.approval = id(&approvals),
                Some(Kind::Call(_)) => logged.call = id(&calls),
                Some(Kind::Revoke | Kind::Handover(_)) | None => {}
            }
            logged
        });
        Ok(named.collect())
    }
}

impl From<asking::Asked> for Logged {
    fn from(asked: asking::Asked) -> Self {
        Self {
            place: asked.place,
            what: asked.what,
            at: asked.at,
            client: asked.client,
            turn: asked.turn,
            ..Self::default()
        }
    }
}

impl From<Logged> for Found {
    fn from(logged: Logged) -> Self {
        Self {
            logged,
            kind: None,
            subject: 0,
        }
    }
}

fn changes(sql: &dyn Sql, params: &[Value]) -> Result<Vec<Found>, StoreError> {
    const CHANGES: &str = "SELECT serial, kind, subject, client, at FROM change WHERE serial>?1 \
                           ORDER BY serial LIMIT ?2";
    let found = |mut row: Row| {
        let place = row.number()?;
        let kind = Kind::of(row.integer()?).ok_or_else(|| StoreError::unreadable("entry"))?;
        let (subject, client, at) = (row.number()?, row.maybe_text()?, row.integer()?);
        let logged = Logged {
            place,
            what: kind.as_str(),
            at,
            client,
            ..Logged::default()
        };
        Ok(Found {
            logged,
            kind: Some(kind),
            subject,
        })
    };
    Row::all(sql.query(CHANGES, params)?).map(found).collect()
}

/// The latest changes of the state: older ones were written over (P9).
fn states(sql: &dyn Sql, params: &[Value]) -> Result<Vec<Logged>, StoreError> {
    const STATES: &str = "SELECT serial, client, at, octet_length(body) FROM state \
                          WHERE slot<>0 AND serial>?1 ORDER BY serial LIMIT ?2";
    let logged = |mut row: Row| {
        Ok(Logged {
            place: row.number()?,
            what: "state.change",
            client: row.maybe_text()?,
            at: row.integer()?,
            bytes: Some(row.size()?),
            ..Logged::default()
        })
    };
    Row::all(sql.query(STATES, params)?).map(logged).collect()
}
