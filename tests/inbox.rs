//! P15: the inbox as a machine, without a platform.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use serde_json::{Value, json};
use sessile::inbox::{Connection, Effect, Grant, Inbox, Input, Rows, address};
use sessile::machine::{Carrier, Machine};
use sessile::protocol::capability::{Capabilities, Role};
use sessile::protocol::decode::decode;
use sessile::protocol::error::ErrorCode;
use sessile::protocol::ids::{ConnectionId, Timestamp};
use sessile::protocol::inbox::{Attach, Request};
use sessile::protocol::limits::Limits;
use sessile::token::Claims;

const NOW: Timestamp = 1_000_000;
const LATER: Timestamp = 2_000_000;

fn claims(client: &str, caps: &[(&str, &str)]) -> Claims {
    let caps = caps.iter().map(|(pattern, word)| {
        let words = vec![(*word).to_owned()];
        ((*pattern).to_owned(), words)
    });
    Claims {
        client: client.to_owned(),
        name: None,
        role: None,
        capabilities: Capabilities::parse(&caps.collect::<Vec<_>>()).unwrap(),
        expires_at: LATER,
    }
}

struct World {
    inbox: Inbox,
    limits: Limits,
    kept: Vec<Connection>,
}

impl World {
    fn new(limits: Limits) -> Self {
        let inbox = Inbox::load("client:ann", limits.clone().into(), &Rows, Vec::new(), 7).unwrap();
        let kept = Vec::new();
        Self {
            inbox,
            limits,
            kept,
        }
    }

    /// The sends and closes of an input, as JSON.
    fn handle(&mut self, now: Timestamp, input: Input) -> Vec<Value> {
        let effects = self.inbox.handle(now, input);
        let mut said = Vec::new();
        for effect in effects {
            match effect {
                Effect::Send { text, .. } => {
                    said.push(serde_json::from_str(&text.whole()).unwrap())
                }
                Effect::Close { code, .. } => said.push(json!(code)),
                Effect::Respond { status, body } => {
                    said.push(json!([
                        status,
                        serde_json::from_str::<Value>(&body).unwrap()
                    ]));
                }
                Effect::Remember(connection) => {
                    self.kept.retain(|kept| kept.id != connection.id);
                    self.kept.push(connection);
                }
                Effect::Erase => panic!("an inbox is not erased"),
                Effect::Deliver(never) => match never {},
            }
        }
        said
    }

    fn open(&mut self, id: &str, client: &str) -> Vec<Value> {
        let grant = Grant {
            client: client.to_owned(),
            expires_at: LATER,
        };
        let id = ConnectionId::new(id);
        let attach = Attach::default();
        let (connection, start) = Inbox::attach(id, Carrier::Socket, grant, attach, false);
        self.handle(NOW, Input::Open { connection, start })
    }

    fn message(&mut self, now: Timestamp, id: &str, text: &str) -> Vec<Value> {
        let frames = decode(text, &self.limits).unwrap();
        let input = Input::Message {
            connection: ConnectionId::new(id),
            frames,
            bytes: text.len(),
            is_alone: true,
        };
        self.handle(now, input)
    }

    fn renew(&mut self, id: &str, grant: Result<Grant, ErrorCode>) -> Vec<Value> {
        let error = |code| sessile::protocol::error::ErrorInfo::new(code, "no");
        let grant = grant.map_err(error);
        let (connection, reference, chain) = (ConnectionId::new(id), None, None);
        let renew = Input::Renew {
            connection,
            reference,
            chain,
            grant,
        };
        self.handle(NOW, renew)
    }

    fn sleep(&mut self) {
        let kept = self.kept.clone();
        self.inbox =
            Inbox::load("client:ann", self.limits.clone().into(), &Rows, kept, 99).unwrap();
    }

    fn serial(&mut self) -> Value {
        let (sender, request) = ("ann".to_owned(), Request::Read);
        let said = self.handle(NOW, Input::Request { sender, request });
        said[0][1]["serial"].clone()
    }
}

