//! One of each stored kind, whatever is in it, reads back as it was written.

use std::rc::Rc;

use proptest::prelude::*;
use sessile::protocol::agent::Agent;
use sessile::protocol::data::Data;
use sessile::protocol::ids::{ConnectionId, Timestamp};
use sessile::protocol::message::{Headers, Message, Role, Status};
use sessile::protocol::serial::{PLACE_MAX, Place};
use sessile::protocol::settings::{OnInput, Settings};
use sessile::protocol::turn::{Cancel, Ending, Event, Lead, State, Turn, Within};
use sessile::protocol::usage::Usage;
use sessile::store::{Beginning, IdWrite, Kept, Kind, MessageWrite, MetaWrite, Store, TurnWrite};

use crate::model::epoch;
use crate::sqlite::Sqlite;

/// The largest number that JavaScript, and so a row, holds.
const MOST: i64 = (1 << 53) - 1;

fn begun() -> Store {
    let store = Store::new(Rc::new(Sqlite::new()));
    let beginning = Beginning {
        epoch: epoch(),
        created_at: 1,
        floor: 0,
        trimmed_at: None,
        settings: Settings::default(),
    };
    store.write(&[MetaWrite::Begin(beginning).into()]).unwrap();
    store
}

fn time() -> impl Strategy<Value = Timestamp> {
    -MOST..=MOST
}

fn place() -> impl Strategy<Value = Place> {
    1..=PLACE_MAX
}

/// Data as the wire takes it, but `null`, which stands for none.
fn data() -> impl Strategy<Value = Data> {
    let json = prop::sample::select(&["17", "{\"a\":\"\\u0000\"}", "[1e40,\"x\"]", "false"][..]);
    prop_oneof![
        any::<String>().prop_map(Data::Text),
        json.prop_map(|json| Data::from_json(json.to_owned()).unwrap()),
    ]
}

fn connection() -> impl Strategy<Value = Option<ConnectionId>> {
    prop::option::of(any::<String>().prop_map(ConnectionId::new))
}

fn lead() -> impl Strategy<Value = Lead> {
    let lead = |(connection, lease_ms, prolonged_at)| Lead {
        connection,
        lease_ms,
        prolonged_at,
    };
    (connection(), any::<u64>(), prop::option::of(time())).prop_map(lead)
}

fn state() -> impl Strategy<Value = State> {
    let reason = || prop::option::of(any::<String>());
    let ending = prop::sample::select(&[Ending::Complete, Ending::Cancelled, Ending::Failed][..]);
    prop_oneof![
        Just(State::Queued),
        lead().prop_map(State::Active),
        (lead(), reason(), time()).prop_map(|(lead, reason, at)| State::Suspended {
            lead,
            reason,
            at
        }),
        (ending, reason(), prop::option::of(data()), time()).prop_map(
            |(ending, reason, error, at)| State::Ended {
                ending,
                reason,
                error,
                at,
            }
        ),
    ]
}

fn cancel() -> impl Strategy<Value = Cancel> {
    let cancel = |(by, at, reason)| Cancel { by, at, reason };
    (any::<String>(), time(), any::<Option<String>>()).prop_map(cancel)
}

fn event() -> impl Strategy<Value = Event> {
    const EVENTS: [Event; 9] = [
        Event::Start,
        Event::Suspend,
        Event::Resume,
        Event::Cancel,
        Event::Steer,
        Event::Queue,
        Event::Adopt,
        Event::Usage,
        Event::End,
    ];
    prop::sample::select(&EVENTS[..])
}

fn usage() -> impl Strategy<Value = Usage> {
    let amount = prop_oneof![
        0.0..=9_007_199_254_740_992.0,
        (0_u32..9).prop_map(f64::from)
    ];
    prop::collection::btree_map("[a-z\\PC]{1,9}", amount, 0..3).prop_filter_map("a name", |it| {
        serde_json::from_str(&serde_json::to_string(&it).unwrap()).ok()
    })
}

fn turn() -> impl Strategy<Value = Turn> {
    let log = (place(), place(), event(), prop::option::of(place()));
    let who = (any::<String>(), any::<Option<String>>(), any::<u64>());
    let what = (
        prop::collection::vec((place(), any::<bool>()), 0..3),
        time(),
        prop::option::of(time()),
        prop::option::of(cancel()),
        prop::option::of(data()),
        (usage(), state()),
    );
    (log, who, what).prop_map(|(log, who, what)| {
        let (place, version, event, input) = log;
        let (id, agent, attempt) = who;
        let (steers, created_at, started_at, cancel, metadata, (usage, state)) = what;
        Turn {
            place,
            version,
            event,
            id,
            input,
            parent: input,
            within: agent.clone().map(|turn| Within {
                turn,
                depth: 2,
                detached: attempt == 1,
            }),
            traceparent: agent.clone(),
            agent,
            attempt,
            attempt_place: version,
            inputs: steers.iter().map(|(place, _)| *place).collect(),
            steers,
            created_at,
            started_at,
            cancel,
            metadata,
            usage,
            state,
        }
    })
}

