//! Messages that frames carry.

use sessile::protocol::data::Data;
use sessile::protocol::message::{Message, Role, Status};

use super::{connection, serial, state};

pub(crate) fn small() -> Message {
    Message {
        serial: serial(1),
        version: serial(1),
        id: None,
        name: "message".to_owned(),
        client: "alice".to_owned(),
        connection: None,
        role: Role::User,
        turn: None,
        parent: None,
        data: Some(Data::Text("Hello".to_owned())),
        headers: None,
        status: None,
        seq: None,
        created_at: 1_800_000_000_000,
        updated_at: 1_800_000_000_000,
        annotations: None,
        deleted_at: None,
    }
}

pub(crate) fn large() -> Message {
    let headers = [("lang".to_owned(), "en".to_owned())];
    Message {
        serial: serial(2),
        version: serial(10),
        id: Some("m1".to_owned()),
        name: "answer".to_owned(),
        client: "agent".to_owned(),
        connection: Some(connection()),
        role: Role::Assistant,
        turn: Some("t1".to_owned()),
        parent: Some(serial(1)),
        data: Some(Data::Text("Hel👍🏽lo \"\\\n".to_owned())),
        headers: Some(headers.into()),
        status: Some(Status::Streaming),
        seq: Some(7),
        annotations: Some(Box::new(state::sums())),
        updated_at: 1_800_000_001_000,
        ..small()
    }
}

pub(crate) fn tombstone() -> Message {
    let (data, deleted_at) = (None, Some(1_800_000_002_000));
    Message {
        version: serial(11),
        data,
        deleted_at,
        updated_at: 1_800_000_002_000,
        ..small()
    }
}
