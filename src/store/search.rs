//! The words of messages, to search in (P11.9).
//!
//! A row of `said`, a table of SQLite's FTS5, is the text of one message, at the message's place:
//!
//! | column | holds |
//! | --- | --- |
//! | `text` | the text, as [`apart`] writes it |
//!
//! The one row of `searched` says how far the log has been read for it:
//!
//! | column | holds |
//! | --- | --- |
//! | `place` | the place up to which messages, and their changes, are in `said` |
//! | `floor` | the floor (P11.2) that was known then |
//!
//! Both are made with the first search, which reads the log from its beginning, a step at a time;
//! each later one reads on from `place`. So a text that is said costs nothing until somebody
//! searches. A text that goes is removed in the step in which it goes, so that nothing remains of
//! it, and where many go, both tables go with them. FTS5 must be told of a removal with the text
//! as it was, which it therefore keeps itself.

use super::error::StoreError;
use super::message::columns::whole_data;
use super::row::Row;
use super::schema::{Rare, Tables};
use super::sql::{Sql, Value};
use super::store::Store;
use super::stored::Stored;
use crate::ordered::Set;
use crate::protocol::limits::{
    SEARCH_FORGET_BYTES, SEARCH_STEP_BYTES, SEARCH_STEP_ENTRIES, SEARCH_TEXT_LENGTH,
};
use crate::protocol::serial::Place;

/// Stands between two characters each of which is a word: no letter, and not to be seen.
const SEAM: char = '\u{200b}';
/// Texts that are to be searched from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchWrite {
    /// The messages, and their texts as the index has them.
    pub texts: Vec<(Place, String)>,
    /// The place up to which the log has been read.
    pub up_to: Place,
    /// The floor.
    pub floor: Place,
}

impl SearchWrite {
    /// Bytes of the texts.
    pub fn texts_bytes(&self) -> usize {
        self.texts.iter().map(|(_, text)| text.len()).sum()
    }
}

impl Stored for SearchWrite {
    fn store(&self, sql: &dyn Sql) -> Result<(), StoreError> {
        const SAID: &str = "INSERT OR REPLACE INTO said(rowid, text) VALUES(?1, ?2)";
        const UP_TO: &str =
            "INSERT OR REPLACE INTO searched(rowid, place, floor) VALUES(1, ?1, ?2)";
        for (place, text) in &self.texts {
            sql.run(SAID, &[Value::number(*place), text.as_str().into()])?;
        }
        let [up_to, floor] = [self.up_to, self.floor].map(Value::number);
        sql.run(UP_TO, &[up_to, floor])
    }

    fn make_tables(&self, sql: &dyn Sql, tables: &mut Tables) -> Result<(), StoreError> {
        tables.add(sql, Rare::Search)
    }

    /// The texts, and about as much for the index of their words.
    fn bytes(&self) -> usize {
        2 * self.texts_bytes()
    }
}

/// Removes the texts of messages. Where these are many, the index goes as a whole, and the next
/// search makes it anew: each word takes FTS5 ten microseconds to remove for good.
pub(super) fn forget(sql: &dyn Sql, gone: &[Place], tables: &mut Tables) -> Result<(), StoreError> {
    const BYTES: &str = "SELECT coalesce(sum(octet_length(text)), 0) FROM said \
                         WHERE rowid IN (SELECT value FROM json_each(?1))";
    const GO: &str = "DELETE FROM said WHERE rowid IN (SELECT value FROM json_each(?1))";
    if gone.is_empty() {
        return Ok(());
    }
    let places = Value::Text(serde_json::json!(gone).to_string());
    if 1 < gone.len() {
        let bytes = Row::only(sql.query(BYTES, std::slice::from_ref(&places))?)?.size()?;
        if SEARCH_FORGET_BYTES < bytes {
            sql.run("DROP TABLE said", &[])?;
            return tables.remove(sql, Rare::Search);
        }
    }
    sql.run(GO, &[places])
}

impl Store {
    /// The next of the log for the index, if there is more than it has been told, and whether that
    /// is not all yet. Twice `SEARCH_STEP_ENTRIES` rows, and the segments of the texts.
    pub fn unsearched(&self) -> Result<Option<(SearchWrite, bool)>, StoreError> {
        const NEWS: &str = "SELECT serial, subject FROM (\
            SELECT * FROM (SELECT serial, serial AS subject FROM message WHERE serial>?1 \
            ORDER BY serial LIMIT ?2) UNION ALL \
            SELECT * FROM (SELECT serial, CASE WHEN kind IN (1, 2) THEN subject END FROM change \
            WHERE serial>?1 ORDER BY serial LIMIT ?2)) ORDER BY serial LIMIT ?2";
        if !self.tables()?.is_begun {
            return Ok(None);
        }
        let (known, floor) = self.searched()?;
        let params = [
            Value::number(known),
            Value::size(SEARCH_STEP_ENTRIES.saturating_add(1)),
        ];
        let mut write = SearchWrite {
            texts: Vec::new(),
            up_to: known,
            floor,
        };
        let (mut entries, mut bytes, mut seen) = (0, 0, Set::new());
        for mut row in Row::all(self.sql().query(NEWS, &params)?) {
            let (place, subject) = (row.number()?, row.maybe_number()?);
            if entries == SEARCH_STEP_ENTRIES || SEARCH_STEP_BYTES <= bytes {
                return Ok(Some((write, true)));
            }
            entries += 1;
            write.up_to = place;
            let Some(subject) = subject.filter(|subject| seen.insert(*subject)) else {
                continue;
            };
            if let Some(text) = self.said(subject)? {
                bytes += text.len();
                write.texts.push((subject, text));
            }
        }
        Ok((0 < entries).then_some((write, false)))
    }

