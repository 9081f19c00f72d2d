//! The capabilities of a token, by session (P2.2, P2.3).

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Value, json};
use sessile::protocol::capability::{Capabilities, Operation, Operations};
use sessile::protocol::error::ErrorCode;

use super::*;

#[test]
fn a_session_outside_the_caps_is_forbidden() {
    let mut none = claims();
    none.as_object_mut().unwrap().remove("caps");
    let few = json!({ "support-*": ["user"], "billing": ["read"] });
    let many = json!({ "a": [], "b": [], "c": [], "d": [], "e": [], "f": [], "g": [] });
    for (claims, reason) in [
        (none, "it has no caps, such as {\"*\": [\"user\"]}"),
        (
            with("caps", few),
            "its caps are for \"billing\", \"support-*\"",
        ),
        (
            with("caps", many),
            "its caps are for \"a\", \"b\", \"c\", \"d\", \"e\" and 2 more",
        ),
        (
            with("caps", json!({ "*": [], "billing-*": [] })),
            "its caps are for \"*\", \"billing-*\"",
        ),
    ] {
        let error = read(&claims).unwrap().grant("billing-1").unwrap_err();
        assert_eq!((error.code, error.status), (ErrorCode::Forbidden, 403));
        let lacks = "the token grants no operation for session billing-1, not even read";
        assert_eq!(
            error.message,
            format!("unable to authorize; {lacks}: {reason}")
        );
    }
}

#[test]
fn a_missing_operation_is_named_with_its_session() {
    let grant = read(&with("caps", json!({ "*": ["viewer"] })))
        .unwrap()
        .grant("s")
        .unwrap();
    assert_eq!(
        grant.operations.require(Operation::Read, "read", "s"),
        Ok(())
    );
    let error = grant
        .operations
        .require(Operation::Publish, "publish", "s")
        .unwrap_err();
    assert_eq!(error.code, ErrorCode::Forbidden);
    assert_eq!(
        error.message,
        "unable to publish; the token lacks the operation publish for session s, \
         it has read, presence"
    );
}

#[test]
fn the_role_is_the_tokens_else_the_strongest_that_the_matching_caps_name() {
    let role = |claims: Value, session: &str| {
        read(&claims)
            .unwrap()
            .grant(session)
            .unwrap()
            .role
            .as_str()
            .to_owned()
    };
    let caps = json!({
        "a": ["agent"], "a*": ["user"], "ab": ["supervisor", "agent"],
        "c": ["viewer"], "d": ["admin"], "e": ["turn", "edit"],
    });
    for (session, expected) in [
        ("a", "agent"),
        ("ab", "supervisor"),
        ("ac", "user"),
        ("c", "user"),
        ("d", "user"),
        ("e", "user"),
    ] {
        assert_eq!(
            role(with("caps", caps.clone()), session),
            expected,
            "{session}"
        );
    }
    let mut said = with("caps", caps);
    said["role"] = json!("agent");
    assert_eq!(role(said, "ab"), "agent");
}

/// The table of P2.3, written out.
const ROLES: [(&str, &str); 5] = [
    ("viewer", "read, presence"),
    (
        "user",
        "read, publish, presence, cancel, steer, approve, state, annotate, push",
    ),
    (
        "agent",
        "read, publish, presence, turn, cancel, steer, state, annotate",
    ),
    (
        "supervisor",
        "read, publish, edit, presence, turn, cancel, steer, approve, state, annotate, push, lead",
    ),
    (
        "admin",
        "read, publish, edit, presence, turn, cancel, steer, approve, state, annotate, push, \
         admin, lead",
    ),
];

fn parse(caps: &[(&str, &[&str])]) -> Result<Capabilities, String> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let caps = caps
        .iter()
        .map(|(pattern, list)| ((*pattern).to_owned(), words(list)));
    Capabilities::parse(&caps.collect::<Vec<_>>())
}

fn operations(caps: &[(&str, &[&str])], session: &str) -> Option<String> {
    parse(caps)
        .unwrap()
        .resolve(session)
        .map(|operations| operations.to_string())
}

