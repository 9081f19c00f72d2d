//! Frames of usage and budgets (P6.12).

use sessile::protocol::error::ErrorCode;
use sessile::protocol::frame::ServerFrame;
use sessile::protocol::turn::Turn;
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
            ServerFrame::Used {
                serial: serial(3),
                turn: shown(&turn),
                usage: usage(r#"{"outputTokens":1200}"#),
            },
        ),
        (
            "budget that is spent",
            ServerFrame::Budget {
                over_budget: Some(over()),
            },
        ),
        (
            "budget that was raised",
            ServerFrame::Budget { over_budget: None },
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
