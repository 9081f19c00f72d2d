//! Addresses, found and refused.
#![allow(clippy::unwrap_used, clippy::panic)]
use crate::protocol::limits::Limits;
use crate::protocol::query::Parts;

use super::*;

fn found(method: &str, path: &str) -> (String, Vec<String>) {
    let (route, params) = find(method, path).unwrap();
    (format!("{} {}", route.method, route.path), params)
}

#[test]
fn p1_1_an_address_gives_its_line_and_its_parameters() {
    let cases = [
        (
            "GET",
            "/v1/sessions/a",
            "GET /v1/sessions/{session}",
            &["a"][..],
        ),
        (
            "POST",
            "/v1/sessions/a%2Fb/turns/t%20x/end",
            "POST /v1/sessions/{session}/turns/{turn}/end",
            &["a/b", "t x"],
        ),
        (
            "GET",
            "/v1/sessions//messages",
            "GET /v1/sessions/{session}/messages",
            &[""],
        ),
        ("GET", "/v1/inbox", "GET /v1/inbox", &[]),
    ];
    for (method, path, line, params) in cases {
        let (name, found) = found(method, path);
        assert_eq!(
            (name.as_str(), found),
            (line, params.iter().map(|p| (*p).to_owned()).collect())
        );
    }
}

#[test]
fn p12_2_another_method_is_refused_by_those_there_are() {
    for method in ["PUT", "HEAD", "get"] {
        let missed = find(method, "/v1/sessions/a/messages").unwrap_err();
        assert_eq!(missed.error.code, ErrorCode::MethodNotAllowed);
        assert_eq!(missed.allow.unwrap(), "GET, POST");
        assert!(missed.error.message.contains("GET, POST"));
    }
}

#[test]
fn p12_2_no_address_is_not_found() {
    let paths = [
        "/v1/",
        "/v1/sessions/a/",
        "/v1/sessions/a/messages/",
        "/v1/sessions/a/messages/m/x",
        "/v1/sessions/a/turns//end",
        "/v1/inboxes",
    ];
    for path in paths {
        let missed = find("GET", path).unwrap_err();
        assert_eq!(
            (missed.error.code, missed.allow),
            (ErrorCode::NotFound, None),
            "{path}"
        );
    }
}

#[test]
fn every_line_is_found_again_and_no_two_are_alike() {
    for route in ROUTES.iter().chain([&WRITTEN, &TOLD, &SAID, &RESTART]) {
        let again = named(route.method, route.path).unwrap();
        assert!(
            std::ptr::eq(again, route),
            "{} {}",
            route.method,
            route.path
        );
    }
    assert!(
        find("", "/v1/sessions/a/messages/m").is_err(),
        "only the Worker asks that"
    );
}

#[test]
fn p1_4_a_parameter_of_another_address_is_refused_and_an_unknown_one_is_not() {
    let pairs = |name: &str| vec![(name.to_owned(), "x".to_owned())];
    let (messages, _) = find("GET", "/v1/sessions/a/messages").unwrap();
    let refused = messages.check(&pairs("since")).unwrap_err();
    assert_eq!(refused.code, ErrorCode::InvalidFrame);
    assert!(refused.message.contains("since") && refused.message.contains("after"));
    for name in ["before", "token", "utm_source"] {
        assert!(messages.check(&pairs(name)).is_ok(), "{name}");
    }
}

#[test]
fn p12_2_a_shorthand_is_the_frame_that_it_stands_for() {
    use crate::protocol::decode::ClientFrame;
    let (route, params) = find("POST", "/v1/sessions/a/turns/t1/end").unwrap();
    let Serve::Answer(Decode::Session(decode)) = route.serve else {
        panic!("it is one call")
    };
    let body = r#"{"status": "complete", "turn": "another", "type": "publish"}"#;
    let (params, pairs) = (params.as_slice(), [].as_slice());
    let parts = Parts {
        params,
        pairs,
        body,
    };
    let request = decode(&parts, &Limits::default()).unwrap();
    let Request::Shorthand(Ok(ClientFrame::EndTurn(end))) = request else {
        panic!("{request:?}")
    };
    assert_eq!(end.turn, "t1");
}
