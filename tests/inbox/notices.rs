//! P10.2: what the devices of a client are owed, and when it goes out.

use expect_test::expect;
use serde_json::{Value, json};
use sessile::inbox::{Delivered, Grant, Input, Posting};
use sessile::protocol::ids::Timestamp;
use sessile::protocol::inbox::Request;
use sessile::protocol::limits::{DECIDE_MS, Limits, NOTICE_MS, NOTICES_AT_ONCE};
use sessile::store::sql::Sql;

use crate::devices::{USER, ask, request, web};
use crate::world::{NOW, World};

fn world_with(devices: &[&str]) -> World {
    let mut world = World::new(Limits::default());
    for device in devices {
        ask(
            &mut world,
            USER,
            request("PUT", &format!("/{device}"), &web(device)),
        );
    }
    world
}

fn approval(id: &str, more: &Value) -> Value {
    let mut body = json!({
        "id": id, "session": "s1", "kind": "approval", "title": format!("Buy {id}?"),
        "description": "It costs 3.", "createdAt": NOW, "serial": "aaaa00000002",
    });
    let more = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(more);
    body
}

/// News of a session in which the client is away, unless `away` is null.
fn news(place: u64, away: Value, items: &[(Value, bool)]) -> Value {
    let items = items.iter().map(|(body, is_open)| {
        json!({ "kind": 1, "id": body["id"], "isOpen": is_open, "at": NOW, "body": body })
    });
    let items: Vec<Value> = items.collect();
    let open = items.iter().filter(|it| it["isOpen"] == true);
    let open: Vec<Value> = open.map(|it| json!([1, it["id"]])).collect();
    json!({
        "session": "s1", "epoch": "aaaa", "begunAt": 10, "place": place,
        "about": { "id": "s1", "title": "Groceries", "createdAt": 10, "lastActivityAt": 100,
                   "openTurns": 0, "pendingApprovals": open.len() },
        "items": items, "open": open, "away": away,
    })
}

fn ended(turn: &str, place: u64) -> Value {
    json!({ "ended": [{ "turn": turn, "place": place, "at": NOW, "status": "complete" }] })
}

fn away() -> Value {
    json!({})
}

fn posted(world: &mut World) -> Vec<Posting> {
    std::mem::take(&mut world.posted)
}