    /// The places of messages that have all of these words, the newest first, each with the fields
    /// that a search shows, as the rest of an object in JSON. Two rows each.
    ///
    /// The snippet is an array, of which every second item was found. FTS5 puts a character around
    /// what was found that no text in the index has, and that JSON writes as it stands: the array
    /// is split there.
    pub fn found(
        &self,
        words: &[String],
        before: Place,
        limit: usize,
    ) -> Result<Vec<(Place, String)>, StoreError> {
        const FOUND: &str = "SELECT place, '\"snippet\":' || \
            replace(json_array(CASE WHEN length(said)<=500 THEN said ELSE \
            '…' || substr(said, max(1, instr(said, char(128))-100), 500) || '…' END), \
            char(128), '\",\"') || ',' || substr(json_patch('{}', json_object('name', name, \
            'client', client, 'role', role, 'turn', turn, 'createdAt', created_at)), 2) FROM (\
            SELECT rowid AS place, replace(snippet(said, 0, char(128), char(128), '…', 32), \
            char(8203), '') AS said \
            FROM said WHERE said MATCH ?1 AND rowid<?2 ORDER BY rowid DESC LIMIT ?3) \
            CROSS JOIN message ON message.serial=place ORDER BY place DESC";
        if !self.tables()?.has(Rare::Search) {
            return Ok(Vec::new());
        }
        let params = [
            Value::Text(expression(words)),
            Value::number(before),
            Value::size(limit),
        ];
        let rows = self.sql().query(FOUND, &params)?;
        Row::all(rows)
            .map(|mut row| Ok((row.number()?, row.text()?)))
            .collect()
    }

    /// The place up to which the log has been read, and the floor. Once retention has passed that
    /// place, entries beyond it may be gone, and the few messages that it kept are read again.
    fn searched(&self) -> Result<(Place, Place), StoreError> {
        const UP_TO: &str = "SELECT searched.place, searched.floor, meta.floor FROM searched, meta";
        const FLOOR: &str = "SELECT 0, floor, floor FROM meta";
        let is_made = self.tables()?.has(Rare::Search);
        let statement = if is_made { UP_TO } else { FLOOR };
        let mut row = Row::only(self.sql().query(statement, &[])?)?;
        let (place, known, floor) = (row.number()?, row.number()?, row.number()?);
        let is_cut = known < floor && place < floor;
        Ok((if is_cut { 0 } else { place }, floor))
    }

    /// The text of a message as the index has it; none while it streams. All strings of a document
    /// in JSON are its text.
    fn said(&self, place: Place) -> Result<Option<String>, StoreError> {
        const TEXT: &str = concat!(
            "SELECT CASE WHEN json IS NULL THEN ",
            whole_data!(),
            " ELSE (SELECT group_concat(atom, char(10)) FROM json_tree(message.json) \
             WHERE type='text') END FROM message WHERE serial=?1 AND status IS NOT 'streaming'"
        );
        let row = Row::first(self.sql().query(TEXT, &[Value::number(place)])?);
        let text = row.map(|mut row| row.maybe_text()).transpose()?.flatten();
        Ok(text
            .filter(|text| !text.is_empty())
            .map(|text| apart(&text)))
    }
}

/// The words as an expression of FTS5: strings, in which nothing is syntax, and nothing else that
/// was given.
fn expression(words: &[String]) -> String {
    let mut expression = String::new();
    for word in words {
        expression.push('"');
        expression.push_str(&apart(&word.replace('"', " ")));
        expression.push_str(if word.ends_with('*') { "\"* " } else { "\" " });
    }
    expression
}

/// A text of which each character is a word by itself where the script puts no spaces between
/// words: any of its words is then found as characters that follow one another.
fn apart(text: &str) -> String {
    let mut apart = String::with_capacity(text.len());
    let mut was_alone = false;
    for char in text.chars().take(SEARCH_TEXT_LENGTH) {
        let is_alone = is_alone(char);
        if is_alone || was_alone {
            apart.push(SEAM);
        }
        was_alone = is_alone;
        let is_reserved = char == SEAM || char.is_control() && char != '\n';
        apart.push(if is_reserved { ' ' } else { char });
    }
    apart
}

/// Whether a character is of a script without spaces between words: Thai, Lao, Myanmar, Khmer,
/// Kana, and Han.
const fn is_alone(char: char) -> bool {
    matches!(
        char,
        '\u{e00}'..='\u{eff}'
            | '\u{1000}'..='\u{109f}'
            | '\u{1780}'..='\u{17ff}'
            | '\u{3041}'..='\u{312f}'
            | '\u{31f0}'..='\u{31ff}'
            | '\u{3400}'..='\u{9fff}'
            | '\u{f900}'..='\u{faff}'
            | '\u{ff66}'..='\u{ff9f}'
            | '\u{20000}'..='\u{3ffff}'
    )
}
