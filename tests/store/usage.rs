//! The session's sums of usage as one row (P6.12).

use std::rc::Rc;

use sessile::protocol::usage::Usage;
use sessile::store::{MetaWrite, Store, UsageWrite, Write};

use crate::sqlite::Sqlite;
use crate::{beginning, cost};

pub(crate) fn usage(json: &str) -> Usage {
    serde_json::from_str(json).unwrap()
}

fn put(json: &str) -> Write {
    UsageWrite { sums: usage(json) }.into()
}

const SUMS: &str = r#"{"it's":9007199254740992,"cost":0.1}"#;

/// Everything that is ever written of it.
pub(crate) fn golden_writes() -> Vec<Vec<Write>> {
    vec![vec![put(r#"{"cost":0}"#)], vec![put(SUMS)]]
}

pub(crate) fn check_golden(store: &Store) {
    assert_eq!(store.usage(), Ok(usage(SUMS)));
}

#[test]
fn sums_are_one_row() {
    let sqlite = Sqlite::new();
    let store = Store::new(Rc::new(sqlite.clone()));
    store
        .write(&[MetaWrite::Begin(beginning()).into()])
        .unwrap();
    assert_eq!(store.usage(), Ok(Usage::default()));
    store.write(&[put(r#"{"a":1}"#)]).unwrap();
    let again = cost(&sqlite, || store.write(&[put(r#"{"a":2,"b":1}"#)]).unwrap());
    assert_eq!(again, (1, 1));
    assert_eq!(store.usage(), Ok(usage(r#"{"a":2,"b":1}"#)));
}
