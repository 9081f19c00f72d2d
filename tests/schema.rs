//! Schemas, by the official suite of JSON Schema 2020-12: what is read is judged as the suite
//! says, and what is refused is refused by name. `tests/schema/judge.test.js` judges the same
//! by the module that the Worker bundles.
#![allow(clippy::unwrap_used, clippy::panic)]

mod judge;

use std::fs;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sessile::protocol::schema::{Judge, Schema};

/// A group of tests of the suite, and what became of its schema here.
#[derive(Debug, Serialize, Deserialize)]
struct Group {
    about: String,
    schema: Box<RawValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    read: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
    tests: Vec<Case>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Case {
    about: String,
    data: Box<RawValue>,
    valid: bool,
    /// Another verdict than the suite's, by a bound of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    here: Option<bool>,
}

#[test]
fn the_official_suite_is_judged_as_it_says_or_refused_by_name() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/schema/suite.ndjson"
    );
    let text = fs::read_to_string(path).unwrap();
    let mut lines = String::new();
    let mut wrong = Vec::new();
    let (mut judged, mut refused) = (0, 0);
    for line in text.lines() {
        let mut group: Group = serde_json::from_str(line).unwrap();
        (group.read, group.refused) = (None, None);
        match Schema::read(group.schema.get()) {
            Ok(schema) => {
                judge::Oracle.admit(&schema).unwrap();
                for case in &group.tests {
                    judged += 1;
                    let is_valid = judge::Oracle.check(&schema, case.data.get()).is_empty();
                    if is_valid != case.here.unwrap_or(case.valid) {
                        wrong.push(format!("{}: {}", group.about, case.about));
                    }
                }
                group.read = Some(schema.as_str().to_owned());
            }
            Err(breach) => {
                refused += group.tests.len();
                group.refused = Some(format!("{}: {}", breach.path, breach.reason));
            }
        }
        lines.push_str(&serde_json::to_string(&group).unwrap());
        lines.push('\n');
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(path, &lines).unwrap();
    } else {
        assert!(
            text == lines,
            "UPDATE_EXPECT=1 writes how schemas are read now"
        );
    }
    println!("{judged} judged, {refused} refused");
}
