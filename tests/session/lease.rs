//! How long a turn is believed alive (P6.8).

use crate::world::check;
use expect_test::expect;

/// P6.8: a ping counts also when the next frame on its connection finds the token expired, and the
/// session closes it.
#[test]
fn a_ping_before_the_token_expired_counts() {
    check(
        "
        agent attach expires=2500
        agent start t1 lease=3000
        wait 2400
        agent pings
        wait 200
        agent heartbeat t1
        ---
        wait 2799
        eve brief turns
        wait 1
        eve brief turns
        ",
        expect![[r#"
            -- 5399 ms
            eve = 200 turns: t1 active agent
            -- 5400 ms
            eve = 200 turns: 
        "#]],
    );
}

/// P6.8: whatever the leader does on the turn renews the lease.
#[test]
fn work_renews_a_lease() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1 lease=1000
        ---
        wait 900
        agent publish 'a' streaming turn=t1
        wait 900
        agent append #2 'b'
        wait 900
        agent heartbeat t1
        wait 900
        agent update #2 'c'
        wait 900
        alice steer t1 'd'
        agent steered t1 #5
        wait 900
        agent suspend t1
        wait 5000
        agent resume t1
        wait 999
        alice get turn t1
        wait 1
        ",
        expect![[r#"
            -- 900 ms
            agent < create #2 agent turn=t1 'a' streaming
            agent | ack 2 #2
            alice < create #2 agent turn=t1 'a' streaming
            -- 1800 ms
            agent < ack 3 #2 v#3
            alice < append #2 v#3 @1 'b'
            -- 2700 ms
            agent < ack 4 t1 active agent
            -- 3600 ms
            agent < update #2 v#4 agent turn=t1 'c' streaming
            agent | ack 5 #2 v#4
            alice < update #2 v#4 agent turn=t1 'c' streaming
            -- 4500 ms
            agent < create #5 alice name=steer turn=t1 'd' headers={"steer":"waiting"}
            agent | turn.steer #5 t1 active agent message=#5 'd'
            alice < create #5 alice name=steer turn=t1 'd' headers={"steer":"waiting"}
            alice | turn.steer #5 t1 active agent message=#5 'd'
            alice | ack 1 #5 in t1 active agent
            agent < update #5 v#6 alice name=steer turn=t1 headers={"steer":"taken"}
            agent | ack 6 t1 active agent
            alice < update #5 v#6 alice name=steer turn=t1 headers={"steer":"taken"}
            -- 5400 ms
            agent < turn.suspend #7 t1 suspended agent
            agent | ack 7 t1 suspended agent
            alice < turn.suspend #7 t1 suspended agent
            -- 10400 ms
            agent < turn.resume #8 t1 active agent
            agent | ack 8 t1 active agent
            alice < turn.resume #8 t1 active agent
            -- 11399 ms
            alice = 200 {"turn":{"agent":"agent","attempt":1,"createdAt":"+0","id":"t1",
                  "leaseMs":1000,"leaseUntil":"+11400","startedAt":"+0","status":"active"}}
            -- 11400 ms
            agent < append #2 v#9 @1 '' failed
            agent | turn.end #10 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            alice < append #2 v#9 @1 '' failed
            alice | turn.end #10 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
        "#]],
    );
}

/// P6.8: the same by HTTP, where there is no connection.
#[test]
fn requests_renew_a_lease() {
    check(
        "
        agent shorthand start t1 lease=1000
        wait 900
        agent shorthand publish 'a' streaming turn=t1 attempt=1
        wait 900
        agent post append #2 'b' attempt=1
        wait 900
        agent post heartbeat t1 attempt=1
        wait 900
        ---
        alice brief turns
        wait 99
        alice brief turns
        wait 1
        alice brief turns
        ",
        expect![[r#"
            -- 3600 ms
            alice = 200 turns: t1 active agent
            -- 3699 ms
            alice = 200 turns: t1 active agent
            -- 3700 ms
            alice = 200 turns: 
        "#]],
    );
}

/// P6.8: a `ping` on the connection that leads renews it, awake and asleep.
#[test]
fn pings_renew_a_lease() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1 lease=3000
        ---
        wait 2900
        agent pings
        wait 2900
        agent pings
        evict
        wait 2900
        agent pings
        wait 2999
        alice brief turns
        evict
        wait 1001
        alice brief turns all
        ",
        expect![[r#"
            -- 11699 ms
            alice = 200 turns: t1 active agent
            -- 12700 ms
            agent < turn.end #2 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            alice < turn.end #2 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            alice = 200 turns: t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
        "#]],
    );
}

/// P6.8: another connection's pings and frames do not, be it the same client's.
#[test]
fn pings_of_others_renew_nothing() {
    check(
        "
        agent attach
        agent/two attach rewind=0
        alice attach rewind=0
        agent start t1 lease=3000
        ---
        wait 2000
        agent/two pings
        agent/two signal here
        agent/two publish 'x'
        alice pings
        alice publish 'hurry'
        wait 1000
        ",
        expect![[r#"
            -- 2000 ms
            agent < signal agent here
            agent/two < signal agent here
            agent/two | ack 1 {}
            alice < signal agent here
            agent < create #2 agent 'x'
            agent/two < create #2 agent 'x'
            agent/two | ack 2 #2
            alice < create #2 agent 'x'
            agent < create #3 alice 'hurry'
            agent/two < create #3 alice 'hurry'
            alice < create #3 alice 'hurry'
            alice | ack 1 #3
            -- 3000 ms
            agent < turn.end #4 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            agent/two < turn.end #4 t1 failed agent reason=agent-lost
                  error={"code":"agent-lost","message":"the agent was not heard within its
                  lease"}
            alice < turn.end #4 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
        "#]],
    );
}

/// P6.8: refused frames of who does not lead renew nothing.
#[test]
fn refused_frames_renew_nothing() {
    check(
        "
        agent attach
        agent start t1 lease=3000
        agent drop
        agent attach rewind=0
        agent publish 'a' streaming turn=t1 attempt=1
        ---
        wait 2000
        agent-two post heartbeat t1 attempt=1
        agent post heartbeat t1 attempt=2
        agent post heartbeat t1
        agent post append #9 'x' attempt=1
        wait 1000
        ",
        expect![[r#"
            -- 2000 ms
            agent-two = 409 {"error":{"code":"not-leader","message":"unable to renew the lease;
                  turn t1 is agent's","status":409},"ref":1,"type":"nack"}
            agent = 409 {"error":{"code":"not-leader","message":"unable to renew the lease;
                  turn t1 is at attempt 1, not 2","status":409},"ref":3,"type":"nack"}
            agent = 409 {"error":{"code":"not-leader","message":"unable to renew the lease;
                  turn t1 was not taken over this connection, send its current attempt with the
                  frame","status":409},"ref":4,"type":"nack"}
            agent = 404 {"error":{"code":"not-found","message":"unable to append; there is no
                  message #9","status":404},"ref":5,"type":"nack"}
            -- 3000 ms
            agent < append #2 v#3 @1 '' failed
            agent | turn.end #4 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
        "#]],
    );
}

/// P6.8: who goes on over another socket with the current attempt leads from there once the
/// first is gone: its pings count.
#[test]
fn pings_of_the_next_socket() {
    check(
        "
        agent attach
        agent start t1 lease=3000
        agent drop
        agent attach rewind=0
        agent heartbeat t1 attempt=1
        ---
        wait 2900
        agent pings
        wait 2900
        agent brief turns
        wait 100
        ",
        expect![[r#"
            -- 5800 ms
            agent = 200 turns: t1 active agent
            -- 5900 ms
            agent < turn.end #2 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
        "#]],
    );
}

/// P6.8: renewing writes nothing on the hot path: many heartbeats write at most one row in a
/// third of a lease, pings none.
#[test]
fn renewing_writes_little() {
    check(
        "
        agent attach
        agent start t1 lease=30000
        rows
        ---
        agent heartbeat t1 noref
        agent repeats 100 heartbeat t1 noref
        rows
        wait 9000
        agent repeats 100 heartbeat t1 noref
        rows
        wait 2000
        agent repeats 100 heartbeat t1 noref
        rows
        agent pings
        wait 10000
        agent pings
        wait 10000
        agent pings
        rows
        ",
        expect![[r#"
            rows: 0
            rows: 0
            rows: 1
            rows: 0
        "#]],
    );
}

/// P6.8: nor do appends write more for the turn that they are of than others.
#[test]
fn appends_of_a_turn_cost_what_appends_cost() {
    check(
        "
        agent attach
        alice attach window=0
        agent start t1 lease=30000
        agent publish '' streaming turn=t1
        agent publish '' streaming
        rows
        ---
        agent append #3 'a' noref
        rows
        agent append #2 'a' noref
        rows
        ",
        expect![[r#"
            alice < append #3 v#4 @0 'a'
            rows: 1
            alice < append #2 v#5 @0 'a'
            rows: 1
        "#]],
    );
}

/// P6.8: each turn has its own lease, also of one connection.
#[test]
fn each_turn_has_its_lease() {
    check(
        "
        agent attach
        agent start t1 lease=1000
        agent start t2 lease=2000
        agent publish 'a' streaming turn=t1
        agent publish 'b' streaming turn=t2
        ---
        wait 1000
        agent brief turns
        wait 1000
        ",
        expect![[r#"
            -- 1000 ms
            agent < append #3 v#5 @1 '' failed
            agent | turn.end #6 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            agent = 200 turns: t2 active agent
            -- 2000 ms
            agent < append #4 v#7 @1 '' failed
            agent | turn.end #8 t2 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
        "#]],
    );
}

/// P6.3, P5.1: a stream in a turn that nobody appends to is the lease's business, not that of
/// `streamIdleMs`.
#[test]
fn a_stream_in_a_turn_may_be_silent() {
    check(
        "
        admin patch {\"streamIdleMs\":1000}
        agent attach
        agent start t1 lease=10000
        agent publish 'a' streaming turn=t1
        agent publish 'b' streaming
        ---
        wait 9000
        agent heartbeat t1
        wait 9000
        agent append #2 'c' complete
        evict
        agent end t1 complete
        alarm
        ",
        expect![[r#"
            -- 1000 ms
            agent < append #3 v#4 @1 '' failed
            -- 9000 ms
            agent < ack 4 t1 active agent
            -- 18000 ms
            agent < ack 5 #2 v#5
            agent < turn.end #6 t1 complete agent
            agent | ack 6 t1 complete agent
            alarm: Some(13333)
        "#]],
    );
}
