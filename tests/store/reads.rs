//! The cost of reads: no more in a long log than in a short one.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::rc::Rc;

use sessile::protocol::annotation::Cursor;
use sessile::protocol::limits::{
    FILES_ARRIVING, INPUT_TURNS, NAMED_MESSAGES, REPLAY_ENTRIES, REPLAY_MESSAGES,
    SEARCH_STEP_ENTRIES, TRIM_KEPT, TRIM_MESSAGES,
};
use sessile::protocol::serial::PLACE_MAX;
use sessile::protocol::turn::{Event, State, Turn};
use sessile::protocol::usage::Usage;
use sessile::store::{
    Beginning, IdWrite, Kind, MetaWrite, SECTIONS, Span, Store, StoreError, Trim,
};

use crate::annotations;
use crate::approvals;
use crate::calls;
use crate::deliveries;
use crate::files;
use crate::followers;
use crate::grants;
use crate::handover;
use crate::importing;
use crate::model::epoch;
use crate::search;
use crate::sqlite::Sqlite;
use crate::state;
use crate::usage;

/// More steps than any row takes, be it one that all columns are read of.
const STEPS_OF_ROW: u64 = 50;
/// Rows that hang on nothing but how much streams: one message and one turn do here.
const FEW: usize = 20;

/// A log of so many messages, each with a turn that ended and the entries of both. The first
/// turn is open, and every other message is its; the last message streams.
fn log(count: u64) -> (Sqlite, Store) {
    let sqlite = Sqlite::new();
    let store = Store::new(Rc::new(sqlite.clone()));
    let beginning = Beginning {
        epoch: epoch(),
        created_at: 5,
        floor: 0,
        trimmed_at: None,
        settings: sessile::protocol::settings::Settings::default(),
    };
    store.write(&[MetaWrite::Begin(beginning).into()]).unwrap();
    let turn = serde_json::to_string(&open_turn()).unwrap();
    sqlite.batch(&format!(
        "CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n \
         WHERE i + 1 < {count}) SELECT i FROM n; \
         INSERT INTO message(serial, version, status, client, id, name, role, turn, created_at, \
         updated_at, marks, data) SELECT 4 * i + 4, 4 * i + 4, \
         CASE WHEN i + 1 = {count} THEN 'streaming' END, 'ann', 'id' || i, 'message', 'user', \
         CASE WHEN i % 2 = 0 THEN 't1' END, i, i, CASE WHEN i + 1 = {count} THEN '0A' END, 'x' \
         FROM n; \
         INSERT INTO turn(serial, version, id, input, open, heard_at, body) \
         SELECT 4 * i + 1, 4 * i + 2, 't' || (4 * i + 1), \
         CASE WHEN i % 2 = 0 THEN 8 ELSE 4 * i + 4 END, CASE WHEN i = 0 THEN 1 END, i, \
         replace(replace('{turn}', '\"t1\"', '\"t' || (4 * i + 1) || '\"'), '\"place\":1', \
         '\"place\":' || (4 * i + 1)) FROM n; \
         INSERT INTO change(serial, kind, subject, at) SELECT 4 * i + 2, 10, 4 * i + 1, i FROM n; \
         INSERT INTO change(serial, kind, subject, at) \
         SELECT 4 * i + 3, 2, 4 * (i / 2) + 4, i FROM n; DROP TABLE n"
    ));
    // Nobody looks up ids that no frame had.
    store
        .write(&[IdWrite {
            client: "ann".to_owned(),
            kind: Kind::Signal,
            id: "x".to_owned(),
            place: 1,
            at: 5,
            keep_since: 0,
        }
        .into()])
        .unwrap();
    for writes in deliveries::golden_writes() {
        store.write(&writes).unwrap();
    }
    let last = 4 * count + 40;
    let asked = [last, last + 1].map(|place| approvals::put(approvals::pending(place)));
    store.write(&asked).unwrap();
    let settled = approvals::put(approvals::settled(last, last + 2));
    store.write(&[settled]).unwrap();
    sqlite.batch(&format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) \
         INSERT INTO approval(serial, version, id, body) \
         SELECT i, i, 'b' || i, (SELECT body FROM approval WHERE serial={last}) FROM n"
    ));
    for writes in followers::golden_writes() {
        store.write(&writes).unwrap();
    }
    let called = [last + 3, last + 4].map(|place| calls::put(calls::pending(place), true));
    store.write(&called).unwrap();
    let settled = calls::put(calls::settled(last + 3, last + 5), true);
    store.write(&[settled]).unwrap();
    sqlite.batch(&format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) \
         INSERT INTO call(serial, version, id, body) \
         SELECT i, i, 'b' || i, (SELECT body FROM call WHERE serial={last} + 3) FROM n"
    ));
    for writes in annotations::golden_writes() {
        store.write(&writes).unwrap();
    }
    for writes in state::golden_writes() {
        store.write(&writes).unwrap();
    }
    for writes in handover::golden_writes()
        .into_iter()
        .chain(grants::golden_writes())
        .chain(usage::golden_writes())
        .chain(search::golden_writes())
        .chain(files::golden_writes())
        .chain(importing::golden_writes())
    {
        store.write(&writes).unwrap();
    }
    (sqlite, store)
}

