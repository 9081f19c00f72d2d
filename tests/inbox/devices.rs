//! P10.1: the devices of a client.

use serde_json::{Value, json};
use sessile::inbox::Input;
use sessile::protocol::device::DeviceRequest;
use sessile::protocol::error::ErrorInfo;
use sessile::protocol::inbox::Request;
use sessile::protocol::limits::{DEVICE_CHANGES_BURST, DEVICES, Limits};
use sessile::protocol::query::Parts;
use sessile::protocol::routes::{Decode, Serve, find};

use crate::world::{LATER, NOW, World, grant};

pub(crate) const USER: &[(&str, &str)] = &[("*", "user")];

/// A request about devices, as the Worker passes it on.
pub(crate) fn request(method: &str, path: &str, body: &Value) -> Result<Request, ErrorInfo> {
    let (route, params) = find(method, &format!("/v1/push/devices{path}")).unwrap();
    let Serve::Answer(Decode::Inbox(decode)) = route.serve else {
        panic!("it is one call");
    };
    let pairs = [("origin".to_owned(), "https://host.example".to_owned())];
    let body = &body.to_string();
    let parts = Parts {
        params: &params,
        pairs: &pairs,
        body,
    };
    decode(&parts, &Limits::default())
}

pub(crate) fn web(name: &str) -> Value {
    json!({ "web": {
        "endpoint": format!("https://push.example/{name}"), "expirationTime": null,
        "keys": { "p256dh": "BPoint", "auth": "secret" },
    } })
}

/// Asks with a token of these caps; returns the status and the answer.
pub(crate) fn ask(
    world: &mut World,
    caps: &[(&str, &str)],
    request: Result<Request, ErrorInfo>,
) -> (u64, Value) {
    let request = request.unwrap_or_else(Request::Refused);
    let sender = grant("ann", LATER, caps);
    let mut said = world.handle(NOW, Input::Request { sender, request });
    let answer = said.pop().unwrap();
    (answer[0].as_u64().unwrap(), answer[1].clone())
}

fn put(world: &mut World, id: &str, body: &Value) -> (u64, Value) {
    ask(world, USER, request("PUT", &format!("/{id}"), body))
}

