//! Tokens that the deployment makes itself (P2.8, P10.2).

use serde_json::json;
use sessile::inbox::Inbox;
use sessile::machine::Machine;
use sessile::protocol::capability::{Operation, Operations, Role};
use sessile::protocol::error::ErrorCode;
use sessile::protocol::limits::Limits;
use sessile::protocol::routes::{ROUTES, Resource, WRITTEN};
use sessile::session::Session;
use sessile::token::{Claims, Keys, OWN_KID, decide_claims, session_claims};

use super::*;

const SESSION: &str = "support-1";
const DECIDE: &str = "/v1/sessions/{session}/approvals/{approval}/decide";

fn decider() -> Claims {
    let claims = decide_claims(SESSION, "ada", "refund", NOW, NOW + 60_000);
    Claims::read_own(&claims, NOW, &Limits::default()).unwrap()
}

/// The parameters of an address, each of them this token's own.
fn params(path: &str) -> Vec<String> {
    let names = path.split('/').filter(|part| part.starts_with('{'));
    let value = |name: &str| match name {
        "{session}" => SESSION.to_owned(),
        _ => "refund".to_owned(),
    };
    names.map(value).collect()
}

#[test]
fn p10_2_a_token_for_one_decision_opens_no_other_address() {
    let claims = decider();
    let mut opened = Vec::new();
    for route in ROUTES.iter().chain([&WRITTEN]) {
        let grant = match route.resource {
            Resource::Session => claims.grant_at(route, &params(route.path)).map(|_| ()),
            Resource::Inbox | Resource::Devices => Inbox::grant(&claims, "client:ada").map(|_| ()),
            Resource::Revocations | Resource::Client => claims.check_rules("erase"),
        };
        match grant {
            Ok(()) => opened.push((route.method, route.path)),
            Err(error) => {
                assert_eq!(error.code, ErrorCode::Forbidden, "{}", route.path);
                let named = "to decide the approval refund of session support-1";
                assert!(error.message.contains(named), "{}", error.message);
            }
        }
    }
    assert_eq!(opened, [("POST", DECIDE)]);
    // Nor is it a fresh token for a connection (P2.6).
    let renewal = Session::grant(&claims, SESSION).unwrap_err();
    assert!(renewal.message.contains("good for one thing"));
}

#[test]
fn p10_2_a_token_for_one_decision_decides_nothing_else() {
    let claims = decider();
    let route = ROUTES.iter().find(|route| route.path == DECIDE).unwrap();
    let grant = |session: &str, approval: &str| {
        claims.grant_at(route, &[session.to_owned(), approval.to_owned()])
    };
    let own = grant(SESSION, "refund").unwrap();
    assert_eq!(own.operations, Operations::of(&[Operation::Approve]));
    assert_eq!((own.client.as_str(), own.role), ("ada", Role::User));
    assert!(grant(SESSION, "another").is_err());
    assert!(grant("support-2", "refund").is_err());
}

#[test]
fn p10_2_a_token_for_one_decision_ends_in_time() {
    let claims = decide_claims(SESSION, "ada", "refund", NOW, NOW + 60_000);
    let late = Claims::read_own(&claims, NOW + 91_000, &Limits::default());
    assert_eq!(late.unwrap_err().code, ErrorCode::Unauthorized);
}

#[test]
fn p2_8_a_token_for_a_session_is_for_no_other() {
    let claims = session_claims(SESSION, "bot", Role::Agent, &["agent"], NOW, NOW + 60_000);
    let claims = Claims::read_own(&claims, NOW, &Limits::default()).unwrap();
    let grant = claims.grant(SESSION).unwrap();
    assert_eq!((grant.client.as_str(), grant.role), ("bot", Role::Agent));
    assert!(grant.operations.contains(Operation::Turn));
    assert!(claims.grant("support-2").is_err());
}

#[test]
fn p2_8_the_claims_of_others_make_no_token_for_one_decision() {
    let decide = json!({ "session": SESSION, "approval": "refund" });
    let claims = read(&with("decide", decide)).unwrap();
    assert!(claims.only.is_none());
}

#[test]
fn p2_8_no_key_of_an_owner_or_issuer_has_the_kid() {
    let jwk = json!({
        "kid": OWN_KID, "kty": "oct", "alg": "HS256",
        "k": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    });
    let set = json!({ "keys": [jwk] }).to_string();
    let refused = Keys::new().add_set(&set).unwrap_err();
    assert!(refused.contains("the kid of the deployment's own keys"));
    let mut keys = Keys::new();
    keys.add_fetched_set(&set).unwrap();
    assert!(!keys.has(OWN_KID));
}
