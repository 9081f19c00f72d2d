//! Calls of tools as rows: the pending ones are found at once, the settled ones go with age.

use sessile::protocol::call::{Call, Called, Claim, Event, Returned, Status};
use sessile::protocol::data::Data;
use sessile::protocol::ids::ConnectionId;
use sessile::protocol::serial::PLACE_MAX;
use sessile::store::{CallWrite, Store, Trim, Write};

use crate::model::Pair;

fn json(text: &str) -> Option<Data> {
    Data::from_json(text.to_owned())
}

/// One that waits, with everything that it may have.
pub(crate) fn pending(place: u64) -> Call {
    Call {
        place,
        version: place,
        event: Event::Claim,
        id: format!("c{place}"),
        turn: "t20".to_owned(),
        client: "bot".to_owned(),
        called: Called {
            name: "location".to_owned(),
            input: json("[1]"),
            to: vec!["role:user".to_owned()],
            schema: json("{}"),
            suspend: true,
        },
        deadline_at: Some(20),
        status: Status::Pending,
        claim: Some(Claim {
            id: Some("k".to_owned()),
            client: "ann".to_owned(),
            connection: Some(ConnectionId::new("c1")),
            at: 10,
            lease_ms: 30_000,
        }),
        is_held: true,
        returned: Returned::default(),
        created_at: 9,
        settled_at: None,
    }
}

/// The same with its result.
pub(crate) fn settled(place: u64, version: u64) -> Call {
    Call {
        version,
        event: Event::Result,
        status: Status::Failed,
        returned: Returned {
            output: json("2"),
            error: Some(Data::Text("no".to_owned())),
        },
        settled_at: Some(12),
        ..pending(place)
    }
}

pub(crate) fn put(call: Call, is_entry: bool) -> Write {
    let client = Some("bot".to_owned());
    Write::Call(CallWrite {
        call,
        client,
        at: 12,
        is_entry,
    })
}

pub(crate) fn golden_writes() -> Vec<Vec<Write>> {
    let called = [60, 61].map(|place| put(pending(place), true));
    let renewed = put(pending(60), false);
    vec![
        called.to_vec(),
        vec![renewed],
        vec![put(settled(61, 62), true)],
    ]
}

pub(crate) fn check_golden(store: &Store) {
    assert_eq!(store.pending_calls(), Ok(vec![pending(60)]));
    assert_eq!(store.settled_call("c61"), Ok(Some(settled(61, 62))));
    assert_eq!(store.settled_call("c60"), Ok(None));
    let both = vec![pending(60), settled(61, 62)];
    assert_eq!(store.changed_calls(59, 9), Ok(both));
    assert_eq!(store.changed_calls(60, 9), Ok(vec![settled(61, 62)]));
}

#[test]
fn p8_9_settled_calls_go_with_age_and_pending_ones_stay() {
    let pair = Pair::new();
    let page = || pair.store.calls_before(PLACE_MAX, 9, 1 << 20);
    assert_eq!(page(), Ok((Vec::new(), false)));
    for writes in golden_writes() {
        pair.store.write(&writes).unwrap();
    }
    let trim = |up_to| {
        let gone = Vec::new();
        let trim = Trim {
            up_to,
            gone,
            at: 13,
        };
        pair.store.write(&[trim.into()]).unwrap();
        page().unwrap().0
    };
    assert_eq!(trim(61), vec![settled(61, 62), pending(60)]);
    assert_eq!(trim(62), vec![pending(60)]);
}
