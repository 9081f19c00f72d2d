//! A session that begins as another one was (P11.6).

use serde_json::Value;
use sessile::protocol::capability::{Operation, Operations, Role};
use sessile::protocol::limits::{EXPORT_BYTES, FORK_AGAIN_MS, FORK_MS, Limits};
use sessile::protocol::serial::Serial;
use sessile::protocol::transfer::{Batch, Cursor, Origin, Page};
use sessile::session::{Delivered, Delivery, Effect, Input, Outcome, Request, Sender};
use sessile::store::DeliveryKind;

use crate::chance::Random;
use crate::host::Fate;
use crate::imported::{elsewhere, epoch, stored};
use crate::random::script;
use crate::transfer::{EVERYTHING, admin};
use crate::world::World;

const FROM: &str = "s1";

fn sender(operation: Operation) -> Sender {
    Sender {
        operations: Operations::of(&[operation]),
        role: Role::User,
        ..admin()
    }
}

/// The answer to a request, and the calls that the session then makes.
fn take(world: &mut World, sender: Sender, request: Request) -> (u16, String, Vec<Delivery>) {
    let input = Input::Request { sender, request };
    let (mut answer, mut calls) = (None, Vec::new());
    for effect in world.host.handle(world.now, input, Fate::Lives) {
        match effect {
            Effect::Respond { status, body } => answer = Some((status, body)),
            Effect::Deliver(delivery) => calls.push(delivery),
            _ => {}
        }
    }
    let (status, body) = answer.unwrap();
    calls.retain(|call| call.kind == DeliveryKind::Page);
    (status, body, calls)
}

fn page(world: &mut World, after: Option<Cursor>, at: Option<Serial>) -> (u16, String) {
    let page = Page {
        after,
        is_fork: true,
        at,
    };
    let (status, body, _) = take(world, sender(Operation::Read), Request::Export(page));
    (status, body)
}

/// Begins a fork, as the Worker does.
fn begin(source: &mut World, fork: &mut World, at: Option<Serial>) -> (u16, String, Vec<Delivery>) {
    let (status, lines) = page(source, None, at);
    if status != 200 {
        return (status, lines, Vec::new());
    }
    let batch = Batch {
        after: None,
        from: Some(FROM.to_owned()),
        at: at.map(|at| at.to_string()),
        lines,
    };
    take(fork, sender(Operation::Turn), Request::Import(batch))
}

/// Makes a call of a fork, as its object does.
fn answer(source: &mut World, fork: &mut World, call: &Delivery) -> (u16, Vec<Delivery>) {
    let (name, cursor) = call.body.split_once('\n').unwrap();
    let (status, lines) = page(source, Some(Cursor::parse(cursor).unwrap()), None);
    if status != 200 {
        return (status, Vec::new());
    }
    let batch = Batch {
        after: Some(name.to_owned()),
        from: Some(call.target.clone()),
        at: None,
        lines,
    };
    let (status, _, calls) = take(fork, sender(Operation::Admin), Request::Import(batch));
    (status, calls)
}

/// A fork that is whole, and the number of its steps.
fn forked(source: &mut World, at: Option<Serial>) -> (World, usize) {
    let mut fork = elsewhere(source.now);
    let (status, body, mut calls) = begin(source, &mut fork, at);
    assert_eq!(status, 200, "{body}");
    let mut steps = 1;
    while let Some(call) = calls.pop() {
        fork.host.evict();
        let (status, more) = answer(source, &mut fork, &call);
        assert_eq!(status, 200);
        calls = more;
        steps += 1;
    }
    (fork, steps)
}

