//! The schema, frozen as text: `schema/N/` has the tables of version `N`, a file for each.
//!
//! Once a release has written a version, its folder never changes: a new one is added, with a step
//! from the tables of the version before, and golden rows in `tests/fixtures/stored`. Until the
//! first release, version 1 changes with the code.
//!
//! No table is made before the session's first write: reading a session that was never written
//! leaves nothing behind (P1.2). An index costs a row with every write that it covers, so an index
//! exists only for look-ups that must not read the log.

use super::error::StoreError;
use super::row::Row;
use super::sql::{Sql, Value};

/// The tables of every new session.
const SESSION: [&str; 5] = [
    include_str!("schema/1/meta.sql"),
    include_str!("schema/1/message.sql"),
    include_str!("schema/1/segment.sql"),
    include_str!("schema/1/change.sql"),
    include_str!("schema/1/turn.sql"),
];

/// A table that few sessions need: it is made with its first row. A migration step must expect it
/// to be absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rare {
    /// Ids of frames.
    Once,
    /// Deliveries. This table outlives the others, and then no row tells its version.
    Delivery,
    /// Approvals.
    Approval,
    /// The latest hand-over to a person.
    Handover,
    /// Inboxes that are told.
    Follower,
    /// Grants that are in force.
    Granted,
    /// Calls of tools.
    Call,
    /// The shared state.
    State,
    /// Read marks.
    Mark,
    /// Annotations and their sums.
    Annotation,
    /// The session's sums of usage.
    Usage,
    /// The words of messages; its index is another table, of FTS5.
    Search,
    /// Files.
    File,
    /// How far an import has come; dropped with its last line.
    Importing,
}

impl Rare {
    const ALL: [Self; 14] = [
        Self::Once,
        Self::Delivery,
        Self::Approval,
        Self::Handover,
        Self::Follower,
        Self::Granted,
        Self::Call,
        Self::State,
        Self::Mark,
        Self::Annotation,
        Self::Usage,
        Self::Search,
        Self::File,
        Self::Importing,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Delivery => "delivery",
            Self::Approval => "approval",
            Self::Handover => "handover",
            Self::Follower => "follower",
            Self::Granted => "granted",
            Self::Call => "call",
            Self::State => "state",
            Self::Mark => "mark",
            Self::Annotation => "annotation",
            Self::Usage => "usage",
            Self::Search => "searched",
            Self::File => "file",
            Self::Importing => "importing",
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Once => include_str!("schema/1/once.sql"),
            Self::Delivery => include_str!("schema/1/delivery.sql"),
            Self::Approval => include_str!("schema/1/approval.sql"),
            Self::Handover => include_str!("schema/1/handover.sql"),
            Self::Follower => include_str!("schema/1/follower.sql"),
            Self::Granted => include_str!("schema/1/granted.sql"),
            Self::Call => include_str!("schema/1/call.sql"),
            Self::State => include_str!("schema/1/state.sql"),
            Self::Mark => include_str!("schema/1/mark.sql"),
            Self::Annotation => include_str!("schema/1/annotation.sql"),
            Self::Usage => include_str!("schema/1/usage.sql"),
            Self::Search => include_str!("schema/1/search.sql"),
            Self::File => include_str!("schema/1/file.sql"),
            Self::Importing => include_str!("schema/1/importing.sql"),
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u8
    }
}

/// Each step brings the tables of one version to the next, the first those of version 1.
const STEPS: &[&str] = &[];

/// The version of a new session.
pub(super) const VERSION: usize = STEPS.len() + 1;

/// The existing tables.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tables {
    /// The tables of a session that was written to.
    pub(super) is_begun: bool,
    rare: u16,
}

impl Tables {
    /// Looks them up. An older version is migrated to this release's.
    pub(super) fn of(sql: &dyn Sql) -> Result<Self, StoreError> {
        const TABLES: &str = "SELECT name FROM sqlite_master WHERE type='table'";
        let mut tables = Self::default();
        for mut row in Row::all(sql.query(TABLES, &[])?) {
            let name = row.text()?;
            tables.is_begun |= name == "meta";
            let rare = Rare::ALL.iter().find(|rare| rare.name() == name);
            tables.rare |= rare.map_or(0, |rare| rare.bit());
        }
        if tables.is_begun {
            update(sql, STEPS)?;
        }
        Ok(tables)
    }

    /// Whether a rare table exists.
    pub(super) fn has(self, rare: Rare) -> bool {
        self.rare & rare.bit() != 0
    }

