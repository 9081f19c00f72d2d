//! The log as a whole: its end, and the amount after a place.

use super::asking;
use super::change::Kind;
use super::error::StoreError;
use super::message::columns::least_bytes;
use super::row::Row;
use super::schema::Rare;
use super::sql::{Sql, Value};
use super::state;
use super::store::Store;
use super::text::in_segments;
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::{NAMED_MESSAGES, REPLAY_ENTRIES, REPLAY_MESSAGES};
use crate::protocol::serial::Place;

/// The end of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// The last place given.
    pub place: Place,
    /// When it was given.
    pub written_at: Timestamp,
}

/// The amount that a reader missed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Messages that are new.
    pub messages: usize,
    /// Bytes of them and of changed turns, at least.
    pub bytes: usize,
}

impl Store {
    /// The end of the log. Four rows, three for each streaming message, and those of the state.
    pub fn end(&self) -> Result<End, StoreError> {
        let mut found = self.read(end)?;
        if self.tables()?.has(Rare::State) {
            let (place, written_at) = state::end(self.sql())?;
            found.place = found.place.max(place);
            found.written_at = found.written_at.max(written_at);
        }
        Ok(found)
    }

    /// The amount, at least, of new messages and of changed turns and askings after a place;
    /// `None` beyond the bounds of a replay (P3.6). Three times `REPLAY_ENTRIES` rows for entries,
    /// as many again for turns and for askings, and two for each of `REPLAY_MESSAGES`, or of
    /// `NAMED_MESSAGES` with names.
    pub fn extent(
        &self,
        after: Place,
        names: Option<&[String]>,
    ) -> Result<Option<Extent>, StoreError> {
        if !self.tables()?.is_begun {
            return Ok(Some(Extent::default()));
        }
        let Some(found) = extent(self.sql(), after, names)? else {
            return Ok(None);
        };
        let mut bytes = found.bytes;
        for askings in asking::ALL {
            let (count, more) = askings.extent(self, after)?;
            if REPLAY_MESSAGES < count {
                return Ok(None);
            }
            bytes += more;
        }
        let messages = found.messages;
        Ok(Some(Extent { messages, bytes }))
    }

    /// The bytes, at least, of some messages, those with certain names. Two rows each.
    pub fn bytes_of(
        &self,
        places: &[Place],
        names: Option<&[String]>,
    ) -> Result<usize, StoreError> {
        const BYTES: &str = concat!(
            "SELECT coalesce(sum(",
            least_bytes!(),
            "), 0) FROM message WHERE serial IN (SELECT value FROM json_each(?1)) \
             AND (?2 IS NULL OR name IN (SELECT value FROM json_each(?2)))"
        );
        if places.is_empty() {
            return Ok(0);
        }
        let names = names.map(|names| serde_json::json!(names).to_string());
        let places = Value::Text(serde_json::json!(places).to_string());
        let params = [places, names.as_deref().into()];
        self.read(|sql| Row::only(sql.query(BYTES, &params)?)?.size())
    }
}

/// The end is never in one place alone: streaming text is ahead of its message, and trimmed
/// messages are remembered in `meta` only.
pub(super) fn end(sql: &dyn Sql) -> Result<End, StoreError> {
    const END: &str = concat!(
        "SELECT coalesce(max(place), 0), max(at) FROM (\
         SELECT floor AS place, coalesce(written_at, created_at) AS at FROM meta UNION ALL \
         SELECT * FROM (SELECT max(version, serial), max(updated_at, created_at) FROM message \
         ORDER BY serial DESC LIMIT 1) UNION ALL \
         SELECT * FROM (SELECT serial, at FROM change ORDER BY serial DESC LIMIT 1) UNION ALL \
         SELECT max(version), max(updated_at) FROM message WHERE status='streaming' UNION ALL \
         SELECT max(s.version), max(s.updated_at) FROM message m JOIN segment s ON s.id=\
         (SELECT max(t.id) FROM segment t WHERE t.id ",
        in_segments!("m.serial"),
        ") WHERE m.status='streaming')"
    );
    let mut row = Row::only(sql.query(END, &[])?)?;
    let mut end = End {
        place: row.number()?,
        written_at: row.integer()?,
    };
    for askings in asking::ALL {
        if let Some((place, at)) = askings.newest(sql)? {
            end.place = end.place.max(place);
            end.written_at = end.written_at.max(at);
        }
    }
    Ok(end)
}

fn extent(
    sql: &dyn Sql,
    after: Place,
    names: Option<&[String]>,
) -> Result<Option<Extent>, StoreError> {
    const ENTRIES: &str = "SELECT count(*), 0 FROM (SELECT 1 FROM change WHERE serial>?1 LIMIT ?2)";
    const TURNS: &str = "SELECT count(*), coalesce(sum(octet_length(body)), 0) FROM turn \
                         WHERE serial IN (SELECT subject FROM change WHERE serial>?1 \
                         AND kind BETWEEN ?2 AND ?3)";
    const MESSAGES: &str = concat!(
        "SELECT count(*), coalesce(sum(bytes), 0) FROM (SELECT ",
        least_bytes!(),
        " AS bytes FROM message WHERE serial>?1 LIMIT ?2)"
    );
    const COUNTED: &str =
        "SELECT count(*), 0 FROM (SELECT 1 FROM message WHERE serial>?1 LIMIT ?2)";
    const NAMED: &str = concat!(
        "SELECT count(*), coalesce(sum(",
        least_bytes!(),
        "), 0) FROM message WHERE serial>?1 AND name IN (SELECT value FROM json_each(?2))"
    );
    let count = |statement, parameters: &[Value]| {
        let params = [&[Value::number(after)], parameters].concat();
        let mut row = Row::only(sql.query(statement, &params)?)?;
        Ok::<_, StoreError>((row.size()?, row.size()?))
    };
    let up_to = |most: usize| [Value::size(most + 1)];
    if REPLAY_ENTRIES < count(ENTRIES, &up_to(REPLAY_ENTRIES))?.0 {
        return Ok(None);
    }
    let turns = count(TURNS, &Kind::OF_TURNS.map(Value::Integer))?;
    let messages = match names {
        None => count(MESSAGES, &up_to(REPLAY_MESSAGES))?,
        Some(_) if NAMED_MESSAGES < count(COUNTED, &up_to(NAMED_MESSAGES))?.0 => return Ok(None),
        Some(names) => {
            let names = Value::Text(serde_json::json!(names).to_string());
            count(NAMED, &[names])?
        }
    };
    let are_few = turns.0 <= REPLAY_MESSAGES && messages.0 <= REPLAY_MESSAGES;
    Ok(are_few.then_some(Extent {
        messages: messages.0,
        bytes: turns.1 + messages.1,
    }))
}