fn ids(world: &mut World) -> Vec<String> {
    let (_, said) = ask(world, USER, request("GET", "", &json!(null)));
    let devices = said["devices"].as_array().unwrap().iter();
    devices
        .map(|it| it["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn p10_1_a_device_is_registered_read_and_removed() {
    let mut world = World::new(Limits::default());
    let phone = json!({ "device": { "id": "phone", "service": "web", "registeredAt": NOW } });
    assert_eq!(put(&mut world, "phone", &web("1")), (200, phone.clone()));
    world.sleep();
    let read = |world: &mut World| ask(world, USER, request("GET", "/phone", &json!(null)));
    assert_eq!(read(&mut world), (200, phone));
    let removed = ask(&mut world, USER, request("DELETE", "/phone", &json!(null)));
    assert_eq!(removed, (200, json!({})));
    assert_eq!(read(&mut world).0, 404);
    world.sleep();
    let again = ask(&mut world, USER, request("DELETE", "/phone", &json!(null)));
    assert_eq!((again.0, ids(&mut world).len()), (200, 0));
}

#[test]
fn p10_1_the_same_device_again_costs_nothing_and_has_one_name() {
    let mut world = World::new(Limits::default());
    put(&mut world, "phone", &web("1"));
    let before = world.sqlite.rows_written();
    put(&mut world, "phone", &web("1"));
    assert_eq!(world.sqlite.rows_written(), before);
    put(&mut world, "new", &web("1"));
    assert_eq!(ids(&mut world), ["new"]);
    put(&mut world, "new", &web("2"));
    world.sleep();
    assert_eq!(ids(&mut world), ["new"]);
}

#[test]
fn p10_1_a_device_needs_push_and_a_service_of_the_deployment() {
    let mut world = World::new(Limits::default());
    let phone = request("PUT", "/phone", &web("1"));
    let (status, said) = ask(&mut world, &[("*", "viewer")], phone);
    assert_eq!((status, &said["error"]["code"]), (403, &json!("forbidden")));
    for (body, needs) in [
        (json!({ "fcm": { "token": "t" } }), "SESSILE_FCM_ACCOUNT"),
        (
            json!({ "apns": { "token": "t", "topic": "a.b" } }),
            "SESSILE_APNS_KEY",
        ),
    ] {
        let (status, said) = put(&mut world, "phone", &body);
        assert_eq!(
            (status, &said["error"]["code"]),
            (503, &json!("not-configured"))
        );
        let message = said["error"]["message"].as_str().unwrap();
        assert!(message.contains(needs), "{message}");
    }
}

#[test]
fn p10_1_what_is_wrong_with_a_device_is_named() {
    let mut world = World::new(Limits::default());
    let endpoint = |url: &str| {
        let mut body = web("1");
        body["web"]["endpoint"] = json!(url);
        body
    };
    let mut keyless = web("1");
    keyless["web"]["keys"] = json!({ "p256dh": "BPoint" });
    let mut long = web("1");
    long["web"]["keys"]["auth"] = json!("a".repeat(129));
    for (body, wrong) in [
        (json!({}), "it takes one of web, fcm and apns"),
        (
            json!({ "web": {}, "fcm": {} }),
            "it takes one of web, fcm and apns",
        ),
        (json!({ "web": {} }), "web.endpoint is missing"),
        (keyless, "web.keys.auth is missing"),
        (long, "web.keys.auth is not 1 to 128 characters of ASCII"),
        (
            endpoint("https://10.0.0.1/x"),
            "web.endpoint: its host is not public",
        ),
        (
            endpoint("http://push.example/x"),
            "web.endpoint: it is no address of https",
        ),
        (
            endpoint(&"x".repeat(2_049)),
            "web.endpoint is not 1 to 2048 characters",
        ),
        (
            json!({ "fcm": { "token": "" } }),
            "fcm.token is not 1 to 1024 characters",
        ),
        (
            json!({ "apns": { "token": "a", "topic": " " } }),
            "apns.topic is not 1 to 255",
        ),
    ] {
        let (status, said) = put(&mut world, "phone", &body);
        let message = said["error"]["message"].as_str().unwrap();
        assert!(
            status == 400 && message.contains(wrong),
            "{message}, not {wrong}"
        );
    }
    let (status, _) = put(&mut world, "a b", &web("1"));
    assert_eq!((status, ids(&mut world).len()), (400, 0));
}

#[test]
fn p14_a_client_has_so_many_devices() {
    let mut world = World::new(Limits::default());
    for index in 0..DEVICES {
        let device = index.to_string();
        assert_eq!(put(&mut world, &device, &web(&device)).0, 200);
    }
    let (status, said) = put(&mut world, "more", &web("more"));
    assert_eq!(
        (status, &said["error"]["code"]),
        (429, &json!("over-limit"))
    );
    assert_eq!(
        put(&mut world, "0", &web("other")).0,
        200,
        "another in its place"
    );
    assert_eq!(
        put(&mut world, "more", &web("1")).0,
        200,
        "the same under another name"
    );
}

#[test]
fn p14_devices_change_so_often() {
    let mut world = World::new(Limits::default());
    let statuses = (0..=DEVICE_CHANGES_BURST).map(|index| {
        let body = web(&index.to_string());
        put(&mut world, "phone", &body)
    });
    let (status, said) = statuses.last().unwrap();
    assert_eq!(
        (status, &said["error"]["code"]),
        (429, &json!("rate-limited"))
    );
    assert!(said["error"]["retryAfterMs"].is_number());
    assert_eq!(ids(&mut world), ["phone"], "reading goes on");
}

#[test]
fn the_worker_says_the_origin_of_the_client() {
    let Ok(Request::Device(DeviceRequest::Put { origin, .. })) = request("PUT", "/a", &web("1"))
    else {
        panic!("it is a device");
    };
    assert_eq!(origin, "https://host.example");
}
