//! Frames of the shared state (P9.2).

use sessile::protocol::data::Data;
use sessile::protocol::error::{Details, ErrorCode, ErrorInfo};
use sessile::protocol::frame::ServerFrame;
use sessile::protocol::schema::Breach;
use sessile::protocol::state::Shown;

use super::{mark, serial};

fn json(text: &str) -> Data {
    Data::from_json(text.to_owned()).unwrap()
}

pub(crate) fn shown() -> Shown {
    Shown {
        value: json(r#"{"trip":{"city":"Oslo","nights":2}}"#),
        version: serial(9),
    }
}

pub(crate) fn frames() -> Vec<(&'static str, ServerFrame)> {
    let ops = r#"[{"op":"set","path":["trip","nights"],"value":3},
                  {"op":"remove","path":["trip","city"]}]"#;
    let breach = Breach {
        path: "/trip/nights".to_owned(),
        reason: "it is more than 30".to_owned(),
    };
    vec![
        (
            "state.change",
            ServerFrame::State {
                serial: serial(10),
                client: "alice".to_owned(),
                ops: json(ops),
            },
        ),
        (
            "nack of a state that breaks its schema",
            ServerFrame::Nack {
                r#ref: mark("6"),
                error: ErrorInfo {
                    details: Some(Details::Breaches {
                        breaches: vec![breach],
                    }),
                    ..ErrorInfo::new(
                        ErrorCode::InvalidState,
                        "unable to change the state; the state would break stateSchema at …",
                    )
                },
            },
        ),
    ]
}
