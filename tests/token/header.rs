//! The header of a token, and the size of all of it, looked at before anything else (P2.1, P14).

use proptest::prelude::*;
use sessile::token::check_size;

use super::*;

fn header(json: &Value) -> Result<Header, ErrorInfo> {
    Header::read(&json.to_string())
}

#[test]
fn a_header_names_an_algorithm_and_a_key() {
    let plain = header(&json!({ "typ": "JWT", "alg": "HS256" })).unwrap();
    assert_eq!((plain.alg.as_str(), plain.kid), ("HS256", None));
    let named = header(&json!({ "alg": "ES256", "kid": "k1", "x5c": [1] })).unwrap();
    assert_eq!(
        (named.alg.as_str(), named.kid.as_deref()),
        ("ES256", Some("k1"))
    );
}

#[test]
fn a_header_of_a_wrong_form_is_refused_by_name() {
    for (json, wrong) in [
        (json!(["JWT", "HS256"]), ": it is a list, not an object"),
        (json!(7), ": it is the number 7, not an object"),
        (json!({}), ": alg is missing"),
        (json!({ "alg": 5 }), ".alg: it is the number 5, not text"),
        (
            json!({ "alg": "HS256", "kid": {} }),
            ".kid: it is an object, not text",
        ),
        (
            json!({ "alg": "HS256", "crit": ["b64"], "b64": false }),
            " has crit, which is not supported",
        ),
    ] {
        assert_refused(header(&json), &format!("the token's header{wrong}"));
    }
}

#[test]
fn a_token_is_bounded_in_bytes_before_it_is_read() {
    let limits = Limits::default();
    let token =
        |header: usize, claims: usize| format!("{}.{}.AA", "h".repeat(header), "c".repeat(claims));
    assert!(check_size(&token(100, 4096 * 4 / 3), &limits).is_ok());
    assert_refused(
        check_size(&token(100, 4097 * 4 / 3 + 1), &limits),
        "the token's claims take 4097 bytes, claimsBytes is 4096",
    );
    assert_refused(
        check_size(&token(9600, 100), &limits),
        "the token takes 9704 bytes, the limit is 9557",
    );
    let wide = Limits {
        claims_bytes: 5000,
        ..Limits::default()
    };
    assert!(check_size(&token(100, 5000 * 4 / 3), &wide).is_ok());
}

proptest! {
    /// Whatever comes as a header is read or refused, and nothing panics (P13.4).
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
        if let Err(error) = Header::read(&text) {
            prop_assert_eq!(error.code, ErrorCode::Unauthorized);
        }
    }
}
