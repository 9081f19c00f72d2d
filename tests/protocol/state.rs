//! Frames of the shared state (P9.2), of annotations (P9.3) and of read marks (P9.5).

use sessile::protocol::data::Data;
use sessile::protocol::error::{Details, ErrorCode, ErrorInfo};
use sessile::protocol::frame::ServerFrame;
use sessile::protocol::mark::Mark;
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

/// Sums of annotations.
pub(crate) fn sums() -> Data {
    json(
        r#"{"like:distinct":{"up":{"total":120,"clients":{"alice":1},"clipped":true}},
            "cite:multiple":{"":{"total":3,"clients":{"agent":3}}}}"#,
    )
}

pub(crate) fn read_mark() -> Mark {
    Mark {
        client: "bob".to_owned(),
        serial: serial(4),
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
            "message.summary",
            ServerFrame::Summary {
                serial: serial(2),
                version: serial(11),
                annotations: sums(),
            },
        ),
        (
            "read.mark",
            ServerFrame::Marked {
                client: "alice".to_owned(),
                serial: serial(2),
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
