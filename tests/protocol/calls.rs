//! Calls of tools on the wire (P8.9).

use sessile::protocol::call::{Call, Called, Claim, Event, Returned, Status};
use sessile::protocol::data::Data;
use sessile::protocol::error::{Details, ErrorCode, ErrorInfo};
use sessile::protocol::frame::{CallFrame, Outcome, ServerFrame};
use sessile::protocol::ids::ConnectionId;

use crate::approvals::epoch;
use crate::{mark, serial};

fn json(text: &str) -> Option<Data> {
    Data::from_json(text.to_owned())
}

pub(crate) fn called() -> Call {
    Call {
        place: 7,
        version: 7,
        event: Event::Call,
        id: "c1".to_owned(),
        turn: "t1".to_owned(),
        client: "agent".to_owned(),
        called: Called {
            name: "location".to_owned(),
            input: json(r#"{"precise":true}"#),
            to: vec!["alice".to_owned()],
            schema: json(r#"{"type":"object"}"#),
            suspend: true,
        },
        deadline_at: Some(1_800_000_060_000),
        status: Status::Pending,
        claim: None,
        is_held: false,
        returned: Returned::default(),
        created_at: 1_800_000_000_000,
        settled_at: None,
    }
}

fn held() -> Call {
    Call {
        version: 8,
        event: Event::Claim,
        claim: Some(Claim {
            id: Some("k1".to_owned()),
            client: "alice".to_owned(),
            connection: Some(ConnectionId::new("c1")),
            at: 1_800_000_001_000,
            lease_ms: 30_000,
        }),
        is_held: true,
        ..called()
    }
}

fn settled(event: Event, status: Status) -> Call {
    Call {
        version: 9,
        event,
        status,
        settled_at: Some(1_800_000_002_000),
        ..held()
    }
}

fn complete() -> Call {
    Call {
        returned: Returned {
            output: json(r#"{"lat":52.5}"#),
            error: None,
        },
        ..settled(Event::Result, Status::Complete)
    }
}

pub(crate) fn frames() -> Vec<(&'static str, ServerFrame)> {
    let frame = |call: Call| {
        let until = call.is_pending().then_some(1_800_000_031_000);
        ServerFrame::Call(CallFrame {
            r#type: call.event,
            serial: serial(call.version),
            call: Box::new(call.shown("s1", epoch(), until)),
        })
    };
    let failed = Call {
        returned: Returned {
            output: None,
            error: Some(Data::Text("denied".to_owned())),
        },
        ..settled(Event::Result, Status::Failed)
    };
    let released = Call {
        version: 9,
        event: Event::Call,
        is_held: false,
        ..held()
    };
    let over = |status| Call {
        is_held: false,
        ..settled(Event::Expire, status)
    };
    let nack = |code, message: &str, details| ServerFrame::Nack {
        r#ref: mark("2"),
        error: ErrorInfo {
            details: Some(details),
            ..ErrorInfo::new(code, message)
        },
    };
    let claimed = nack(
        ErrorCode::Claimed,
        "unable to claim the call; alice holds call c1 over c1",
        Details::Claimed {
            client: "alice".to_owned(),
            connection: Some("c1".to_owned()),
        },
    );
    let shown = complete().shown("s1", epoch(), None);
    let late = nack(
        ErrorCode::AlreadySettled,
        "unable to settle the call; call c1 is complete",
        Details::Settled {
            call: json(&serde_json::to_string(&shown).unwrap()).unwrap(),
        },
    );
    let ack = ServerFrame::Ack {
        r#ref: mark("1"),
        result: Outcome::Call {
            call: Box::new(shown),
            duplicate: true,
        },
    };
    vec![
        ("tool.call", frame(called())),
        ("tool.claim", frame(held())),
        ("tool.call of a call that was released", frame(released)),
        ("tool.result", frame(complete())),
        ("tool.result of a failure", frame(failed)),
        ("tool.expire", frame(over(Status::Expired))),
        ("tool.expire with its turn", frame(over(Status::Withdrawn))),
        ("ack of a call", ack),
        ("nack of a call that another device holds", claimed),
        ("nack of a result that comes too late", late),
    ]
}
