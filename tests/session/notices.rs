//! Clients that are away are told on their devices (P10.2): what a session says of that.

use serde_json::{Value, json};
use sessile::machine::{Carrier, Machine};
use sessile::protocol::capability::{Operation, Operations, Role};
use sessile::protocol::decode::decode_frame;
use sessile::protocol::ids::{ConnectionId, Timestamp};
use sessile::protocol::limits::Limits;
use sessile::protocol::query::Attach;
use sessile::session::{Delivered, Effect, Input, Outcome, Request, Sender, Session};
use sessile::store::DeliveryKind;
use sessile::token::Grant;

use crate::host::{Fate, Host};

const START: Timestamp = 1_800_000_000_000;
const TIMEOUT: Timestamp = 30_000;

/// A session of a deployment with inboxes and push.
struct World {
    host: Host,
    now: Timestamp,
    /// The texts for each inbox, with their kinds.
    told: Vec<(DeliveryKind, String, Value)>,
    /// The status that each of them is answered with.
    status: u16,
    answer: Value,
}

fn sender(client: &str) -> Sender {
    let operations = match client {
        "viewer" => Operations::of(&[Operation::Read]),
        _ => Operations::ALL,
    };
    Sender {
        connection: None,
        client: client.to_owned(),
        operations,
        role: if client == "bot" {
            Role::Agent
        } else {
            Role::User
        },
    }
}

impl World {
    fn new() -> Self {
        let mut host = Host::new(Limits::default());
        host.outbound.has_inboxes = true;
        host.outbound.push.web = true;
        Self {
            host,
            now: START,
            told: Vec::new(),
            status: 200,
            answer: Value::Null,
        }
    }

    fn frame(&mut self, client: &str, frame: &Value) -> Value {
        let received = decode_frame(&frame.to_string(), &Limits::default());
        let sender = sender(client);
        let request = Request::Frame(received);
        self.handle(Input::Request { sender, request });
        self.answer.clone()
    }

    fn attach(&mut self, client: &str, carrier: Carrier) {
        self.attach_until(client, carrier, Timestamp::MAX);
    }

    fn attach_until(&mut self, client: &str, carrier: Carrier, expires_at: Timestamp) {
        let grant = Grant {
            client: client.to_owned(),
            name: None,
            role: Role::User,
            operations: Operations::ALL,
            expires_at,
            issued_at: 0,
        };
        let attach = Attach {
            since: None,
            rewind: 0,
            window_ms: 0,
            names: None,
        };
        let id = ConnectionId::new(client);
        let (connection, start) = Session::attach(id, carrier, grant, attach, false);
        self.handle(Input::Open { connection, start });
    }

    fn handle(&mut self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            for effect in self.host.handle(self.now, input, Fate::Lives) {
                match effect {
                    Effect::Deliver(delivery) if delivery.kind == DeliveryKind::Contact => {}
                    Effect::Deliver(delivery) => {
                        let body = serde_json::from_str(&delivery.body).unwrap();
                        self.told.push((delivery.kind, delivery.target, body));
                        let number = delivery.number;
                        let outcome = Outcome::Answered {
                            status: self.status,
                            retry_after_ms: None,
                        };
                        inputs.push(Input::Delivered(Delivered { number, outcome }));
                    }
                    Effect::Respond { body, .. } => {
                        self.answer = serde_json::from_str(&body).unwrap();
                    }
                    _ => {}
                }
            }
        }
    }

    /// Waits until everybody was told.
    fn pass(&mut self, ms: Timestamp) {
        self.now += ms;
        self.handle(Input::Deadline);
    }

    /// Ada says something and is told of that; then `bot` answers.
    fn ask(&mut self, turn: &str) {
        let said = json!({ "type": "publish", "messages": [{ "data": "hello" }] });
        let said = self.frame("ada", &said);
        let input = &said["result"]["messages"][0]["serial"];
        let start = json!({ "type": "turn.start", "id": turn, "input": input });
        self.frame("bot", &start);
        self.pass(500);
        self.told.clear();
    }

    fn end(&mut self, turn: &str) {
        let end = json!({ "type": "turn.end", "turn": turn, "attempt": 1, "status": "complete" });
        self.frame("bot", &end);
        self.pass(500);
    }

    /// The part of the news for an inbox that is for devices.
    fn away(&self, inbox: &str) -> Option<Value> {
        let mut told = self.told.iter().filter(|(_, target, _)| target == inbox);
        let told = told.next_back();
        told.map(|(_, _, news)| news["away"].clone())
    }
}

