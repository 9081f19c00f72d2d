//! The store on real SQLite, against a model that is too simple to be wrong.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

#[path = "store/annotations.rs"]
mod annotations;
#[path = "store/approvals.rs"]
mod approvals;
#[path = "store/calls.rs"]
mod calls;
#[path = "store/check.rs"]
mod check;
#[path = "store/deliveries.rs"]
mod deliveries;
#[path = "store/files.rs"]
mod files;
#[path = "store/followers.rs"]
mod followers;
#[path = "store/golden.rs"]
mod golden;
#[path = "store/grants.rs"]
mod grants;
#[path = "store/handover.rs"]
mod handover;
#[path = "store/importing.rs"]
mod importing;
#[path = "store/logged.rs"]
mod logged;
#[path = "store/model.rs"]
mod model;
#[path = "store/random.rs"]
mod random;
#[path = "store/reads.rs"]
mod reads;
#[path = "store/round_trip.rs"]
mod round_trip;
#[path = "store/search.rs"]
mod search;
#[path = "sqlite/mod.rs"]
mod sqlite;
#[path = "store/state.rs"]
mod state;
#[path = "store/stored.rs"]
mod stored;
#[path = "store/turns.rs"]
mod turns;
#[path = "store/usage.rs"]
mod usage;

use std::rc::Rc;

use model::{Draft, Pair, epoch};
use sessile::protocol::data::{Data, units};
use sessile::protocol::message::{Headers, Message, Role, Status};
use sessile::protocol::settings::Settings;
use sessile::store::sql::Sql;
use sessile::store::{
    Beginning, End, Growth, Kind, MessageWrite, MetaWrite, Page, Span, Store, TAIL_BYTES,
    TextWrite, Trim,
};
use sqlite::Sqlite;

fn span(limit: usize, bytes: usize) -> Span<'static> {
    Span {
        after: 0,
        before: 1 << 40,
        newest_first: true,
        names: None,
        limit,
        bytes,
    }
}

fn beginning() -> Beginning {
    Beginning {
        epoch: epoch(),
        created_at: 5,
        floor: 0,
        trimmed_at: None,
        settings: Settings::default(),
    }
}

fn message(place: u64, text: &str) -> Message {
    let serial = epoch().at(place);
    Message {
        serial,
        version: serial,
        id: None,
        name: "message".to_owned(),
        client: "ann".to_owned(),
        connection: None,
        role: Role::User,
        turn: None,
        parent: None,
        data: Some(Data::Text(text.to_owned())),
        headers: None,
        status: None,
        seq: None,
        created_at: 7,
        updated_at: 7,
        annotations: None,
        deleted_at: None,
    }
}

/// Rows and transactions that something costs.
fn cost(sqlite: &Sqlite, act: impl FnOnce()) -> (u64, u64) {
    let before = (sqlite.rows_written(), sqlite.transactions());
    act();
    (
        sqlite.rows_written() - before.0,
        sqlite.transactions() - before.1,
    )
}

#[test]
fn reading_what_never_was_gives_nothing_and_leaves_nothing() {
    let sqlite = Sqlite::new();
    let store = Store::new(Rc::new(sqlite.clone()));
    assert_eq!(store.beginning(), Ok(None), "P1.2");
    assert_eq!(store.end(), Ok(End::default()));
    assert_eq!(store.streaming(), Ok(Vec::new()));
    assert_eq!(store.head(1), Ok(None));
    assert_eq!(store.message(epoch(), 1), Ok(None));
    assert_eq!(store.page(epoch(), &span(10, 1_000)), Ok(Page::default()));
    assert_eq!(store.changed(0, 10), Ok(Vec::new()));
    assert_eq!(store.logged(epoch(), 0, 10), Ok((Vec::new(), false)));
    assert_eq!(store.missing(1, 1), Ok(None));
    assert_eq!(store.once("ann", Kind::Message, "x", 0), Ok(None));
    assert_eq!(store.oldest(10, 10), Ok(Vec::new()));
    assert_eq!(store.aged(10), Ok(Vec::new()));
    assert_eq!((sqlite.writes(), sqlite.tables()), (0, Vec::new()));
    assert_eq!(sqlite.reads(), 1, "it is looked up once");
    store
        .write(&[MetaWrite::Begin(beginning()).into()])
        .unwrap();
    assert_eq!(store.beginning(), Ok(Some(beginning())));
    assert_eq!(
        store.end(),
        Ok(End {
            place: 0,
            written_at: 5
        })
    );
}

