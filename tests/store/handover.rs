//! The latest hand-over, as it is written and as it is read (P8.8).

use sessile::protocol::handover::{Handover, Leading, Returned, Wake};
use sessile::store::{HandoverWrite, Store, Write};

fn taken() -> Handover {
    Handover {
        version: 9_000_001,
        lead: Leading {
            client: "sue".to_owned(),
            name: Some("Sue".to_owned()),
            since: 13,
            note: Some("let me".to_owned()),
        },
        replaced: Some("tom".to_owned()),
        waiting: vec![3, 4],
        returned: None,
    }
}

fn returned() -> Handover {
    Handover {
        version: 9_000_002,
        waiting: Vec::new(),
        returned: Some(Returned {
            by: Some("sue".to_owned()),
            reason: Some("lost".to_owned()),
            wake: Wake::All,
            note: Some("done".to_owned()),
        }),
        ..taken()
    }
}

fn put(handover: Handover, at: i64) -> Write {
    HandoverWrite::Put {
        handover,
        heard_at: at,
        client: Some("sue".to_owned()),
        at,
    }
    .into()
}

/// Everything that is ever written of one.
pub(crate) fn golden_writes() -> Vec<Vec<Write>> {
    let row = HandoverWrite::Row {
        handover: taken(),
        heard_at: 14,
    };
    vec![
        vec![put(taken(), 13)],
        vec![row.into()],
        vec![HandoverWrite::Heard { at: 15 }.into()],
        vec![put(returned(), 16)],
    ]
}

pub(crate) fn check_golden(store: &Store) {
    assert_eq!(store.handover(), Ok(Some((returned(), 16))));
}
