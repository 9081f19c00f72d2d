//! Annotations as rows, and the one row of their sums (P9.3).

use std::rc::Rc;

use sessile::ordered::Map;
use sessile::protocol::annotation::{Annotation, Cursor, Sum, Sums};
use sessile::protocol::data::Data;
use sessile::store::{
    Annotated, AnnotationWrite, MessageWrite, MetaWrite, Store, Trim, Withdrawn, Write,
};

use crate::sqlite::Sqlite;
use crate::{beginning, cost, message};

/// The message that the golden rows annotate; it is none of the others'.
const MESSAGE: u64 = 7_000_000;

fn sums(total: u64, clipped: bool) -> Sums {
    let clients = Map::from_iter([("ann".to_owned(), 1)]);
    let sum = Sum {
        total,
        clients,
        clipped,
    };
    let names = Map::from_iter([("it's".to_owned(), sum)]);
    Sums::from_iter([("like:distinct".to_owned(), names)])
}

fn annotation(place: u64, client: &str) -> Annotation {
    Annotation {
        place,
        kind: "like:distinct".to_owned(),
        name: "it's".to_owned(),
        client: client.to_owned(),
        count: 1,
        data: Data::from_json(r#"{"a":1}"#.to_owned()),
        at: 50,
    }
}

fn put(message: u64, annotation: Annotation, rows: usize) -> Write {
    AnnotationWrite {
        message,
        client: annotation.client.clone(),
        gone: Vec::new(),
        annotated: Annotated {
            version: annotation.place,
            rows,
            sums: sums(u64::try_from(rows).unwrap(), 1 < rows),
        },
        added: Some(annotation),
    }
    .into()
}

fn withdraw(message: u64, place: u64) -> Write {
    AnnotationWrite {
        message,
        client: "bob".to_owned(),
        gone: vec![Withdrawn {
            kind: "like:distinct".to_owned(),
            name: "it's".to_owned(),
            rows: 1,
            count: 1,
        }],
        added: None,
        annotated: Annotated {
            version: place,
            rows: 1,
            sums: sums(1, false),
        },
    }
    .into()
}

/// Everything that is ever written of them.
pub(crate) fn golden_writes() -> Vec<Vec<Write>> {
    vec![
        vec![put(MESSAGE, annotation(7_000_001, "ann"), 1)],
        vec![put(MESSAGE, annotation(7_000_002, "bob"), 2)],
        vec![withdraw(MESSAGE, 7_000_003)],
    ]
}

pub(crate) fn check_golden(store: &Store) {
    let found = store.annotations(MESSAGE, &Cursor::default(), 10);
    assert_eq!(found, Ok(vec![annotation(7_000_001, "ann")]));
    let annotated = Annotated {
        version: 7_000_003,
        rows: 1,
        sums: sums(1, false),
    };
    assert_eq!(store.annotated(MESSAGE), Ok(annotated));
    let names = ["it's".to_owned(), "other".to_owned()];
    let own = store.annotations_of(MESSAGE, "like:distinct", &names, "ann");
    assert_eq!(own.map(|own| own.len()), Ok(1));
}

#[test]
fn an_annotation_is_two_rows_however_many_there_are_and_goes_with_its_message() {
    let sqlite = Sqlite::new();
    let store = Store::new(Rc::new(sqlite.clone()));
    let create = MessageWrite::Create(message(5, "a"));
    store
        .write(&[MetaWrite::Begin(beginning()).into(), create.into()])
        .unwrap();
    assert_eq!(store.annotated(5), Ok(Annotated::default()));
    store.write(&[put(5, annotation(6, "ann"), 1)]).unwrap();
    for rows in 2..500 {
        let client = format!("c{rows:03}");
        let write = put(5, annotation(6 + rows as u64, &client), rows);
        let (written, _) = cost(&sqlite, || {
            store.write(std::slice::from_ref(&write)).unwrap()
        });
        assert_eq!(written, 2);
    }
    let aged = store.aged(1).unwrap();
    assert_eq!(aged[0].rows, 500, "P11.2: they count as rows of retention");
    let page = store.annotations(5, &Cursor::default(), 3).unwrap();
    let clients: Vec<&str> = page.iter().map(|it| it.client.as_str()).collect();
    assert_eq!(clients, ["ann", "c002", "c003"]);
    let last = page[2].clone();
    let cursor = Cursor(last.kind, last.name, last.client, last.place);
    let before = sqlite.steps();
    let page = store.annotations(5, &cursor, 2).unwrap();
    assert!(sqlite.steps() - before < 200, "a page costs what it has");
    assert_eq!(page[0].client, "c004");
    let trim = Trim {
        up_to: 5,
        gone: vec![5],
        at: 9,
    };
    store.write(&[trim.into()]).unwrap();
    assert_eq!(
        (sqlite.count("annotation"), sqlite.count("summary")),
        (0, 0)
    );
}
