//! Traces of connections, which diagnostics show (P11.4).

use serde_json::{Value, json};
use sessile::protocol::limits::{Limits, TRACES_GONE};

use crate::show::START;
use crate::world::World;

/// The traces of a session after a script.
fn traces(limits: Limits, script: &str) -> Value {
    let mut world = World::new(limits);
    world.run(script);
    let (traces, serial) = world.host.session().unwrap().traces();
    let mut traces = serde_json::to_value(traces).unwrap();
    traces["serial"] = json!(serial);
    traces
}

/// The reader's own trace.
fn trace_of(world: &World, client: &str) -> Value {
    let session = world.host.session().unwrap();
    let reader = session.connections().find(|it| it.client == client);
    let (trace, unseen) = session.trace(&reader.unwrap().id).unwrap();
    let mut trace = serde_json::to_value(trace).unwrap();
    trace["unseen"] = json!(unseen);
    trace
}

#[test]
fn p11_4_a_resume_tells_what_it_replayed() {
    let mut world = World::new(Limits::default());
    world.run(
        "
        alice attach
        agent post publish '1'
        alice drop
        agent post publish '2' and '3'
        wait 700
        alice attach since=#1
        bob attach since=nonsense rewind=0
        ",
    );
    let (traces, _) = world.host.session().unwrap().traces();
    let traces = serde_json::to_value(traces).unwrap();
    let counts = ["attached", "resumed", "frames"].map(|name| traces[name].as_u64().unwrap());
    assert_eq!(counts, [3, 1, 2]);
    let gone = traces["gone"].as_array().unwrap();
    assert_eq!(gone.len(), 1);
    assert_eq!(
        (&gone[0]["client"], &gone[0]["code"]),
        (&json!("alice"), &Value::Null)
    );
    assert_eq!(trace_of(&world, "bob")["resumed"], json!(false));
    let reason = trace_of(&world, "bob")["reason"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(reason.contains("nonsense"), "{reason}");
    let trace = trace_of(&world, "alice");
    assert_eq!(
        (&trace["resumed"], &trace["frames"]),
        (&json!(true), &json!(2))
    );
    assert_eq!(trace["attachedAt"], json!(START + 700));
    assert!(300 < trace["bytes"].as_u64().unwrap());
    assert!(trace["bytes"].as_u64().unwrap() < traces["bytes"].as_u64().unwrap());
}

#[test]
fn p11_4_refusals_are_counted_by_code() {
    let script = "
        alice attach
        alice delete #9
        alice end t1 complete
        alice end t2 complete
        alice publish 'x'
        bob post delete #7
        viewer attach as=publish
        ";
    let traces = traces(Limits::default(), script);
    assert_eq!(traces["refused"], json!({ "forbidden": 3, "not-found": 2 }));
    let mut world = World::new(Limits::default());
    world.run(script);
    let refused = json!({ "forbidden": 2, "not-found": 1 });
    assert_eq!(trace_of(&world, "alice")["refused"], refused);
    world.host.evict();
    world.run("alice publish 'awake'");
    let asleep = json!({ "frames": 0, "bytes": 0, "refused": {}, "unseen": 0 });
    assert_eq!(trace_of(&world, "alice"), asleep, "memory begins anew");
}

#[test]
fn p11_4_a_drop_tells_its_code_and_the_end_of_the_log_then() {
    let limits = Limits {
        client_unsent_bytes: 2_000,
        ..Limits::default()
    };
    let traces = traces(
        limits,
        "
        alice attach
        alice/2 attach
        bob attach
        bob publish 'seen'
        platform backlog judged alice 1500 alice/2 900
        bob publish 'not seen'
        ",
    );
    assert_eq!(traces["closed"], json!({ "4429": 1 }));
    let gone = &traces["gone"][0];
    assert_eq!(gone["code"], json!(4429));
    assert_eq!(gone["reason"], json!("the client's readers are too slow"));
    assert_eq!(gone["goneAt"], json!(START));
    assert!(gone["serial"].as_str() < traces["serial"].as_str());
}

#[test]
fn p11_4_a_reader_that_answers_probes_shows_when_it_last_did() {
    let limits = Limits {
        unsent_bytes: 1000,
        ..Limits::default()
    };
    let mut world = World::new(limits);
    world.run(
        "
        alice attach probed rewind=0
        bob attach probed rewind=0
        bob floods 400 publish '…'
        wait 100
        alice seen 7
        bob seen 1
        wait 50
        bob seen 1
        ",
    );
    assert_eq!(
        trace_of(&world, "alice").get("seenAt"),
        None,
        "there was no such probe"
    );
    let bob = trace_of(&world, "bob");
    assert_eq!(
        bob["seenAt"],
        json!(START + 100),
        "a repeat confirms nothing"
    );
}

#[test]
fn p11_4_of_those_that_are_gone_only_the_last_are_kept() {
    let more = TRACES_GONE + 3;
    let script = "alice attach\nalice drop\n".repeat(more);
    let traces = traces(Limits::default(), &script);
    assert_eq!(traces["attached"], json!(more));
    let gone = traces["gone"].as_array().unwrap();
    assert_eq!(gone.len(), TRACES_GONE);
}
