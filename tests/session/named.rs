//! The names that pending approvals and calls are for: each is an inbox to tell (P14, P15).

use sessile::protocol::limits::{Limits, PENDING_NAMES};

use crate::world::World;

/// The names from one number up to another, as JSON.
fn names(from: usize, to: usize) -> String {
    let names: Vec<String> = (from..to).map(|number| format!("\"c{number}\"")).collect();
    format!("[{}]", names.join(","))
}

/// Escalations to twenty each, from a number on.
fn escalations(from: usize, count: usize) -> String {
    let each = (0..count).map(|index| {
        let from = from + 20 * index;
        let wait = 100_000 + index;
        format!(
            "{{\"afterMs\":{wait},\"assignees\":{}}}",
            names(from, from + 20)
        )
    });
    format!("[{}]", each.collect::<Vec<_>>().join(","))
}

/// P8.1, P8.9: everybody who waits or will be asked counts once, over approvals and calls.
#[test]
fn p14_pending_requests_are_for_so_many_names() {
    let mut world = World::new(Limits::default());
    world.run("agent attach rewind=0\nagent start t1\nagent start t2");
    for index in 0..5 {
        let from = 200 * index;
        let (asked, later) = (names(from, from + 20), escalations(from + 20, 9));
        world.run(&format!(
            "agent ask a{index} assignees={asked} escalate={later}"
        ));
    }
    assert_eq!(PENDING_NAMES, 1_000);
    world.run("---\nagent ask known assignees=[\"c0\",\"c999\"]");
    world.run("agent call known turn=t1 to=[\"c0\"]");
    assert!(!world.output.contains("nack"), "{}", world.output);
    let refused = |world: &World, verb: &str| {
        let text = world
            .output
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        let said = format!("over-limit: unable to {verb}; approvals and calls would wait for");
        text.contains(&said)
    };
    for (input, verb) in [
        ("ask a9 assignees=[\"new\"]", "ask for approval"),
        (
            "ask a9 assignees=[\"c1\"] escalate=[{\"afterMs\":9,\"assignees\":[\"new\"]}]",
            "ask for approval",
        ),
        ("call k9 turn=t1 to=[\"new\"]", "call the tool"),
    ] {
        world.run(&format!("---\nagent {input}"));
        assert!(refused(&world, verb), "{input}: {}", world.output);
    }
    // After a sleep the same, and a withdrawn approval makes room.
    world.run("evict\n---\nagent ask a9 assignees=[\"new\"]");
    assert!(refused(&world, "ask for approval"), "{}", world.output);
    world.run("agent withdraw a4\n---\nagent ask a9 assignees=[\"new\"]");
    assert!(!world.output.contains("nack"), "{}", world.output);
    world.run("---\nagent call k9 turn=t1 to=[\"newer\"]");
    assert!(!world.output.contains("nack"), "{}", world.output);
}