#[test]
fn each_write_costs_what_was_promised() {
    let mut pair = Pair::new();
    let sqlite = pair.sqlite.clone();
    assert_eq!(
        cost(&sqlite, || _ = pair.publish(Draft::text("hello"))),
        (1, 0)
    );
    let with_id = Draft {
        id: Some("x".to_owned()),
        ..Draft::text("hello")
    };
    assert_eq!(
        cost(&sqlite, || _ = pair.publish(with_id)),
        (1, 0),
        "and one of its index"
    );
    let short = pair.publish(Draft::streaming(""));
    assert_eq!(
        cost(&sqlite, || pair.append(short, "one", None)),
        (1, 0),
        "a window"
    );
    assert_eq!(
        cost(&sqlite, || pair.append(
            short,
            "two",
            Some(Status::Complete)
        )),
        (2, 1)
    );
    let long = pair.publish(Draft::streaming("more than fits into a row"));
    assert_eq!(
        cost(&sqlite, || pair.append(long, "a segment", None)),
        (1, 0),
        "a window"
    );
    assert_eq!(
        cost(&sqlite, || pair.append(long, " grows", None)),
        (1, 0),
        "a window"
    );
    assert_eq!(
        cost(&sqlite, || pair.append(long, "!", Some(Status::Complete))),
        (3, 1)
    );
    assert_eq!(
        cost(&sqlite, || pair.update(short, None, Some(Headers::new()))),
        (2, 1)
    );
    assert_eq!(cost(&sqlite, || pair.delete(long)), (3, 1));
    let turn = pair.start(None, false);
    assert_eq!(cost(&sqlite, || _ = pair.start(None, true)), (2, 1));
    assert_eq!(
        cost(&sqlite, || pair.change_turn(turn, turns::Deed::End)),
        (2, 1)
    );
    assert_eq!(cost(&sqlite, || pair.hear(turn, 7)), (1, 0), "a heartbeat");
    assert_eq!(cost(&sqlite, || pair.set(Settings::default())), (1, 0));
    assert_eq!(
        cost(&sqlite, || pair.remember(Kind::Signal, "y", 3)),
        (1, 1)
    );
    pair.check();
}

#[test]
fn all_is_stored_or_nothing() {
    let writes = [
        MetaWrite::Begin(beginning()).into(),
        MessageWrite::Create(Message {
            id: Some("x".to_owned()),
            ..message(1, "one")
        })
        .into(),
        MessageWrite::Create(message(2, "two")).into(),
        MessageWrite::Delete {
            place: 1,
            version: 3,
            is_superseded: false,
            at: 9,
        }
        .into(),
        Trim {
            up_to: 2,
            gone: vec![1, 2],
            at: 9,
        }
        .into(),
    ];
    let sqlite = Sqlite::new();
    let mut statements = 0;
    loop {
        sqlite.fail_after(Some(statements));
        let is_stored = Store::new(Rc::new(sqlite.clone())).write(&writes).is_ok();
        sqlite.fail_after(None);
        if is_stored {
            break;
        }
        statements += 1;
        assert_eq!(
            sqlite.tables(),
            Vec::<String>::new(),
            "after {statements} statements"
        );
        assert_eq!(Store::new(Rc::new(sqlite.clone())).beginning(), Ok(None));
    }
    assert!(10 < statements);
    let begun = Store::new(Rc::new(sqlite)).beginning().unwrap().unwrap();
    assert_eq!(begun.floor, 2);
}

#[test]
fn what_does_not_read_back_is_an_error() {
    for damage in [
        "UPDATE message SET name=NULL",
        "UPDATE message SET role='king'",
        "UPDATE message SET headers='{'",
        "UPDATE message SET json='{', data=NULL",
        "UPDATE message SET version='one'",
    ] {
        let mut pair = Pair::new();
        let place = pair.publish(Draft {
            headers: Some(Headers::new()),
            ..Draft::text("x")
        });
        pair.sqlite.batch(damage);
        let error = pair.store.message(epoch(), place).unwrap_err();
        assert!(
            error.to_string().ends_with("does not read back"),
            "{damage}: {error}"
        );
        assert!(pair.store.page(epoch(), &span(10, 1_000)).is_err());
    }
    let mut pair = Pair::new();
    let place = pair.publish(Draft::streaming("x"));
    pair.sqlite.batch("UPDATE message SET marks='?'");
    assert!(pair.store.missing(place, place).is_err());
    assert!(pair.store.streaming().is_err());
}

#[test]
fn a_schema_of_a_newer_release_is_left_alone() {
    let pair = Pair::new();
    pair.sqlite.batch("UPDATE meta SET schema=99");
    let error = Store::new(Rc::new(pair.sqlite.clone()))
        .beginning()
        .unwrap_err();
    let message = "unable to reach the storage; its schema 99 is newer than 1";
    assert_eq!(error.to_string(), message);
}