fn message() -> impl Strategy<Value = Message> {
    let role = prop::sample::select(&[Role::User, Role::Assistant, Role::System, Role::Tool][..]);
    let who = (
        any::<[String; 2]>(),
        any::<[Option<String>; 2]>(),
        connection(),
        role,
    );
    let headers = prop::collection::btree_map(any::<String>(), any::<String>(), 0..3);
    let what = (
        prop::option::of(headers),
        prop::option::of(data()),
        any::<bool>(),
    );
    let log = (place(), prop::option::of(place()), time());
    (who, what, log).prop_map(|(who, what, log)| {
        let ([name, client], [id, turn], connection, role) = who;
        let (headers, data, is_closed): (Option<Headers>, _, _) = what;
        let (place, parent, at) = log;
        let serial = epoch().at(place);
        Message {
            serial,
            version: serial,
            id,
            name,
            client,
            connection,
            role,
            turn,
            parent: parent.map(|parent| epoch().at(parent)),
            data,
            headers,
            status: is_closed.then_some(Status::Complete),
            seq: None,
            created_at: at,
            updated_at: at,
            annotations: None,
            deleted_at: None,
        }
    })
}

fn settings() -> impl Strategy<Value = Settings> {
    const ON_INPUT: [OnInput; 4] = [
        OnInput::Parallel,
        OnInput::Queue,
        OnInput::Interrupt,
        OnInput::Reject,
    ];
    let on_input = prop::option::of(prop::sample::select(&ON_INPUT[..]));
    let words = any::<[Option<String>; 2]>();
    (words, on_input, any::<[Option<u64>; 10]>()).prop_map(|([title, url], on_input, numbers)| {
        let [retention_ms, idle_expiry_ms, id_retention_ms, ..] = numbers;
        let [
            ..,
            min_rollup_ms,
            unwatched_window_ms,
            stream_idle_ms,
            take_ms,
        ] = numbers;
        Settings {
            title,
            retention_ms,
            idle_expiry_ms,
            id_retention_ms,
            min_rollup_ms,
            unwatched_window_ms,
            stream_idle_ms,
            take_ms,
            on_input,
            agent: url.map(|url| Agent {
                url: Some(url),
                ..Agent::default()
            }),
            ..Settings::default()
        }
    })
}

proptest! {
    #[test]
    fn a_message(message in message()) {
        let store = begun();
        store.write(&[MessageWrite::Create(message.clone()).into()]).unwrap();
        let place = message.serial.place;
        prop_assert_eq!(store.message(epoch(), place), Ok(Some(message.clone())));
        let outline = store.outline(epoch(), place).unwrap().unwrap();
        prop_assert_eq!(outline.1, message.data.as_ref().map_or(0, Data::bytes));
        prop_assert_eq!(outline.0, Message { data: None, ..message });
    }

    #[test]
    fn a_turn(turn in turn(), heard_at in time(), later in time()) {
        let store = begun();
        let kept = Kept { turn: turn.clone(), heard_at };
        store.write(&[TurnWrite::Put { kept: kept.clone(), client: None, at: 1 }.into()]).unwrap();
        prop_assert_eq!(store.turn_at(turn.place), Ok(Some(turn.clone())));
        prop_assert_eq!(store.turn(&turn.id), Ok(Some(turn.clone())));
        let open = |kept: Kept| if turn.is_open() { vec![kept] } else { Vec::new() };
        prop_assert_eq!(store.open_turns(), Ok(open(kept.clone())));
        store.write(&[TurnWrite::Heard { place: turn.place, at: later }.into()]).unwrap();
        prop_assert_eq!(store.open_turns(), Ok(open(Kept { heard_at: later, ..kept })));
    }

    #[test]
    fn the_wish_that_a_message_gets_no_answer(message in message(), cancel in cancel()) {
        let (store, place) = (begun(), message.serial.place);
        store.write(&[MessageWrite::Create(message).into()]).unwrap();
        prop_assert_eq!(store.cancel_of_input(place), Ok(None));
        store.write(&[MessageWrite::CancelInput { place, cancel: cancel.clone() }.into()]).unwrap();
        prop_assert_eq!(store.cancel_of_input(place), Ok(Some(cancel)));
    }

    #[test]
    fn settings_of_a_session(settings in settings(), at in time()) {
        let store = begun();
        store.write(&[MetaWrite::Set { settings: settings.clone(), at }.into()]).unwrap();
        prop_assert_eq!(store.beginning().unwrap().unwrap().settings, settings);
        prop_assert_eq!(store.end().unwrap().written_at, at);
    }

    #[test]
    fn an_id_of_a_frame(client: String, id: String, place in place(), at in time()) {
        let (store, kind) = (begun(), Kind::Steer);
        let taken = IdWrite { client, kind, id, place, at, keep_since: at };
        store.write(&[taken.clone().into()]).unwrap();
        let IdWrite { client, id, .. } = taken;
        prop_assert_eq!(store.once(&client, kind, &id, at), Ok(Some(place)));
        prop_assert_eq!(store.once(&client, kind, &id, at + 1), Ok(None));
        prop_assert_eq!(store.once(&client, Kind::Cancel, &id, at), Ok(None));
    }
}
