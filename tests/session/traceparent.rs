//! Trace context (P6.13): a turn has that of its cause, and deliveries have that of the turn.

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use sessile::protocol::limits::Limits;
use sessile::protocol::query::Parts;
use sessile::protocol::routes::{Decode, Serve, find};
use sessile::session::Request;

use crate::world;

/// A trace of ones, of twos, of threes.
fn trace(digit: &str) -> String {
    format!("00-{}-{}-01", digit.repeat(32), digit.repeat(16))
}

/// A script with traces: `trace=1` stands for a field, `traced=1` for a header of a message.
fn check(script: &str, expected: Expect) {
    let mut script = script.to_owned();
    for digit in ["1", "2", "3"] {
        let value = trace(digit);
        let header = format!("headers={{\"traceparent\":\"{value}\"}}");
        script = script.replace(&format!("traced={digit}"), &header);
        script = script.replace(&format!("trace={digit}"), &format!("traceparent={value}"));
    }
    world::check(&script, expected);
}

/// P6.13: its own, else that of its input, else that of the turn around it.
#[test]
fn p6_13_a_turn_has_the_trace_of_its_cause() {
    check(
        "
        alice attach
        agent attach
        alice publish 'one' traced=1
        alice publish 'none'
        alice publish 'no trace' headers={\"traceparent\":\"00-x\"}
        ---
        agent start t1 input=#1
        agent start t2 input=#1 again trace=2
        agent start t3 input=#2
        agent start t4 input=#3
        agent start t5 within=t2
        agent start t6 within=t2 input=#1 again
        agent start t7 traceparent=00-x
        ",
        expect![[r#"
            agent < turn.start #4 t1 active agent input=#1 trace=1
            agent | ack 1 t1 active agent input=#1 trace=1
            alice < turn.start #4 t1 active agent input=#1 trace=1
            agent < turn.start #5 t2 active agent input=#1 trace=2
            agent | ack 2 t2 active agent input=#1 trace=2
            alice < turn.start #5 t2 active agent input=#1 trace=2
            agent < turn.start #6 t3 active agent input=#2
            agent | ack 3 t3 active agent input=#2
            alice < turn.start #6 t3 active agent input=#2
            agent < turn.start #7 t4 active agent input=#3
            agent | ack 4 t4 active agent input=#3
            alice < turn.start #7 t4 active agent input=#3
            agent < turn.start #8 t5 active agent within=t2 trace=2
            agent | ack 5 t5 active agent within=t2 trace=2
            alice < turn.start #8 t5 active agent within=t2 trace=2
            agent < turn.start #9 t6 active agent input=#1 within=t2 trace=1
            agent | ack 6 t6 active agent input=#1 within=t2 trace=1
            alice < turn.start #9 t6 active agent input=#1 within=t2 trace=1
            agent < nack 7 invalid-frame: unable to start the turn; traceparent is none of
                  version 00: 00-TRACE-SPAN-FLAGS with 32, 16 and 2 hexadecimal digits
        "#]],
    );
}

/// P6.13: an input that has to wait keeps it, however it is queued, and over a sleep.
#[test]
fn p6_13_a_queued_turn_has_the_trace_of_its_input() {
    check(
        "
        admin patch {\"onInput\":\"queue\"}
        alice attach
        agent attach
        alice publish 'one' traced=1
        agent start t1 input=#1
        alice publish 'two' traced=2
        alice publish 'three' traced=3
        agent end t1 complete
        evict
        ---
        agent start t2 input=#3
        agent start t3 input=#5 trace=1
        ",
        expect![[r#"
            agent < turn.start #8 turn-#4 active agent input=#3 trace=2
            agent | ack 3 turn-#4 active agent input=#3 trace=2
            alice < turn.start #8 turn-#4 active agent input=#3 trace=2
            agent < turn.start #9 turn-#6 active agent input=#5 trace=1
            agent | ack 4 turn-#6 active agent input=#5 trace=1
            alice < turn.start #9 turn-#6 active agent input=#5 trace=1
        "#]],
    );
}

/// P8.8, P10.3: so does one that waits for the return of a person, or in a turn.
#[test]
fn p6_13_an_input_that_is_queued_later_keeps_its_trace() {
    check(
        "
        admin patch {\"onInput\":\"steer\"}
        alice attach
        agent attach
        supervisor attach
        alice publish 'one' traced=1
        agent start t1 input=#1
        alice publish 'two' traced=2
        ---
        agent end t1 complete
        agent start t2 input=#3
        agent end t2 complete
        supervisor lead.take
        alice publish 'three' traced=3
        supervisor lead.return
        ",
        expect![[r##"
            agent < update #3 v#4 alice headers={"steer":"requeued",
                  "traceparent":"00-22222222222222222222222222222222-2222222222222222-01"}
            agent | turn.end #5 t1 complete agent input=#1 trace=1
            agent | turn.queue #6 turn-#6 queued input=#3 trace=2
            agent | ack 2 t1 complete agent input=#1 trace=1
            alice < update #3 v#4 alice headers={"steer":"requeued",
                  "traceparent":"00-22222222222222222222222222222222-2222222222222222-01"}
            alice | turn.end #5 t1 complete agent input=#1 trace=1
            alice | turn.queue #6 turn-#6 queued input=#3 trace=2
            supervisor < update #3 v#4 alice headers={"steer":"requeued",
                  "traceparent":"00-22222222222222222222222222222222-2222222222222222-01"}
            supervisor | turn.end #5 t1 complete agent input=#1 trace=1
            supervisor | turn.queue #6 turn-#6 queued input=#3 trace=2
            agent < turn.start #7 turn-#6 active agent input=#3 trace=2
            agent | ack 3 turn-#6 active agent input=#3 trace=2
            alice < turn.start #7 turn-#6 active agent input=#3 trace=2
            supervisor < turn.start #7 turn-#6 active agent input=#3 trace=2
            agent < nack 4 not-found: unable to end the turn; there is no turn t2
            agent < {"lead":{"client":"supervisor","since":"+0"},"serial":"#8",
                  "type":"lead.take"}
            alice < {"lead":{"client":"supervisor","since":"+0"},"serial":"#8",
                  "type":"lead.take"}
            supervisor < {"lead":{"client":"supervisor","since":"+0"},"serial":"#8",
                  "type":"lead.take"}
            supervisor | ack 1 {"lead":{"client":"supervisor","since":"+0"}}
            agent < create #9 alice 'three'
                  headers={"traceparent":"00-33333333333333333333333333333333-3333333333333333-0
                  1"}
            alice < create #9 alice 'three'
                  headers={"traceparent":"00-33333333333333333333333333333333-3333333333333333-0
                  1"}
            alice | ack 3 #9
            supervisor < create #9 alice 'three'
                  headers={"traceparent":"00-33333333333333333333333333333333-3333333333333333-0
                  1"}
            agent < {"by":"supervisor","lead":{"client":"supervisor","since":"+0"},
                  "serial":"#10","type":"lead.return","wake":"last"}
            agent | turn.queue #11 turn-#11 queued input=#9 trace=3
            alice < {"by":"supervisor","lead":{"client":"supervisor","since":"+0"},
                  "serial":"#10","type":"lead.return","wake":"last"}
            alice | turn.queue #11 turn-#11 queued input=#9 trace=3
            supervisor < {"by":"supervisor","lead":{"client":"supervisor","since":"+0"},
                  "serial":"#10","type":"lead.return","wake":"last"}
            supervisor | turn.queue #11 turn-#11 queued input=#9 trace=3
            supervisor | ack 2 {"lead":null}
        "##]],
    );
}

/// P6.13: the agent that is woken gets it, and so do hooks that hear of the turn.
#[test]
fn p6_13_deliveries_pass_it_on() {
    check(
        "
        deployment all=https://a.example/
        hook always answers 204
        admin patch {\"agent\":{\"url\":\"https://bot.example/\"}}
        alice attach
        agent attach
        ---
        alice publish 'one' traced=1
        agent start t1 input=#1
        agent ask a1 turn=t1
        agent end t1 complete
        alice publish 'no trace'
        agent start t2 input=#6
        agent end t2 complete
        ",
        expect![[r##"
            agent < create #1 alice 'one'
                  headers={"traceparent":"00-11111111111111111111111111111111-1111111111111111-0
                  1"}
            alice < create #1 alice 'one'
                  headers={"traceparent":"00-11111111111111111111111111111111-1111111111111111-0
                  1"}
            alice | ack 1 #1
            !2 > https://bot.example/ {"at":"+0","input":"#1","session":"s1",
                  "traceparent":"00-11111111111111111111111111111111-1111111111111111-01",
                  "type":"input"}
            agent < turn.start #2 t1 active agent input=#1 trace=1
            agent | ack 1 t1 active agent input=#1 trace=1
            alice < turn.start #2 t1 active agent input=#1 trace=1
            agent < approval.request #3 a1 pending turn=t1 [+0 request agent]
            agent | turn.suspend #3 t1 suspended agent input=#1 reason=approval trace=1
            agent | ack 2 a1 pending turn=t1 [+0 request agent]
            alice < approval.request #3 a1 pending turn=t1 [+0 request agent]
            alice | turn.suspend #3 t1 suspended agent input=#1 reason=approval trace=1
            !3 > https://a.example/ {"approval":"a1","at":"+0","serial":"#3","session":"s1",
                  "traceparent":"00-11111111111111111111111111111111-1111111111111111-01",
                  "turn":"t1","type":"approval.request"}
            agent < approval.withdraw #4 a1 withdrawn turn=t1 [+0 request agent, +0 withdraw]
            agent | turn.end #5 t1 complete agent input=#1 trace=1
            agent | ack 3 t1 complete agent input=#1 trace=1
            alice < approval.withdraw #4 a1 withdrawn turn=t1 [+0 request agent, +0 withdraw]
            alice | turn.end #5 t1 complete agent input=#1 trace=1
            !4 > https://a.example/ {"approval":"a1","at":"+0","serial":"#4","session":"s1",
                  "traceparent":"00-11111111111111111111111111111111-1111111111111111-01",
                  "turn":"t1","type":"approval.settle"}
            !5 > https://a.example/ {"at":"+0","serial":"#5","session":"s1",
                  "traceparent":"00-11111111111111111111111111111111-1111111111111111-01",
                  "turn":"t1","type":"turn.end"}
            agent < create #6 alice 'no trace'
            alice < create #6 alice 'no trace'
            alice | ack 2 #6
            !6 > https://bot.example/ {"at":"+0","input":"#6","session":"s1","type":"input"}
            agent < turn.start #7 t2 active agent input=#6
            agent | ack 4 t2 active agent input=#6
            alice < turn.start #7 t2 active agent input=#6
            agent < turn.end #8 t2 complete agent input=#6
            agent | ack 5 t2 complete agent input=#6
            alice < turn.end #8 t2 complete agent input=#6
            !7 > https://a.example/ {"at":"+0","serial":"#8","session":"s1","turn":"t2",
                  "type":"turn.end"}
        "##]],
    );
}

/// The frame that a request stands for, as far as it has a trace.
fn asked(path: &str, body: &Value, header: Option<&str>) -> String {
    let (route, params) = find("POST", path).unwrap();
    let (Serve::Answer(Decode::Session(decode))
    | Serve::Body(Decode::Session(decode))
    | Serve::Lines(Decode::Session(decode))) = route.serve
    else {
        panic!("it is one call")
    };
    let pairs: Vec<_> = header
        .map(|value| ("traceparent".to_owned(), value.to_owned()))
        .into_iter()
        .collect();
    let parts = Parts {
        params: &params,
        pairs: &pairs,
        body: &body.to_string(),
    };
    let limits = Limits {
        header_keys: 2,
        ..Limits::default()
    };
    match decode(&parts, &limits).unwrap() {
        Request::Shorthand(frame) => format!("{:?}", frame.unwrap()),
        Request::Frames(frames) => format!("{frames:?}"),
        request => panic!("{request:?}"),
    }
}

/// P6.13: the header of a request counts where the frame says nothing.
#[test]
fn p6_13_a_request_gives_its_header_to_what_it_starts() {
    let (one, two) = (trace("1"), trace("2"));
    let header = Some(one.as_str());
    let turns = "/v1/sessions/s/turns";
    assert!(asked(turns, &json!({}), header).contains(&one));
    let own = asked(turns, &json!({ "traceparent": two }), header);
    assert!(own.contains(&two) && !own.contains(&one), "{own}");
    assert!(!asked(turns, &json!({}), None).contains("00-"));
    let frames = json!([{ "type": "turn.start" }, { "type": "signal", "name": "n", "data": 1 }]);
    assert!(asked("/v1/sessions/s/frames", &frames, header).contains(&one));
    let messages = "/v1/sessions/s/messages";
    let input = asked(messages, &json!({ "data": "hi" }), header);
    assert!(input.contains(&one), "{input}");
    let own = json!({ "data": "hi", "headers": { "traceparent": two } });
    let own = asked(messages, &own, header);
    assert!(own.contains(&two) && !own.contains(&one), "{own}");
    for other in [
        json!({ "data": "hi", "role": "assistant" }),
        json!({ "data": "hi", "turn": "t1" }),
        json!({ "data": "hi", "wake": false }),
        json!({ "data": "hi", "headers": { "a": "", "b": "" } }),
    ] {
        let frame = asked(messages, &other, header);
        assert!(!frame.contains(&one), "{frame}");
    }
}
