//! A session in which everything that rows can say is said once, as it is written and as it is
//! read. Fields are spelled out, so that a new one has to come into the golden rows.

use crate::model::epoch;
use crate::{
    annotations, approvals, calls, deliveries, files, followers, grants, handover, importing,
    search, state, usage,
};
use sessile::protocol::agent::Agent;
use sessile::protocol::data::Data;
use sessile::protocol::hooks::{Hook, HookEvent};
use sessile::protocol::ids::ConnectionId;
use sessile::protocol::message::{Headers, Message, Role, Status, as_json};
use sessile::protocol::settings::{OnInput, Settings};
use sessile::protocol::turn::{Cancel, Ending, Event, Lead, State, Turn, Within};
use sessile::protocol::usage::Usage;
use sessile::store::{
    Beginning, Change, Close, Entry, Growth, IdWrite, Kept, Kind, MessageWrite, MetaWrite,
    NewFields, Store, TextWrite, Trim, TurnWrite, Write,
};

const ONCE: [Kind; 23] = [
    Kind::Append,
    Kind::Update,
    Kind::Delete,
    Kind::Signal,
    Kind::EndTurn,
    Kind::SuspendTurn,
    Kind::ResumeTurn,
    Kind::Heartbeat,
    Kind::Usage,
    Kind::AdoptTurn,
    Kind::Steered,
    Kind::Cancel,
    Kind::Steer,
    Kind::DecideApproval,
    Kind::WithdrawApproval,
    Kind::TakeLead,
    Kind::ReturnLead,
    Kind::RevokeGrant,
    Kind::SettleCall,
    Kind::WithdrawCall,
    Kind::State,
    Kind::Annotate,
    Kind::Unannotate,
];

