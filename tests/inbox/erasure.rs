//! P11.10: the erasure of a client, by its own inbox; and bytes that are overwritten.

use serde_json::{Value, json};
use sessile::inbox::{Delivered, Grant, Input, Revoking};
use sessile::protocol::erasure::{ERASURE_KEPT_MS, ERASURE_MS, SCRUB_MS};
use sessile::protocol::ids::Timestamp;
use sessile::protocol::inbox::Request;
use sessile::protocol::limits::Limits;
use sessile::protocol::revocation::Revocation;
use sessile::protocol::serial::PLACE_MAX;

use crate::devices::{USER, ask, request, web};
use crate::sqlite::Sqlite;
use crate::world::{NOW, World};

fn told(world: &mut World, now: Timestamp, request: Request) -> Value {
    let sender = Grant::of_session();
    let mut said = world.handle(now, Input::Request { sender, request });
    said.pop().unwrap()
}

/// A session tells that the client came to it.
pub(crate) fn came(world: &mut World, session: &str) {
    let contact = Revocation {
        session: Some(session.to_owned()),
        before: i64::MAX,
        ..Revocation::default()
    };
    assert_eq!(told(world, NOW, Request::Contact(contact))[0], 200);
}

pub(crate) fn erase(world: &mut World, now: Timestamp) -> Value {
    told(world, now, Request::Erase { begins: true })
}

pub(crate) fn report(world: &mut World, now: Timestamp) -> Value {
    told(world, now, Request::Erase { begins: false })[1].clone()
}

/// The calls that are made, by the name of the object.
fn calls(world: &mut World) -> Vec<Revoking> {
    std::mem::take(&mut world.revoking)
}

pub(crate) fn end(world: &mut World, now: Timestamp, call: &Revoking, status: u16) -> Vec<Value> {
    let delivered = Delivered {
        number: call.number,
        status,
        retry_after_ms: None,
        is_gone: false,
        reason: None,
    };
    world.handle(now, Input::Delivered(delivered))
}

/// Answers every call, and rings whenever something is due, until nothing is for a while.
fn rest(world: &mut World) -> Timestamp {
    let mut now = NOW;
    loop {
        for call in calls(world) {
            end(world, now, &call, 200);
        }
        match world.deadline() {
            Some(at) if at < NOW + 10 * i64::try_from(ERASURE_MS).unwrap() => {
                now = now.max(at);
                world.handle(now, Input::Deadline);
            }
            _ if world.revoking.is_empty() => return now,
            _ => {}
        }
    }
}

fn news(session: &str, place: u64, title: Option<&str>) -> Value {
    let about = title.map(|title| {
        json!({ "id": session, "title": title, "createdAt": 1, "lastActivityAt": 5,
            "openTurns": 0, "pendingApprovals": 0 })
    });
    json!({ "session": session, "epoch": "aaaa", "begunAt": 1, "place": place,
        "about": about, "items": [], "open": [] })
}

#[test]
fn p11_10_all_sessions_go_and_the_inbox_after_them() {
    let mut world = World::new(Limits::default());
    came(&mut world, "s1");
    came(&mut world, "s2");
    ask(&mut world, USER, request("PUT", "/phone", &web("a")));
    assert_eq!(report(&mut world, NOW)["state"], "none");
    assert_eq!(report(&mut world, NOW)["sessions"], 2);
    let begun = erase(&mut world, NOW);
    assert_eq!(
        (&begun[0], &begun[1]["state"]),
        (&json!(202), &json!("erasing"))
    );
    assert_eq!(
        world.sqlite.count("device"),
        0,
        "no notice goes out any more"
    );
    let made = calls(&mut world);
    let named: Vec<_> = made
        .iter()
        .map(|it| (it.name.as_str(), it.erases))
        .collect();
    assert!(named.contains(&("revocations", false)), "{named:?}");
    assert!(named.contains(&("s1", true)) && named.contains(&("s2", true)));
    for call in made {
        end(&mut world, NOW, &call, 200);
    }
    assert_eq!(report(&mut world, NOW)["deleted"], 2);
    assert_eq!(
        report(&mut world, NOW)["state"],
        "erasing",
        "tokens may still be in use"
    );
    let now = rest(&mut world);
    assert!(NOW + i64::try_from(ERASURE_MS).unwrap() <= now);
    let done = report(&mut world, now);
    assert_eq!(
        (&done["state"], &done["sessions"]),
        (&json!("done"), &json!(0))
    );
    let later = now + i64::try_from(ERASURE_KEPT_MS).unwrap();
    assert_eq!(world.deadline(), Some(later));
    world.handle(later, Input::Deadline);
    assert_eq!(report(&mut world, later)["state"], "none");
    assert_eq!(world.deadline(), None);
}

