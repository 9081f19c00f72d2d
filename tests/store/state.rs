//! The shared state as rows: a change is one, and the tree is stored anew now and then (P9.1).
//! Read marks as well (P9.5).

use std::rc::Rc;

use sessile::store::{
    End, MarkWrite, MetaWrite, StateChange, StateRows, StateTree, StateWrite, Store, Write,
};

use crate::sqlite::Sqlite;
use crate::{beginning, cost};

fn change(place: u64, prior: u64) -> StateChange {
    StateChange {
        place,
        prior,
        client: "ann".to_owned(),
        ops: format!(r#"[{{"op":"set","path":["a"],"value":{place}}}]"#),
    }
}

fn put(slot: u64, place: u64, prior: u64) -> Write {
    let change = change(place, prior);
    StateWrite::Change {
        slot,
        change,
        at: 40,
    }
    .into()
}

fn tree(place: u64, slots: u64) -> Write {
    StateWrite::Tree {
        slots,
        tree: kept(place),
        at: 41,
    }
    .into()
}

fn kept(place: u64) -> StateTree {
    StateTree {
        place,
        client: "ann".to_owned(),
        tree: format!(r#"{{"a":{place}}}"#),
    }
}

fn mark(place: u64) -> Write {
    MarkWrite::Put {
        client: "ann".to_owned(),
        place,
        at: 42,
    }
    .into()
}

/// Everything that is ever written of it, and of read marks.
pub(crate) fn golden_writes() -> Vec<Vec<Write>> {
    let client = "bob".to_owned();
    vec![
        vec![MarkWrite::Forget { client }.into(), mark(1)],
        vec![mark(3)],
        vec![put(1, 8_000_001, 0)],
        vec![put(2, 8_000_002, 8_000_001), tree(8_000_002, 2)],
        vec![put(1, 8_000_003, 8_000_002)],
    ]
}

pub(crate) fn check_golden(store: &Store) {
    let changes = vec![change(8_000_002, 8_000_001), change(8_000_003, 8_000_002)];
    let tree = Some(kept(8_000_002));
    assert_eq!(store.state(), Ok(StateRows { tree, changes }));
    assert_eq!(store.marks(), Ok(vec![("ann".to_owned(), 3, 42)]));
}

#[test]
fn a_change_is_one_row_and_no_transaction() {
    let sqlite = Sqlite::new();
    let store = Store::new(Rc::new(sqlite.clone()));
    store
        .write(&[MetaWrite::Begin(beginning()).into()])
        .unwrap();
    assert_eq!(store.state(), Ok(StateRows::default()));
    store.write(&[put(1, 5, 0)]).unwrap();
    let second = cost(&sqlite, || store.write(&[put(2, 6, 5)]).unwrap());
    assert_eq!(second, (1, 0));
    store.write(&[put(3, 7, 6), tree(7, 3)]).unwrap();
    let over = cost(&sqlite, || store.write(&[put(1, 8, 7)]).unwrap());
    assert_eq!(over, (1, 0), "it is written over another");
    let found = store.state().unwrap();
    let places: Vec<u64> = found.changes.iter().map(|change| change.place).collect();
    assert_eq!((places, found.tree), (vec![6, 7, 8], Some(kept(7))));
    store.write(&[tree(8, 1)]).unwrap();
    let found = store.state().unwrap();
    assert_eq!(found.changes.len(), 1, "rows of older generations go");
    let end = End {
        place: 8,
        written_at: 41,
    };
    assert_eq!(store.end(), Ok(end), "the log ends with the state");
}
