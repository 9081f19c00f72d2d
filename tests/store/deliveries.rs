//! Deliveries as rows: written with their cause, read back, outliving the session.

use std::rc::Rc;

use sessile::store::{
    DeadLetter, DeliveryKind, DeliveryWrite, Kind, MetaWrite, Owed, Parcel, Store, Write,
};

use crate::model::{Draft, Pair, epoch};
use crate::sqlite::Sqlite;
use crate::{beginning, cost};

fn owed(number: u64) -> Owed {
    Owed {
        number,
        kind: DeliveryKind::Hook,
        target: "https://a.example/".to_owned(),
        attempts: 0,
        created_at: 5,
        due_at: 6,
        dead_at: None,
        subject: None,
        rounds: 0,
    }
}

fn parcel(number: u64) -> Parcel {
    Parcel {
        id: format!("s1-{number}"),
        body: format!("body {number}"),
    }
}

fn add(number: u64) -> Write {
    Write::Delivery(DeliveryWrite::Add {
        owed: owed(number),
        reason: None,
        parcel: parcel(number),
    })
}

/// One that waits, one that was given up, and one that wakes, for the golden rows.
fn golden() -> [Owed; 3] {
    let waiting = Owed {
        attempts: 3,
        due_at: 14,
        ..owed(1)
    };
    let dead = Owed {
        number: 2,
        dead_at: Some(15),
        ..waiting.clone()
    };
    let wake = Owed {
        kind: DeliveryKind::Wake,
        target: "queue:JOBS".to_owned(),
        subject: Some(7),
        rounds: 2,
        ..owed(3)
    };
    [waiting, dead, wake]
}

pub(crate) fn golden_writes() -> Vec<Vec<Write>> {
    let again = |number| DeliveryWrite::Again {
        owed: Owed {
            attempts: 3,
            due_at: 14,
            ..owed(number)
        },
        reason: Some("it answered 500".to_owned()),
    };
    let [_, _, wake] = golden();
    let wake = DeliveryWrite::Add {
        owed: wake,
        reason: None,
        parcel: parcel(3),
    };
    let bury = DeliveryWrite::Bury {
        owed: Owed {
            attempts: 3,
            ..owed(2)
        },
        at: 15,
        reason: "it answered 503".to_owned(),
    };
    let changes = [again(1), again(2), bury, wake].map(Write::Delivery);
    vec![vec![add(1), add(2)], changes.to_vec()]
}

pub(crate) fn check_golden(store: &Store) {
    let [waiting, dead, wake] = golden();
    let all = vec![waiting.clone(), dead.clone(), wake];
    assert_eq!(store.deliveries(), Ok(all));
    assert_eq!(store.parcel(2), Ok(Some(parcel(2))));
    let reason = "it answered 503".to_owned();
    assert_eq!(
        store.dead_letters(),
        Ok(vec![DeadLetter {
            owed: dead,
            id: "s1-2".to_owned(),
            reason
        }])
    );
    let failing = DeadLetter {
        owed: waiting,
        id: "s1-1".to_owned(),
        reason: "it answered 500".to_owned(),
    };
    assert_eq!(store.failing(), Ok(vec![failing]));
}

/// A store that has just been opened knows what one before it wrote.
fn again(sqlite: &Sqlite) -> Store {
    Store::new(Rc::new(sqlite.clone()))
}

#[test]
fn deliveries_read_back_as_they_were_written() {
    let sqlite = Sqlite::new();
    let store = again(&sqlite);
    assert_eq!(store.deliveries(), Ok(Vec::new()), "there is no table yet");
    assert_eq!(store.parcel(1), Ok(None));
    assert_eq!(store.dead_letters(), Ok(Vec::new()));
    store.write(&[add(2), add(1)]).unwrap();
    for store in [store, again(&sqlite)] {
        assert_eq!(store.deliveries(), Ok(vec![owed(1), owed(2)]));
        assert_eq!(store.parcel(2), Ok(Some(parcel(2))));
        assert_eq!(store.parcel(3), Ok(None));
    }
}

#[test]
fn an_attempt_and_its_end_change_one_row_each() {
    let sqlite = Sqlite::new();
    let store = again(&sqlite);
    store.write(&[add(1), add(2), add(3)]).unwrap();
    let write = |write| {
        let write = Write::Delivery(write);
        let (rows, transactions) = cost(&sqlite, || store.write(&[write]).unwrap());
        assert_eq!((rows, transactions), (1, 0));
    };
    write(DeliveryWrite::Again {
        owed: Owed {
            attempts: 4,
            due_at: 90,
            ..owed(1)
        },
        reason: None,
    });
    write(DeliveryWrite::Bury {
        owed: Owed {
            attempts: 7,
            ..owed(2)
        },
        at: 95,
        reason: "it answered 503".to_owned(),
    });
    write(DeliveryWrite::Forget { number: 3 });
    let first = Owed {
        attempts: 4,
        due_at: 90,
        ..owed(1)
    };
    let second = Owed {
        attempts: 7,
        dead_at: Some(95),
        ..owed(2)
    };
    assert_eq!(store.deliveries(), Ok(vec![first, second.clone()]));
    let letter = DeadLetter {
        owed: second,
        id: "s1-2".to_owned(),
        reason: "it answered 503".to_owned(),
    };
    assert_eq!(store.dead_letters(), Ok(vec![letter]));
}

/// P11.2: nothing is left of a session but what it owes, and another begins beside that.
#[test]
fn deliveries_outlive_the_session() {
    let mut pair = Pair::new();
    let place = pair.publish(Draft::streaming("secret"));
    pair.remember(Kind::Update, "u1", place);
    pair.store.write(&[add(1)]).unwrap();
    pair.store.write(&[MetaWrite::End.into(), add(2)]).unwrap();
    assert_eq!(pair.sqlite.tables(), ["delivery"]);
    for store in [&pair.store, &again(&pair.sqlite)] {
        assert_eq!(store.beginning(), Ok(None));
        assert_eq!(store.deliveries(), Ok(vec![owed(1), owed(2)]));
    }
    pair.store
        .write(&[MetaWrite::Begin(beginning()).into()])
        .unwrap();
    assert_eq!(pair.store.message(epoch(), 1), Ok(None));
    assert_eq!(pair.store.deliveries(), Ok(vec![owed(1), owed(2)]));
}

/// A crash leaves either the session or the word of its end.
#[test]
fn the_end_of_a_session_is_one_step() {
    let pair = Pair::new();
    pair.sqlite.fail_after(Some(4));
    assert!(pair.store.write(&[MetaWrite::End.into(), add(1)]).is_err());
    pair.sqlite.fail_after(None);
    assert!(pair.store.beginning().unwrap().is_some());
    assert_eq!(pair.store.deliveries(), Ok(Vec::new()));
}

#[test]
fn a_row_of_an_unknown_kind_is_an_error() {
    let sqlite = Sqlite::new();
    let store = again(&sqlite);
    store.write(&[add(1)]).unwrap();
    sqlite.batch("UPDATE delivery SET kind=99");
    let error = store.deliveries().unwrap_err().to_string();
    assert_eq!(
        error,
        "unable to reach the storage; its delivery does not read back"
    );
}
