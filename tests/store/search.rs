//! The index of words (P11.9): it has what the messages say, whatever was done to them meanwhile,
//! and nothing of what is gone.

use std::rc::Rc;

use proptest::prelude::*;
use serde_json::Value as Json;

use sessile::protocol::data::Data;
use sessile::protocol::limits::{SEARCH_STEP_BYTES, SEARCH_STEP_ENTRIES, SEARCH_TEXT_LENGTH};
use sessile::protocol::message::Status;
use sessile::protocol::serial::{PLACE_MAX, Place};
use sessile::store::sql::{Sql, Value};
use sessile::store::{MessageWrite, MetaWrite, SearchWrite, Store, Write};

use crate::model::{Draft, Pair};
use crate::random::{step, take};
use crate::sqlite::Sqlite;
use crate::{beginning, message};

/// Everything that is ever written of it.
pub(crate) fn golden_writes() -> Vec<Vec<Write>> {
    let write = SearchWrite {
        texts: vec![(15, "golden words".to_owned())],
        up_to: 0,
        floor: 0,
    };
    vec![vec![write.into()]]
}

pub(crate) fn check_golden(store: &Store) {
    let found = store.found(&words(&["word*"]), PLACE_MAX, 10).unwrap();
    let [(15, hit)] = &found[..] else {
        panic!("{found:?}");
    };
    assert!(hit.starts_with(r#""snippet":["golden ","words",""],"name":"#));
}

pub(crate) fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Reads the log for the index to its end; how many steps that took.
fn read_on(store: &Store) -> usize {
    for steps in 1.. {
        let Some((write, is_behind)) = store.unsearched().unwrap() else {
            return steps - 1;
        };
        store.write(&[write.into()]).unwrap();
        if !is_behind {
            return steps;
        }
    }
    0
}

fn places(store: &Store, asked: &[&str]) -> Vec<Place> {
    let found = store.found(&words(asked), PLACE_MAX, 100).unwrap();
    found.into_iter().map(|(place, _)| place).collect()
}

/// A store with these messages, searched once.
fn said(texts: &[&str]) -> (Sqlite, Store) {
    let sqlite = Sqlite::new();
    let store = Store::new(Rc::new(sqlite.clone()));
    store
        .write(&[MetaWrite::Begin(beginning()).into()])
        .unwrap();
    for (text, place) in texts.iter().zip(1..) {
        store
            .write(&[MessageWrite::Create(message(place, text)).into()])
            .unwrap();
    }
    read_on(&store);
    (sqlite, store)
}

#[test]
fn p11_9_words_and_beginnings_in_any_script() {
    let (_, store) = said(&[
        "The café's Größe",
        "A \"quoted\" NEAR(word, 2) OR not",
        "私は東京都に住んでいます",
        "ฉันชอบกินข้าว",
        "안녕하세요 세계",
        "crème brûlée in 東京",
        "under_score text:said -minus ^hat *star*",
    ]);
    for (asked, expected) in [
        (&["cafe"][..], &[1][..]),
        (&["GROSSE"], &[]),
        (&["größe"], &[1]),
        (&["grosse*"], &[]),
        (&["gro*"], &[1]),
        (&["gro"], &[]),
        (&["東京"], &[6, 3]),
        (&["東京", "creme"], &[6]),
        (&["東京都に"], &[3]),
        (&["京東"], &[]),
        (&["ข้าว"], &[4]),
        (&["안녕*"], &[5]),
        (&["\"quoted\""], &[2]),
        (&["NEAR(word,", "2)"], &[2]),
        (&["a", "OR", "cafe"], &[]),
        (&["text:said"], &[7]),
        (&["-minus"], &[7]),
        (&["^hat"], &[7]),
        (&["{text}:said"], &[7]),
        (&["star*"], &[7]),
        (&["\" OR \"*"], &[2]),
        (&["nothing\") OR (\"cafe"], &[]),
    ] {
        assert_eq!(places(&store, asked), expected, "{asked:?}");
    }
}

#[test]
fn p11_9_every_second_piece_of_a_snippet_was_found() {
    let long = format!("{} needle {}", "hay ".repeat(300), "stack ".repeat(300));
    let endless = format!("{}needle", "x".repeat(5_000));
    let hidden = "\u{80}\u{2}\\u0080\" a\u{200b}needle\u{0}b \u{1}";
    let (_, store) = said(&[
        "👋🏽 needle needlework",
        &long,
        &endless,
        hidden,
        "私は針needleを",
    ]);
    let found = store.found(&words(&["needle*"]), PLACE_MAX, 10).unwrap();
    let shown = found.into_iter().map(|(place, hit)| {
        let fields: Json = serde_json::from_str(&format!("{{{hit}")).unwrap();
        let snippet: Vec<String> = serde_json::from_value(fields["snippet"].clone()).unwrap();
        (place, snippet)
    });
    let shown: Vec<(Place, Vec<String>)> = shown.collect();
    let places: Vec<Place> = shown.iter().map(|(place, _)| *place).collect();
    assert_eq!(places, [5, 4, 2, 1]);
    assert_eq!(shown[0].1, ["私は針", "needle", "を"]);
    assert_eq!(shown[1].1, [r#"  \u0080" a "#, "needle", " b  "]);
    assert_eq!(shown[3].1, ["👋🏽 ", "needle", " ", "needlework", ""]);
    let [before, word, after] = &shown[2].1[..] else {
        panic!("{shown:?}");
    };
    assert_eq!(word, "needle");
    assert!(before.starts_with('…') && after.ends_with('…'));
    let units = |text: &String| text.encode_utf16().count();
    assert!(shown[2].1.iter().map(units).sum::<usize>() < 510);
}

#[test]
fn p11_9_a_page_begins_where_the_one_before_ended() {
    let (_, store) = said(&["a word"; 7]);
    let asked = words(&["word"]);
    let mut before = PLACE_MAX;
    let mut all = Vec::new();
    loop {
        let page = store.found(&asked, before, 3).unwrap();
        let Some(last) = page.last() else { break };
        before = last.0;
        all.extend(page.into_iter().map(|(place, _)| place));
    }
    assert_eq!(all, [7, 6, 5, 4, 3, 2, 1]);
}

/// P11.9, P14: each search reads a bounded part of the log, and a bounded part of a message.
#[test]
fn p11_9_the_log_is_read_in_bounded_steps() {
    let many = vec!["a word"; 2 * SEARCH_STEP_ENTRIES + 1];
    let sqlite = Sqlite::new();
    let store = Store::new(Rc::new(sqlite));
    store
        .write(&[MetaWrite::Begin(beginning()).into()])
        .unwrap();
    let create = |text: &str, place| MessageWrite::Create(message(place, text)).into();
    for (text, place) in many.iter().zip(1..) {
        store.write(&[create(text, place)]).unwrap();
    }
    assert_eq!(read_on(&store), 3);
    assert_eq!(read_on(&store), 0, "nothing is read twice");
    let text = format!("{}end", "word ".repeat(SEARCH_TEXT_LENGTH / 5));
    let long = "é".repeat(SEARCH_TEXT_LENGTH);
    let in_step = SEARCH_STEP_BYTES / long.len();
    for place in 0..=2 * in_step as u64 {
        store.write(&[create(&long, 10_000 + place)]).unwrap();
    }
    assert_eq!(read_on(&store), 3, "{in_step} in a step");
    store.write(&[create(&text, 20_000)]).unwrap();
    read_on(&store);
    assert!(
        places(&store, &["end"]).is_empty(),
        "beyond what is searched of a message"
    );
}

/// Whether the tables of the index have a word. Its lists leave out letters with which a word
/// begins like the one before it.
fn is_stored(sqlite: &Sqlite, word: &str) -> bool {
    let kept = "SELECT 1 FROM said_content WHERE instr(c0, ?1) UNION ALL \
                SELECT 1 FROM said_data WHERE instr(hex(block), hex(substr(?1, 3)))";
    let rows = sqlite.query(kept, &[Value::Text(word.to_owned())]);
    !rows.unwrap().is_empty()
}

/// P11.9: what goes leaves nothing behind, and goes at once.
#[test]
fn p11_9_a_text_that_is_gone_is_in_no_table() {
    let mut pair = Pair::new();
    let mut publish = |text| pair.publish(Draft::text(text));
    let [kept, deleted, updated, trimmed] =
        ["xylophone", "quagmire", "zeppelin", "jodhpurs"].map(|word| {
            let place = publish(word);
            (place, word)
        });
    read_on(&pair.store);
    for (place, word) in [kept, deleted, updated, trimmed] {
        assert_eq!(places(&pair.store, &[word]), [place]);
        assert!(is_stored(&pair.sqlite, word), "{word}");
    }
    pair.delete(deleted.0);
    pair.update(updated.0, Some(Data::Text("other".to_owned())), None);
    pair.write(&[sessile::store::Trim {
        up_to: 0,
        gone: vec![trimmed.0],
        at: 1,
    }
    .into()]);
    for (_, word) in [deleted, updated, trimmed] {
        assert!(places(&pair.store, &[word]).is_empty());
        assert!(!is_stored(&pair.sqlite, word), "{word}");
    }
    read_on(&pair.store);
    assert_eq!(places(&pair.store, &["other"]), [updated.0]);
    assert_eq!(places(&pair.store, &[kept.1]), [kept.0]);
    pair.write(&[MetaWrite::End.into()]);
    assert_eq!(
        pair.sqlite.tables(),
        ["delivery"; 0],
        "the index goes with the session"
    );
}

/// P11.9, P14: what retention takes stays bounded, however much of it is in the index.
#[test]
fn p11_9_where_many_texts_go_the_index_goes_with_them() {
    let mut pair = Pair::new();
    let many = "word ".repeat(1_000);
    let mut all: Vec<Place> = Vec::new();
    for _ in 0..60 {
        all.push(pair.publish(Draft::text(&many)));
    }
    let (few, most) = (all[9], all[49]);
    read_on(&pair.store);
    pair.trim(few);
    assert_eq!(pair.sqlite.count("said"), 50, "few are removed from it");
    pair.trim(most);
    assert!(!pair.sqlite.tables().contains(&"said".to_owned()));
    assert_eq!(pair.sqlite.count("message"), 10);
    let left: Vec<Place> = all.split_off(50).into_iter().rev().collect();
    pair.publish(Draft::text("late"));
    read_on(&pair.store);
    assert_eq!(places(&pair.store, &["word"]), left);
    pair.reload();
    assert_eq!(places(&pair.store, &["word"]), left);
}

/// P11.9, P11.2: the change of a message that retention keeps is found, also where retention has
/// removed the entry that says so.
#[test]
fn p11_9_a_kept_message_is_found_as_it_stands_though_its_entry_is_gone() {
    let mut pair = Pair::new();
    pair.start(None, false);
    let kept = pair.publish(Draft {
        turn: Some(0),
        ..Draft::text("before")
    });
    read_on(&pair.store);
    pair.update(kept, Some(Data::Text("after".to_owned())), None);
    pair.publish(Draft::text("other"));
    pair.trim(pair.end.place);
    read_on(&pair.store);
    assert_eq!(places(&pair.store, &["after"]), [kept]);
    assert!(places(&pair.store, &["other"]).is_empty());
}

/// The texts that the index should have: of messages that neither stream nor are gone.
fn expected(pair: &Pair) -> Vec<(i64, String)> {
    fn strings(json: &Json, found: &mut Vec<String>) {
        match json {
            Json::String(text) => found.push(text.clone()),
            Json::Array(items) => items.iter().for_each(|item| strings(item, found)),
            Json::Object(fields) => fields.values().for_each(|field| strings(field, found)),
            _ => {}
        }
    }
    let held = pair.held.iter();
    let streams = |status| status == Some(Status::Streaming);
    let held = held.filter(|(_, held)| !streams(held.message.status));
    let texts = held.map(|(place, held)| {
        let text = match &held.message.data {
            None => String::new(),
            Some(Data::Text(text)) => text.clone(),
            Some(json) => {
                let mut found = Vec::new();
                // Numbers beyond those of JavaScript are none of this model's.
                let json = serde_json::to_string(json).unwrap().replace("1e400", "1");
                strings(&serde_json::from_str(&json).unwrap(), &mut found);
                found.join("\n")
            }
        };
        (i64::try_from(*place).unwrap(), plain(&text))
    });
    texts.filter(|(_, text)| !text.is_empty()).collect()
}

fn plain(text: &str) -> String {
    let shown = text.chars().filter(|char| *char != '\u{200b}');
    shown
        .map(|char| if char.is_control() { ' ' } else { char })
        .collect()
}

fn indexed(sqlite: &Sqlite) -> Vec<(i64, String)> {
    if !sqlite.tables().contains(&"said".to_owned()) {
        return Vec::new();
    }
    let rows = sqlite.query("SELECT rowid, text FROM said ORDER BY rowid", &[]);
    let rows = rows.unwrap().into_iter().map(|row| match &row[..] {
        [Value::Integer(place), Value::Text(text)] => (*place, plain(text)),
        other => panic!("{other:?}"),
    });
    rows.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// After any writes, and searches at any time between them, the index has what the messages
    /// say.
    #[test]
    fn p11_9_the_index_has_what_the_messages_say(
        steps in prop::collection::vec((step(), prop::bool::weighted(0.2)), 1..60),
    ) {
        let mut pair = Pair::new();
        for (step, searches) in steps {
            if searches {
                read_on(&pair.store);
                prop_assert_eq!(indexed(&pair.sqlite), expected(&pair));
            }
            take(&mut pair, step);
        }
        read_on(&pair.store);
        prop_assert_eq!(read_on(&pair.store), 0);
        if pair.sqlite.tables().contains(&"said".to_owned()) {
            prop_assert_eq!(indexed(&pair.sqlite), expected(&pair));
            pair.sqlite.batch("INSERT INTO said(said) VALUES('integrity-check')");
        }
    }

    /// No text of a query is anything but words.
    #[test]
    fn p11_9_any_words_are_looked_for(texts in prop::collection::vec(".{1,20}", 1..5)) {
        let (_, store) = said(&["a word"]);
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        prop_assert!(store.found(&words(&texts), PLACE_MAX, 10).is_ok());
    }
}
