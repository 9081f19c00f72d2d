//! Inboxes are told of a session, whatever ends its process (P15).

use serde_json::{Value, json};
use sessile::protocol::capability::{Operations, Role};
use sessile::protocol::decode::decode_frame;
use sessile::protocol::ids::Timestamp;
use sessile::protocol::limits::{FOLLOWERS, Limits, TELL_MS};
use sessile::session::{Delivered, Effect, Input, Outcome, Request, Sender};
use sessile::store::DeliveryKind;

use crate::host::{Fate, Host};

const START: Timestamp = 1_800_000_000_000;

/// A session with inboxes, which take whatever they are told.
struct Told {
    host: Host,
    now: Timestamp,
    /// Which inboxes were told since the last look, and how much their clients have not read.
    unread: Vec<String>,
}

impl Told {
    fn new() -> Self {
        let mut host = Host::new(Limits::default());
        host.outbound.has_inboxes = true;
        Self {
            host,
            now: START,
            unread: Vec::new(),
        }
    }

    fn frame(&mut self, frame: &Value) {
        self.say("bot", frame);
    }

    fn say(&mut self, client: &str, frame: &Value) {
        let received = decode_frame(&frame.to_string(), &Limits::default());
        let role = match client {
            "bot" => Role::Agent,
            _ => Role::User,
        };
        let sender = Sender {
            connection: None,
            client: client.to_owned(),
            operations: Operations::ALL,
            role,
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
                let news: Value = serde_json::from_str(&delivery.body).unwrap();
                let unread = &news["about"]["unread"];
                if delivery.kind == DeliveryKind::Inbox {
                    self.unread.push(format!("{} {unread}", delivery.target));
                }
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
        self.wait(500);
    }

    fn wait(&mut self, ms: i64) {
        self.now += ms;
        self.handle(Input::Deadline);
    }

    /// The tellings since the last look.
    fn unread(&mut self) -> Vec<String> {
        self.unread.sort();
        std::mem::take(&mut self.unread)
    }

    fn serial(&self, place: u64) -> String {
        let beginning = self.host.log().beginning().unwrap();
        beginning.unwrap().epoch.at(place).to_string()
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
    let [Effect::Deliver(delivery), ..] = again.as_slice() else {
        panic!("{again:?}");
    };
    // The same without an alarm: the first input that wakes it.
    told.host.die();
    told.now += 1;
    let input = Input::Deadline;
    let third = told.host.handle(told.now, input, Fate::Lives);
    let [Effect::Deliver(third), Effect::Deliver(contact)] = third.as_slice() else {
        panic!("{third:?}");
    };
    assert_eq!(third.target, delivery.target);
    assert_eq!(contact.kind, DeliveryKind::Contact);
    let outcome = Outcome::Answered {
        status: 200,
        retry_after_ms: None,
    };
    for number in [contact.number, third.number] {
        let outcome = outcome.clone();
        told.handle(Input::Delivered(Delivered { number, outcome }));
    }
    // The alarm that covered both calls rings once more, for nothing.
    told.now = told.host.alarm.unwrap_or(told.now);
    told.host.alarm = None;
    let rest = told.host.handle(told.now, Input::Deadline, Fate::Lives);
    assert_eq!((rest, told.host.alarm), (Vec::new(), None));
}

/// P9.5, P11.3: an inbox hears soon that its client has something to read, and that the client has
/// read it, but not of each message between.
#[test]
fn p9_5_an_inbox_has_what_its_client_has_not_read() {
    let mut told = Told::new();
    let message = json!({ "type": "publish", "messages": [{ "data": "x" }] });
    let tool = json!({ "type": "publish", "messages": [{ "data": "x", "role": "tool" }] });
    told.say("ann", &message);
    told.say("bob", &message);
    told.say("bot", &tool);
    told.frame(&json!({
        "type": "approval.request", "id": "a", "title": "?", "assignees": ["role:supervisor"],
    }));
    told.pass();
    let everybody = ["client:ann 1", "client:bob 1", "role:supervisor null"];
    assert_eq!(told.unread(), everybody);
    let read = json!({ "type": "read", "serial": told.serial(3) });
    told.say("ann", &read);
    told.pass();
    assert_eq!(told.unread(), ["client:ann 0"]);
    // The first one to read is news for ann, and no other is, nor is what bob says for himself.
    for _ in 0..3 {
        told.say("bob", &message);
        told.pass();
    }
    assert_eq!(told.unread(), ["client:ann 1"]);
    told.wait(60_000);
    let everybody = ["client:ann 3", "client:bob 1", "role:supervisor null"];
    assert_eq!(told.unread(), everybody);
    let delete = json!({ "type": "delete", "serial": told.serial(6) });
    told.say("bob", &delete);
    told.pass();
    assert_eq!(told.unread()[0], "client:ann 2");
}

/// P9.5: marks within two seconds are one telling, and cost the session no row beside that of the
/// mark; a session that died tells its inbox all the same, and only once.
#[test]
fn p9_5_a_mark_is_told_whatever_happens() {
    let mut told = Told::new();
    let message = json!({ "type": "publish", "messages": [{ "data": "x" }] });
    for client in ["ann", "bob", "bob", "bob"] {
        told.say(client, &message);
    }
    told.pass();
    told.unread();
    let read = |place| json!({ "type": "read", "serial": told.serial(place) });
    let reads = [2, 3, 4].map(read);
    let rows = told.host.disk.0.rows_written();
    told.say("ann", &reads[0]);
    told.say("ann", &reads[1]);
    told.pass();
    assert_eq!(told.unread(), ["client:ann 2"]);
    told.say("ann", &reads[2]);
    told.wait(1_500);
    told.pass();
    assert_eq!(told.unread(), ["client:ann 0"]);
    assert_eq!(told.host.disk.0.rows_written() - rows, 2);
    told.host.die();
    for tellings in [1, 0] {
        told.pass();
        assert_eq!(told.unread().len(), tellings);
        told.host.die();
    }
}