fn settings() -> Settings {
    Settings {
        title: Some("It's \"golden\"".to_owned()),
        retention_ms: Some(1),
        idle_expiry_ms: Some(2),
        id_retention_ms: Some(3),
        min_rollup_ms: Some(4),
        unwatched_window_ms: Some(5),
        stream_idle_ms: Some(6),
        on_input: Some(OnInput::Interrupt),
        agent: Some(Agent {
            url: Some("https://agent.example".to_owned()),
            ..Agent::default()
        }),
        cancel_grace_ms: Some(7),
        presence_timeout_ms: Some(8),
        suspend_ms: Some(9),
        take_ms: Some(10),
        max_attempts: Some(11),
        lead_ms: Some(12),
        state_schema: Some(serde_json::json!({ "type": "object" })),
        budget: Some(usage::usage(r#"{"tokens":1000}"#)),
        forked_from: importing::origin(),
        hooks: Some(vec![
            Hook {
                url: "https://a.example/".to_owned(),
                events: None,
            },
            Hook {
                url: "https://b.example/".to_owned(),
                events: Some(vec![HookEvent::SessionDelete]),
            },
        ]),
    }
}

fn beginning() -> Beginning {
    Beginning {
        epoch: epoch(),
        created_at: 1,
        floor: 0,
        trimmed_at: None,
        settings: Settings::default(),
    }
}

fn text(text: &str) -> Option<Data> {
    Some(Data::Text(text.to_owned()))
}

fn json(json: &str) -> Option<Data> {
    Data::from_json(json.to_owned())
}

fn headers(value: &str) -> Option<Headers> {
    Some(Headers::from([("key".to_owned(), value.to_owned())]))
}

/// A message as it is created.
fn message(place: u64, role: Role) -> Message {
    let serial = epoch().at(place);
    let at = i64::try_from(place).unwrap();
    Message {
        serial,
        version: serial,
        id: None,
        name: "message".to_owned(),
        client: "ann".to_owned(),
        connection: None,
        role,
        turn: None,
        parent: None,
        data: text("é"),
        headers: None,
        status: None,
        seq: None,
        created_at: at,
        updated_at: at,
        annotations: None,
        deleted_at: None,
    }
}

fn whole() -> Message {
    Message {
        id: Some("m1".to_owned()),
        connection: Some(ConnectionId::new("c1")),
        headers: headers("value"),
        ..message(1, Role::User)
    }
}

fn structured() -> Message {
    Message {
        name: "scene".to_owned(),
        parent: Some(epoch().at(1)),
        data: json(r#"{"a":[1,null]}"#),
        ..message(2, Role::System)
    }
}

fn streaming(place: u64, role: Role) -> Message {
    Message {
        turn: Some("t20".to_owned()),
        status: Some(Status::Streaming),
        ..message(place, role)
    }
}

/// A message after a change.
fn changed(message: Message, version: u64) -> Message {
    Message {
        version: epoch().at(version),
        updated_at: i64::try_from(version).unwrap(),
        ..message
    }
}

/// All messages as they are in the end.
fn messages() -> Vec<Message> {
    let deleted = |place, version| Message {
        data: None,
        deleted_at: Some(i64::try_from(version).unwrap()),
        ..changed(message(place, Role::User), version)
    };
    let ended = |place, version, status| Message {
        status: Some(status),
        ..changed(streaming(place, Role::Tool), version)
    };
    vec![
        whole(),
        structured(),
        Message {
            data: text("é in a row, in a segment, which grows"),
            seq: Some(3),
            ..changed(streaming(3, Role::Assistant), 6)
        },
        Message {
            headers: headers("ended"),
            ..ended(7, 8, Status::Complete)
        },
        ended(9, 10, Status::Cancelled),
        ended(11, 12, Status::Failed),
        Message {
            data: json("17"),
            headers: headers("updated"),
            ..changed(message(13, Role::User), 14)
        },
        Message {
            id: Some("m15".to_owned()),
            ..deleted(15, 16)
        },
        deleted(17, 18),
    ]
}

fn growth(version: u64, segment: u64, start: u64, text: &str) -> Growth {
    Growth {
        place: 3,
        segment,
        version,
        previous: version - 1,
        seq: version - 3,
        start,
        units: u64::try_from(text.len()).unwrap(),
        text: text.to_owned(),
        at: i64::try_from(version).unwrap(),
    }
}

fn close(place: u64, status: Status, headers: Option<Headers>) -> Vec<Write> {
    let (version, at) = (place + 1, i64::try_from(place).unwrap() + 1);
    let what = match &headers {
        Some(_) => Change::Update,
        None => Change::Close,
    };
    vec![
        MessageWrite::Create(streaming(place, Role::Tool)).into(),
        TextWrite::Close(Close {
            place,
            version,
            seq: 0,
            status,
            headers: headers.as_ref().map(as_json),
            at,
        })
        .into(),
        change(version, what, Some("ann")),
    ]
}

/// The entry of a change of the message before it.
fn change(place: u64, what: Change, client: Option<&str>) -> Write {
    Entry {
        place,
        what,
        subject: place - 1,
        client: client.map(str::to_owned),
        at: i64::try_from(place).unwrap(),
    }
    .into()
}

fn lead() -> Lead {
    Lead::new(Some(ConnectionId::new("c2")), 30_000)
}

fn cancel() -> Cancel {
    Cancel {
        by: "bob".to_owned(),
        at: 3,
        reason: Some("enough".to_owned()),
    }
}

/// A turn in a state, at the place of its entry.
fn turn(place: u64, event: Event, state: State) -> Kept {
    let turn = Turn {
        place,
        version: place,
        event,
        id: format!("t{place}"),
        agent: Some("bot".to_owned()),
        input: Some(1),
        parent: Some(2),
        within: Some(Within {
            turn: "t19".to_owned(),
            depth: 1,
            detached: true,
        }),
        attempt: 2,
        attempt_place: place,
        steers: vec![(1, true), (2, false)],
        inputs: vec![2],
        created_at: 4,
        started_at: Some(5),
        cancel: Some(cancel()),
        metadata: json(r#"{"model":"m"}"#),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
        usage: usage::usage(r#"{"tokens":12,"cost":0.5}"#),
        state,
    };
    Kept { turn, heard_at: 6 }
}

/// A turn of which as little is known as there may be.
fn queued() -> Kept {
    let Kept { turn, heard_at } = turn(23, Event::Queue, State::Queued);
    let turn = Turn {
        agent: None,
        input: None,
        parent: None,
        steers: Vec::new(),
        inputs: Vec::new(),
        started_at: None,
        cancel: None,
        metadata: None,
        traceparent: None,
        usage: Usage::default(),
        ..turn
    };
    Kept { turn, heard_at }
}

fn ended(place: u64, event: Event, ending: Ending) -> Kept {
    let is_failed = ending == Ending::Failed;
    let state = State::Ended {
        ending,
        reason: is_failed.then(|| "abandoned".to_owned()),
        error: if is_failed {
            json(r#"{"code":1}"#)
        } else {
            None
        },
        at: 7,
    };
    turn(place, event, state)
}

/// All turns as they are in the end: between them every event and every state.
fn turns() -> Vec<Kept> {
    let suspended = State::Suspended {
        lead: lead(),
        reason: Some("approval".to_owned()),
        at: 8,
    };
    vec![
        turn(20, Event::Start, State::Active(lead())),
        turn(21, Event::Suspend, suspended),
        turn(
            22,
            Event::Resume,
            State::Active(Lead {
                connection: None,
                ..lead()
            }),
        ),
        queued(),
        turn(24, Event::Adopt, State::Active(lead())),
        ended(25, Event::End, Ending::Complete),
        ended(26, Event::Cancel, Ending::Cancelled),
        ended(27, Event::Steer, Ending::Failed),
        turn(28, Event::Usage, State::Active(lead())),
    ]
}

/// Everything that is written, step by step.
pub(crate) fn writes() -> Vec<Vec<Write>> {
    let create = |message| vec![MessageWrite::Create(message).into()];
    let mut writes = vec![
        vec![MetaWrite::Begin(beginning()).into()],
        create(whole()),
        create(structured()),
        create(streaming(3, Role::Assistant)),
        vec![TextWrite::Grow(growth(4, 0, 1, " in a row, ")).into()],
        vec![TextWrite::Segment(growth(5, 1, 12, "in a segment, ")).into()],
        vec![TextWrite::Grow(growth(6, 1, 26, "which grows")).into()],
        close(7, Status::Complete, headers("ended")),
        close(9, Status::Cancelled, None),
        close(11, Status::Failed, None),
        vec![
            MessageWrite::Create(message(13, Role::User)).into(),
            MessageWrite::Update(NewFields {
                place: 13,
                version: 14,
                seq: 0,
                data: json("17"),
                headers: headers("updated").as_ref().map(as_json),
                status: None,
                is_streaming: false,
                at: 14,
            })
            .into(),
            change(14, Change::Update, None),
        ],
    ];
    for (place, what) in [(15, Change::Delete), (17, Change::Supersede)] {
        let created = Message {
            id: Some(format!("m{place}")),
            ..message(place, Role::User)
        };
        let at = i64::try_from(place).unwrap() + 1;
        writes.push(vec![
            MessageWrite::Create(created).into(),
            MessageWrite::Delete {
                place,
                version: place + 1,
                is_superseded: what == Change::Supersede,
                at,
            }
            .into(),
            change(place + 1, what, Some("ann")),
        ]);
    }
    writes.extend(turns().into_iter().map(|kept| {
        let client = Some("bot".to_owned());
        vec![
            TurnWrite::Put {
                kept,
                client,
                at: 9,
            }
            .into(),
        ]
    }));
    writes.push(vec![
        MessageWrite::CancelInput {
            place: 1,
            cancel: cancel(),
        }
        .into(),
    ]);
    writes.extend(ONCE.map(|kind| {
        vec![
            IdWrite {
                client: "ann".to_owned(),
                kind,
                id: "x".to_owned(),
                place: 28,
                at: 10,
                keep_since: 0,
            }
            .into(),
        ]
    }));
    writes.push(vec![
        Trim {
            up_to: 0,
            gone: Vec::new(),
            at: 11,
        }
        .into(),
    ]);
    writes.push(vec![
        MetaWrite::Contacts("+ann\n-bob\n".to_owned()).into(),
        MetaWrite::Set {
            settings: settings(),
            at: 12,
        }
        .into(),
    ]);
    writes.extend(deliveries::golden_writes());
    writes.extend(approvals::golden_writes());
    writes.extend(handover::golden_writes());
    writes.extend(followers::golden_writes());
    writes.extend(grants::golden_writes());
    writes.extend(files::golden_writes());
    writes.extend(calls::golden_writes());
    writes.extend([state::golden_writes(), annotations::golden_writes()].concat());
    writes.extend(usage::golden_writes());
    writes.extend([search::golden_writes(), importing::golden_writes()].concat());
    writes
}

/// Everything reads back that was written.
pub(crate) fn check(store: &Store) {
    let expected = Beginning {
        trimmed_at: Some(11),
        settings: settings(),
        ..beginning()
    };
    assert_eq!(store.beginning(), Ok(Some(expected)));
    for message in messages() {
        let place = message.serial.place;
        assert_eq!(store.message(epoch(), place), Ok(Some(message)));
    }
    assert_eq!(store.changed(18, 10), Ok(vec![]));
    let open = turns().into_iter().filter(|kept| kept.turn.is_open());
    assert_eq!(store.open_turns(), Ok(open.collect()));
    for Kept { turn, .. } in turns() {
        assert_eq!(store.turn(&turn.id), Ok(Some(turn)));
    }
    let changed = store.changed_turns(18, 10).unwrap();
    let turns = turns().into_iter().map(|kept| kept.turn);
    assert_eq!(changed, turns.collect::<Vec<_>>());
    assert_eq!(store.cancel_of_input(1), Ok(Some(cancel())));
    assert_eq!(store.once("ann", Kind::Message, "m15", 0), Ok(Some(15)));
    for kind in ONCE {
        assert_eq!(store.once("ann", kind, "x", 0), Ok(Some(28)), "{kind:?}");
    }
    deliveries::check_golden(store);
    approvals::check_golden(store);
    handover::check_golden(store);
    followers::check_golden(store);
    grants::check_golden(store);
    files::check_golden(store);
    calls::check_golden(store);
    state::check_golden(store);
    annotations::check_golden(store);
    usage::check_golden(store);
    search::check_golden(store);
    importing::check_golden(store);
}
