//! Approvals as rows: the pending ones are found at once, the settled ones go with age.

use sessile::protocol::approval::{
    Approval, Asked, Choice, Decision, Escalation, Event, Kind, OnDeadline, OnMessage, Past,
    Status, Verdict,
};
use sessile::protocol::data::Data;
use sessile::protocol::grant::Scope;
use sessile::protocol::serial::PLACE_MAX;
use sessile::store::{ApprovalWrite, Store, Trim, Write};

use crate::model::Pair;

fn json(text: &str) -> Option<Data> {
    Data::from_json(text.to_owned())
}

/// One that waits, with everything that it may have.
pub(crate) fn pending(place: u64) -> Approval {
    Approval {
        place,
        version: place,
        event: Event::Request,
        id: format!("a{place}"),
        turn: Some("t20".to_owned()),
        client: "bot".to_owned(),
        asker: Some("ann".to_owned()),
        is_open: true,
        asked: Asked {
            kind: Kind::Question,
            title: "which?".to_owned(),
            description: Some("it's long".to_owned()),
            data: json("[1]"),
            schema: json("{}"),
            options: vec![Choice {
                id: "x".to_owned(),
                label: "X".to_owned(),
                data: Some(Data::Text("y".to_owned())),
            }],
            assignees: vec!["role:user".to_owned()],
            on_deadline: OnDeadline::Option("x".to_owned()),
            on_message: OnMessage::Dismiss,
            grant: Some("k".to_owned()),
        },
        deadline_at: Some(20),
        escalate: vec![Escalation {
            after_ms: 5,
            assignees: vec!["bob".to_owned()],
        }],
        status: Status::Pending,
        verdict: Verdict::default(),
        history: vec![Past {
            at: 9,
            what: Event::Request,
            who: Some("bot".to_owned()),
            by: None,
        }],
        created_at: 9,
    }
}

/// The same after somebody answered.
pub(crate) fn settled(place: u64, version: u64) -> Approval {
    let mut approval = pending(place);
    approval.version = version;
    approval.event = Event::Decide;
    approval.status = Status::Answered;
    approval.verdict = Verdict {
        decision: Some(Decision::Answer),
        option: Some("x".to_owned()),
        answer: Some(Data::Text("y".to_owned())),
        comment: Some("so".to_owned()),
        scope: Some(Scope::Turn),
    };
    approval.history.push(Past {
        at: 12,
        what: Event::Decide,
        who: Some("ann".to_owned()),
        by: Some("a3".to_owned()),
    });
    approval
}

pub(crate) fn put(approval: Approval) -> Write {
    let client = Some("bot".to_owned());
    Write::Approval(ApprovalWrite {
        approval,
        client,
        at: 12,
    })
}

pub(crate) fn golden_writes() -> Vec<Vec<Write>> {
    let asked = vec![put(pending(40)), put(pending(41))];
    vec![asked, vec![put(settled(41, 42))]]
}

pub(crate) fn check_golden(store: &Store) {
    assert_eq!(store.pending_approvals(), Ok(vec![pending(40)]));
    assert_eq!(store.settled_approval("a41"), Ok(Some(settled(41, 42))));
    assert_eq!(store.settled_approval("a40"), Ok(None));
    let both = vec![pending(40), settled(41, 42)];
    assert_eq!(store.changed_approvals(39, 9), Ok(both));
    assert_eq!(store.changed_approvals(40, 9), Ok(vec![settled(41, 42)]));
}

#[test]
fn p8_3_a_page_ends_by_its_bytes_and_has_one_at_least() {
    let pair = Pair::new();
    assert_eq!(
        pair.store.approvals_before(9, 9, 9),
        Ok((Vec::new(), false))
    );
    for writes in golden_writes() {
        pair.store.write(&writes).unwrap();
    }
    let page = |before, limit, bytes| {
        let page = pair.store.approvals_before(before, limit, bytes);
        let (page, has_more) = page.unwrap();
        let places: Vec<u64> = page.iter().map(|approval| approval.place).collect();
        (places, has_more)
    };
    assert_eq!(page(PLACE_MAX, 9, 1 << 20), (vec![41, 40], false));
    assert_eq!(page(PLACE_MAX, 1, 1 << 20), (vec![41], true));
    assert_eq!(page(PLACE_MAX, 9, 1), (vec![41], true));
    assert_eq!(page(41, 9, 1), (vec![40], false));
}

#[test]
fn p11_2_settled_approvals_go_with_age_and_pending_ones_stay() {
    let pair = Pair::new();
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
        pair.store
            .approvals_before(PLACE_MAX, 9, 1 << 20)
            .unwrap()
            .0
    };
    assert_eq!(trim(41), vec![settled(41, 42), pending(40)]);
    assert_eq!(trim(42), vec![pending(40)]);
}
