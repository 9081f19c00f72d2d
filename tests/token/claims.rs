//! The claims of a token: their form and their times (P2.1, P2.6).

use proptest::prelude::*;
use serde_json::json;
use sessile::protocol::capability::{Operations, Role};
use sessile::protocol::error::ErrorCode;
use sessile::protocol::limits::Limits;

use super::*;

#[test]
fn p10_1_an_administrator_of_every_session_stands_in_for_another_client() {
    let of = |caps| {
        let mut all = claims();
        all["caps"] = caps;
        read(&all).unwrap()
    };
    let admin = of(json!({ "*": ["admin"] }));
    let stands = admin.clone().in_place_of("read", "ben").unwrap();
    assert_eq!(stands.client, "ben");
    let wrong = admin.in_place_of("read", "role:user").unwrap_err();
    assert_eq!(wrong.code, ErrorCode::InvalidFrame);
    for caps in [json!({ "*": ["supervisor"] }), json!({ "a*": ["admin"] })] {
        let refused = of(caps).in_place_of("read", "ben").unwrap_err();
        assert_eq!(refused.code, ErrorCode::Forbidden);
        assert!(
            refused.message.contains("the operation admin"),
            "{refused:?}"
        );
    }
}

#[test]
fn a_token_has_a_client_and_its_capabilities() {
    let mut all = claims();
    all["name"] = json!("Alice 👩‍🚀");
    all["role"] = json!("supervisor");
    all["iat"] = json!(NOW as f64 - 0.5);
    all["nbf"] = json!(NOW);
    all["aud"] = json!(["ignored", 1]);
    let grant = read(&all).unwrap().grant("support-1").unwrap();
    assert_eq!(grant.client, "alice");
    assert_eq!(grant.name.as_deref(), Some("Alice 👩‍🚀"));
    assert_eq!(grant.role, Role::Supervisor);
    assert_eq!(Some(grant.operations), Operations::parse("user"));
    assert_eq!(grant.expires_at, (NOW + 3600) * 1000);
    // It is kept with the connection, and comes back as it was.
    let kept = serde_json::to_string(&grant).unwrap();
    assert_eq!(
        serde_json::from_str::<sessile::token::Grant>(&kept).unwrap(),
        grant
    );
}

