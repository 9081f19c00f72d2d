//! P15: what sessions tell an inbox, and what it shows of that.

use serde_json::{Value, json};
use sessile::protocol::inbox::Request;
use sessile::protocol::limits::{INBOX_BATCH, INBOX_LIST, INBOX_SETTLED, Limits};
use sessile::protocol::news::ItemKind;

use crate::world::{LATER, World, grant};

/// The news of a session in its first life, up to a place, with approvals that changed and those
/// that wait.
fn news(session: &str, place: u64, changed: &[(&str, bool)], open: &[&str]) -> Value {
    let items = changed.iter().map(|(id, is_open)| {
        json!({ "kind": 1, "id": id, "isOpen": is_open, "at": 50,
                "body": { "id": id, "session": session, "isOpen": is_open } })
    });
    let open: Vec<Value> = open.iter().map(|id| json!([1, id])).collect();
    json!({
        "session": session, "epoch": "aaaa", "begunAt": 10, "place": place,
        "about": { "id": session, "createdAt": 10, "lastActivityAt": 100 + place,
                   "openTurns": 0, "pendingApprovals": open.len() },
        "items": items.collect::<Vec<_>>(), "open": open,
    })
}

fn gone(session: &str, epoch: &str, place: u64) -> Value {
    json!({ "session": session, "epoch": epoch, "begunAt": 10, "place": place, "about": null })
}

/// P15.2: a reader gets each change whole, and what leaves as gone.
#[test]
fn p15_2_readers_hear_of_every_change() {
    let mut world = World::new(Limits::default());
    world.open("c1", "ann");
    let said = world.told(news("s1", 3, &[("a", true), ("b", true)], &["a", "b"]));
    let frames = said[0].as_array().unwrap();
    let types: Vec<_> = frames
        .iter()
        .map(|it| it["type"].as_str().unwrap())
        .collect();
    assert_eq!(types, ["inbox.session", "inbox.approval", "inbox.approval"]);
    assert_eq!(frames[0]["session"]["pendingApprovals"], 2);
    assert_eq!(frames[1]["approval"]["id"], "a");
    assert_eq!(said[1], 200);
    // One is decided; of the other it was not told how it ended.
    let said = world.told(news("s1", 9, &[("a", false)], &[]));
    let frames = said[0].as_array().unwrap();
    assert_eq!(frames[1]["approval"]["isOpen"], false);
    assert_eq!(
        frames[2]["approval"],
        json!({ "id": "b", "session": "s1", "gone": true })
    );
    assert_eq!(
        world.pages(ItemKind::Approval, false, 10),
        Vec::<String>::new()
    );
    assert_eq!(world.pages(ItemKind::Approval, true, 10), ["a"]);
    let said = world.told(gone("s1", "aaaa", 0xffff_ffff));
    let frames = said[0].as_array().unwrap();
    assert_eq!(frames[0]["session"], json!({ "id": "s1", "gone": true }));
    assert_eq!(frames.len(), 2, "and the settled approval");
    assert_eq!(
        world.pages(ItemKind::Session, false, 10),
        Vec::<String>::new()
    );
}

/// P15: a request and its decision cost two rows each.
#[test]
fn news_costs_a_row_for_each_item_that_changed() {
    let mut world = World::new(Limits::default());
    world.told(news("s0", 1, &[], &[]));
    let before = world.sqlite.rows_written();
    world.told(news("s1", 3, &[("a", true)], &["a"]));
    world.told(news("s1", 5, &[("a", false)], &[]));
    assert_eq!(world.sqlite.rows_written() - before, 4);
    world.told(news("s1", 5, &[("a", false)], &[]));
    assert_eq!(
        world.sqlite.rows_written() - before,
        4,
        "a repeat costs nothing"
    );
}

/// Each place of a life counts once, and a life that ended does not come back.
#[test]
fn late_news_changes_nothing() {
    let mut world = World::new(Limits::default());
    world.told(news("s1", 5, &[("a", false)], &[]));
    assert_eq!(
        world.told(news("s1", 4, &[("a", true)], &["a"])),
        [json!(200)]
    );
    assert_eq!(
        world.pages(ItemKind::Approval, false, 10),
        Vec::<String>::new()
    );
    world.told(gone("s1", "aaaa", 0xffff_ffff));
    world.told(news("s1", 7, &[("a", true)], &["a"]));
    assert_eq!(
        world.pages(ItemKind::Session, false, 10),
        Vec::<String>::new()
    );
    let mut later = news("s1", 1, &[("a", true)], &["a"]);
    later["epoch"] = json!("bbbb");
    world.told(later);
    assert_eq!(world.pages(ItemKind::Approval, false, 10), ["a"]);
    world.told(gone("s1", "aaaa", 0xffff_ffff));
    assert_eq!(
        world.pages(ItemKind::Session, false, 10),
        ["s1"],
        "it is another life"
    );
}

