//! Frames of a hand-over (P8.8).

use sessile::protocol::error::{Details, ErrorCode, ErrorInfo};
use sessile::protocol::frame::{Outcome, ServerFrame};
use sessile::protocol::handover::{Handover, Leading, Returned, Wake};

use super::{mark, serial};

pub(crate) fn leading() -> Leading {
    Leading {
        client: "sue".to_owned(),
        name: Some("Sue".to_owned()),
        since: 1_800_000_000_000,
        note: Some("let me".to_owned()),
    }
}

pub(crate) fn frames() -> Vec<(&'static str, ServerFrame)> {
    let taken = Handover {
        version: 4,
        lead: leading(),
        replaced: Some("tom".to_owned()),
        waiting: Vec::new(),
        returned: None,
    };
    let back = |returned| Handover {
        returned: Some(returned),
        ..taken.clone()
    };
    let returned = back(Returned {
        by: Some("sue".to_owned()),
        reason: None,
        wake: Wake::All,
        note: Some("done".to_owned()),
    });
    let lost = back(Returned {
        by: None,
        reason: Some("lost".to_owned()),
        wake: Wake::Last,
        note: None,
    });
    let frame = |handover: &Handover| ServerFrame::Handover(handover.frame(serial(1).epoch));
    let ack = |lead| ServerFrame::Ack {
        r#ref: mark("1"),
        result: Outcome::Lead {
            lead,
            duplicate: false,
        },
    };
    let led = ErrorInfo {
        details: Some(Details::Led {
            client: "sue".to_owned(),
        }),
        ..ErrorInfo::new(
            ErrorCode::LedByPerson,
            "unable to publish; sue leads the session, wait for lead.return",
        )
    };
    vec![
        ("lead.take", frame(&taken)),
        ("lead.return", frame(&returned)),
        ("lead.return of a person who was lost", frame(&lost)),
        ("ack of a lead.take", ack(Some(leading()))),
        ("ack of a lead.return", ack(None)),
        (
            "nack of what a person leads",
            ServerFrame::Nack {
                r#ref: mark("2"),
                error: led,
            },
        ),
    ]
}