#[test]
fn p15_2_all_of_it_comes_first_and_its_serial_outlives_a_sleep() {
    let mut world = World::new(Limits::default());
    let said = world.open("c1", "ann");
    assert_eq!(said.len(), 1);
    assert_eq!(
        (&said[0]["type"], &said[0]["inbox"]),
        (&json!("inbox"), &json!("client:ann"))
    );
    assert_eq!(said[0]["expiresAt"], LATER);
    assert_eq!(said[0]["serial"], world.serial());
    let before = world.serial();
    world.sleep();
    assert_eq!(world.serial(), before);
}

#[test]
fn p2_6_a_fresh_token_of_the_same_client_takes_the_place_of_the_old() {
    let grant = |client: &str, expires_at| Grant {
        client: client.to_owned(),
        expires_at,
    };
    let mut world = World::new(Limits::default());
    world.open("c1", "ann");
    assert_eq!(
        world.renew("c1", Ok(grant("ann", LATER * 2))),
        Vec::<Value>::new()
    );
    assert_eq!(
        world.message(LATER, "c1", r#"{"type":"seen","n":0}"#),
        Vec::<Value>::new()
    );
    let said = world.renew("c1", Ok(grant("bob", LATER * 9)));
    assert_eq!(said[0]["error"]["code"], "unauthorized");
    assert_eq!(
        world.renew("c1", Err(ErrorCode::Unauthorized)).len(),
        1,
        "it stays"
    );
    world.sleep();
    let said = world.message(LATER * 2, "c1", r#"{"type":"seen","n":0}"#);
    assert_eq!(said, [json!(4401)]);
    world.open("c2", "ann");
    assert_eq!(world.renew("c2", Err(ErrorCode::Forbidden))[1], json!(4403));
}

#[test]
fn p14_connections_and_messages_are_bounded() {
    let limits = Limits {
        connections: 3,
        client_connections: 2,
        messages_per_second: 1,
        messages_burst: 2,
        ..Limits::default()
    };
    let mut world = World::new(limits);
    for (id, client, is_in) in [("1", "a", true), ("2", "a", true), ("3", "a", false)] {
        assert_eq!(world.open(id, client)[0]["type"] == "inbox", is_in, "{id}");
    }
    world.open("4", "b");
    let said = world.open("5", "c");
    assert_eq!(
        (&said[0]["error"]["code"], &said[1]),
        (&json!("over-limit"), &json!(4429))
    );
    let seen = r#"{"type":"seen","n":0,"ref":1}"#;
    for _ in 0..2 {
        assert_eq!(world.message(NOW, "1", seen)[0]["type"], "ack");
    }
    assert_eq!(world.message(NOW, "1", seen), [json!(4429)]);
    assert!(world.message(NOW, "1", seen).is_empty(), "it is gone");
    let close = Input::Close {
        connection: ConnectionId::new("2"),
    };
    world.handle(NOW, close);
    assert_eq!(
        world.open("6", "a")[0]["type"],
        "inbox",
        "there is room again"
    );
}

#[test]
fn p15_1_a_token_opens_its_clients_inbox_and_its_roles() {
    let ann = claims("ann", &[("s-*", "supervisor"), ("*", "viewer")]);
    assert_eq!(ann.role(), Role::Supervisor);
    for (name, code) in [
        (address("ann", None), None),
        (address("ann", Some(Role::Supervisor)), None),
        (
            address("ann", Some(Role::Agent)),
            Some(ErrorCode::Forbidden),
        ),
        (address("bob", None), Some(ErrorCode::Unauthorized)),
    ] {
        let refused = Inbox::grant(&ann, &name).err().map(|error| error.code);
        assert_eq!(refused, code, "{name}");
    }
    for caps in [&[][..], &[("*", "publish")]] {
        let refused = Inbox::grant(&claims("ann", caps), "client:ann").unwrap_err();
        assert_eq!(refused.code, ErrorCode::Forbidden);
    }
}