#[test]
fn p11_10_it_goes_on_after_any_death_and_a_failure() {
    let mut world = World::new(Limits::default());
    let sessions: Vec<String> = (0..100).map(|number| format!("s{number}")).collect();
    sessions
        .iter()
        .for_each(|session| came(&mut world, session));
    erase(&mut world, NOW);
    let first = calls(&mut world);
    let erasing: Vec<_> = first.iter().filter(|call| call.erases).collect();
    end(&mut world, NOW, erasing[0], 200);
    end(&mut world, NOW, erasing[1], 500);
    calls(&mut world);
    world.sleep();
    assert_eq!(report(&mut world, NOW)["deleted"], 1);
    assert_eq!(report(&mut world, NOW)["sessions"], 99);
    let again = calls(&mut world);
    assert!(again.iter().any(|call| call.name == "revocations"));
    for call in again {
        end(&mut world, NOW, &call, 200);
    }
    let now = rest(&mut world);
    assert_eq!(report(&mut world, now)["state"], "done");
    assert_eq!(report(&mut world, now)["deleted"], 100);
}

#[test]
fn p11_10_a_session_that_the_client_comes_to_meanwhile_goes_too() {
    let mut world = World::new(Limits::default());
    came(&mut world, "s1");
    erase(&mut world, NOW);
    let made = calls(&mut world);
    came(&mut world, "s1");
    came(&mut world, "s2");
    for call in made {
        end(&mut world, NOW, &call, 200);
    }
    let again: Vec<_> = calls(&mut world).into_iter().map(|it| it.name).collect();
    assert_eq!(again, ["s1", "s2"]);
    world.sleep();
    let now = rest(&mut world);
    assert_eq!(report(&mut world, now)["state"], "done");
    assert_eq!(world.sqlite.count("contact"), 0);
}

#[test]
fn p11_10_after_it_neither_the_end_of_a_session_nor_the_revocation_leaves_a_row() {
    let mut world = World::new(Limits::default());
    world.told(news("s1", 5, Some("hers")));
    came(&mut world, "s1");
    erase(&mut world, NOW);
    let now = rest(&mut world);
    world.told(news("s1", PLACE_MAX, None));
    let revoked = Revocation {
        client: Some("ann".to_owned()),
        before: NOW,
        ..Revocation::default()
    };
    told(&mut world, now, Request::Revoked(revoked));
    assert_eq!(world.sqlite.count("item"), 0);
    assert!(!world.sqlite.tables().contains(&"revocation".to_owned()));
    assert_eq!(report(&mut world, now)["state"], "done");
}

/// Sessions come, say more and end, in any order; at rest the bytes of those that ended are gone.
fn overwrites(seed: u64) {
    let place = std::env::temp_dir().join(format!("sessile-{}-{seed}", std::process::id()));
    let _ = std::fs::remove_file(&place);
    let mut world = World::on("client:ann", Limits::default(), Sqlite::at(&place));
    let mut random = seed;
    let mut draw = |below: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    let count = 2 + draw(60);
    for round in 0..1 + draw(3) {
        for number in 0..count {
            let name = format!("{}{number}", ["keep", "lose"][usize::from(number % 2 == 1)]);
            let size = usize::try_from(draw(6000)).unwrap();
            world.told(news(
                &name,
                5 + round,
                Some(&format!("{name} {}", name.repeat(size / 8))),
            ));
            came(&mut world, &name);
        }
    }
    for number in (1..count).step_by(2) {
        world.told(news(&format!("lose{number}"), PLACE_MAX, None));
    }
    assert!(
        world.sqlite.has_bytes(&place, "lose1"),
        "else this shows nothing"
    );
    let mut now = NOW + i64::try_from(SCRUB_MS).unwrap();
    let dies_at = draw(20);
    let mut steps = 0;
    while let Some(at) = world.deadline() {
        now = now.max(at);
        world.handle(now, Input::Deadline);
        steps += 1;
        if steps == dies_at {
            world.sleep();
        }
    }
    assert!(!world.sqlite.has_bytes(&place, "lose"), "seed {seed}");
    assert!(world.sqlite.has_bytes(&place, "keep0"));
    assert_eq!(world.sqlite.tables(), ["contact", "item"]);
    let kept = i64::try_from(count.div_ceil(2)).unwrap();
    assert_eq!(world.sqlite.count("contact"), kept);
    assert_eq!(world.sqlite.count("item"), kept + 1, "with the floor");
    world.told(news("keep0", 9, Some("goes on")));
    std::fs::remove_file(&place).unwrap();
}

#[test]
fn p11_10_bytes_of_sessions_that_ended_are_overwritten() {
    (0..20).for_each(overwrites);
}

#[test]
fn p11_10_a_large_inbox_is_copied_rarely() {
    let mut world = World::new(Limits::default());
    for number in 0..30 {
        world.told(news(&format!("s{number}"), 5, Some("title")));
    }
    world.told(news("s1", PLACE_MAX, None));
    assert_eq!(world.deadline(), Some(NOW + 30_000));
    world.told(news("s2", PLACE_MAX, None));
    assert_eq!(world.deadline(), Some(NOW + 30_000), "once for both");
}
