//! Inboxes are told of a session, whatever ends its process (P15).

use serde_json::json;
use sessile::protocol::capability::{Operations, Role};
use sessile::protocol::decode::decode_frame;
use sessile::protocol::ids::Timestamp;
use sessile::protocol::limits::{FOLLOWERS, Limits, TELL_MS};
use sessile::session::{Delivered, Effect, Input, Outcome, Request, Sender};

use crate::host::{Fate, Host};

const START: Timestamp = 1_800_000_000_000;

/// A session with inboxes, which take whatever they are told.
struct Told {
    host: Host,
    now: Timestamp,
}

impl Told {
    fn new() -> Self {
        let mut host = Host::new(Limits::default());
        host.outbound.has_inboxes = true;
        Self { host, now: START }
    }

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
    let mut told = Told::new();
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

/// P15.1: an alarm rings soon after a change, and the session tells as soon as it wakes, also after
/// a process that died while it told. Once told, it sets no further alarm.
#[test]
fn p15_1_a_session_that_died_tells_soon() {
    let mut told = Told::new();
    let ask = json!({
        "type": "approval.request", "id": "a1", "title": "Buy?", "assignees": ["ann"],
    });
    told.frame(&ask);
    let soon = START + 2_000;
    assert_eq!(told.host.alarm, Some(soon));
    // It begins to tell, and nobody hears how that ends.
    told.now += TELL_MS as i64;
    let begun = told.host.handle(told.now, Input::Deadline, Fate::Lives);
    assert!(
        matches!(begun.as_slice(), [Effect::Deliver(_)]),
        "{begun:?}"
    );
    told.host.die();
    assert_eq!(told.host.alarm, Some(soon));
    told.now = soon;
    told.host.alarm = None;
    let again = told.host.handle(told.now, Input::Deadline, Fate::Lives);
    let [Effect::Deliver(delivery)] = again.as_slice() else {
        panic!("{again:?}");
    };
    // The same without an alarm: the first input that wakes it.
    told.host.die();
    told.now += 1;
    let input = Input::Deadline;
    let third = told.host.handle(told.now, input, Fate::Lives);
    let [Effect::Deliver(third)] = third.as_slice() else {
        panic!("{third:?}");
    };
    assert_eq!(third.target, delivery.target);
    let outcome = Outcome::Answered {
        status: 200,
        retry_after_ms: None,
    };
    let number = third.number;
    told.host.alarm = None;
    told.handle(Input::Delivered(Delivered { number, outcome }));
    assert_eq!(told.host.alarm, None);
}