fn open_turn() -> Turn {
    Turn {
        place: 1,
        version: 1,
        event: Event::Queue,
        id: "t1".to_owned(),
        agent: None,
        input: None,
        parent: None,
        within: None,
        attempt: 1,
        attempt_place: 1,
        steers: Vec::new(),
        inputs: Vec::new(),
        created_at: 1,
        started_at: None,
        cancel: None,
        metadata: None,
        traceparent: None,
        usage: Usage::default(),
        state: State::Queued,
    }
}

fn span(names: Option<&[String]>, newest_first: bool) -> Span<'_> {
    Span {
        after: 0,
        before: PLACE_MAX + 1,
        newest_first,
        names,
        limit: 50,
        bytes: 1 << 20,
    }
}

type Read = fn(&Store) -> Result<usize, StoreError>;

fn one<T>(found: Option<T>) -> usize {
    usize::from(found.is_some())
}

/// Every read of the store, with how many rows it may read, as its words say.
fn reads() -> Vec<(&'static str, usize, Read)> {
    fn rare() -> Vec<String> {
        vec!["rare".to_owned()]
    }
    vec![
        ("contacts", 1, |store| {
            store.contacts().map(|lines| lines.len())
        }),
        ("beginning", 1, |store| store.beginning().map(one)),
        ("end", 10, |store| store.end().map(|_| 1)),
        ("streaming", 4, |store| {
            store.streaming().map(|all| all.len())
        }),
        ("head", 2, |store| store.head(4).map(one)),
        ("message", 3, |store| store.message(epoch(), 4).map(one)),
        ("outline", 3, |store| store.outline(epoch(), 4).map(one)),
        ("page", 5 * 51, |store| {
            let page = store.page(epoch(), &span(None, true))?;
            Ok(page.messages.len())
        }),
        ("page of names, newest", 2 * NAMED_MESSAGES, |store| {
            let page = store.page(epoch(), &span(Some(&rare()), true))?;
            Ok(page.messages.len())
        }),
        ("page of names, oldest", 2 * NAMED_MESSAGES, |store| {
            let page = store.page(epoch(), &span(Some(&rare()), false))?;
            Ok(page.messages.len())
        }),
        (
            "extent",
            4 * REPLAY_ENTRIES + 2 * REPLAY_MESSAGES,
            |store| store.extent(0, None).map(one),
        ),
        (
            "extent of names",
            4 * REPLAY_ENTRIES + 2 * NAMED_MESSAGES,
            |store| store.extent(0, Some(&rare())).map(one),
        ),
        ("bytes_of", 2 * 3, |store| {
            store.bytes_of(&[4, 8, 12], None).map(|bytes| bytes.min(1))
        }),
        ("changed", 3 * REPLAY_ENTRIES, |store| {
            store.changed(400, 10).map(|all| all.len())
        }),
        ("listed", 5 * 3, |store| {
            let page = store.listed(epoch(), &[12, 4, 8], 1 << 20)?;
            Ok(page.messages.len())
        }),
        ("logged", 14 * 11 + 3, |store| {
            store.logged(epoch(), 0, 10).map(|(page, _)| page.len())
        }),
        ("exported, turns", 20, |store| {
            exported(store, 0, 5, PLACE_MAX)
        }),
        ("exported, entries", 500, |store| {
            exported(store, 10, 5, PLACE_MAX)
        }),
        ("exported, annotations", 4, |store| {
            exported(store, 9, 0, PLACE_MAX)
        }),
        ("importing", 1, |store| store.importing().map(one)),
        ("exported_cancels", 100, |store| {
            store.exported_cancels(4, 404).map(|all| all.len())
        }),
        ("link", 1, |store| store.link(4).map(one)),
        ("links", 100, |store| {
            store
                .links(0, PLACE_MAX, true, 100)
                .map(|links| links.len())
        }),
        ("has_room", 0, |store| {
            store.has_room(1 << 40).map(usize::from)
        }),
        ("missing", 3, |store| store.missing(4, 4).map(one)),
        ("once, a message", 2, |store| {
            store.once("ann", Kind::Message, "id3", 0).map(one)
        }),
        ("once, a frame", 2, |store| {
            store.once("ann", Kind::Signal, "x", 0).map(one)
        }),
        ("oldest", 1, |store| store.oldest(4, 1).map(|all| all.len())),
        ("aged", 3 * (TRIM_KEPT + TRIM_MESSAGES), |store| {
            store.aged(TRIM_KEPT + TRIM_MESSAGES).map(|all| all.len())
        }),
        ("open_turns", 2, |store| {
            store.open_turns().map(|all| all.len())
        }),
        ("turn", 2, |store| store.turn("t5").map(one)),
        ("turn_at", 1, |store| store.turn_at(5).map(one)),
        ("answers", 2 * INPUT_TURNS, |store| {
            store.answers(8, "ann").map(|answers| answers.count)
        }),
        ("changed_turns", 2 * REPLAY_ENTRIES, |store| {
            store.changed_turns(0, 10).map(|all| all.len())
        }),
        ("named_turns", 2, |store| {
            store.named_turns(&["t5".to_owned()]).map(|all| all.len())
        }),
        ("turns_before", 10, |store| {
            store.turns_before(PLACE_MAX, 10).map(|all| all.len())
        }),
        ("turn_messages", 3 * 100, |store| {
            store.turn_messages(&open_turn(), 100).map(|all| all.len())
        }),
        ("state", 3, |store| {
            store.state().map(|all| all.changes.len())
        }),
        ("annotated", 1, |store| {
            store.annotated(7_000_000).map(|found| found.rows)
        }),
        ("annotations_of", 2, |store| {
            let names = ["it's".to_owned()];
            let own = store.annotations_of(7_000_000, "like:distinct", &names, "ann")?;
            Ok(own.len())
        }),
        ("annotations", 2, |store| {
            let page = store.annotations(7_000_000, &Cursor::default(), 2)?;
            Ok(page.len())
        }),
        ("unsearched", 5 * SEARCH_STEP_ENTRIES, |store| {
            let unsearched = store.unsearched()?.map(|(write, _)| write.texts.len());
            Ok(unsearched.unwrap_or_default())
        }),
        ("found", 2, |store| {
            let found = store.found(&search::words(&["golden"]), PLACE_MAX, 2)?;
            Ok(found.len())
        }),
        ("usage", 1, |store| store.usage().map(|sums| sums.len())),
        ("has_files", 0, |store| store.has_files().map(usize::from)),
        ("file", 1, |store| store.file("a1").map(one)),
        ("uploaded", 2, |store| store.uploaded("ann", "u1").map(one)),
        ("file_sums", 2, |store| store.file_sums().map(|_| 1)),
        ("arriving", 2 * FILES_ARRIVING, |store| {
            store.arriving().map(|all| all.len())
        }),
        ("oldest_files", 2, |store| {
            store.oldest_files(2).map(|all| all.len())
        }),
        ("marks", 1, |store| store.marks().map(|all| all.len())),
        ("unread", 500, |store| store.unread("ann", 1, (500, 500))),
        ("mark", 1, |store| store.mark("ann").map(|_| 1)),
        ("handover", 1, |store| store.handover().map(one)),
        ("followers", 2, |store| {
            store.followers().map(|all| all.len())
        }),
        ("latest_event", 68, |store| store.latest_event().map(|_| 1)),
        ("grants", 1, |store| store.grants().map(|all| all.len())),
        ("has_deliveries", 0, |store| {
            store.has_deliveries().map(usize::from)
        }),
        ("deliveries", 3, |store| {
            store.deliveries().map(|all| all.len())
        }),
        ("parcel", 1, |store| store.parcel(1).map(one)),
        ("dead_letters", 3, |store| {
            store.dead_letters().map(|all| all.len())
        }),
        ("failing", 3, |store| store.failing().map(|all| all.len())),
        ("pending_approvals", 2, |store| {
            store.pending_approvals().map(|all| all.len())
        }),
        ("settled_approval", 2, |store| {
            store.settled_approval("b5").map(one)
        }),
        ("changed_approvals", 2 * REPLAY_ENTRIES, |store| {
            store.changed_approvals(0, 10).map(|all| all.len())
        }),
        ("approvals_before", 2 * 11, |store| {
            let page = store.approvals_before(PLACE_MAX, 10, 1 << 20)?;
            Ok(page.0.len())
        }),
        ("pending_calls", 2, |store| {
            store.pending_calls().map(|all| all.len())
        }),
        ("settled_call", 2, |store| store.settled_call("b5").map(one)),
        ("changed_calls", 2 * REPLAY_ENTRIES, |store| {
            store.changed_calls(0, 10).map(|all| all.len())
        }),
        ("calls_before", 2 * 11, |store| {
            let page = store.calls_before(PLACE_MAX, 10, 1 << 20)?;
            Ok(page.0.len())
        }),
        ("cancel_of_input", 1, |store| {
            store.cancel_of_input(4).map(one)
        }),
        ("traceparent_of", 1, |store| {
            store.traceparent_of(4).map(one)
        }),
    ]
}

