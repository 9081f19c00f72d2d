//! Stored data against golden copies: `tests/fixtures/stored/N.sql` has rows as version `N` of the
//! schema writes them, `connections.json` the state kept with sockets.

use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use expect_test::expect_file;
use sessile::protocol::capability::{Operation, Operations, Role};
use sessile::protocol::data::Data;
use sessile::protocol::ids::ConnectionId;
use sessile::session::{Carrier, Connection, Present};
use sessile::store::sql::{Sql, Value};
use sessile::store::{Extent, Store};

use crate::golden;
use crate::sqlite::Sqlite;

fn in_root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Every version of the schema that there ever was: its number, and its tables as text.
fn versions() -> Vec<(u64, String)> {
    let mut versions: Vec<_> = fs::read_dir(in_root("src/store/schema"))
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let version = path.file_name().unwrap().to_str().unwrap().parse();
            (version.unwrap(), frozen(&path))
        })
        .collect();
    versions.sort();
    versions
}

/// The tables of a folder, also those that few sessions need.
fn frozen(folder: &Path) -> String {
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.collect();
    files.sort();
    files
        .iter()
        .map(|file| fs::read_to_string(file).unwrap())
        .collect()
}

/// A session that a release of this version has left behind.
fn left_behind(version: u64, tables: &str) -> Sqlite {
    let sqlite = Sqlite::new();
    sqlite.batch(tables);
    let rows = in_root(&format!("tests/fixtures/stored/{version}.sql"));
    sqlite.batch(&fs::read_to_string(rows).unwrap());
    sqlite
}

/// The store of today over golden rows, and the same written by the store of today.
fn written() -> (Sqlite, Store) {
    let sqlite = Sqlite::new();
    let store = Store::new(Rc::new(sqlite.clone()));
    for writes in golden::writes() {
        store.write(&writes).unwrap();
    }
    (sqlite, store)
}

fn texts(sqlite: &Sqlite, sql: &str) -> Vec<String> {
    let rows = sqlite.query(sql, &[]).unwrap().into_iter().flatten();
    let text = |value| match value {
        Value::Text(text) => text,
        other => panic!("{other:?} is no text"),
    };
    rows.map(text).collect()
}

fn columns(sqlite: &Sqlite, table: &str) -> Vec<String> {
    texts(
        sqlite,
        &format!("SELECT name FROM pragma_table_info('{table}')"),
    )
}

/// All rows as the statements that write them.
fn dump(sqlite: &Sqlite) -> String {
    let mut dump = String::new();
    for table in sqlite.tables() {
        let mut columns = columns(sqlite, &table);
        if table == "said" {
            columns.insert(0, "rowid".to_owned());
        }
        let names = columns.join(", ");
        let values = columns.join(") || ', ' || quote(");
        let by = ["1", "1, 2", "1, 2, 3"][columns.len().min(3) - 1];
        let sorted = format!("SELECT {names} FROM {table} ORDER BY {by}");
        let sql = format!("SELECT quote({values}) FROM ({sorted})");
        for row in texts(sqlite, &sql) {
            dump += &format!("INSERT INTO {table}({names})\n  VALUES({row});\n");
        }
    }
    dump
}

#[test]
fn rows_that_any_version_wrote_read_back() {
    for (version, tables) in versions() {
        let store = Store::new(Rc::new(left_behind(version, &tables)));
        golden::check(&store);
    }
}

#[test]
fn rows_are_written_as_in_the_golden_copy() {
    let (sqlite, store) = written();
    golden::check(&store);
    let (newest, _) = versions().pop().unwrap();
    expect_file![in_root(&format!("tests/fixtures/stored/{newest}.sql"))].assert_eq(&dump(&sqlite));
}

#[test]
fn any_version_comes_to_the_tables_of_this_one() {
    let (today, _) = written();
    for (version, tables) in versions() {
        let sqlite = left_behind(version, &tables);
        assert!(Store::new(Rc::new(sqlite.clone())).beginning().is_ok());
        assert_eq!(sqlite.tables(), today.tables());
        for table in today.tables() {
            let (found, wanted) = (columns(&sqlite, &table), columns(&today, &table));
            let [mut found, mut wanted] = [found, wanted];
            found.sort();
            wanted.sort();
            assert_eq!(found, wanted, "{table} of version {version}");
        }
        let indexes = "SELECT name FROM sqlite_master WHERE type='index' ORDER BY name";
        assert_eq!(texts(&sqlite, indexes), texts(&today, indexes));
        let schema = "SELECT CAST(schema AS TEXT) FROM meta";
        assert_eq!(texts(&sqlite, schema), texts(&today, schema));
    }
}

