//! Golden frames: every frame on the wire, as files that the core and its clients read and write
//! alike (`tests/fixtures/frames`). `UPDATE_EXPECT=1 cargo test --test protocol` writes those of
//! the core again.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "protocol/addresses.rs"]
mod addresses;
#[path = "protocol/approvals.rs"]
mod approvals;
#[path = "protocol/calls.rs"]
mod calls;
#[path = "protocol/handover.rs"]
mod handover;
#[path = "protocol/messages.rs"]
mod messages;
#[path = "protocol/state.rs"]
mod state;
#[path = "protocol/usage.rs"]
mod usage;

use expect_test::expect_file;
use messages::{large, small, tombstone};
use serde_json::{Value, json};
use sessile::protocol::PROTOCOL_VERSION;
use sessile::protocol::capability;
use sessile::protocol::data::Data;
use sessile::protocol::decode::{ClientFrame, Ref, decode};
use sessile::protocol::error::{Details, ErrorCode, ErrorInfo, close};
use sessile::protocol::frame::{
    Attached, Lists, Outcome, Placed, Presence, ServerFrame, TurnFrame,
};
use sessile::protocol::ids::ConnectionId;
use sessile::protocol::limits::Limits;
use sessile::protocol::message::{Headers, Message, Status};
use sessile::protocol::presence::Member;
use sessile::protocol::serial::{Epoch, Serial};
use sessile::protocol::turn::{Cancel, Ending, Event, Lead, Shown, State, Turn, Within};
use sessile::protocol::usage::Usage;

const JSON: &str = r#"{"any":["JSON",null,1.50]}"#;
const CLIENT: &str = include_str!("fixtures/frames/client.json");
const REFUSED: &str = include_str!("fixtures/frames/refused.json");

fn serial(place: u64) -> Serial {
    Epoch::parse("k3x9").unwrap().at(place)
}

fn connection() -> ConnectionId {
    ConnectionId::new("c1")
}

