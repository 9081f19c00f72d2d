//! A session that is imported equals the exported one, or is not there at all (P11.6).

use sessile::protocol::limits::{IMPORT_MS, Limits};
use sessile::protocol::message::Message;
use sessile::protocol::serial::{Epoch, PLACE_MAX};
use sessile::protocol::transfer::Batch;
use sessile::session::{Delivered, Effect, Input, Outcome, Read, Request};
use sessile::store::sql::{Sql, Value};
use sessile::store::{DeliveryKind, SECTIONS, Span, Store};

use crate::chance::Random;
use crate::host::Fate;
use crate::random::script;
use crate::transfer::{EVERYTHING, admin, ask, page, pages};
use crate::world::World;

/// A session that nobody knows yet, at a time.
pub fn elsewhere(now: i64) -> World {
    let mut world = World::new(Limits::default());
    world.now = now;
    // Its epoch is another one.
    world.host.loads = 1_000;
    world
}

fn batch(after: Option<&str>, lines: &str) -> Request {
    Request::Import(Batch {
        after: after.map(str::to_owned),
        lines: lines.to_owned(),
        ..Batch::default()
    })
}

/// Imports lines, so many at a time; between two batches, something may happen.
fn import(
    world: &mut World,
    lines: &str,
    size: usize,
    mut between: impl FnMut(&mut World),
) -> (u16, String) {
    let lines: Vec<&str> = lines.lines().collect();
    let mut after = None;
    for lines in lines.chunks(size) {
        let (status, answer) = ask(world, batch(after.as_deref(), &lines.join("\n")));
        let value: serde_json::Value = serde_json::from_str(&answer).unwrap();
        match value["after"].as_str() {
            Some(name) => after = Some(name.to_owned()),
            None => return (status, answer),
        }
        between(world);
    }
    (0, "it has no end".to_owned())
}