/// The next lines of a section of an export.
fn exported(store: &Store, number: usize, after: u64, end: u64) -> Result<usize, StoreError> {
    let lines = store.exported(&SECTIONS[number], after, end)?;
    assert!(!lines.is_empty());
    Ok(lines.len())
}

/// Every function of the store that reads is in the list above.
#[test]
fn no_read_is_without_its_bound() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store")];
    let mut found = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(path).unwrap();
            for of_store in text.split("impl Store {").skip(1) {
                let of_store = of_store.split("\n}").next().unwrap();
                let names = of_store.split("pub fn ").skip(1);
                let names = names.map(|rest| rest.split('(').next().unwrap());
                found.extend(names.map(str::to_owned));
            }
        }
    }
    for name in ["new", "write", "rows_read"] {
        assert!(found.remove(name), "{name} is not found, and reads nothing");
    }
    let bounded = reads().into_iter();
    let bounded = bounded.map(|(name, _, _)| name.split([',', ' ']).next().unwrap().to_owned());
    assert_eq!(found, bounded.collect::<BTreeSet<_>>());
}

/// The cost of each read in a log of so many messages and turns.
fn costs(count: u64) -> Vec<u64> {
    let (sqlite, store) = log(count);
    let cost = |(name, rows, read): (&str, usize, Read)| {
        let before = sqlite.steps();
        let found = read(&store).unwrap_or_else(|error| panic!("{name}: {error}"));
        let steps = sqlite.steps() - before;
        let most = STEPS_OF_ROW * u64::try_from(rows + FEW).unwrap();
        assert!(
            steps <= most,
            "{name} took {steps} steps at {count} for {found}"
        );
        steps
    };
    reads().into_iter().map(cost).collect()
}