fn only(world: &mut World) -> Posting {
    let mut posted = posted(world);
    assert_eq!(posted.len(), 1, "{posted:?}");
    posted.remove(0)
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn answered(number: u64, status: u16) -> Delivered {
    Delivered {
        number,
        status,
        retry_after_ms: None,
        is_gone: false,
        reason: None,
    }
}

fn deliver(world: &mut World, now: Timestamp, delivered: Delivered) {
    world.handle(now, Input::Delivered(delivered));
}

#[test]
fn p10_2_the_end_of_an_answer_is_a_notice_for_each_device() {
    let mut world = world_with(&["laptop", "phone"]);
    world.told(news(5, ended("t1", 5), &[]));
    let posted = posted(&mut world);
    assert_eq!(posted.len(), 2);
    let notice = json_of(&posted[0].notice);
    let expected = json!({
        "type": "turn.end", "id": "s1-aaaa00000005", "title": "The answer is ready",
        "body": "Groceries", "session": "s1", "at": NOW, "turn": "t1", "status": "complete",
        "url": "https://host.example/v1/sessions/s1",
    });
    assert_eq!((notice, &posted[0].decide), (expected, &None));
    let options = json!({
        "id": "s1-aaaa00000005", "collapse": "s1/turns", "ttlS": NOTICE_MS / 1000,
        "urgency": "normal",
    });
    assert_eq!(json_of(&posted[0].options), options);
    let endpoint = |posted: &Posting| json_of(&posted.device)["web"]["endpoint"].clone();
    assert_eq!(endpoint(&posted[0]), "https://push.example/laptop");
    assert_eq!(endpoint(&posted[1]), "https://push.example/phone");
}

#[test]
fn p10_2_an_approval_has_buttons_and_a_token_for_them() {
    let mut world = world_with(&["phone"]);
    let asked = approval("a/1", &json!({ "deadlineAt": NOW + 60_000 }));
    world.told(news(5, away(), &[(asked, true)]));
    let delivery = only(&mut world);
    let notice = json_of(&delivery.notice);
    let actions = json!([{ "action": "approve", "title": "Approve" },
                         { "action": "reject", "title": "Reject" }]);
    assert_eq!(
        (&notice["title"], &notice["actions"]),
        (&json!("Buy a/1?"), &actions)
    );
    assert_eq!(notice["body"], "It costs 3.");
    let decide = delivery.decide.unwrap();
    let url = "https://host.example/v1/sessions/s1/approvals/a%2F1/decide";
    assert_eq!(decide.url, url);
    let claims = json_of(&decide.claims);
    assert_eq!(
        claims["decide"],
        json!({ "session": "s1", "approval": "a/1" })
    );
    assert_eq!(
        (&claims["sub"], &claims["exp"]),
        (&json!("ann"), &json!((NOW + 60_000) / 1000))
    );
    let options = json_of(&delivery.options);
    assert_eq!(
        (&options["urgency"], &options["ttlS"]),
        (&json!("high"), &json!(60))
    );
}

#[test]
fn p10_2_a_token_for_buttons_lasts_a_week_at_most() {
    let mut world = world_with(&["phone"]);
    let asked = approval("a", &json!({ "deadlineAt": NOW + 2 * DECIDE_MS as i64 }));
    world.told(news(5, away(), &[(asked, true)]));
    let claims = json_of(&only(&mut world).decide.unwrap().claims);
    assert_eq!(claims["exp"], json!((NOW + DECIDE_MS as i64) / 1000));
}

#[test]
fn p10_2_a_question_has_its_first_three_options_as_buttons() {
    let mut world = world_with(&["phone"]);
    let options: Vec<Value> = ["red", "green", "blue", "grey"]
        .iter()
        .map(|id| json!({ "id": id, "label": format!("In {id}") }))
        .collect();
    let asked = approval("a", &json!({ "kind": "question", "options": options }));
    world.told(news(5, away(), &[(asked, true)]));
    let notice = json_of(&only(&mut world).notice);
    assert_eq!(notice["kind"], "question");
    let actions = notice["actions"].as_array().unwrap();
    let actions: Vec<&Value> = actions.iter().map(|it| &it["action"]).collect();
    assert_eq!(actions, ["red", "green", "blue"]);
}

#[test]
fn p10_2_nobody_is_told_who_is_there_or_was_told_before() {
    let mut world = world_with(&["phone"]);
    let asked = approval("a", &json!({}));
    world.told(news(5, json!(null), &[(asked.clone(), true)]));
    assert_eq!(posted(&mut world), [], "the client is there");
    world.told(news(6, away(), &[(asked.clone(), true)]));
    assert_eq!(posted(&mut world), [], "it was asked before");
    world.told(news(7, ended("t1", 7), &[]));
    let first = only(&mut world);
    world.told(news(7, ended("t1", 7), &[]));
    assert_eq!(posted(&mut world), [], "the same news again");
    deliver(&mut world, NOW, answered(first.number, 201));
    world.sleep();
    world.told(news(8, ended("t1", 7), &[]));
    assert_eq!(posted(&mut world), [], "the same end, after a sleep");
}

#[test]
fn p14_one_telling_makes_so_many_notices() {
    let mut world = world_with(&["phone"]);
    let asked = (0..=NOTICES_AT_ONCE).map(|index| (approval(&index.to_string(), &json!({})), true));
    let asked: Vec<_> = asked.collect();
    world.told(news(5, away(), &asked));
    let (_, said) = ask(&mut world, USER, request("GET", "", &json!(null)));
    assert_eq!(said["pending"], NOTICES_AT_ONCE);
    assert_eq!(
        json_of(&only(&mut world).notice)["approval"],
        "1",
        "the latest ones"
    );
}

#[test]
fn p10_1_a_device_hears_of_sessions_for_which_its_token_had_push() {
    let mut world = World::new(Limits::default());
    let caps = [("s1", "read"), ("s1", "approve"), ("other-*", "user")];
    ask(&mut world, &caps, request("PUT", "/phone", &web("1")));
    world.told(news(5, ended("t1", 5), &[]));
    assert_eq!(posted(&mut world), []);
    let caps = [("s*", "push"), ("*", "read")];
    ask(&mut world, &caps, request("PUT", "/phone", &web("1")));
    world.told(news(6, away(), &[(approval("a", &json!({})), true)]));
    let delivery = only(&mut world);
    assert_eq!(delivery.decide, None, "the token had no approve");
    assert_eq!(json_of(&delivery.notice)["actions"], Value::Null);
}

#[test]
fn p10_2_without_a_device_nothing_is_stored_for_a_notice() {
    let mut world = world_with(&[]);
    world.told(news(4, json!(null), &[]));
    let before = world.sqlite.rows_written();
    world.told(news(5, json!(null), &[]));
    let plain = world.sqlite.rows_written() - before;
    world.told(news(6, ended("t1", 6), &[]));
    assert_eq!(world.sqlite.rows_written() - before, 2 * plain);
    assert_eq!((posted(&mut world), world.deadline()), (Vec::new(), None));
}

#[test]
fn p10_2_a_notice_costs_two_rows_and_then_nothing_is_left() {
    let mut world = world_with(&["phone"]);
    world.told(news(4, away(), &[]));
    // The first one makes the table.
    world.told(news(5, ended("t0", 5), &[]));
    let first = only(&mut world);
    deliver(&mut world, NOW, answered(first.number, 201));
    let before = world.sqlite.rows_written();
    world.told(news(6, ended("t1", 6), &[]));
    let delivery = only(&mut world);
    assert!(world.deadline().is_some());
    deliver(&mut world, NOW, answered(delivery.number, 201));
    assert_eq!(
        world.sqlite.rows_written() - before,
        3,
        "the session's item is one"
    );
    assert_eq!(world.deadline(), None);
}

#[test]
fn p10_2_a_service_that_is_busy_is_asked_again_when_it_says() {
    let mut world = world_with(&["phone"]);
    world.told(news(5, ended("t1", 5), &[]));
    let first = only(&mut world);
    let busy = Delivered {
        retry_after_ms: Some(90_000),
        ..answered(first.number, 429)
    };
    deliver(&mut world, NOW, busy);
    assert_eq!(world.deadline(), Some(NOW + 90_000));
    world.sleep();
    world.handle(NOW + 89_999, Input::Deadline);
    assert_eq!(posted(&mut world), []);
    world.handle(NOW + 90_000, Input::Deadline);
    let again = only(&mut world);
    assert_eq!((again.number, &again.notice), (first.number, &first.notice));
}

#[test]
fn p10_2_a_device_that_is_gone_is_removed_with_all_it_is_owed() {
    let mut world = world_with(&["laptop", "phone"]);
    world.told(news(5, ended("t1", 5), &[]));
    world.told(news(6, away(), &[(approval("a", &json!({})), true)]));
    let laptop = posted(&mut world).remove(0);
    let gone = Delivered {
        is_gone: true,
        ..answered(laptop.number, 410)
    };
    deliver(&mut world, NOW, gone);
    let (_, said) = ask(&mut world, USER, request("GET", "", &json!(null)));
    let devices = said["devices"].as_array().unwrap();
    assert_eq!((devices.len(), &devices[0]["id"]), (1, &json!("phone")));
    assert_eq!((&said["pending"], &said["dead"]), (&json!(2), &json!([])));
}

#[test]
fn p10_2_a_newer_notice_takes_the_place_of_one_that_waits() {
    let mut world = world_with(&["phone"]);
    world.told(news(5, ended("t1", 5), &[]));
    let first = only(&mut world);
    deliver(&mut world, NOW, answered(first.number, 503));
    world.told(news(6, ended("t2", 6), &[]));
    assert_eq!(posted(&mut world), [], "it waits as long");
    world.sleep();
    world.handle(NOW + 500, Input::Deadline);
    assert_eq!(posted(&mut world), []);
    world.handle(NOW + 60_000, Input::Deadline);
    let next = only(&mut world);
    assert_eq!(json_of(&next.notice)["turn"], "t2");
    let (_, said) = ask(&mut world, USER, request("GET", "", &json!(null)));
    assert_eq!(said["pending"], 1);
}

#[test]
fn p10_2_a_stale_notice_is_dropped() {
    let mut world = world_with(&["phone"]);
    let asked = approval("a", &json!({ "deadlineAt": NOW + 60_000 }));
    world.told(news(5, away(), &[(asked.clone(), true)]));
    let first = only(&mut world);
    deliver(&mut world, NOW, answered(first.number, 503));
    // It is decided meanwhile.
    world.told(news(6, away(), &[(asked, false)]));
    world.handle(NOW + 30_000, Input::Deadline);
    assert_eq!((posted(&mut world), world.deadline()), (Vec::new(), None));
    // Another one's time passes.
    let asked = approval("b", &json!({ "deadlineAt": NOW + 60_000 }));
    world.told(news(7, away(), &[(asked, true)]));
    let second = only(&mut world);
    deliver(&mut world, NOW + 50_000, answered(second.number, 503));
    world.handle(NOW + 60_000, Input::Deadline);
    assert_eq!((posted(&mut world), world.deadline()), (Vec::new(), None));
}

#[test]
fn p10_2_a_process_that_died_is_made_up_for_under_the_same_id() {
    let mut world = world_with(&["phone"]);
    world.told(news(5, ended("t1", 5), &[]));
    let first = only(&mut world);
    world.sleep();
    world.handle(NOW + 1, Input::Deadline);
    let again = only(&mut world);
    assert!(again.options.contains("s1-aaaa00000005"));
    assert_eq!(again.number, first.number);
    deliver(&mut world, NOW + 2, answered(again.number, 201));
    world.sleep();
    world.handle(NOW + 3, Input::Deadline);
    assert_eq!(posted(&mut world), []);
}

#[test]
fn p10_1_a_notice_that_fails_is_listed_with_its_reason_and_its_next_try() {
    let mut world = world_with(&["phone"]);
    world.told(news(5, ended("t1", 5), &[]));
    let delivery = only(&mut world);
    deliver(&mut world, NOW, answered(delivery.number, 503));
    let due_at = world.deadline();
    let (_, said) = ask(&mut world, USER, request("GET", "", &json!(null)));
    let failing = json!([{
        "id": "s1-aaaa00000005", "device": "phone", "attempts": 1, "createdAt": NOW,
        "dueAt": due_at, "reason": "it answered 503",
    }]);
    assert_eq!((&said["pending"], &said["failing"]), (&json!(1), &failing));
    assert_eq!(said["dead"], json!([]));
}

#[test]
fn p11_4_a_notice_that_is_refused_is_a_dead_letter_by_name() {
    let mut world = world_with(&["phone"]);
    world.told(news(5, ended("t1", 5), &[]));
    let delivery = only(&mut world);
    let refused = Delivered {
        reason: Some("the notification is too large".to_owned()),
        ..answered(delivery.number, 413)
    };
    deliver(&mut world, NOW, refused);
    let (_, said) = ask(&mut world, USER, request("GET", "", &json!(null)));
    let dead = json!([{
        "id": "s1-aaaa00000005", "device": "phone", "attempts": 1, "createdAt": NOW,
        "deadAt": NOW, "reason": "it answered 413: the notification is too large",
    }]);
    assert_eq!((&said["pending"], &said["dead"]), (&json!(0), &dead));
}

#[test]
fn p10_2_the_words_of_an_agent_reach_each_device() {
    let mut world = world_with(&["phone"]);
    let said = json!({
        "session": "s1", "id": "s1-aaaa00000002-7", "at": NOW, "title": "Found it",
        "body": "The keys.", "data": { "page": 3 },
    });
    let request = || Request::Said(Box::new(serde_json::from_str(&said.to_string()).unwrap()));
    let sender = Grant::of_session();
    let answer = world.handle(
        NOW,
        Input::Request {
            sender: sender.clone(),
            request: request(),
        },
    );
    assert_eq!(answer, [json!([200, {}])]);
    let delivery = only(&mut world);
    let notice = json_of(&delivery.notice);
    assert_eq!(
        (&notice["type"], &notice["title"]),
        (&json!("notify"), &json!("Found it"))
    );
    assert_eq!(
        (&notice["body"], &notice["data"]["page"]),
        (&json!("The keys."), &json!(3))
    );
    // The answer is lost, and the session says it again while it waits.
    deliver(&mut world, NOW, answered(delivery.number, 503));
    world.handle(
        NOW,
        Input::Request {
            sender,
            request: request(),
        },
    );
    let (_, said) = ask(
        &mut world,
        USER,
        crate::devices::request("GET", "", &json!(null)),
    );
    assert_eq!(said["pending"], 1);
}

/// The rows of a device and of what it is owed, as they are kept.
#[test]
fn rows_are_kept_as_they_are() {
    let mut world = world_with(&["phone"]);
    let asked = approval("a", &json!({ "deadlineAt": NOW + 60_000 }));
    world.told(news(5, away(), &[(asked, true)]));
    let rows = |table: &str| {
        let all = format!("SELECT * FROM {table}");
        let rows = world.sqlite.query(&all, &[]).unwrap();
        let text = |value: &Value| match value {
            Value::String(text) => text.replace(",\"", ",\n  \""),
            other => other.to_string(),
        };
        let row = |row: &Vec<_>| {
            let cells = row.iter().map(|cell| text(&json!(cell)));
            cells.collect::<Vec<_>>().join("\n")
        };
        rows.iter().map(row).collect::<Vec<_>>().join("\n\n")
    };
    expect![[r#"
        phone
        1000000
        web
        https://push.example/phone
        {"web":{"endpoint":"https://push.example/phone",
          "keys":{"auth":"secret",
          "p256dh":"BPoint"}}}
        [{"p":"*",
          "o":1152,
          "r":"user"}]
        https://host.example"#]]
    .assert_eq(&rows("device"));
    expect![[r#"
        1024000000
        4
        phone
        0
        1000000
        1000000
        null
        null
        s1-aaaa00000002
        {"notice":{"type":"approval.request",
          "id":"s1-aaaa00000002",
          "title":"Buy a?",
          "body":"It costs 3.",
          "session":"s1",
          "at":1000000,
          "approval":"a",
          "kind":"approval",
          "actions":[{"action":"approve",
          "title":"Approve"},{"action":"reject",
          "title":"Reject"}]},
          "session":"s1",
          "approval":"a",
          "decides":true,
          "collapse":"s1/approvals/a",
          "until":1060000}
        null
        0"#]]
    .assert_eq(&rows("delivery"));
}
