//! Any sequence of writes, with eviction between any two, reads as the model says.

use proptest::prelude::*;

use sessile::protocol::data::Data;
use sessile::protocol::message::{Headers, Status};
use sessile::protocol::serial::Place;
use sessile::protocol::settings::Settings;
use sessile::store::{Kind, Span};

use crate::model::{Draft, Pair};
use crate::turns::Deed;

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Publish(Draft),
    Append(usize, String, Option<(Status, Option<Headers>)>),
    Close(usize, Status, Option<Headers>),
    CloseAs(usize, Data, Status),
    Update(usize, Option<Data>, Option<Headers>),
    Delete(usize),
    Supersede(usize),
    Start(usize, bool),
    Turn(usize, Deed),
    Steer(usize),
    Hear(usize, i64),
    CancelInput(usize),
    Remember(Kind, String),
    Set(u64),
    Trim(u64),
    Reload,
}

fn places() -> impl Strategy<Value = Vec<Place>> {
    let places = prop::collection::btree_set(0..60_u64, 0..12);
    places.prop_map(Vec::from_iter).prop_shuffle()
}

fn text() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "a",
        "word ",
        "é",
        "👋🏽",
        "क्षि",
        "\u{0}",
        "\"\\",
        "\u{1f}",
        "漢字",
        "",
    ];
    prop::collection::vec(prop::sample::select(PIECES), 0..5).prop_map(|all| all.concat())
}

fn json() -> impl Strategy<Value = Data> {
    const SOME: &[&str] = &[
        "null",
        "17",
        "{\"a\":\"\\u0000\"}",
        "[1e400,\"x\"]",
        "[]",
        "\"\"",
    ];
    let data = |text: &str| match text {
        "\"\"" => Data::Text(String::new()),
        json => Data::from_json(json.to_owned()).expect("JSON"),
    };
    prop::sample::select(SOME).prop_map(data)
}

fn headers() -> impl Strategy<Value = Option<Headers>> {
    let key = prop_oneof![3 => text(), 1 => Just("sessile-edits".to_owned())];
    let one = (key, text()).prop_map(|(key, value)| Headers::from([(key, value)]));
    prop::option::weighted(0.3, prop_oneof![Just(Headers::new()), one])
}

fn any_data() -> impl Strategy<Value = Data> {
    prop_oneof![text().prop_map(Data::Text), json()]
}

fn status() -> impl Strategy<Value = Status> {
    prop::sample::select(&[Status::Complete, Status::Cancelled, Status::Failed][..])
}

fn id() -> impl Strategy<Value = String> {
    prop::sample::select(&["one", "two", "three", "\u{0}"][..]).prop_map(str::to_owned)
}

fn deed() -> impl Strategy<Value = Deed> {
    const DEEDS: [Deed; 7] = [
        Deed::Suspend,
        Deed::Resume,
        Deed::Adopt,
        Deed::Cancel,
        Deed::Queue,
        Deed::End,
        Deed::End,
    ];
    prop::sample::select(&DEEDS[..])
}

fn kind() -> impl Strategy<Value = Kind> {
    prop::sample::select(&[Kind::Append, Kind::Update, Kind::Delete, Kind::Signal][..])
}

fn draft() -> impl Strategy<Value = Draft> {
    let name = prop::sample::select(&["message", "progress", "it's"][..]).prop_map(str::to_owned);
    let id = prop::option::weighted(0.3, id());
    let streaming = text().prop_map(|text| (Data::Text(text), true));
    let whole = text().prop_map(|text| (Data::Text(text), false));
    let data = prop_oneof![3 => streaming, 1 => whole, 1 => json().prop_map(|data| (data, false))];
    let turn = prop::option::weighted(0.5, any::<usize>());
    (data, name, id, headers(), turn).prop_map(|((data, is_streaming), name, id, headers, turn)| {
        Draft {
            data,
            name,
            id,
            headers,
            is_streaming,
            turn,
        }
    })
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let end = prop::option::weighted(0.1, (status(), headers()));
    let data = prop::option::of(text().prop_map(Data::Text));
    prop_oneof![
        4 => draft().prop_map(Step::Publish),
        12 => (any::<usize>(), text(), end).prop_map(|(i, text, end)| Step::Append(i, text, end)),
        1 => (any::<usize>(), status(), headers()).prop_map(|(i, s, h)| Step::Close(i, s, h)),
        1 => (any::<usize>(), any_data(), status()).prop_map(|(i, d, s)| Step::CloseAs(i, d, s)),
        2 => (any::<usize>(), data, headers()).prop_map(|(i, d, h)| Step::Update(i, d, h)),
        1 => any::<usize>().prop_map(Step::Delete),
        1 => any::<usize>().prop_map(Step::Supersede),
        2 => any::<(usize, bool)>().prop_map(|(i, is_queued)| Step::Start(i, is_queued)),
        3 => (any::<usize>(), deed()).prop_map(|(i, deed)| Step::Turn(i, deed)),
        1 => any::<usize>().prop_map(Step::Steer),
        1 => (any::<usize>(), 0..9_000_i64).prop_map(|(i, at)| Step::Hear(i, at)),
        1 => any::<usize>().prop_map(Step::CancelInput),
        1 => (kind(), id()).prop_map(|(kind, id)| Step::Remember(kind, id)),
        1 => any::<u64>().prop_map(|n| Step::Set(n >> 12)),
        1 => (0..100u64).prop_map(Step::Trim),
        2 => Just(Step::Reload),
    ]
}

