//! The inboxes that a session tells, as they are written and as they are read (P15).

use sessile::store::{FollowerWrite, Store, Write};

fn told(inbox: &str, told: u64, is_kept: bool) -> Write {
    let read = if inbox == "client:bob" { 3 } else { 0 };
    let inbox = inbox.to_owned();
    FollowerWrite::Told {
        inbox,
        told,
        read,
        is_kept,
    }
    .into()
}

/// Everything that is ever written of them.
pub(crate) fn golden_writes() -> Vec<Vec<Write>> {
    let inbox = "client:gone".to_owned();
    vec![
        vec![told("client:ann", 0, false), told("client:gone", 2, false)],
        vec![told("client:bob", 8, false)],
        vec![told("role:supervisor", 8, false)],
        vec![told("role:supervisor", 9, true)],
        vec![FollowerWrite::Owe.into()],
        vec![FollowerWrite::Drop { inbox }.into()],
    ]
}

pub(crate) fn check_golden(store: &Store) {
    let found = store.followers().unwrap();
    let expected = [
        ("client:ann", 0, true),
        ("client:bob", 7, true),
        ("role:supervisor", 8, false),
    ];
    assert_eq!(
        found,
        expected.map(|(inbox, told, is_unsure)| (inbox.to_owned(), told, is_unsure))
    );
}