#[test]
fn catching_up_reads_what_was_missed_and_no_more() {
    let sqlite = Sqlite::new();
    let store = Store::new(Rc::new(sqlite.clone()));
    let streaming = Message {
        status: Some(Status::Streaming),
        ..message(1, "")
    };
    store
        .write(&[
            MetaWrite::Begin(beginning()).into(),
            MessageWrite::Create(streaming).into(),
        ])
        .unwrap();
    let (mut whole, mut segment, mut bytes) = (String::new(), 0, 0);
    for version in 2..=3_001 {
        let text = format!("token {version} 👋🏽 ");
        let is_full = TAIL_BYTES < bytes + text.len();
        if is_full {
            (segment, bytes) = (segment + 1, 0);
        }
        bytes += text.len();
        let start = units(&whole);
        whole.push_str(&text);
        let growth = Growth {
            place: 1,
            segment,
            version,
            previous: version - 1,
            seq: version - 1,
            start,
            units: units(&text),
            text,
            at: 9,
        };
        let write = if is_full {
            TextWrite::Segment(growth).into()
        } else {
            TextWrite::Grow(growth).into()
        };
        store.write(&[write]).unwrap();
    }
    let before = sqlite.rows_read();
    let missing = store.missing(1, 2_981).unwrap().unwrap();
    assert!(missing.text.starts_with("token 2982 ") && whole.ends_with(&missing.text));
    assert_eq!(missing.offset, units(&whole) - units(&missing.text));
    assert!(sqlite.rows_read() - before <= 4);
    let tail = store.streaming().unwrap().remove(0);
    assert_eq!((tail.units, tail.bytes), (units(&whole), whole.len()));
    assert_eq!(tail.tail.segment, segment);
    assert!(
        tail.tail.bytes < 4_096,
        "a row fits into one page, marks included"
    );
    let data = store.message(epoch(), 1).unwrap().unwrap().data;
    assert_eq!(data, Some(Data::Text(whole)));
}

#[test]
fn a_page_of_long_messages_stops_at_its_bytes_but_has_one_at_least() {
    let mut pair = Pair::new();
    let text = "é".repeat(50_000);
    for _ in 0..20 {
        pair.publish(Draft::text(&text));
    }
    assert_eq!(pair.check_page(&span(1_000, 1 << 20)).messages.len(), 10);
    assert_eq!(pair.check_page(&span(1_000, 1)).messages.len(), 1);
    assert_eq!(pair.check_page(&span(20, 1 << 30)).messages.len(), 20);
    assert_eq!(
        pair.check_page(&span(0, 1 << 30)),
        Page {
            messages: vec![],
            has_more: true
        }
    );
}

#[test]
fn looking_for_names_ends_somewhere() {
    let store = Store::new(Rc::new(Sqlite::new()));
    let named = Message {
        name: "rare".to_owned(),
        ..message(1, "found")
    };
    let mut writes = vec![
        MetaWrite::Begin(beginning()).into(),
        MessageWrite::Create(named).into(),
    ];
    writes.extend((2..=2_001).map(|place| MessageWrite::Create(message(place, "common")).into()));
    store.write(&writes).unwrap();
    let names = ["rare".to_owned()];
    let span = Span {
        names: Some(&names),
        ..span(10, 1_000)
    };
    let page = store.page(epoch(), &span).unwrap();
    assert_eq!(
        (page.messages.len(), page.has_more),
        (0, true),
        "nobody knows what is there"
    );
    store
        .write(&[MessageWrite::Delete {
            place: 2_001,
            version: 2_002,
            is_superseded: false,
            at: 9,
        }
        .into()])
        .unwrap();
    let page = store
        .page(
            epoch(),
            &Span {
                before: 2_001,
                ..span
            },
        )
        .unwrap();
    assert_eq!((page.messages.len(), page.has_more), (1, false));
}

#[test]
fn ids_age_but_those_of_messages_do_not() {
    let mut pair = Pair::new();
    pair.publish(Draft {
        id: Some("kept".to_owned()),
        ..Draft::text("x")
    });
    for index in 0..200 {
        pair.remember(Kind::Append, &format!("id {index}"), 1);
    }
    pair.check();
    let rows = pair.sqlite.rows_written();
    pair.remember(Kind::Append, "one more", 1);
    assert_eq!(pair.sqlite.rows_written() - rows, 2, "one comes, one goes");
}

#[test]
fn an_id_that_is_free_again_stands_for_the_new_message() {
    let mut pair = Pair::new();
    let draft = Draft {
        id: Some("x".to_owned()),
        ..Draft::text("first")
    };
    pair.publish(draft.clone());
    let second = pair.publish(draft);
    pair.check();
    pair.trim(1);
    assert_eq!(
        pair.store.once("ann", Kind::Message, "x", 0),
        Ok(Some(second))
    );
    pair.check();
    pair.trim(2);
    assert_eq!(pair.store.once("ann", Kind::Message, "x", 0), Ok(None));
    pair.check();
}

#[test]
fn the_end_of_the_log_never_moves_back() {
    let mut pair = Pair::new();
    let place = pair.publish(Draft::text("old"));
    pair.publish(Draft::text("new"));
    pair.update(place, Some(Data::Text("other".to_owned())), None);
    pair.trim(2);
    pair.check();
    pair.trim(3);
    pair.check();
    assert_eq!(pair.places(), Vec::<u64>::new());
    assert_eq!(
        pair.store.end(),
        Ok(pair.end),
        "nothing is left but the floor"
    );
}
