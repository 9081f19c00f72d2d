//! Approvals on the wire (P8).

use sessile::protocol::approval::{
    self, Approval, Asked, Choice, Decision, Kind, OnDeadline, OnMessage, Past, Verdict,
};
use sessile::protocol::capability::Role;
use sessile::protocol::data::Data;
use sessile::protocol::error::{Details, ErrorCode, ErrorInfo};
use sessile::protocol::frame::{ApprovalFrame, Outcome, ServerFrame};
use sessile::protocol::grant::{Decider, Grant, RevokeFrame, Scope};
use sessile::protocol::serial::Epoch;

use crate::{mark, serial};

pub(crate) fn epoch() -> Epoch {
    Epoch::parse("k3x9").unwrap()
}

fn past(at: i64, what: approval::Event, who: Option<&str>) -> Past {
    let who = who.map(str::to_owned);
    let by = None;
    Past { at, what, who, by }
}

pub(crate) fn asked() -> Approval {
    Approval {
        place: 5,
        version: 5,
        event: approval::Event::Request,
        id: "a1".to_owned(),
        turn: Some("t1".to_owned()),
        client: "agent".to_owned(),
        asker: Some("alice".to_owned()),
        is_open: false,
        asked: Asked {
            kind: Kind::Approval,
            title: "Buy two tickets?".to_owned(),
            description: Some("They are not refundable.".to_owned()),
            data: Data::from_json(r#"{"seats":2}"#.to_owned()),
            schema: None,
            options: Vec::new(),
            assignees: vec!["alice".to_owned()],
            on_deadline: OnDeadline::Reject,
            on_message: OnMessage::Dismiss,
            grant: Some("tickets".to_owned()),
        },
        deadline_at: Some(1_800_003_600_000),
        escalate: Vec::new(),
        status: approval::Status::Pending,
        verdict: Verdict::default(),
        history: vec![past(
            1_800_000_000_000,
            approval::Event::Request,
            Some("agent"),
        )],
        created_at: 1_800_000_000_000,
    }
}

pub(crate) fn grant() -> Grant {
    Grant {
        place: 5,
        approval: "a1".to_owned(),
        key: "tickets".to_owned(),
        client: "agent".to_owned(),
        turn: Some("t1".to_owned()),
        by: Decider {
            client: "bob".to_owned(),
            role: Role::User,
            is_admin: false,
        },
        at: 1_800_000_060_000,
    }
}

fn changed(event: approval::Event, status: approval::Status, who: Option<&str>) -> Approval {
    let mut approval = asked();
    approval.version = 6;
    approval.event = event;
    approval.status = status;
    approval.history.push(past(1_800_000_060_000, event, who));
    approval
}

fn approved() -> Approval {
    let (event, status) = (approval::Event::Decide, approval::Status::Approved);
    Approval {
        verdict: Verdict {
            decision: Some(Decision::Approve),
            option: None,
            answer: Data::from_json(r#"{"seats":1}"#.to_owned()),
            comment: Some("one is enough".to_owned()),
            scope: Some(Scope::Session),
        },
        ..changed(event, status, Some("alice"))
    }
}

fn answered() -> Approval {
    let (event, status) = (approval::Event::Expire, approval::Status::Answered);
    let option = |id: &str, label: &str| Choice {
        id: id.to_owned(),
        label: label.to_owned(),
        data: None,
    };
    let expired = changed(event, status, None);
    Approval {
        turn: None,
        asked: Asked {
            kind: Kind::Question,
            title: "Which seat?".to_owned(),
            description: None,
            data: None,
            options: vec![option("aisle", "Aisle"), option("window", "Window")],
            assignees: Vec::new(),
            on_deadline: OnDeadline::Option("aisle".to_owned()),
            on_message: OnMessage::Keep,
            grant: None,
            schema: None,
        },
        verdict: Verdict {
            decision: Some(Decision::Answer),
            option: Some("aisle".to_owned()),
            ..Verdict::default()
        },
        ..expired
    }
}

pub(crate) fn frames() -> Vec<(&'static str, ServerFrame)> {
    use approval::{Event, Status};
    let frame = |approval: Approval| {
        ServerFrame::Approval(ApprovalFrame {
            r#type: approval.event,
            serial: serial(approval.version),
            approval: Box::new(approval.shown("s1", epoch())),
        })
    };
    let mut escalated = changed(Event::Escalate, Status::Pending, None);
    escalated.asked.assignees.push("role:supervisor".to_owned());
    let withdrawn = changed(Event::Withdraw, Status::Withdrawn, Some("agent"));
    let expired = changed(Event::Expire, Status::Expired, None);
    let approval = Box::new(approved().shown("s1", epoch()));
    let text = serde_json::to_string(&approval).unwrap();
    let decided = ErrorInfo {
        details: Some(Details::Decided {
            approval: Data::from_json(text).unwrap(),
        }),
        ..ErrorInfo::new(
            ErrorCode::AlreadyDecided,
            "unable to decide the approval; approval a1 is approved",
        )
    };
    let duplicate = true;
    let ack = |result| ServerFrame::Ack {
        r#ref: mark("1"),
        result,
    };
    let mut remembered = approved();
    remembered.event = Event::Request;
    remembered.verdict = Verdict {
        decision: Some(Decision::Approve),
        ..Verdict::default()
    };
    for past in &mut remembered.history {
        past.by = (past.what == Event::Decide).then(|| "a0".to_owned());
    }
    let grants = vec![grant().shown()];
    vec![
        (
            "grant.revoke",
            ServerFrame::Revoke(RevokeFrame {
                serial: serial(8),
                key: "tickets".to_owned(),
                by: "alice".to_owned(),
                grants: grants.clone(),
            }),
        ),
        (
            "ack of a revocation",
            ack(Outcome::Grants { grants, duplicate }),
        ),
        (
            "approval.request that is settled at once",
            frame(remembered),
        ),
        ("approval.request", frame(asked())),
        ("approval.escalate", frame(escalated)),
        ("approval.decide", frame(approved())),
        ("approval.expire", frame(expired)),
        ("approval.expire that answers", frame(answered())),
        ("approval.withdraw", frame(withdrawn)),
        (
            "ack of an approval",
            ack(Outcome::Approval {
                approval,
                duplicate,
            }),
        ),
        (
            "nack of a decision that comes too late",
            ServerFrame::Nack {
                r#ref: mark("6"),
                error: decided,
            },
        ),
    ]
}
