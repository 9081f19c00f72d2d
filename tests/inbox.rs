//! P15: the inbox as a machine, without a platform.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "inbox/devices.rs"]
mod devices;
#[path = "inbox/erasing.rs"]
mod erasing;
#[path = "inbox/erasure.rs"]
mod erasure;
#[path = "inbox/notices.rs"]
mod notices;
#[path = "sqlite/mod.rs"]
mod sqlite;
#[path = "inbox/told.rs"]
mod told;
#[path = "inbox/world.rs"]
mod world;

use serde_json::{Value, json};
use sessile::inbox::{Inbox, Input, address};
use sessile::machine::Machine;
use sessile::protocol::capability::Role;
use sessile::protocol::error::ErrorCode;
use sessile::protocol::ids::ConnectionId;
use sessile::protocol::limits::Limits;
use world::{LATER, NOW, World, claims, grant};

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
    let grant = |client: &str, expires_at| grant(client, expires_at, &[("*", "read")]);
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