#[test]
fn roles_are_shorthand_and_operations_stand_for_themselves() {
    for (role, expected) in ROLES {
        assert_eq!(Operations::parse(role).unwrap().to_string(), expected);
    }
    for operation in Operation::ALL
        .iter()
        .filter(|operation| **operation != Operation::Admin)
    {
        let operations = Operations::parse(operation.as_str()).unwrap();
        assert_eq!(operations.iter().collect::<Vec<_>>(), [*operation]);
    }
    assert_eq!(Operations::NONE.to_string(), "none");
    for word in ["", "Read", "read ", "*", "reads"] {
        assert_eq!(Operations::parse(word), None, "{word:?}");
    }
}

#[test]
fn patterns_match_an_id_a_prefix_or_everything() {
    let caps: &[(&str, &[&str])] = &[
        ("support-*", &["read"]),
        ("support-7", &["publish"]),
        ("*", &["presence"]),
    ];
    for (session, expected) in [
        ("support-7", "read, publish, presence"),
        ("support-", "read, presence"),
        ("support", "presence"),
        ("support-77", "read, presence"),
        ("Support-7", "presence"),
    ] {
        assert_eq!(
            operations(caps, session).as_deref(),
            Some(expected),
            "{session}"
        );
    }
    assert_eq!(operations(&caps[..2], "support"), None);
    assert_eq!(operations(&[], "support"), None);
    // A match that grants nothing is a match: each operation is then refused by name.
    assert_eq!(operations(&[("s", &[])], "s").as_deref(), Some("none"));
}

#[test]
fn a_pattern_that_can_match_nothing_is_refused() {
    for pattern in ["", "**", "a*b", "*a", "a/b", "a b", "é", &"a".repeat(129)] {
        let wrong = parse(&[(pattern, &["read"])]).unwrap_err();
        assert!(
            wrong.starts_with(&format!("caps has the pattern {pattern:?}")),
            "{wrong}"
        );
    }
    assert!(parse(&[(&"a".repeat(128), &["read"]), ("A.b_c:d~e-9*", &["read"])]).is_ok());
}

#[test]
fn bits_of_unknown_operations_grant_nothing() {
    let all: Operations = serde_json::from_str("65535").unwrap();
    assert_eq!(all, Operations::ALL);
    assert_eq!(
        serde_json::to_string(&Operations::parse("read").unwrap()).unwrap(),
        "1"
    );
}

fn word() -> impl Strategy<Value = String> {
    let operations = Operation::ALL.iter().map(|operation| operation.as_str());
    let words: Vec<_> = operations.chain(ROLES.map(|(role, _)| role)).collect();
    prop::sample::select(words).prop_map(Into::into)
}

proptest! {
    /// P2.2: all matching patterns add up. Ids of two letters, so that patterns do match.
    #[test]
    fn matching_patterns_add_up(
        caps in btree_map("[ab]{1,3}\\*?|\\*", vec(word(), 0..4), 0..6),
        session in "[ab]{1,3}",
    ) {
        let mut expected: Option<Operations> = None;
        for (pattern, words) in &caps {
            let matches = match pattern.split_once('*') {
                Some((prefix, _)) => session.starts_with(prefix),
                None => *pattern == session,
            };
            if matches {
                let granted = words.iter().filter_map(|word| Operations::parse(word));
                let sum = granted.fold(expected.unwrap_or(Operations::NONE), Operations::union);
                expected = Some(sum);
            }
        }
        let list: Vec<_> = caps.clone().into_iter().collect();
        let parsed = Capabilities::parse(&list).unwrap();
        prop_assert_eq!(parsed.resolve(&session), expected);
        for operation in Operation::ALL {
            let holds = expected.is_some_and(|sum| sum.contains(*operation));
            let granted = parsed.resolve(&session).unwrap_or_default();
            prop_assert_eq!(granted.require(*operation, "act", &session).is_ok(), holds);
        }
    }
}