/// A session that told it no more may tell it again, from a later place.
#[test]
fn a_session_that_left_comes_back_later() {
    let mut world = World::new(Limits::default());
    world.told(news("s1", 5, &[], &[]));
    world.told(gone("s1", "aaaa", 5));
    assert_eq!(world.told(news("s1", 5, &[], &[])), [json!(200)]);
    assert_eq!(
        world.pages(ItemKind::Session, false, 10),
        Vec::<String>::new()
    );
    world.told(news("s1", 6, &[], &[]));
    assert_eq!(world.pages(ItemKind::Session, false, 10), ["s1"]);
}

/// P15.1: only what the token may read now, in lists, live and on resuming.
#[test]
fn only_sessions_that_the_token_may_read_are_shown() {
    let mut world = World::new(Limits::default());
    world.open_since("all", "ann", &[("*", "read")], None);
    world.open_since("own", "ann", &[("own-*", "read"), ("*", "publish")], None);
    let said = world.told(news("other", 1, &[("a", true)], &["a"]));
    assert_eq!(said.len(), 2, "one reader is told");
    world.told(news("own-1", 1, &[("b", true)], &["b"]));
    let seen = world.read(&[("own-*", "read")], Request::Read);
    assert_eq!(seen["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(seen["approvals"][0]["id"], "b");
    let said = world.renew("own", Ok(grant("ann", LATER, &[("other", "read")])));
    assert_eq!(said, Vec::<Value>::new());
    world.sleep();
    assert_eq!(
        world.told(news("own-1", 2, &[], &["b"])).len(),
        2,
        "all alone is told"
    );
    assert_eq!(
        world.told(news("other", 2, &[], &["a"])).len(),
        2,
        "both, in one text"
    );
}

/// P15.1: in a role's inbox only the sessions in which the token has that role.
#[test]
fn a_role_counts_where_the_token_says_it() {
    let mut world = World::named("role:supervisor", Limits::default());
    world.told(news("a1", 1, &[], &[]));
    world.told(news("b1", 1, &[], &[]));
    let caps = [("a*", "supervisor"), ("b*", "user")];
    let seen = world.read(&caps, Request::Read);
    let sessions = seen["sessions"].as_array().unwrap();
    assert_eq!((sessions.len(), &sessions[0]["id"]), (1, &json!("a1")));
}

/// P15.2: `since` resumes with what changed, and with everything where that is not known.
#[test]
fn p15_2_a_reader_resumes_after_its_position() {
    let mut world = World::new(Limits::default());
    world.told(news("s1", 1, &[("a", true)], &["a"]));
    let since = world.serial();
    world.told(news("s2", 1, &[], &[]));
    world.told(news("s1", 2, &[], &[]));
    world.sleep();
    let since = format!("zzzz00000001,{}", since.as_str().unwrap());
    let said = world.open_since("c1", "ann", &[("*", "read")], Some(&since));
    assert_eq!(
        (&said[0]["resumed"], &said[0]["sessions"]),
        (&json!(true), &Value::Null)
    );
    let missed: Vec<_> = said[1].as_array().unwrap().iter().collect();
    assert_eq!(missed.len(), 3);
    assert_eq!(missed[0]["session"]["id"], "s2");
    assert_eq!(missed[1]["session"]["id"], "s1");
    assert_eq!(missed[2]["approval"]["gone"], true);
    let now = said[0]["serial"].as_str().unwrap();
    let said = world.open_since("c2", "ann", &[("*", "read")], Some(now));
    assert_eq!(said.len(), 1, "nothing was missed");
    for unknown in ["zzzz00000001", "nonsense", "zzzzffffffff"] {
        let said = world.open_since(unknown, "ann", &[("*", "read")], Some(unknown));
        assert_eq!(said[0]["resumed"], false, "{unknown}");
        assert_eq!(said[0]["sessions"].as_array().unwrap().len(), 2);
    }
}

/// The news of a session in which these inputs wait, each since that time.
fn working(session: &str, place: u64, work: &[(&str, u64, i64)]) -> Value {
    let items = work.iter().map(|(id, attempt, at)| {
        let body = json!({ "id": id, "session": session, "attempt": attempt, "at": at });
        json!({ "kind": 3, "id": id, "isOpen": true, "at": at, "body": body })
    });
    let open: Vec<Value> = work.iter().map(|(id, _, _)| json!([3, id])).collect();
    let mut news = news(session, place, &[], &[]);
    news["items"] = items.collect();
    news["open"] = json!(open);
    news
}

/// P15.3: an input is there until somebody begins with it, and again with the next attempt.
#[test]
fn p15_3_work_comes_goes_and_comes_back() {
    let mut world = World::new(Limits::default());
    world.open("c1", "ann");
    let said = world.told(working("s1", 3, &[("w1", 1, 50)]));
    let frame = &said[0][1];
    assert_eq!(frame["type"], "inbox.work");
    assert_eq!(frame["work"]["attempt"], 1);
    let since = world.serial();
    let said = world.told(working("s1", 4, &[]));
    let left = json!({ "id": "w1", "session": "s1", "gone": true });
    assert_eq!(said[0][1]["work"], left);
    let read = world.read(&[("*", "read")], Request::Read);
    assert_eq!(read["work"], json!([]));
    let said = world.told(working("s1", 5, &[("w1", 2, 90)]));
    assert_eq!(said[0][1]["work"]["attempt"], 2);
    let said = world.open_since("c2", "ann", &[("*", "read")], since.as_str());
    assert_eq!(said[1][1]["work"]["attempt"], 2, "what it missed");
    let said = world.told(gone("s1", "aaaa", 0xffff_ffff));
    assert_eq!(said[0][1]["work"], left, "with its session");
}

/// P15.3: work is listed in the order in which it came, the rest of a long list behind `next`.
#[test]
fn p15_3_the_oldest_work_is_first() {
    let mut world = World::new(Limits::default());
    let most = INBOX_LIST + 5;
    for session in 0..7 {
        let own = (0..most).filter(|it| it % 7 == session);
        let own: Vec<_> = own
            .map(|it| (format!("w{it}"), 5_000 - it as i64))
            .collect();
        let own: Vec<_> = own.iter().map(|(id, at)| (id.as_str(), 1, *at)).collect();
        world.told(working(&format!("s{session}"), 1, &own));
    }
    let read = world.read(&[("*", "read")], Request::Read);
    let listed = read["work"].as_array().unwrap();
    assert_eq!(listed.len(), INBOX_LIST);
    assert_eq!(listed[0]["id"], format!("w{}", most - 1));
    assert!(listed.is_sorted_by_key(|it| it["at"].as_i64()));
    assert!(read["next"]["work"].is_string());
    assert!(read["next"]["approvals"].is_null());
}

/// P11.3: the newest activity first, each once, however small the pages.
#[test]
fn p11_3_lists_are_paged() {
    let mut world = World::new(Limits::default());
    for index in 0..250_u64 {
        let session = format!("s{index}");
        let id = format!("a/{index}");
        world.told(news(&session, index / 2 + 1, &[(&id, true)], &[&id]));
    }
    world.sleep();
    for limit in [7, 100, 1_000] {
        let ids = world.pages(ItemKind::Session, false, limit);
        assert_eq!((ids.len(), ids[0].as_str()), (250, "s248"), "{limit}");
        let mut approvals = world.pages(ItemKind::Approval, false, limit);
        approvals.sort();
        approvals.dedup();
        assert_eq!(approvals.len(), 250, "{limit}");
    }
}

/// Settled items are forgotten in batches, and a reader that was away for longer gets everything.
#[test]
fn settled_items_are_forgotten_in_batches() {
    let mut world = World::new(Limits::default());
    world.told(news("s1", 1, &[], &[]));
    let since = world.serial();
    let most = INBOX_SETTLED + INBOX_BATCH;
    for index in 0..=most {
        let id = format!("a{index}");
        world.told(news("s1", index as u64 + 2, &[(&id, false)], &[]));
    }
    let kept = world.pages(ItemKind::Approval, true, 1_000);
    assert!(
        kept.len() < most && INBOX_SETTLED <= kept.len(),
        "{}",
        kept.len()
    );
    world.sleep();
    let said = world.open_since("c1", "ann", &[("*", "read")], since.as_str());
    assert_eq!(said[0]["resumed"], false);
}