/// A `ref` as sent with a frame.
fn mark(text: &str) -> Option<Ref> {
    let frame = format!(r#"{{"type":"seen","n":1,"ref":{text}}}"#);
    decode(&frame, &Limits::default())
        .unwrap()
        .remove(0)
        .reference
}

fn member() -> Member {
    Member {
        client: "alice".to_owned(),
        name: Some("Alice".to_owned()),
        connection: connection(),
        role: capability::Role::User,
        data: Data::from_json(r#"{"typing":true}"#.to_owned()),
        since: 1_800_000_000_000,
    }
}

fn active() -> Turn {
    Turn {
        place: 3,
        version: 3,
        event: Event::Start,
        id: "t1".to_owned(),
        agent: Some("agent".to_owned()),
        input: Some(1),
        parent: None,
        within: None,
        attempt: 1,
        attempt_place: 3,
        steers: Vec::new(),
        inputs: Vec::new(),
        created_at: 1_800_000_000_000,
        started_at: Some(1_800_000_000_000),
        cancel: None,
        metadata: Data::from_json(r#"{"model":"m"}"#.to_owned()),
        traceparent: None,
        usage: Usage::default(),
        state: State::Active(Lead::new(Some(connection()), 30_000)),
    }
}

fn ended() -> Turn {
    Turn {
        cancel: Some(Cancel {
            by: "alice".to_owned(),
            at: 1_800_000_001_000,
            reason: Some("enough".to_owned()),
        }),
        state: State::Ended {
            ending: Ending::Cancelled,
            reason: None,
            error: Data::from_json(r#"{"code":"x"}"#.to_owned()),
            at: 1_800_000_002_000,
        },
        ..active()
    }
}

fn nested() -> Turn {
    Turn {
        within: Some(Within {
            turn: "t0".to_owned(),
            depth: 1,
            detached: true,
        }),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
        ..active()
    }
}

fn shown(turn: &Turn) -> Shown {
    let until = turn.is_open().then_some(1_800_000_030_000);
    turn.shown(serial(1).epoch, until)
}

fn turn_frames() -> Vec<(&'static str, ServerFrame)> {
    let turn = |event, turn: &Turn| TurnFrame {
        r#type: event,
        serial: serial(4),
        turn: shown(turn),
        message: None,
        data: None,
    };
    let steer = TurnFrame {
        message: Some(serial(4)),
        data: Some(Data::Text("shorter".to_owned())),
        ..turn(Event::Steer, &active())
    };
    let ack = |result| ServerFrame::Ack {
        r#ref: mark("1"),
        result,
    };
    let boxed = |turn: &Turn| Box::new(shown(turn));
    vec![
        (
            "turn.start within another",
            ServerFrame::Turn(turn(Event::Start, &nested())),
        ),
        (
            "turn.start",
            ServerFrame::Turn(turn(Event::Start, &active())),
        ),
        ("turn.end", ServerFrame::Turn(turn(Event::End, &ended()))),
        ("turn.steer", ServerFrame::Turn(steer)),
        ("presence.enter", ServerFrame::Enter { member: member() }),
        ("presence.update", ServerFrame::Present { member: member() }),
        ("presence.leave", ServerFrame::Leave { member: member() }),
        (
            "presence.count",
            ServerFrame::Count {
                presence_count: 1_234,
            },
        ),
        (
            "ack of a turn",
            ack(Outcome::Turn {
                turn: boxed(&active()),
                duplicate: true,
            }),
        ),
        (
            "ack of a cancel of many",
            ack(Outcome::TurnIds {
                turn_ids: vec!["t1".to_owned(), "t2".to_owned()],
                duplicate: false,
            }),
        ),
        (
            "ack of cancel",
            ack(Outcome::Turns {
                turns: vec![shown(&ended())],
                duplicate: false,
            }),
        ),
        (
            "ack of steer",
            ack(Outcome::Steered {
                serial: serial(4),
                turn: boxed(&active()),
                duplicate: false,
            }),
        ),
        ("ack of presence", ack(Outcome::Member { member: member() })),
    ]
}

fn log_frames() -> Vec<(&'static str, ServerFrame)> {
    let attached = Attached {
        protocol: PROTOCOL_VERSION,
        session: "s1".to_owned(),
        connection: connection(),
        client: "alice".to_owned(),
        expires_at: 1_800_000_060_000,
        at: 1_800_000_000_000,
        serial: serial(12),
        resumed: false,
        reason: None,
        has_older: true,
        connections: 3,
        lists: Lists {
            presence: Presence {
                presence: Some(vec![member()]),
                presence_count: None,
            },
            lead: Some(handover::leading()),
            grants: vec![approvals::grant().shown()],
            turns: Some(vec![shown(&active())]),
            approvals: Some(vec![approvals::asked().shown("s1", approvals::epoch())]),
            calls: Some(vec![calls::called().shown("s1", approvals::epoch(), None)]),
            state: Some(state::shown()),
            marks: vec![state::read_mark()],
            usage: usage::sums(),
            over_budget: Some(usage::over()),
        },
        limits: Limits::default(),
    };
    let append = |data: &str, status| ServerFrame::Append {
        serial: serial(2),
        version: serial(3),
        offset: 3,
        data: data.to_owned(),
        status,
        headers: None,
    };
    let ended = ServerFrame::Append {
        serial: serial(2),
        version: serial(3),
        offset: 3,
        data: "lo".to_owned(),
        status: Some(Status::Complete),
        headers: Some(Headers::from([("part".to_owned(), "0".to_owned())])),
    };
    let delete = ServerFrame::Delete {
        serial: serial(1),
        version: serial(11),
        superseded: false,
    };
    let superseded = ServerFrame::Delete {
        serial: serial(2),
        version: serial(11),
        superseded: true,
    };
    vec![
        ("attached", ServerFrame::Attached(Box::new(attached))),
        ("caught-up", ServerFrame::CaughtUp { serial: serial(12) }),
        ("create", ServerFrame::Create { message: small() }),
        (
            "create with everything",
            ServerFrame::Create { message: large() },
        ),
        (
            "create of JSON",
            ServerFrame::Create {
                message: Message {
                    data: Data::from_json(JSON.to_owned()),
                    ..small()
                },
            },
        ),
        (
            "create of a tombstone",
            ServerFrame::Create {
                message: tombstone(),
            },
        ),
        ("append", append("👍🏽", None)),
        ("append that closes", append("", Some(Status::Complete))),
        ("append that closes with headers", ended),
        ("update", ServerFrame::Update { message: large() }),
        (
            "update without data",
            ServerFrame::Update {
                message: Message {
                    data: None,
                    ..large()
                },
            },
        ),
        ("delete", delete),
        ("delete of what is superseded", superseded),
        (
            "trim",
            ServerFrame::Trim {
                before: serial(9),
                keep: Vec::new(),
            },
        ),
        (
            "trim but for a stream",
            ServerFrame::Trim {
                before: serial(9),
                keep: vec![serial(2)],
            },
        ),
    ]
}

fn other_frames() -> Vec<(&'static str, ServerFrame)> {
    let signal = |connection, data| ServerFrame::Signal {
        client: "bob".to_owned(),
        connection,
        name: "typing".to_owned(),
        data,
    };
    let placed = |id: Option<&str>, seq, duplicate| Placed {
        id: id.map(str::to_owned),
        seq,
        duplicate,
        ..Placed::new(serial(2), serial(3))
    };
    let messages = vec![
        Placed::new(serial(1), serial(1)),
        placed(Some("m1"), None, true),
    ];
    let ack = |text: &str, result| ServerFrame::Ack {
        r#ref: mark(text),
        result,
    };
    let plain = ErrorInfo::new(ErrorCode::Closed, "unable to append; message … is closed");
    let mut gap = ErrorInfo::new(ErrorCode::Gap, "unable to append; message … expects seq 3");
    gap.details = Some(Details::Gap {
        expected_seq: 3,
        length: 120,
    });
    let limited = ErrorInfo::rate_limited("unable to signal; wait 50 ms", 50);
    vec![
        (
            "signal",
            signal(
                Some(connection()),
                Data::from_json("{\"on\":true}".to_owned()),
            ),
        ),
        ("signal of a request, without data", signal(None, None)),
        ("ack of publish", ack("1", Outcome::Published { messages })),
        (
            "ack of append",
            ack("\"a\"", Outcome::Changed(placed(None, Some(2), false))),
        ),
        (
            "ack of a duplicate",
            ack("2", Outcome::Changed(placed(None, None, true))),
        ),
        (
            "ack of auth",
            ack(
                "8",
                Outcome::Renewed {
                    expires_at: 1_800_000_060_000,
                    at: 1_800_000_000_000,
                },
            ),
        ),
        (
            "ack of signal",
            ack("7", Outcome::Nothing { duplicate: false }),
        ),
        (
            "ack of a signal again",
            ack("7", Outcome::Nothing { duplicate: true }),
        ),
        (
            "nack",
            ServerFrame::Nack {
                r#ref: mark("3"),
                error: plain.clone(),
            },
        ),
        (
            "nack without ref",
            ServerFrame::Nack {
                r#ref: None,
                error: plain,
            },
        ),
        (
            "nack of a gap",
            ServerFrame::Nack {
                r#ref: mark("4"),
                error: gap,
            },
        ),
        (
            "nack of too much",
            ServerFrame::Nack {
                r#ref: mark("5"),
                error: limited,
            },
        ),
        (
            "token-expiring",
            ServerFrame::TokenExpiring {
                expires_at: 1_800_000_060_000,
            },
        ),
        ("probe", ServerFrame::Probe { n: 3 }),
    ]
}

/// P3.4, P4.4, P13.1: the frames that a session sends.
#[test]
fn every_server_frame_is_written_as_its_fixture() {
    let asked = [
        approvals::frames(),
        calls::frames(),
        handover::frames(),
        state::frames(),
        usage::frames(),
    ];
    let asked = asked.concat();
    let frames = [log_frames(), turn_frames(), asked, other_frames()];
    let fixtures: Vec<Value> = frames
        .concat()
        .into_iter()
        .map(|(name, frame)| {
            let frame: Value = serde_json::from_str(&frame.encode()).unwrap();
            json!({ "name": name, "frame": frame })
        })
        .collect();
    expect_file!["fixtures/frames/server.json"].assert_eq(&pretty(&json!(fixtures)));
}

/// P13.2, P13.3, P14: the table of codes, how connections are closed, and the limits.
#[test]
fn every_code_and_limit_is_in_the_fixtures() {
    let codes = ErrorCode::ALL
        .iter()
        .map(|code| (code.as_str().to_owned(), json!(code.status())));
    let table = json!({
        "errors": Value::Object(codes.collect()),
        "closes": {
            "protocol error": close::PROTOCOL_ERROR,
            "unauthorized": close::UNAUTHORIZED,
            "forbidden": close::FORBIDDEN,
            "gone": close::GONE,
            "too large": close::TOO_LARGE,
            "too fast": close::TOO_FAST,
        },
        "limits": Limits::default(),
    });
    expect_file!["fixtures/frames/tables.json"].assert_eq(&pretty(&table));
}

/// P4, P5: the frames that clients send.
#[test]
fn every_client_frame_is_read() {
    let fixtures: Vec<Value> = serde_json::from_str(CLIENT).unwrap();
    for fixture in fixtures {
        let text = fixture["frame"].to_string();
        let received = decode(&text, &Limits::default()).unwrap().remove(0);
        let frame: ClientFrame = received
            .frame
            .unwrap_or_else(|error| panic!("{error:?}: {text}"));
        let reference = received.reference.map(|reference| json!(reference));
        assert_eq!(reference, fixture.pointer("/frame/ref").cloned(), "{text}");
        let verb = fixture["verb"]
            .as_str()
            .or(fixture["frame"]["type"].as_str());
        assert_eq!(Some(frame.verb()), verb, "{text}");
    }
}

/// P13.6: refused frames, and the code of each.
#[test]
fn every_refused_frame_is_refused() {
    let fixtures: Vec<Value> = serde_json::from_str(REFUSED).unwrap();
    for fixture in fixtures {
        let text = fixture["text"].as_str().unwrap();
        let error = match decode(text, &Limits::default()) {
            Ok(mut received) => received.remove(0).frame.unwrap_err(),
            Err(error) => error,
        };
        assert_eq!(error.code.as_str(), fixture["code"], "{text}");
        assert!(error.message.starts_with("unable to "), "{}", error.message);
        assert!(error.message.contains("; "), "{}", error.message);
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap() + "\n"
}