    /// Makes the tables of a new session.
    pub(super) fn begin(&mut self, sql: &dyn Sql) -> Result<(), StoreError> {
        SESSION.into_iter().try_for_each(|text| run(sql, text))?;
        self.is_begun = true;
        Ok(())
    }

    /// Drops all tables but one rare one. The list comes from the database, so that none is
    /// forgotten.
    pub(super) fn leave(&mut self, sql: &dyn Sql, rare: Rare) -> Result<(), StoreError> {
        // Tables of the platform and of SQLite cannot be dropped.
        const OTHERS: &str = "SELECT name FROM sqlite_master WHERE type='table' AND name<>?1 \
                              AND substr(name, 1, 4)<>'_cf_' AND substr(name, 1, 7)<>'sqlite_' \
                              ORDER BY sql NOT LIKE 'CREATE VIRTUAL %'";
        for mut row in Row::all(sql.query(OTHERS, &[rare.name().into()])?) {
            // The tables that an index of words consists of went with it.
            sql.query(&format!("DROP TABLE IF EXISTS \"{}\"", row.text()?), &[])?;
        }
        self.is_begun = false;
        self.rare &= rare.bit();
        Ok(())
    }

    /// Drops a rare table, which exists.
    pub(super) fn remove(&mut self, sql: &dyn Sql, rare: Rare) -> Result<(), StoreError> {
        sql.query(&format!("DROP TABLE \"{}\"", rare.name()), &[])?;
        self.rare &= !rare.bit();
        Ok(())
    }

    /// Makes a rare table, unless it exists.
    pub(super) fn add(&mut self, sql: &dyn Sql, rare: Rare) -> Result<(), StoreError> {
        if !self.has(rare) {
            run(sql, rare.text())?;
            self.rare |= rare.bit();
        }
        Ok(())
    }
}

/// Brings the tables to the version that the steps lead to.
fn update(sql: &dyn Sql, steps: &[&'static str]) -> Result<(), StoreError> {
    const FOUND: &str = "SELECT schema FROM meta";
    const REACHED: &str = "UPDATE meta SET schema=?1";
    let found = Row::only(sql.query(FOUND, &[])?)?.size()?;
    let version = steps.len() + 1;
    if version < found {
        return Err(StoreError::newer(found, version));
    }
    if found == version {
        return Ok(());
    }
    sql.transaction(&mut || {
        let mut later = steps.iter().skip(found.saturating_sub(1));
        later.try_for_each(|text| run(sql, text))?;
        sql.run(REACHED, &[Value::size(version)])
    })
}

/// Runs statements, each of which ends with its line.
fn run(sql: &dyn Sql, text: &'static str) -> Result<(), StoreError> {
    let mut statements = text.split(";\n").filter(|statement| !statement.is_empty());
    statements.try_for_each(|statement| sql.run(statement, &[]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    /// A database of some version, which records its statements.
    struct Noting(i64, RefCell<Vec<String>>);

    impl Sql for Noting {
        fn rows_read(&self) -> u64 {
            0
        }

        fn query(&self, sql: &str, params: &[Value]) -> Result<Vec<Vec<Value>>, StoreError> {
            if sql.starts_with("SELECT") {
                return Ok(vec![vec![Value::Integer(self.0)]]);
            }
            let note = params
                .iter()
                .fold(sql.to_owned(), |note, param| format!("{note} {param:?}"));
            self.1.borrow_mut().push(note);
            Ok(Vec::new())
        }

        fn bytes(&self) -> Result<u64, StoreError> {
            Ok(0)
        }

        fn transaction(
            &self,
            body: &mut dyn FnMut() -> Result<(), StoreError>,
        ) -> Result<(), StoreError> {
            self.1.borrow_mut().push("BEGIN".to_owned());
            body()
        }
    }

    fn updated(from: i64) -> Result<Vec<String>, StoreError> {
        let sql = Noting(from, RefCell::default());
        update(&sql, &["A;\nB;\n", "C;\n"])?;
        Ok(sql.1.into_inner())
    }

    #[test]
    fn a_session_takes_each_step_that_it_has_not_taken_in_one_transaction() {
        let reached = "UPDATE meta SET schema=?1 Integer(3)";
        let all = ["BEGIN", "A", "B", "C", reached].map(str::to_owned);
        assert_eq!(updated(1), Ok(all.to_vec()));
        let last = ["BEGIN", "C", reached].map(str::to_owned);
        assert_eq!(updated(2), Ok(last.to_vec()));
        assert_eq!(updated(3), Ok(Vec::new()));
        assert!(
            updated(4).is_err(),
            "what a newer release wrote is left alone"
        );
    }
}