fn lines(world: &World) -> Vec<Value> {
    let lines = stored(&world.host.log());
    lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The place of a line that has one in the log.
fn place(line: &Value) -> u64 {
    match &line["serial"] {
        Value::String(serial) => Serial::parse(serial).unwrap().place,
        Value::Number(place) => place.as_u64().unwrap(),
        _ => 0,
    }
}

/// The lines of a source that its fork up to a place has.
fn expected(source: &World, at: u64) -> Vec<Value> {
    let epoch = epoch(source);
    let clamped = |place: &mut Value| {
        if let Some(number) = place.as_u64() {
            *place = number.min(at).into();
        }
    };
    let mut left = Vec::new();
    for mut line in lines(source) {
        let began = match line["type"].as_str().unwrap() {
            "turn" | "approval" | "call" => line["record"]["place"].as_u64().unwrap(),
            "cancel" | "annotation" | "sums" => line["message"].as_u64().unwrap(),
            "entry" => place(&line).max(line["subject"].as_u64().unwrap()),
            "message" => place(&line),
            "state" if line["slot"] != 0 => place(&line),
            _ => 0,
        };
        if at < began {
            continue;
        }
        match line["type"].as_str().unwrap() {
            "message" => {
                let version = Serial::parse(line["version"].as_str().unwrap()).unwrap();
                line["version"] = epoch.at(version.place.min(at)).to_string().into();
                if line["status"] == "streaming" {
                    line["status"] = "cancelled".into();
                }
            }
            "turn" => {
                clamped(&mut line["record"]["version"]);
                line["record"].as_object_mut().unwrap().remove("state");
                line["record"].as_object_mut().unwrap().remove("event");
            }
            "approval" | "call" if line["record"]["status"] == "pending" => continue,
            "approval" | "call" => clamped(&mut line["record"]["version"]),
            "granted" | "handover" => continue,
            "state" | "annotation" | "mark" => clamped(&mut line["serial"]),
            "sums" => clamped(&mut line["version"]),
            _ => {}
        }
        left.push(line);
    }
    left
}

fn assert_forked(source: &World, fork: &World, at: u64) {
    let (before, after) = (epoch(source), epoch(fork));
    assert_ne!(before, after);
    let mut has = lines(fork);
    for line in has.iter_mut().filter(|line| line["type"] == "turn") {
        assert!(line["record"]["state"]["ended"].is_object(), "{line}");
        line["record"].as_object_mut().unwrap().remove("state");
        line["record"].as_object_mut().unwrap().remove("event");
    }
    let plain = |lines: Vec<Value>| -> Vec<String> {
        let lines = lines.iter();
        lines
            .map(|line| line.to_string().replace(before.as_str(), after.as_str()))
            .collect()
    };
    let (has, expected) = (plain(has), plain(expected(source, at)));
    for (has, expected) in has.iter().zip(&expected) {
        assert_eq!(has, expected);
    }
    assert_eq!(has.len(), expected.len());
    assert!(fork.host.log().end().unwrap().place <= at);
    let settings = fork.host.log().beginning().unwrap().unwrap().settings;
    let origin = Origin::read(settings.forked_from.as_ref().unwrap()).unwrap();
    assert_eq!(
        (origin.session.as_str(), origin.serial),
        (FROM, before.at(at))
    );
}

/// P11.6: a fork has its source up to a place: whatever the session, whatever the place.
#[test]
fn p11_6_a_fork_equals_its_source_up_to_its_serial() {
    let mut everything = World::new(Limits::default());
    everything.run(EVERYTHING);
    let end = everything.host.log().end().unwrap().place;
    for at in 0..=end {
        let at = epoch(&everything).at(at);
        let (fork, _) = forked(&mut everything, Some(at));
        assert_forked(&everything, &fork, at.place);
    }
    for seed in 0..60 {
        let mut world = World::new(Limits::default());
        world.explore(&script(&mut Random::new(seed)).join("\n"));
        let Some(beginning) = world.host.log().beginning().unwrap() else {
            continue;
        };
        let end = world.host.log().end().unwrap().place;
        let place = Random::new(seed).between(beginning.floor, end + 1);
        let at = beginning.epoch.at(place);
        let (mut fork, _) = forked(&mut world, Some(at));
        assert_forked(&world, &fork, place);
        fork.host.evict();
        fork.run("alice attach rewind=50\nalice publish 'and on'");
    }
}

/// P11.6: nothing of what was open goes on in a fork.
#[test]
fn p11_6_a_fork_ends_what_was_open() {
    let mut world = World::new(Limits::default());
    world.run(
        "agent attach rewind=0
        alice attach rewind=0
        alice publish 'where am I?'
        agent start t input=#1
        agent publish 'You are' role=assistant turn=t streaming
        agent ask a1 turn=t
        agent call c1 turn=t input={}
        wait 1000",
    );
    let (fork, _) = forked(&mut world, None);
    let lines = lines(&fork);
    let of =
        |kind: &str| -> Vec<&Value> { lines.iter().filter(|line| line["type"] == kind).collect() };
    let ended = &of("turn")[0]["record"]["state"]["ended"];
    assert_eq!(ended["ending"], "cancelled");
    assert_eq!(ended["reason"], "forked");
    assert_eq!(of("message")[1]["status"], "cancelled");
    assert_eq!(of("message")[1]["data"], "You are");
    assert!(of("approval").is_empty() && of("call").is_empty());
}

/// P11.6: a place that is not in the log, a session that is not there, and one that is.
#[test]
fn p11_6_a_fork_is_refused_by_name() {
    let mut world = World::new(Limits::default());
    let mut fork = elsewhere(world.now);
    assert_eq!(begin(&mut world, &mut fork, None).0, 404);
    world.run("alice post publish 'a'\nalice post publish 'b'");
    let (first, beyond) = (epoch(&world).at(1), epoch(&world).at(3));
    assert_eq!(begin(&mut world, &mut fork, Some(beyond)).0, 404);
    let other = Serial::parse("zzzz00000001");
    assert_eq!(begin(&mut world, &mut fork, other).0, 404);
    let (status, body, _) = begin(&mut world, &mut fork, Some(first));
    assert_eq!(status, 200, "{body}");
    let answer: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(answer["state"], "whole");
    assert_eq!(answer["forkedFrom"]["serial"], first.to_string());
    // The same again is the same; another one is not.
    assert_eq!(begin(&mut world, &mut fork, Some(first)).1, body);
    assert_eq!(begin(&mut world, &mut fork, None).1, body);
    let second = epoch(&world).at(2);
    assert_eq!(begin(&mut world, &mut fork, Some(second)).0, 409);
    let batch = || Batch {
        from: Some(FROM.to_owned()),
        ..Batch::default()
    };
    let mut third = elsewhere(world.now);
    let (status, ..) = take(
        &mut third,
        sender(Operation::Publish),
        Request::Import(batch()),
    );
    assert_eq!(status, 403);
}

fn long(count: usize, bytes: usize) -> World {
    let mut world = World::new(Limits::default());
    let text = "x".repeat(bytes);
    for _ in 0..count {
        world.now += 100;
        world.run(&format!("alice post publish '{text}'"));
    }
    assert_eq!(world.host.log().end().unwrap().place, count as u64);
    world
}

/// P11.6: a fork goes on by itself, whatever dies, and says meanwhile that it is not there.
#[test]
fn p11_6_a_fork_goes_on_by_itself() {
    let mut world = long(12, 100_000);
    let mut fork = elsewhere(world.now);
    let (status, body, calls) = begin(&mut world, &mut fork, None);
    assert_eq!(status, 200);
    assert!(body.contains("forking"), "{body}");
    // The call is lost with the process; another session goes on meanwhile.
    let [lost] = calls.as_slice() else { panic!() };
    fork.host.evict();
    assert_eq!(begin(&mut world, &mut fork, None).1, body);
    let mut steps = 0;
    while fork.host.log().importing().unwrap().is_some() {
        let deadline = fork.host.alarm.take().unwrap();
        assert_eq!(deadline, fork.now + i64::try_from(FORK_AGAIN_MS).unwrap());
        fork.now = deadline;
        let effects = fork.host.handle(deadline, Input::Deadline, Fate::Lives);
        let [Effect::Deliver(call)] = effects.as_slice() else {
            panic!("{effects:?}");
        };
        assert_eq!(answer(&mut world, &mut fork, call).0, 200);
        fork.host.die();
        steps += 1;
    }
    assert!(2 < steps, "{steps}");
    // A late answer changes nothing.
    assert_eq!(answer(&mut world, &mut fork, lost).0, 409);
    assert_forked(&world, &fork, 12);
}

/// P11.6: a source that is deleted, or that nobody reaches, takes its fork with it.
#[test]
fn p11_6_a_fork_of_nothing_is_thrown_away() {
    let mut world = long(6, 100_000);
    for is_refused in [true, false] {
        let mut fork = elsewhere(world.now);
        let (_, _, calls) = begin(&mut world, &mut fork, None);
        let number = calls[0].number;
        if is_refused {
            let outcome = Outcome::Answered {
                status: 410,
                retry_after_ms: None,
            };
            let delivered = Input::Delivered(Delivered { number, outcome });
            fork.host.handle(fork.now, delivered, Fate::Lives);
        } else {
            let reason = "it is far away".to_owned();
            let outcome = Outcome::Failed { reason };
            let delivered = Input::Delivered(Delivered { number, outcome });
            fork.host.handle(fork.now, delivered, Fate::Lives);
            assert!(fork.host.log().importing().unwrap().is_some());
            fork.now += i64::try_from(FORK_MS).unwrap();
            fork.host.handle(fork.now, Input::Deadline, Fate::Lives);
        }
        assert_eq!(fork.host.log().beginning(), Ok(None));
        assert_eq!(begin(&mut world, &mut fork, None).0, 200);
    }
}

/// P11.6: a long session is forked in steps, none of which is much longer than another.
#[test]
fn p11_6_ten_thousand_messages_are_forked_in_bounded_steps() {
    let mut world = long(10_000, 100);
    let (status, first) = page(&mut world, None, None);
    assert_eq!(status, 200);
    assert!(first.len() < EXPORT_BYTES + 100_000, "{}", first.len());
    let (fork, steps) = forked(&mut world, None);
    assert!(10 < steps, "{steps}");
    assert_forked(&world, &fork, world.host.log().end().unwrap().place);
}
