//! Grants as rows: one each, until their ends (P8.6).

use sessile::protocol::capability::Role;
use sessile::protocol::grant::{Decider, Grant};
use sessile::store::{GrantWrite, Store, Write};

fn grant(place: u64, turn: Option<&str>) -> Grant {
    Grant {
        place,
        approval: format!("a{place}"),
        key: "bash".to_owned(),
        client: "bot".to_owned(),
        turn: turn.map(str::to_owned),
        by: Decider {
            client: "sue".to_owned(),
            role: Role::Supervisor,
            is_admin: turn.is_some(),
        },
        at: 17,
    }
}

/// Everything that is ever written of them.
pub(crate) fn golden_writes() -> Vec<Vec<Write>> {
    let revoke = GrantWrite::Revoke {
        place: 9_000_003,
        client: "sue".to_owned(),
        at: 18,
    };
    vec![
        vec![GrantWrite::Give(grant(40, None)).into()],
        vec![GrantWrite::Give(grant(41, Some("t1"))).into()],
        vec![GrantWrite::End { place: 40 }.into(), revoke.into()],
    ]
}

pub(crate) fn check_golden(store: &Store) {
    assert_eq!(store.grants(), Ok(vec![grant(41, Some("t1"))]));
}
