//! Milestones of a session's life (P11.8).

use expect_test::expect;
use serde_json::Value;
use sessile::protocol::limits::{Limits, MILESTONES_BURST};

use crate::world::{World, check};

/// The milestones of a script.
fn told(limits: Limits, script: &str) -> Vec<Value> {
    let mut world = World::new(limits);
    world.run(script);
    world.milestones
}

/// P11.8: connections, and how they end.
#[test]
fn p11_5_connections_come_and_go() {
    check(
        "
        deployment watched
        ---
        alice attach
        alice publish 'one'
        wait 1500
        alice drop
        bob post publish 'two'
        alice attach since=#1
        carol attach since=nonsense
        viewer attach as=publish
        wait 300
        ",
        expect![[r##"
            alice < attached #0 anew
            alice < caught-up #0
            * {"at":"+0","bytes":"some","client":"alice","count":0,"event":"attach",
                  "id":"alice-1","kind":"socket","role":"user","session":"s1"}
            alice < create #1 alice 'one'
            alice | ack 1 #1
            * {"at":"+0","client":"alice","event":"session.start","session":"s1"}
            -- 1500 ms
            * {"at":"+1500","client":"alice","event":"detach","id":"alice-1","kind":"socket",
                  "ms":1500,"role":"user","session":"s1"}
            bob = 200 {"ref":1,"result":{"messages":[{"serial":"#2","version":"#2"}]},
                  "type":"ack"}
            alice < attached #2 resumed, has older
            alice < create #2 bob 'two'
            alice < caught-up #2
            * {"at":"+1500","bytes":"some","client":"alice","count":1,"event":"resume",
                  "id":"alice-2","kind":"socket","role":"user","session":"s1"}
            carol < attached #2 anew (unable to resume; since is "nonsense", which is no serial)
            carol < create #1 alice 'one'
            carol | create #2 bob 'two'
            carol < caught-up #2
            * {"at":"+1500","bytes":"some","client":"carol","count":2,"event":"attach",
                  "id":"carol-1","kind":"socket","reason":"unable to resume; since is
                  \"nonsense\", which is no serial","role":"user","session":"s1"}
            viewer < nack null forbidden: unable to attach; the token lacks the operation read
                  for session s1, it has publish
            viewer x 4403 the token lacks read
        "##]],
    );
}

/// Everything that people and agents can say, beside a trace.
const SECRETS: &str = "
        deployment watched
        admin patch {\"onInput\":\"queue\",\"takeMs\":1000}
        alice attach
        agent attach
        supervisor attach
        ---
        alice publish 'SECRET'
        agent start t1 input=#1 metadata=\"SECRET\" \
             traceparent=00-11111111111111111111111111111111-1111111111111111-01
        agent publish 'SECRET' turn=t1 streaming
        agent append #3 'SECRET'
        wait 100
        agent ask a1 turn=t1 title=SECRET
        alice decide a1 approve comment=SECRET
        agent suspend t1 reason=SECRET
        agent resume t1
        supervisor lead.take note=SECRET
        supervisor lead.return note=SECRET
        alice cancel turn=t1 reason=SECRET
        agent start t2
        agent end t2 failed error=\"SECRET\"
        ";

/// P11.8: turns, approvals and people who lead, without a word that anybody said.
#[test]
fn p11_5_turns_and_what_people_decide() {
    check(
        SECRETS,
        expect![[r##"
            agent < create #1 alice 'SECRET'
            alice < create #1 alice 'SECRET'
            alice | ack 1 #1
            supervisor < create #1 alice 'SECRET'
            agent < turn.start #2 t1 active agent input=#1 trace=1 metadata="SECRET"
            agent | ack 1 t1 active agent input=#1 trace=1 metadata="SECRET"
            alice < turn.start #2 t1 active agent input=#1 trace=1 metadata="SECRET"
            supervisor < turn.start #2 t1 active agent input=#1 trace=1 metadata="SECRET"
            * {"at":"+0","client":"agent","count":1,"event":"turn.start","id":"t1",
                  "session":"s1","status":"active",
                  "traceparent":"00-11111111111111111111111111111111-1111111111111111-01"}
            agent < create #3 agent turn=t1 'SECRET' streaming
            agent | ack 2 #3
            alice < create #3 agent turn=t1 'SECRET' streaming
            supervisor < create #3 agent turn=t1 'SECRET' streaming
            agent < ack 3 #3 v#4
            alice < append #3 v#4 @6 'SECRET'
            supervisor < append #3 v#4 @6 'SECRET'
            -- 100 ms
            agent < approval.request #5 a1 pending turn=t1 [+100 request agent]
            agent | turn.suspend #5 t1 suspended agent input=#1 reason=approval trace=1
                  metadata="SECRET"
            agent | ack 4 a1 pending turn=t1 [+100 request agent]
            alice < approval.request #5 a1 pending turn=t1 [+100 request agent]
            alice | turn.suspend #5 t1 suspended agent input=#1 reason=approval trace=1
                  metadata="SECRET"
            supervisor < approval.request #5 a1 pending turn=t1 [+100 request agent]
            supervisor | turn.suspend #5 t1 suspended agent input=#1 reason=approval trace=1
                  metadata="SECRET"
            * {"at":"+100","client":"agent","event":"approval.request","id":"a1",
                  "kind":"approval","session":"s1","status":"pending","turn":"t1"}
            agent < approval.decide #6 a1 approved turn=t1 decidedBy=alice comment=SECRET [+100
                  request agent, +100 decide alice]
            agent | turn.resume #6 t1 active agent input=#1 trace=1 metadata="SECRET"
            alice < approval.decide #6 a1 approved turn=t1 decidedBy=alice comment=SECRET [+100
                  request agent, +100 decide alice]
            alice | turn.resume #6 t1 active agent input=#1 trace=1 metadata="SECRET"
            alice | ack 2 a1 approved turn=t1 decidedBy=alice comment=SECRET [+100 request
                  agent, +100 decide alice]
            supervisor < approval.decide #6 a1 approved turn=t1 decidedBy=alice comment=SECRET
                  [+100 request agent, +100 decide alice]
            supervisor | turn.resume #6 t1 active agent input=#1 trace=1 metadata="SECRET"
            * {"at":"+100","client":"alice","event":"approval.decide","id":"a1",
                  "kind":"approval","ms":0,"session":"s1","status":"approved","turn":"t1"}
            agent < turn.suspend #7 t1 suspended agent input=#1 reason=SECRET trace=1
                  metadata="SECRET"
            agent | ack 5 t1 suspended agent input=#1 reason=SECRET trace=1 metadata="SECRET"
            alice < turn.suspend #7 t1 suspended agent input=#1 reason=SECRET trace=1
                  metadata="SECRET"
            supervisor < turn.suspend #7 t1 suspended agent input=#1 reason=SECRET trace=1
                  metadata="SECRET"
            agent < turn.resume #8 t1 active agent input=#1 trace=1 metadata="SECRET"
            agent | ack 6 t1 active agent input=#1 trace=1 metadata="SECRET"
            alice < turn.resume #8 t1 active agent input=#1 trace=1 metadata="SECRET"
            supervisor < turn.resume #8 t1 active agent input=#1 trace=1 metadata="SECRET"
            agent < {"lead":{"client":"supervisor","note":"SECRET","since":"+100"},
                  "serial":"#9","type":"lead.take"}
            alice < {"lead":{"client":"supervisor","note":"SECRET","since":"+100"},
                  "serial":"#9","type":"lead.take"}
            supervisor < {"lead":{"client":"supervisor","note":"SECRET","since":"+100"},
                  "serial":"#9","type":"lead.take"}
            supervisor | ack 1 {"lead":{"client":"supervisor","note":"SECRET","since":"+100"}}
            * {"at":"+100","client":"supervisor","event":"lead.take","session":"s1"}
            agent < {"by":"supervisor","lead":{"client":"supervisor","note":"SECRET",
                  "since":"+100"},"note":"SECRET","serial":"#10","type":"lead.return",
                  "wake":"last"}
            alice < {"by":"supervisor","lead":{"client":"supervisor","note":"SECRET",
                  "since":"+100"},"note":"SECRET","serial":"#10","type":"lead.return",
                  "wake":"last"}
            supervisor < {"by":"supervisor","lead":{"client":"supervisor","note":"SECRET",
                  "since":"+100"},"note":"SECRET","serial":"#10","type":"lead.return",
                  "wake":"last"}
            supervisor | ack 2 {"lead":null}
            * {"at":"+100","client":"supervisor","event":"lead.return","session":"s1"}
            agent < turn.cancel #11 t1 active agent input=#1 cancel=alice 'SECRET' trace=1
                  metadata="SECRET"
            alice < turn.cancel #11 t1 active agent input=#1 cancel=alice 'SECRET' trace=1
                  metadata="SECRET"
            alice | ack 3 [t1 active agent input=#1 cancel=alice 'SECRET' trace=1
                  metadata="SECRET"]
            supervisor < turn.cancel #11 t1 active agent input=#1 cancel=alice 'SECRET' trace=1
                  metadata="SECRET"
            * {"at":"+100","client":"alice","count":1,"event":"turn.cancel","id":"t1",
                  "session":"s1","status":"active",
                  "traceparent":"00-11111111111111111111111111111111-1111111111111111-01"}
            agent < turn.start #12 t2 active agent
            agent | ack 7 t2 active agent
            alice < turn.start #12 t2 active agent
            supervisor < turn.start #12 t2 active agent
            * {"at":"+100","client":"agent","count":1,"event":"turn.start","id":"t2",
                  "session":"s1","status":"active"}
            agent < turn.end #13 t2 failed agent error="SECRET"
            agent | ack 8 t2 failed agent error="SECRET"
            alice < turn.end #13 t2 failed agent error="SECRET"
            supervisor < turn.end #13 t2 failed agent error="SECRET"
            * {"at":"+100","client":"agent","count":1,"event":"turn.end","id":"t2","ms":0,
                  "session":"s1","status":"failed"}
        "##]],
    );
    let all = told(Limits::default(), SECRETS);
    let all = serde_json::to_string(&all).unwrap();
    assert!(
        all.contains("turn.cancel") && !all.contains("SECRET"),
        "{all}"
    );
}

/// P11.8: a turn whose agent was lost, and the end of the session.
#[test]
fn p11_5_a_lost_agent_and_the_end() {
    check(
        "
        deployment watched
        admin patch {\"idleExpiryMs\":600000}
        agent attach
        ---
        agent start t1
        agent drop
        wait 40000
        wait 900000
        bob post publish 'anew'
        admin erase
        ",
        expect![[r#"
            agent < turn.start #1 t1 active agent
            agent | ack 1 t1 active agent
            * {"at":"+0","client":"agent","count":1,"event":"turn.start","id":"t1",
                  "session":"s1","status":"active"}
            * {"at":"+0","client":"agent","event":"detach","id":"agent-1","kind":"socket",
                  "ms":0,"role":"agent","session":"s1"}
            -- 30000 ms
            * {"at":"+30000","count":1,"event":"turn.end","id":"t1","ms":30000,
                  "reason":"agent-lost","session":"s1","status":"failed"}
            -- 630000 ms
            erased
            * {"at":"+630000","event":"session.expire","ms":630000,"session":"s1"}
            -- 940000 ms
            bob = 200 {"ref":1,"result":{"messages":[{"serial":"b#1","version":"b#1"}]},
                  "type":"ack"}
            * {"at":"+940000","client":"bob","event":"session.start","session":"s1"}
            erased
            admin = 200 {}
            * {"at":"+940000","client":"admin","event":"session.delete","ms":0,"session":"s1"}
        "#]],
    );
}

/// P11.8: calls that fail, by the host alone.
#[test]
fn p11_5_deliveries_that_fail() {
    check(
        "
        deployment all=https://a.example/hook?key=SECRET
        deployment watched
        ---
        alice post publish 'one'
        hook !1 answers 503
        wait 1000
        hook !1 fails
        wait 3000
        hook !1 answers 410
        ",
        expect![[r##"
            alice = 200 {"ref":1,"result":{"messages":[{"serial":"#1","version":"#1"}]},
                  "type":"ack"}
            !1 > https://a.example/hook?key=SECRET {"at":"+0","serial":"#1","session":"s1",
                  "type":"session.start"}
            * {"at":"+0","client":"alice","event":"session.start","session":"s1"}
            * {"at":"+0","count":1,"event":"delivery.fail","id":"1843200000000000",
                  "kind":"hook","reason":"it answered 503","session":"s1",
                  "target":"https://a.example"}
            -- 696 ms
            !1 > https://a.example/hook?key=SECRET
            -- 1000 ms
            * {"at":"+1000","count":2,"event":"delivery.fail","id":"1843200000000000",
                  "kind":"hook","reason":"it did not answer within 10000 ms","session":"s1",
                  "target":"https://a.example"}
            -- 2378 ms
            !1 > https://a.example/hook?key=SECRET
            -- 4000 ms
            * {"at":"+4000","count":3,"event":"delivery.dead","id":"1843200000000000",
                  "kind":"hook","reason":"it wants nothing more (410)","session":"s1",
                  "target":"https://a.example"}
        "##]],
    );
}

/// P11.8: none for an append, and none where nobody is told.
#[test]
fn p11_5_none_for_an_append() {
    let script = "
        alice attach
        alice publish '' streaming
        alice append #1 'a' seq=1
        wait 50
        alice append #1 'b' seq=2
        wait 50
        alice append #1 'c' seq=3 complete
        ";
    let watched = told(Limits::default(), &format!("deployment watched\n{script}"));
    let events: Vec<_> = watched
        .iter()
        .map(|it| it["event"].as_str().unwrap())
        .collect();
    assert_eq!(events, ["attach", "session.start"]);
    assert_eq!(told(Limits::default(), script), Vec::<Value>::new());
}

/// P11.8, P14: whoever makes many makes a bounded number, and the next one says how many there
/// were.
#[test]
fn p11_5_they_are_bounded() {
    let burst = usize::try_from(MILESTONES_BURST).unwrap();
    let mut script = "deployment watched\n".to_owned();
    // Each makes two.
    script.push_str(&"alice attach\nalice drop\n".repeat(burst));
    script.push_str("wait 2000\nalice attach\n");
    let limits = Limits {
        client_rates: 1_000_000,
        ..Limits::default()
    };
    let told = told(limits, &script);
    assert_eq!(told.len(), burst + 1);
    assert_eq!(told.last().unwrap()["missed"], burst);
}