/// P13.4: nobody makes the session read more than it may answer, however long the log is.
#[test]
fn what_a_read_costs_does_not_grow_with_the_log() {
    let (_, _) = (costs(10), costs(1_000));
    let (half, whole) = (costs(25_000), costs(50_000));
    for (((name, _, _), half), whole) in reads().into_iter().zip(half).zip(whole) {
        // The tree below the rows may be a level deeper, and that is all.
        assert!(
            whole <= half + half / 50 + 10,
            "{name} took {half} steps in 25 000, {whole} in 50 000"
        );
    }
}

/// P11.2: what a step of retention costs does not grow with what stays.
#[test]
fn what_retention_takes_costs_what_it_is() {
    let cost = |count| {
        let (sqlite, store) = log(count);
        let before = sqlite.steps();
        let gone = store.aged(100).unwrap().into_iter();
        let gone = gone.filter(|message| !message.is_held);
        let gone: Vec<_> = gone.map(|message| message.place).collect();
        let up_to = gone.last().copied().unwrap();
        store.write(&[Trim { up_to, gone, at: 9 }.into()]).unwrap();
        sqlite.steps() - before
    };
    let (few, many) = (cost(1_000), cost(50_000));
    assert!(
        many <= few + few / 50 + 10,
        "{few} steps in 1 000, {many} in 50 000"
    );
}
