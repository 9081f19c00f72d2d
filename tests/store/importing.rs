//! How far an import has come, as one row that goes with its end (P11.6).

use std::rc::Rc;

use sessile::store::{ImportWrite, Importing, MetaWrite, Store, Write};

use crate::beginning;
use crate::model::epoch;
use crate::sqlite::Sqlite;

fn so_far(lines: u64) -> Importing {
    Importing {
        source: epoch(),
        lines,
        held: 100,
        at: 5,
        cursor: Some("on".to_owned()),
    }
}

fn progress(lines: u64) -> Write {
    ImportWrite::Progress(so_far(lines)).into()
}

/// Where a fork says that it comes from.
pub(crate) fn origin() -> Option<serde_json::Value> {
    Some(serde_json::json!({ "session": "a", "serial": "abcd00000003" }))
}

/// Everything that is ever written of it, but its end.
pub(crate) fn golden_writes() -> Vec<Vec<Write>> {
    vec![vec![progress(1)], vec![progress(7)]]
}

pub(crate) fn check_golden(store: &Store) {
    assert_eq!(store.importing(), Ok(Some(so_far(7))));
}

#[test]
fn an_import_is_over_with_its_row() {
    let sqlite = Sqlite::new();
    let store = Store::new(Rc::new(sqlite.clone()));
    assert_eq!(store.importing(), Ok(None));
    let begin = MetaWrite::Begin(beginning()).into();
    store.write(&[begin, progress(1)]).unwrap();
    assert_eq!(store.importing(), Ok(Some(so_far(1))));
    let entry = ImportWrite::Entry {
        place: 2,
        kind: 1,
        subject: 1,
        client: None,
        at: 4,
    };
    let again: Write = entry.clone().into();
    store.write(&[entry.into(), again, progress(3)]).unwrap();
    let set = MetaWrite::Set {
        settings: beginning().settings,
        at: 6,
    };
    store
        .write(&[set.into(), ImportWrite::Done.into()])
        .unwrap();
    for store in [&store, &Store::new(Rc::new(sqlite.clone()))] {
        assert_eq!(store.importing(), Ok(None));
        assert_eq!(store.logged(epoch(), 0, 10).unwrap().0.len(), 1);
    }
}
