//! The log as a record (P11.4).

use std::rc::Rc;

use expect_test::expect;
use sessile::protocol::data::Data;
use sessile::protocol::message::Status;
use sessile::store::{Logged, Store};

use crate::golden;
use crate::model::{Draft, Pair, epoch};
use crate::sqlite::Sqlite;

fn shown(entry: &Logged) -> String {
    let names = [
        entry.client.clone(),
        entry.message.map(|place| format!("message {place}")),
        entry.turn.as_ref().map(|id| format!("turn {id}")),
        entry.approval.as_ref().map(|id| format!("approval {id}")),
        entry.call.as_ref().map(|id| format!("call {id}")),
        entry.bytes.map(|bytes| format!("{bytes} bytes")),
    ];
    let names: Vec<String> = names.into_iter().flatten().collect();
    format!(
        "{} {} at {}: {}\n",
        entry.place,
        entry.what,
        entry.at,
        names.join(", ")
    )
}

/// The pages of so many entries, one after the other.
fn paged(store: &Store, limit: usize) -> Vec<Logged> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let (page, has_more) = store.logged(epoch(), after, limit).unwrap();
        assert!(
            !has_more || page.len() == limit,
            "a page is full, or the last"
        );
        after = page.last().map_or(after, |entry| entry.place);
        all.extend(page);
        if !has_more {
            return all;
        }
    }
}

#[test]
fn p11_4_every_kind_of_entry_is_in_the_log() {
    let store = Store::new(Rc::new(Sqlite::new()));
    for writes in golden::writes() {
        store.write(&writes).unwrap();
    }
    let all = paged(&store, 1_000);
    for limit in [1, 2, 7] {
        assert_eq!(paged(&store, limit), all, "in pages of {limit}");
    }
    let lines: String = all.iter().map(shown).collect();
    expect![[r#"
        1 message.create at 1: ann, 2 bytes
        2 message.create at 2: ann, 14 bytes
        3 message.create at 3: ann, turn t20, 37 bytes
        7 message.create at 7: ann, turn t20, 2 bytes
        8 message.update at 8: ann, message 7
        9 message.create at 9: ann, turn t20, 2 bytes
        10 message.close at 10: ann, message 9
        11 message.create at 11: ann, turn t20, 2 bytes
        12 message.close at 12: ann, message 11
        13 message.create at 13: ann, 2 bytes
        14 message.update at 14: message 13
        15 message.create at 15: ann, 0 bytes
        16 message.delete at 16: ann, message 15
        17 message.create at 17: ann, 0 bytes
        18 message.delete at 18: ann, message 17
        20 turn.start at 9: bot, turn t20
        21 turn.suspend at 9: bot, turn t21
        22 turn.resume at 9: bot, turn t22
        23 turn.queue at 9: bot, turn t23
        24 turn.adopt at 9: bot, turn t24
        25 turn.end at 9: bot, turn t25
        26 turn.cancel at 9: bot, turn t26
        27 turn.steer at 9: bot, turn t27
        28 turn.usage at 9: bot, turn t28
        40 approval.request at 9: bot, turn t20, approval a40
        41 approval.request at 9: bot, turn t20, approval a41
        42 approval.decide at 12: bot, approval a41
        60 tool.call at 9: bot, turn t20, call c60
        61 tool.call at 9: bot, turn t20, call c61
        62 tool.result at 12: bot, call c61
        8000002 state.change at 40: ann, 43 bytes
        8000003 state.change at 40: ann, 43 bytes
        9000001 lead.take at 13: sue
        9000002 lead.return at 16: sue
        9000003 grant.revoke at 18: sue
    "#]]
    .assert_eq(&lines);
}

#[test]
fn p11_4_the_appends_of_a_message_are_with_it() {
    let mut pair = Pair::new();
    let place = pair.publish(Draft::streaming("one"));
    let other = pair.publish(Draft::text("other"));
    for _ in 0..40 {
        pair.append(place, &"x".repeat(200), None);
    }
    let created = |pair: &Pair| {
        let (page, _) = pair.store.logged(epoch(), 0, 10).unwrap();
        let streamed = page.into_iter().find(|entry| entry.place == place).unwrap();
        (streamed.bytes.unwrap(), *streamed.created.unwrap())
    };
    let (bytes, message) = created(&pair);
    assert_eq!((bytes, message.version), (8_003, epoch().at(other + 40)));
    assert_eq!(message.status, Some(Status::Streaming));
    pair.append(place, "", Some(Status::Complete));
    let (bytes, message) = created(&pair);
    assert_eq!((bytes, message.version), (8_003, epoch().at(other + 41)));
    let (page, _) = pair.store.logged(epoch(), other, 10).unwrap();
    let ends: Vec<_> = page
        .iter()
        .map(|entry| (entry.what, entry.message))
        .collect();
    assert_eq!(ends, [("message.close", Some(place))]);
    pair.update(other, Some(Data::Text("another".to_owned())), None);
    let (page, _) = pair.store.logged(epoch(), other - 1, 1).unwrap();
    assert_eq!(page[0].bytes, Some(7));
}