#[test]
fn claims_of_a_wrong_form_are_refused_by_name() {
    for (field, value, sentence) in [
        (
            "sub",
            json!(""),
            "the token's sub has 0 characters; it needs 1 to 128",
        ),
        (
            "sub",
            json!("é".repeat(129)),
            "the token's sub has 129 characters; it needs 1 to 128",
        ),
        (
            "sub",
            json!("a\nb"),
            "the token's sub has the character '\\n', which is not printable",
        ),
        (
            "sub",
            json!("a\u{202e}b"),
            "the token's sub has the character '\\u{202e}', which is not printable",
        ),
        (
            "sub",
            json!("role:supervisor"),
            "the token's sub begins with role:, which names a role, not a client",
        ),
        (
            "name",
            json!("n".repeat(129)),
            "the token's name has 129 characters, nameLength is 128",
        ),
        (
            "name",
            json!("a\u{0}"),
            "the token's name has the character '\\0', which is not printable",
        ),
        (
            "role",
            json!("admin"),
            "the token's role is \"admin\"; a role is user, agent or supervisor",
        ),
        ("exp", json!(null), "the token has no exp, its expiry"),
        (
            "exp",
            json!(NOW * 1000),
            "the token's exp is 1800000000000, which is not seconds since 1970",
        ),
        (
            "iat",
            json!(-1),
            "the token's iat is -1, which is not seconds since 1970",
        ),
        (
            "caps",
            json!({ "*": ["reed"] }),
            "the token's caps has the word \"reed\" for *, which is neither operation nor role; \
             operations are read, publish, edit, presence, turn, cancel, steer, approve, state, \
             annotate, push, admin, lead, roles are viewer, user, agent, supervisor, admin",
        ),
        (
            "caps",
            json!({ "a*b": ["read"] }),
            "the token's caps has the pattern \"a*b\", which matches no session; a pattern is a \
             session id, a prefix and then *, or *",
        ),
    ] {
        assert_refused(read(&with(field, value)), sentence);
    }
    assert_refused(
        read(&with("sub", json!(null))),
        "the token has no sub, the client's id",
    );
    for (field, value, path) in [
        ("sub", json!(5), "sub: it is the number 5, not text"),
        (
            "exp",
            json!("soon"),
            "exp: it is the text \"soon\", not a number",
        ),
        ("caps", json!(["read"]), "caps: it is a list, not an object"),
        (
            "caps",
            json!({ "*": "read" }),
            "caps.*: it is the text \"read\", not a list",
        ),
        (
            "caps",
            json!({ "*": ["read", 5] }),
            "caps.*: it is the number 5, not text",
        ),
    ] {
        let error = read(&with(field, value)).unwrap_err();
        let begin = format!("unable to authorize; the token's claims.{path}");
        assert!(error.message.starts_with(&begin), "{}", error.message);
    }
    // Serde takes arrays for structs; a JWT does not.
    let list = json!(["alice", NOW + 3600, null, null, null, null, {}]);
    for (text, wrong) in [
        (list.to_string(), "it is a list, not an object"),
        ("7".into(), "it is the number 7, not an object"),
        (
            "{}{}".into(),
            "it is not JSON, trailing characters at line 1, column 3",
        ),
        (String::new(), "it is empty, JSON is expected"),
    ] {
        let read = Claims::read(&text, NOW * 1000, &Limits::default());
        assert_refused(read, &format!("the token's claims: {wrong}"));
    }
    // A name is the owner's to leave empty, and 128 characters of any script are a client.
    assert_eq!(read(&with("name", json!(""))).unwrap().name, None);
    assert!(read(&with("sub", json!("字".repeat(128)))).is_ok());
}

#[test]
fn clocks_may_differ_by_the_leeway() {
    let claims = with("exp", json!(NOW));
    let until = |now: i64| read_at(&claims, now).map(|claims| claims.expires_at);
    let exp = NOW * 1000;
    assert_eq!(until(exp - 1), Ok(exp));
    // Taken within the leeway, it serves until the leeway ends.
    assert_eq!(until(exp), Ok(exp + 30_000));
    assert_eq!(until(exp + 29_999), Ok(exp + 30_000));
    assert_refused(read_at(&claims, exp + 30_000), "the token expired 30 s ago");
    assert_refused(read_at(&claims, exp + 92_900), "the token expired 92 s ago");

    for (field, what) in [("nbf", "is not valid before"), ("iat", "was issued at")] {
        let claims = with(field, json!(NOW));
        assert!(read_at(&claims, exp).is_ok());
        assert!(read_at(&claims, exp - 30_000).is_ok());
        let sentence = format!("the token {what} a time 30 s from now");
        assert_refused(read_at(&claims, exp - 30_001), &sentence);
    }
}

/// The given time counts: these times are long past by any real clock.
#[test]
fn no_clock_is_read() {
    let mut early = with("exp", json!(100));
    early["nbf"] = json!(50);
    assert_eq!(read_at(&early, 60_000).unwrap().expires_at, 100_000);
    assert_refused(read_at(&early, 130_000), "the token expired 30 s ago");
    assert_refused(
        read_at(&early, 10_000),
        "the token is not valid before a time 40 s from now",
    );
}

proptest! {
    /// Any signed claims without `sub` or `exp` are refused; nothing panics (P13.4).
    #[test]
    fn any_claims_are_read_or_refused(
        field in "sub|exp|nbf|iat|name|role|caps",
        json in "[0-9eE.+\\-\\[\\]{}\":a-z,]{0,12}",
    ) {
        if let Ok(value) = serde_json::from_str::<Value>(&json) {
            let _ = read(&with(&field, value)).map(|claims| claims.grant("s"));
        }
    }
}