/// All that is stored, as the lines of an export between its first and its last.
pub fn stored(store: &Store) -> Vec<String> {
    let epoch = store.beginning().unwrap().unwrap().epoch;
    let span = Span {
        after: 0,
        before: PLACE_MAX,
        newest_first: false,
        names: None,
        limit: 100_000,
        bytes: 1 << 30,
    };
    let line = |message: &Message| {
        let message = serde_json::to_string(message).unwrap();
        let cancel = store.exported_cancels(place(&message, epoch) - 1, place(&message, epoch));
        let message = format!(
            r#"{{"type":"message",{}"#,
            message.strip_prefix('{').unwrap()
        );
        std::iter::once(message)
            .chain(cancel.unwrap())
            .collect::<Vec<_>>()
    };
    let found = store.page(epoch, &span).unwrap();
    let mut lines: Vec<String> = found.messages.iter().flat_map(line).collect();
    for section in &SECTIONS {
        let mut key = 0;
        loop {
            let rows = store.exported(section, key, PLACE_MAX).unwrap();
            let Some((last, _)) = rows.last() else { break };
            key = *last;
            lines.extend(rows.into_iter().map(|(_, line)| line));
        }
    }
    // All messages, then their cancels: their order among each other is that of their pages.
    lines.sort_by_key(|line| line.starts_with(r#"{"type":"cancel""#));
    lines
}

fn place(message: &str, epoch: Epoch) -> u64 {
    let (_, rest) = message.split_once(epoch.as_str()).unwrap();
    u64::from_str_radix(&rest[..8], 16).unwrap()
}

pub fn epoch(world: &World) -> Epoch {
    world.host.log().beginning().unwrap().unwrap().epoch
}

/// Both have the same rows, under an epoch each; ids that the session gave say the first.
fn assert_same(world: &World, other: &World) {
    let (before, after) = (epoch(world), epoch(other));
    assert_ne!(before, after);
    let plain = |line: &String| line.replace(before.as_str(), after.as_str());
    let (left, right) = (stored(&world.host.log()), stored(&other.host.log()));
    for (left, right) in left.iter().zip(&right) {
        assert_eq!(plain(left), plain(right));
    }
    assert_eq!(left.len(), right.len());
    let settings = |world: &World| world.host.log().beginning().unwrap().unwrap().settings;
    assert_eq!(settings(world), settings(other));
    let end = |world: &World| world.host.log().end().unwrap().place;
    assert_eq!(end(world), end(other));
}

/// Exports a session and imports it elsewhere, in batches of so many lines.
fn moved(world: &mut World, size: usize) -> World {
    let lines = pages(world, |_| {}).concat();
    let mut other = elsewhere(world.now);
    let done = import(&mut other, &lines, size, |world| world.host.evict());
    assert_eq!(done.0, 200, "{}\n{lines}", done.1);
    other
}

/// P11.6: everything of the session is there again, but for its epoch.
#[test]
fn p11_6_an_imported_session_equals_the_exported_one() {
    let mut world = World::new(Limits::default());
    world.run(EVERYTHING);
    for size in [1, 3, 1_000] {
        let other = moved(&mut world, size);
        assert_same(&world, &other);
    }
}

/// P11.6: the same of sessions that nobody thought of, streaming texts and open turns included.
#[test]
fn p11_6_any_session_equals_itself_once_imported() {
    for seed in 0..40 {
        let mut world = World::new(Limits::default());
        world.explore(&script(&mut Random::new(seed)).join("\n"));
        if ask(&mut world, page(None)).0 == 404 {
            continue;
        }
        let mut other = moved(&mut world, 7);
        assert_same(&world, &other);
        other.host.evict();
        other.run("alice attach rewind=50\nalice publish 'and on'");
    }
}

/// P11.6: whoever asks while it is imported is told so; what breaks off is thrown away.
#[test]
fn p11_6_a_session_is_not_there_before_its_last_line() {
    let mut world = World::new(Limits::default());
    world.run(EVERYTHING);
    let lines = pages(&mut world, |_| {}).concat();
    let snapshot = || {
        let page = sessile::protocol::query::Snapshot { rewind: 50 };
        Request::Read(Read::Snapshot(page))
    };
    let mut other = elsewhere(world.now);
    let (cut, _) = lines.trim_end().rsplit_once('\n').unwrap();
    let (status, _) = import(&mut other, cut, 5, |world| {
        assert_eq!(ask(world, snapshot()).0, 409);
        assert_eq!(ask(world, page(None)).0, 409);
    });
    assert_eq!(status, 0);
    let deadline = other.host.deadline().unwrap();
    assert_eq!(deadline, other.now + i64::try_from(IMPORT_MS).unwrap());
    other.host.evict();
    other.host.handle(deadline, Input::Deadline, Fate::Lives);
    other.now = deadline;
    assert_eq!(ask(&mut other, page(None)).0, 404);
    assert_eq!(other.host.log().beginning(), Ok(None));
    // Another one begins anew at any time.
    let (_, answer) = ask(
        &mut other,
        batch(None, &lines.lines().collect::<Vec<_>>()[..9].join("\n")),
    );
    assert!(answer.contains("after"), "{answer}");
    assert_eq!(import(&mut other, &lines, 4, |_| {}).0, 200);
    assert_same(&world, &other);
    // An existing session is never written over.
    assert_eq!(import(&mut other, &lines, 4, |_| {}).0, 409);
}

/// P11.10: the inboxes of those whose words it brings, and of its importer, are told that they
/// came, also after a death in its middle: so an erasure of one of them deletes it.
#[test]
fn p11_10_an_import_brings_the_contacts_of_its_clients() {
    let mut world = World::new(Limits::default());
    world.run(EVERYTHING);
    let lines = pages(&mut world, |_| {}).concat();
    let mut other = elsewhere(world.now);
    other.host.outbound.has_inboxes = true;
    let done = import(&mut other, &lines, 3, |world| {
        assert_eq!(world.host.log().contacts().unwrap().matches("+").count(), 0);
        world.host.die();
    });
    assert_eq!(done.0, 200, "{}", done.1);
    let row = other.host.log().contacts().unwrap();
    let mut owed: Vec<String> = row
        .lines()
        .map(|line| line.replacen('-', "client:", 1))
        .collect();
    owed.sort();
    assert_eq!(
        owed,
        [
            "client:agent",
            "client:alice",
            "client:root",
            "client:supervisor"
        ]
    );
    let mut told = Vec::new();
    let mut inputs = vec![Input::Deadline];
    other.now = other.host.deadline().unwrap().max(other.now);
    while let Some(input) = inputs.pop() {
        for effect in other.host.handle(other.now, input, Fate::Lives) {
            let Effect::Deliver(delivery) = effect else {
                continue;
            };
            if delivery.kind == DeliveryKind::Contact {
                told.push(delivery.target);
            }
            let outcome = Outcome::Answered {
                status: 200,
                retry_after_ms: None,
            };
            let number = delivery.number;
            inputs.push(Input::Delivered(Delivered { number, outcome }));
        }
    }
    told.sort();
    assert_eq!(told, owed);
}

/// P11.10: of an import that is thrown away no byte is left, as its storage is deleted whole.
#[test]
fn p11_10_an_import_that_broke_off_leaves_no_storage() {
    let mut world = World::new(Limits::default());
    world.run(EVERYTHING);
    let lines = pages(&mut world, |_| {}).concat();
    let (cut, _) = lines.trim_end().rsplit_once('\n').unwrap();
    let wrong = format!("{cut}\n{{\"type\":\"none\"}}");
    for lines in [cut, &wrong] {
        let mut other = elsewhere(world.now);
        let (status, _) = import(&mut other, lines, 5, |_| {});
        if status == 0 {
            other.now = other.host.deadline().unwrap();
            let effects = other.host.handle(other.now, Input::Deadline, Fate::Lives);
            assert!(effects.contains(&Effect::Erase), "{effects:?}");
        }
        assert_eq!(other.host.log().beginning(), Ok(None));
        let tables = other
            .host
            .disk
            .0
            .query("SELECT name FROM sqlite_master", &[]);
        assert_eq!(tables.unwrap(), Vec::<Vec<Value>>::new());
        assert_eq!(other.host.alarm, None);
    }
}

/// P11.6: a storage that fails is no fault of the lines: nothing is answered, nothing is left, and
/// the same lines are taken later.
#[test]
fn p11_6_a_disk_that_fails_refuses_no_line() {
    let mut world = World::new(Limits::default());
    world.run(EVERYTHING);
    let lines = pages(&mut world, |_| {}).concat();
    let mut failures = 0;
    loop {
        let mut other = elsewhere(world.now);
        let input = Input::Request {
            sender: admin(),
            request: batch(None, &lines),
        };
        let fate = Fate::DiskFails(failures);
        if !other.host.handle(other.now, input, fate).is_empty() {
            break;
        }
        failures += 1;
        assert_eq!(other.host.log().beginning(), Ok(None));
        assert_eq!(import(&mut other, &lines, 1_000, |_| {}).0, 200);
        assert_same(&world, &other);
    }
    assert!(20 < failures, "{failures}");
}

/// P11.6: a line that is missing, double or wrong is refused, and leaves nothing.
#[test]
fn p11_6_no_line_is_believed() {
    let mut world = World::new(Limits::default());
    world.run(EVERYTHING);
    let text = pages(&mut world, |_| {}).concat();
    let lines: Vec<&str> = text.lines().collect();
    for index in 0..lines.len() - 1 {
        for double in [false, true] {
            let mut other = elsewhere(world.now);
            let mut wrong = lines.clone();
            match double {
                true => wrong.insert(index, lines[index]),
                false => drop(wrong.remove(index)),
            }
            let (status, answer) = import(&mut other, &wrong.join("\n"), 6, |_| {});
            assert_eq!(status, 400, "{answer}");
            assert_eq!(other.host.log().beginning(), Ok(None), "{answer}");
        }
    }
    let mut random = Random::new(7);
    for _ in 0..400 {
        let mut other = elsewhere(world.now);
        let mut bytes = text.clone().into_bytes();
        let at = usize::try_from(random.between(0, bytes.len() as u64)).unwrap();
        bytes[at] = *random.pick(b"0123456789-\"{}[],:ntx");
        let wrong = String::from_utf8_lossy(&bytes);
        let (status, _) = import(&mut other, &wrong, 11, |world| world.host.evict());
        other.host.evict();
        if status == 200 {
            other.run("alice attach rewind=50\nalice publish 'and on'");
        } else {
            assert_eq!(other.host.log().beginning(), Ok(None));
        }
    }
}
