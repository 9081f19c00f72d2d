//! P15.1: the inbox of a client and that of its role, as one.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use sessile::protocol::inbox::Cursor;
use sessile::protocol::inbox_merge::{
    First, Part, merged_contents, merged_first, merged_parts, placed,
};
use sessile::protocol::news::ItemKind;

/// A session as it is listed.
fn item(id: u8, at: u8) -> Box<RawValue> {
    to_raw_value(&json!({ "id": format!("s{id}"), "lastActivityAt": at })).unwrap()
}

/// A list of an inbox: each session once, the newest first.
fn listed(sessions: &[(u8, u8)]) -> Vec<(Cursor, Box<RawValue>)> {
    let place = |(id, at): &(u8, u8)| Cursor {
        at: i64::from(*at),
        session: format!("s{id}"),
        id: String::new(),
    };
    let mut all: Vec<_> = sessions
        .iter()
        .map(|it| (place(it), item(it.0, it.1)))
        .collect();
    all.sort_by(|a, b| a.0.order(&b.0));
    all
}

/// A page of it after a cursor.
fn page(all: &[(Cursor, Box<RawValue>)], cursor: Option<&str>, limit: usize) -> Part {
    let cursor = cursor.map(|text| Cursor::parse(text).unwrap());
    let is_after = |place: &Cursor| cursor.as_ref().is_none_or(|it| it.order(place).is_lt());
    let after: Vec<_> = all.iter().filter(|(place, _)| is_after(place)).collect();
    let page = &after[..limit.min(after.len())];
    let next = (page.len() < after.len()).then(|| page.last().unwrap().0.text());
    (page.iter().map(|(_, item)| item.clone()).collect(), next)
}

fn ids(part: &[Box<RawValue>]) -> Vec<String> {
    let id = |item: &RawValue| {
        let item: Value = serde_json::from_str(item.get()).unwrap();
        item["id"].as_str().unwrap().to_owned()
    };
    part.iter().map(|item| id(item)).collect()
}

proptest! {
    #[test]
    fn every_item_of_either_is_in_one_page(
        own: std::collections::BTreeMap<u8, u8>,
        extra: std::collections::BTreeMap<u8, u8>,
        limits in (1_usize..9, 1_usize..9),
        limit in 1_usize..9,
    ) {
    // Both know a session alike.
        let role: Vec<_> = extra.iter().map(|(id, at)| (*id, *own.get(id).unwrap_or(at))).collect();
        let own: Vec<_> = own.into_iter().collect();
        let [own_list, role_list] = [&own, &role].map(|it| listed(it));
        let (mut found, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let own = page(&own_list, cursor.as_deref(), limits.0);
            let role = page(&role_list, cursor.as_deref(), limits.1);
            let (items, next) = merged_parts(ItemKind::Session, own, role, limit);
            prop_assert!(items.len() <= limit && (next.is_none() || !items.is_empty()));
            found.extend(ids(&items));
            let Some(next) = next else { break };
            cursor = Some(next);
        }
        let mut both = own;
        both.extend(role);
        both.sort_unstable();
        both.dedup();
        let wanted: Vec<_> = listed(&both).into_iter().map(|(_, item)| item).collect();
        prop_assert_eq!(found, ids(&wanted));
    }
}

#[test]
fn both_inboxes_are_one_answer() {
    let own = json!({ "sessions": [{ "id": "a", "lastActivityAt": 1 }], "approvals": [],
                      "calls": [], "work": [{ "id": "w", "session": "a", "at": 1 }],
                      "next": { "work": "1/a/w" }, "serial": "aaaa00000001" });
    let role = json!({ "sessions": [{ "id": "b", "lastActivityAt": 2 },
                                    { "id": "a", "lastActivityAt": 1 }],
                       "approvals": [{ "id": "q", "session": "b", "createdAt": 5 }],
                       "calls": [], "work": [], "serial": "bbbb00000002" });
    let merged = merged_contents(&own.to_string(), &role.to_string()).unwrap();
    let merged: Value = serde_json::from_str(&merged).unwrap();
    assert_eq!(merged["serial"], "aaaa00000001,bbbb00000002");
    assert_eq!(merged["sessions"][0]["id"], "b");
    assert_eq!(merged["sessions"].as_array().unwrap().len(), 2);
    assert_eq!(merged["approvals"][0]["id"], "q");
    assert_eq!(merged["work"][0]["id"], "w");
    assert_eq!(merged["next"]["work"], "1/a/w");
}

/// P9.5: a session is as the inbox has it that heard more, with the number of the client's own.
#[test]
fn a_session_of_both_has_the_clients_own_number() {
    for (own_at, role_at) in [(1, 2), (2, 2), (2, 1)] {
        let own = json!({ "id": "s1", "lastActivityAt": own_at, "unread": 7 });
        let role = json!({ "id": "s1", "lastActivityAt": role_at });
        let part = |item: Value| (vec![to_raw_value(&item).unwrap()], None);
        let (merged, _) = merged_parts(ItemKind::Session, part(own), part(role), 9);
        let merged: Vec<Value> = merged
            .iter()
            .map(|item| serde_json::from_str(item.get()).unwrap())
            .collect();
        let newest = own_at.max(role_at);
        assert_eq!(
            merged,
            [json!({ "id": "s1", "lastActivityAt": newest, "unread": 7 })]
        );
    }
}

#[test]
fn both_connections_are_one() {
    let first = |inbox: &str, resumed: bool, serial: &str| {
        format!(
            r#"{{"type":"inbox","inbox":"{inbox}","resumed":{resumed},"serial":"{serial}"{}}}"#,
            match resumed {
                true => "",
                false => r#","sessions":[],"approvals":[],"calls":[],"work":[]"#,
            }
        )
    };
    let (own, role) = ("aaaa00000001", "bbbb00000002");
    for resumed in [true, false] {
        let merged = merged_first(
            &first("client:ann", resumed, own),
            &first("role:x", resumed, role),
        );
        let First::Merged(frame, mut serials) = merged else {
            panic!("{merged:?}")
        };
        let frame: Value = serde_json::from_str(&frame).unwrap();
        assert_eq!(
            (&frame["inbox"], &frame["resumed"]),
            (&json!("client:ann"), &json!(resumed))
        );
        assert_eq!(frame["serial"], "aaaa00000001,bbbb00000002");
        assert_eq!(frame["sessions"].is_array(), !resumed);
        let change = r#"{"type":"inbox.session","serial":"bbbb00000007","session":{"id":"s"}}"#;
        let change: Value = serde_json::from_str(&placed(change, &mut serials, 1)).unwrap();
        assert_eq!(change["serial"], "aaaa00000001,bbbb00000007");
        let ack = r#"{"type":"ack","ref":1,"result":{}}"#;
        assert_eq!(placed(ack, &mut serials, 0), ack);
    }
    let apart = merged_first(&first("a", true, own), &first("b", false, role));
    assert!(matches!(apart, First::Apart));
    let nack = r#"{"type":"nack","ref":null,"error":{"code":"over-limit"}}"#;
    let refused = merged_first(&first("a", true, own), nack);
    assert!(matches!(refused, First::Other));
}
