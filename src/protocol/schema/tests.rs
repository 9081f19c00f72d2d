#![allow(clippy::unwrap_used, clippy::panic)]
use super::pattern::text_max;
use super::*;

fn refused(text: &str) -> String {
    let breach = Schema::read(text).unwrap_err();
    format!("{}: {}", breach.path, breach.reason)
}

#[test]
fn annotations_are_left_out_and_bounds_put_in() {
    let text = r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","title":"T",
        "properties":{"format":{"type":"string","format":"email","pattern":"^a+$"}},
        "uniqueItems":true,"pattern":"a+b"}"#;
    let read: serde_json::Value =
        serde_json::from_str(Schema::read(text).unwrap().as_str()).unwrap();
    let expected = serde_json::json!({
        "properties": {"format": {"type": "string", "pattern": "^a+$"}},
        "allOf": [
            {"if": {"type": "string", "maxLength": 1446},
             "then": {"pattern": "a+b", "$comment": "slow"}},
            {"maxLength": 1446},
            {"if": {"type": "array", "maxItems": 256},
             "then": {"uniqueItems": true, "$comment": "slow"}},
            {"maxItems": 256},
        ],
    });
    assert_eq!(read, expected);
    let names = r#"{"patternProperties":{"^[a-z]+$":true,"^x-":true}}"#;
    assert_eq!(Schema::read(names).unwrap().as_str(), names);
    let slow = refused(r#"{"patternProperties":{"a+b+c+d":true}}"#);
    assert!(slow.contains("takes too long to match"), "{slow}");
}

#[test]
fn whatever_judges_could_stumble_over_is_refused_by_name() {
    let remote = "only references within the schema are followed: # and #/…, without %";
    for (text, reason) in [
        (
            "{",
            ": it is not JSON, EOF while parsing an object at line 1, column 1",
        ),
        ("5", ": it is no schema: an object, true or false"),
        (
            r##"{"$dynamicRef":"#a"}"##,
            "/$dynamicRef: this keyword is refused here",
        ),
        (
            r#"{"items":{"$id":"a"}}"#,
            "/items/$id: this keyword is refused here",
        ),
        (
            r#"{"$vocabulary":{}}"#,
            "/$vocabulary: this keyword is refused here",
        ),
        (r#"{"type":"text"}"#, "/type: it is no type of JSON Schema"),
        (r#"{"required":"a"}"#, "/required: it is no list of texts"),
        (
            r#"{"items":[{}]}"#,
            "/items: it is no schema: an object, true or false",
        ),
        (
            r##"{"$ref":"#/$defs/a"}"##,
            "/$ref: no schema is at #/$defs/a",
        ),
        (
            r##"{"$ref":"#"}"##,
            ": its references lead back to itself in a circle",
        ),
    ] {
        assert_eq!(refused(text), reason, "{text}");
    }
    assert_eq!(
        refused(r#"{"$ref":"https://a/b"}"#),
        format!("/$ref: {remote}")
    );
    assert!(refused(r#"{"$schema":"http://json-schema.org/draft-07/schema#"}"#).contains("only"));
    let deep = format!("{}true{}", "{\"not\":".repeat(40), "}".repeat(40));
    assert!(refused(&deep).contains("more than 32"));
    assert!(refused(&" ".repeat(SCHEMA_BYTES + 1)).contains("longer than"));
    let tree = r##"{"properties":{"next":{"$ref":"#"}}}"##;
    Schema::read(tree).unwrap();
}

#[test]
fn patterns_that_could_match_in_exponentially_many_ways_are_refused() {
    for evil in [
        "^(a+)+$",
        "^(a|a)*$",
        "^(a|aa)+$",
        "^(a*)*b",
        "^(a?){30}a{30}$",
        "^(([a-z])+.)+[A-Z]([a-z])+$",
        "(x+x+)+y",
        "^(a?a?-)*$",
        "a*a*a*a*a*b*c*d*e*",
        r"^(a)\1$",
        "(?<=a)b",
        "(a",
        "a)",
        "[a",
    ] {
        assert!(text_max(evil).is_err(), "{evil}");
    }
}

#[test]
fn usual_patterns_are_matched_with_texts_of_a_usable_length() {
    let local = r"^(?!\.)(?!.*\.\.)([A-Za-z0-9_'+\-\.]*)[A-Za-z0-9_+-]";
    let email = local.to_owned() + r"@([A-Za-z0-9][A-Za-z0-9\-]*\.)+[A-Za-z]{2,}$";
    for (pattern, least) in [
        ("^[a-z0-9]+(-[a-z0-9]+)*$", 1_000),
        (r"^[^@\s]+@[^@\s]+\.[^@\s]+$", 128),
        (r"^\d{4}-\d{2}-\d{2}$", 60_000),
        ("^.*foo", 60_000),
        (r"^(?:\d{1,3}\.){3}\d{1,3}$", 1_000),
        ("a+b", 1_000),
        (r"^\d+(\.\d{1,2})?$", 1_000),
        (r"^\+?[0-9 ()-]{7,20}$", 1_000),
        (r"^([^,]+,)*[^,]+$", 1_000),
        (&email, 64),
    ] {
        let most = text_max(pattern);
        assert!(
            most.as_ref().is_ok_and(|most| *most >= least),
            "{pattern}: {most:?}"
        );
    }
}
