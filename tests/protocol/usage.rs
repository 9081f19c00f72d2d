//! Frames of usage and budgets (P6.12).

use sessile::protocol::error::ErrorCode;
use sessile::protocol::frame::{ServerFrame, TurnFrame};
use sessile::protocol::turn::{Event, Turn};
use sessile::protocol::usage::{OverBudget, Usage};

use super::{active, mark, serial, shown};

pub(crate) fn usage(json: &str) -> Usage {
    serde_json::from_str(json).unwrap()
}

pub(crate) fn sums() -> Usage {
    usage(r#"{"inputTokens":5200,"outputTokens":1200,"cost":0.25}"#)
}

pub(crate) fn over() -> OverBudget {
    sums().beyond(&usage(r#"{"outputTokens":1000}"#)).unwrap()
}

pub(crate) fn frames() -> Vec<(&'static str, ServerFrame)> {
    let turn = Turn {
        usage: usage(r#"{"outputTokens":200}"#),
        ..active()
    };
    let error = over().refusal("start the turn");
    assert_eq!(error.code, ErrorCode::OverBudget);
    vec![
        (
            "turn.usage",
            ServerFrame::Turn(TurnFrame {
                r#type: Event::Usage,
                serial: serial(4),
                turn: shown(&turn),
                message: None,
                data: None,
            }),
        ),
        (
            "usage beyond the budget",
            ServerFrame::Usage {
                usage: usage(r#"{"outputTokens":1200}"#),
                over_budget: Some(over()),
            },
        ),
        (
            "usage after the budget was raised",
            ServerFrame::Usage {
                usage: Usage::default(),
                over_budget: None,
            },
        ),
        (
            "nack of a start beyond the budget",
            ServerFrame::Nack {
                r#ref: mark("7"),
                error,
            },
        ),
    ]
}