pub(crate) fn take(pair: &mut Pair, step: Step) {
    match step {
        Step::Publish(draft) => {
            pair.publish(draft);
        }
        Step::Append(index, text, end) => {
            if let Some(place) = pair.any(index, Some(true)) {
                pair.append_and_close(place, &text, end);
            }
        }
        Step::Close(index, status, headers) => {
            if let Some(place) = pair.any(index, Some(true)) {
                pair.close(place, status, headers);
            }
        }
        Step::CloseAs(index, data, status) => {
            if let Some(place) = pair.any(index, Some(true)) {
                pair.close_as(place, data, status);
            }
        }
        Step::Update(index, data, headers) => {
            if let Some(place) = pair.any(index, None) {
                pair.update(place, data, headers);
            }
        }
        Step::Delete(index) => {
            if let Some(place) = pair.any(index, None) {
                pair.delete(place);
            }
        }
        Step::Supersede(index) => {
            if let Some(place) = pair.any(index, None) {
                pair.supersede(place);
            }
        }
        Step::Start(index, is_queued) => {
            let input = pair
                .any(index, None)
                .filter(|_| is_queued || index % 2 == 0);
            pair.start(input, is_queued);
        }
        Step::CancelInput(index) => {
            if let Some(place) = pair.any(index, None) {
                pair.cancel_input(place);
            }
        }
        Step::Turn(..) | Step::Steer(_) | Step::Hear(..) => take_turn(pair, step),
        Step::Remember(kind, id) => pair.remember(kind, &id, pair.end.place),
        Step::Set(number) => {
            pair.set(Settings {
                retention_ms: Some(number),
                ..Settings::default()
            });
        }
        Step::Trim(percent) => pair.trim(pair.end.place * percent / 100),
        Step::Reload => pair.reload(),
    }
}

fn take_turn(pair: &mut Pair, step: Step) {
    let (Step::Turn(index, _) | Step::Steer(index) | Step::Hear(index, _)) = step else {
        return;
    };
    let Some(place) = pair.any_turn(index) else {
        return;
    };
    match step {
        Step::Turn(_, deed) => pair.change_turn(place, deed),
        Step::Hear(_, at) => pair.hear(place, at),
        _ => pair.steer(place),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_writes_read_back(steps in prop::collection::vec(step(), 1..40)) {
        let mut pair = Pair::new();
        for step in steps {
            take(&mut pair, step);
        }
        pair.check();
        pair.reload();
        pair.check();
    }

    #[test]
    fn messages_are_read_by_how_they_are_linked(
        steps in prop::collection::vec(step(), 1..40),
        places in places(),
        bytes in 0..200usize,
    ) {
        let mut pair = Pair::new();
        for step in steps {
            take(&mut pair, step);
        }
        pair.check_links(&places, bytes);
    }

    #[test]
    fn any_page_is_bounded_and_pages_meet_while_the_log_grows(
        steps in prop::collection::vec(step(), 1..40),
        later in prop::collection::vec(draft(), 8),
        (after, before) in (0..60u64, 0..60u64),
        (limit, bytes) in (1..6usize, 0..80usize),
        names in prop::option::of(Just(vec!["message".to_owned(), "it's".to_owned()])),
        newest_first: bool,
    ) {
        let mut pair = Pair::new();
        for step in steps {
            take(&mut pair, step);
        }
        let names = names.as_deref();
        pair.check_page(&Span { after, before, newest_first, names, limit, bytes });
        let (mut after, mut before) = (0, pair.end.place + 1);
        let all = pair.places();
        let mut seen = Vec::new();
        let mut later = later.into_iter();
        loop {
            let span = Span { after, before, newest_first, names: None, limit, bytes };
            let page = pair.check_page(&span);
            let places = page.messages.iter().map(|message| message.serial.place);
            seen.extend(places);
            match seen.last() {
                Some(last) if newest_first => before = *last,
                Some(last) => after = *last,
                None => {}
            }
            if !page.has_more {
                break;
            }
            if let Some(draft) = later.next() {
                pair.publish(draft);
            }
        }
        if newest_first {
            seen.reverse();
        }
        prop_assert_eq!(seen, all);
    }
}