/// A column is described where its rows are written.
#[test]
fn every_column_is_described_in_the_file_of_its_kind() {
    let files = fs::read_dir(in_root("src/store")).unwrap();
    let files = files.filter_map(|entry| fs::read_to_string(entry.unwrap().path()).ok());
    let described: Vec<String> = files
        .map(|text| {
            let words = text.lines().take_while(|line| line.starts_with("//!"));
            words.collect::<Vec<_>>().join("\n")
        })
        .collect();
    let (today, _) = written();
    for table in today.tables() {
        let is_of = |words: &&String| {
            let row = |column: &String| {
                let mut rows = words.lines().filter(|line| line.starts_with("//! | "));
                rows.any(|line| {
                    line.split(" | ")
                        .any(|cell| cell.contains(&format!("`{column}`")))
                })
            };
            words.contains(&format!("`{table}`")) && columns(&today, &table).iter().all(row)
        };
        assert!(
            described.iter().any(|words| is_of(&words)),
            "columns of {table}"
        );
    }
}

/// An entry of a kind that another feature, or a later release, writes.
#[test]
fn an_entry_of_another_kind_is_taken_for_no_turn_and_no_message() {
    let (sqlite, store) = written();
    let end = store.end().unwrap().place;
    let (message, turn) = (13, 20);
    for (place, kind, subject) in [
        (end + 1, 9, message),
        (end + 2, 20, 2),
        (end + 3, 20, turn),
        (end + 4, 9, turn),
    ] {
        sqlite.batch(&format!(
            "INSERT INTO change(serial, kind, subject, at) VALUES({place}, {kind}, {subject}, 9)"
        ));
    }
    let changed = store.changed(end, 10).unwrap();
    let subjects: Vec<u64> = changed.iter().map(|changed| changed.subject).collect();
    assert_eq!(
        subjects,
        [message],
        "of the kinds of messages, and no others"
    );
    assert!(!changed[0].is_updated && !changed[0].is_deleted);
    assert_eq!(store.changed_turns(end, 10), Ok(Vec::new()));
    assert_eq!(store.extent(end, None), Ok(Some(Extent::default())));
    assert_eq!(
        store.end().unwrap().place,
        end + 4,
        "though it is an entry of the log"
    );
}

fn connections() -> Vec<Connection> {
    let plain = Connection {
        id: ConnectionId::new("c1"),
        carrier: Carrier::Lines,
        client: "ann".to_owned(),
        name: None,
        role: Role::User,
        operations: Operations::NONE,
        expires_at: 9_000,
        issued_at: 0,
        window_ms: 40,
        names: None,
        told: None,
        heard_at: 0,
        member: None,
        chains: serde_json::from_str("[]").unwrap(),
        is_probed: false,
    };
    let full = Connection {
        carrier: Carrier::Socket,
        name: Some("Ann".to_owned()),
        role: Role::Supervisor,
        operations: Operations::ALL,
        names: Some(vec!["message".to_owned()]),
        told: Some("t35t".to_owned()),
        heard_at: 7,
        member: Some(Present {
            data: Some(Data::Text("here".to_owned())),
            since: 5,
            is_counted: false,
        }),
        chains: serde_json::from_str("[7]").unwrap(),
        is_probed: true,
        ..plain.clone()
    };
    let events = Connection {
        carrier: Carrier::Events,
        role: Role::Agent,
        ..plain.clone()
    };
    let body = Connection {
        carrier: Carrier::Body,
        ..plain.clone()
    };
    // Operations are kept as bits.
    let each = Operation::ALL.iter().map(|operation| Connection {
        client: operation.as_str().to_owned(),
        operations: Operations::of(&[*operation]),
        ..plain.clone()
    });
    [full, events, body].into_iter().chain(each).collect()
}

/// The state kept with a socket while its session sleeps, perhaps over a deployment.
#[test]
fn connections_are_kept_as_in_the_golden_copy() {
    let path = in_root("tests/fixtures/stored/connections.json");
    let lines = connections();
    let lines: Vec<String> = lines
        .iter()
        .map(|connection| serde_json::to_string(connection).unwrap())
        .collect();
    expect_file![path.clone()].assert_eq(&format!("[\n{}\n]\n", lines.join(",\n")));
    let kept: Vec<Connection> = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(kept, connections());
}