fn turns(away: &Option<Value>) -> Vec<String> {
    let ended = away.as_ref().unwrap()["ended"].as_array();
    let ended = ended.into_iter().flatten();
    ended
        .map(|it| it["turn"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn p10_2_who_left_hears_of_the_answer_and_nobody_else_does() {
    let mut world = World::new();
    world.frame(
        "bob",
        &json!({ "type": "publish", "messages": [{ "data": "me too" }] }),
    );
    world.ask("t1");
    world.end("t1");
    let ada = world.away("client:ada");
    assert_eq!(turns(&ada), ["t1"]);
    assert_eq!(ada.unwrap()["ended"][0]["status"], "complete");
    assert_eq!(turns(&world.away("client:bob")), [""; 0]);
    world.ask("t2");
    world.end("t2");
    assert_eq!(turns(&world.away("client:ada")), ["t2"], "each end once");
}

#[test]
fn p10_2_who_is_heard_is_not_away() {
    let mut world = World::new();
    world.attach("ada", Carrier::Socket);
    world.ask("t1");
    world.end("t1");
    assert_eq!(world.away("client:ada"), Some(Value::Null));
    // Silent for too long, as far as frames go; but the platform answered a ping meanwhile.
    world.ask("t2");
    world.now += TIMEOUT;
    let heard_at = world.now - 1_000;
    world.host.pings.insert(ConnectionId::new("ada"), heard_at);
    world.end("t2");
    assert_eq!(world.away("client:ada"), Some(Value::Null));
    world.ask("t3");
    world.now += TIMEOUT + 1_000;
    world.end("t3");
    assert_eq!(turns(&world.away("client:ada")), ["t3"]);
}

#[test]
fn p10_2_a_ping_counts_where_nothing_else_asks_for_it() {
    let mut world = World::new();
    world.attach("ada", Carrier::Socket);
    let ask = |id: &str| {
        let title = "Buy?";
        json!({ "type": "approval.request", "id": id, "title": title, "assignees": ["ada"] })
    };
    for (id, is_there) in [("a1", true), ("a2", true), ("a3", false)] {
        world.now += TIMEOUT;
        if is_there {
            let heard_at = world.now - 1_000;
            world.host.pings.insert(ConnectionId::new("ada"), heard_at);
        }
        world.frame("bot", &ask(id));
        world.pass(500);
        let is_null = world.away("client:ada") == Some(Value::Null);
        assert_eq!(is_null, is_there, "{id}");
    }
}

#[test]
fn p10_2_a_session_that_slept_knows_who_is_there() {
    let mut world = World::new();
    world.attach("ada", Carrier::Socket);
    world.ask("t1");
    world.host.evict();
    world.end("t1");
    assert_eq!(
        world.away("client:ada"),
        Some(Value::Null),
        "it was just opened"
    );
    world.ask("t2");
    world.now += 2 * TIMEOUT;
    world.host.evict();
    world.end("t2");
    assert_eq!(turns(&world.away("client:ada")), ["t2"]);
}

#[test]
fn p10_2_an_event_stream_that_is_open_is_somebody() {
    let mut world = World::new();
    world.attach("ada", Carrier::Events);
    world.ask("t1");
    world.now += 10 * TIMEOUT;
    world.end("t1");
    assert_eq!(world.away("client:ada"), Some(Value::Null));
}

#[test]
fn p10_2_a_connection_whose_token_expired_is_nobody() {
    let mut world = World::new();
    world.attach_until("ada", Carrier::Events, START + 10_000);
    world.ask("t1");
    world.now += 10_000;
    world.end("t1");
    assert_eq!(turns(&world.away("client:ada")), ["t1"]);
}

#[test]
fn p10_2_nobody_is_told_of_its_own_cancel_or_of_what_ended_long_ago() {
    let mut world = World::new();
    world.ask("t1");
    world.frame("ada", &json!({ "type": "cancel", "turn": "t1" }));
    world.end("t1");
    assert_eq!(turns(&world.away("client:ada")), [""; 0]);
    world.ask("t2");
    world.frame("sue", &json!({ "type": "cancel", "turn": "t2" }));
    world.end("t2");
    assert_eq!(
        turns(&world.away("client:ada")),
        ["t2"],
        "another's is news"
    );
}

#[test]
fn p10_2_a_deployment_without_push_says_and_costs_nothing() {
    let rows = |has_push: bool| {
        let mut world = World::new();
        world.host.outbound.push.web = has_push;
        world.ask("t1");
        let before = world.host.disk.0.rows_written();
        world.end("t1");
        let rows = world.host.disk.0.rows_written() - before;
        (rows, world.away("client:ada"))
    };
    let (without, away) = rows(false);
    assert_eq!(away, Some(Value::Null));
    let (with, away) = rows(true);
    assert_eq!((with, turns(&away)), (without, vec!["t1".to_owned()]));
}

#[test]
fn p10_2_an_agent_notifies_a_client_that_is_away_once() {
    let mut world = World::new();
    world.ask("t1");
    let notify = json!({
        "type": "notify", "id": "n1", "client": "ada", "title": "Found it", "body": "Here.",
        "data": { "page": 3 },
    });
    assert_eq!(world.frame("bot", &notify)["result"], json!({}));
    let [(kind, target, said)] = world.told.as_slice() else {
        panic!("{:?}", world.told);
    };
    assert_eq!(
        (*kind, target.as_str()),
        (DeliveryKind::Notice, "client:ada")
    );
    assert_eq!(
        (
            &said["title"],
            &said["body"],
            &said["data"]["page"],
            &said["session"]
        ),
        (&json!("Found it"), &json!("Here."), &json!(3), &json!("s1"))
    );
    let again = world.frame("bot", &notify);
    assert_eq!(
        (&again["result"]["duplicate"], world.told.len()),
        (&json!(true), 1)
    );
    world.attach("ada", Carrier::Socket);
    let mut next = notify;
    next["id"] = json!("n2");
    world.frame("bot", &next);
    assert_eq!(world.told.len(), 1, "she is there");
}

/// P11.2: an inbox that does not answer is not told later of a session that is gone.
#[test]
fn p10_2_words_that_are_owed_go_with_their_session() {
    let mut world = World::new();
    world.ask("t1");
    let notify = json!({
        "type": "notify", "id": "n1", "client": "ada", "title": "Found it", "body": "Here.",
    });
    world.status = 503;
    world.frame("bot", &notify);
    assert_eq!(world.told.pop().unwrap().0, DeliveryKind::Notice);
    let request = Request::Erase;
    let sender = sender("bot");
    world.handle(Input::Request { sender, request });
    world.status = 200;
    for _ in 0..20 {
        world.pass(60_000);
    }
    let notices = world.told.iter();
    let notices = notices.filter(|(kind, ..)| *kind == DeliveryKind::Notice);
    assert_eq!(notices.count(), 0);
    assert_eq!(world.host.log().deliveries().unwrap().len(), 0);
}

#[test]
fn p10_2_a_notify_that_cannot_be_is_refused_by_name() {
    let mut world = World::new();
    world.ask("t1");
    let notify = json!({ "type": "notify", "client": "ada", "title": "Found it" });
    let with = |name: &str, value: Value| {
        let mut frame = notify.clone();
        frame[name] = value;
        frame
    };
    for (frame, code, named) in [
        (
            with("client", json!("bob")),
            "not-found",
            "bob has not taken part",
        ),
        (
            with("client", json!("role:user")),
            "invalid-frame",
            "client is a role",
        ),
        (
            with("title", json!("")),
            "invalid-frame",
            "title is missing",
        ),
        (
            with("title", json!("x".repeat(257))),
            "too-large",
            "title has 257 characters",
        ),
        (
            with("body", json!("x".repeat(1_025))),
            "too-large",
            "body has 1025 characters",
        ),
        (
            with("data", json!("x".repeat(2_049))),
            "too-large",
            "data has 2049 bytes",
        ),
    ] {
        let answer = world.frame("bot", &frame);
        let error = &answer["error"];
        let message = error["message"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer}"));
        assert!(error["code"] == code && message.contains(named), "{error}");
    }
    let error = world.frame("viewer", &notify)["error"]["code"].clone();
    assert_eq!(error, "forbidden");
    world.host.outbound.push.web = false;
    world.host.evict();
    let error = world.frame("bot", &notify)["error"]["code"].clone();
    assert_eq!(error, "not-configured");
    assert!(
        world
            .told
            .iter()
            .all(|(kind, ..)| *kind == DeliveryKind::Inbox)
    );
}
