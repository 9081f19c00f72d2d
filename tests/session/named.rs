//! The names that pending approvals and calls are for: each is an inbox to tell (P14, P15).

use serde_json::json;
use sessile::protocol::capability::{Operations, Role};
use sessile::protocol::decode::decode_frame;
use sessile::protocol::ids::Timestamp;
use sessile::protocol::limits::{FOLLOWERS, Limits, PENDING_NAMES};
use sessile::session::{Delivered, Effect, Input, Outcome, Request, Sender};

use crate::host::{Fate, Host};
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

const START: Timestamp = 1_800_000_000_000;

/// A session with inboxes, which take whatever they are told.
struct Told {
    host: Host,
    now: Timestamp,
}

impl Told {
    fn frame(&mut self, frame: &serde_json::Value) {
        let received = decode_frame(&frame.to_string(), &Limits::default());
        let sender = Sender {
            connection: None,
            client: "bot".to_owned(),
            operations: Operations::ALL,
            role: Role::Agent,
        };
        let request = Request::Frame(received);
        self.handle(Input::Request { sender, request });
    }

    fn handle(&mut self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            for effect in self.host.handle(self.now, input, Fate::Lives) {
                let Effect::Deliver(delivery) = effect else {
                    continue;
                };
                let outcome = Outcome::Answered {
                    status: 200,
                    retry_after_ms: None,
                };
                let number = delivery.number;
                inputs.push(Input::Delivered(Delivered { number, outcome }));
            }
        }
    }

    /// Waits until everybody was told.
    fn pass(&mut self) {
        self.now += 500;
        self.handle(Input::Deadline);
    }

    fn followers(&self) -> usize {
        self.host.log().followers().unwrap().len()
    }
}

/// P15.1: requests that come and go leave no more inboxes behind than others.
#[test]
fn p15_1_inboxes_that_nothing_waits_for_any_more_are_bounded() {
    let mut host = Host::new(Limits::default());
    host.outbound.has_inboxes = true;
    let mut told = Told { host, now: START };
    for index in 0..12 {
        let assignees: Vec<String> = (0..20).map(|number| format!("c{index}-{number}")).collect();
        told.frame(&json!({
            "type": "approval.request", "id": format!("a{index}"), "title": "Buy?",
            "assignees": assignees,
        }));
        told.pass();
        let followers = told.followers();
        assert!((20..=FOLLOWERS + 20).contains(&followers), "{followers}");
        told.frame(&json!({ "type": "approval.withdraw", "approval": format!("a{index}") }));
        told.pass();
    }
    assert_eq!(told.followers(), FOLLOWERS);
    assert_eq!(told.host.log().deliveries().unwrap().len(), 0);
}
