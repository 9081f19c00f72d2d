//! Leases over sleep, crashes and clocks (P6.8).

use crate::world::check;
use expect_test::expect;

/// P6.8: no sooner than `leaseMs` after the leader was last heard, and at most a third later,
/// however the session slept since: heard by a frame just before.
#[test]
fn a_lease_over_a_sleep() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1 lease=3000
        wait 900
        agent heartbeat t1
        evict
        ---
        wait 2999
        alice brief turns
        wait 1001
        alice brief turns
        ",
        expect![[r#"
            -- 3899 ms
            alice = 200 turns: t1 active agent
            -- 4000 ms
            agent < turn.end #2 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            alice < turn.end #2 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            -- 4900 ms
            alice = 200 turns: 
        "#]],
    );
}

/// P6.8: by an append, which is stored.
#[test]
fn a_lease_over_a_sleep_after_an_append() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1 lease=3000
        agent publish '' streaming turn=t1
        wait 2500
        agent append #2 'a'
        wait 300
        evict
        ---
        wait 2699
        alice brief turns
        wait 1001
        alice brief turns
        ",
        expect![[r#"
            -- 5499 ms
            alice = 200 turns: t1 active agent
            -- 5500 ms
            agent < append #2 v#4 @1 '' failed
            agent | turn.end #5 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            alice < append #2 v#4 @1 '' failed
            alice | turn.end #5 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            -- 6500 ms
            alice = 200 turns: 
        "#]],
    );
}

/// P6.8: by a ping, which nobody woke for.
#[test]
fn a_lease_over_a_sleep_after_a_ping() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1 lease=3000
        evict
        wait 2500
        agent pings
        ---
        wait 2999
        alice brief turns
        wait 1001
        alice brief turns
        ",
        expect![[r#"
            -- 5499 ms
            alice = 200 turns: t1 active agent
            -- 5500 ms
            agent < turn.end #2 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            alice < turn.end #2 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            -- 6500 ms
            alice = 200 turns: 
        "#]],
    );
}

/// P6.8: by the last append of a stream, which is open no longer.
#[test]
fn a_lease_over_a_sleep_after_the_end_of_a_stream() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1 lease=3000
        agent publish '' streaming turn=t1
        wait 2500
        agent append #2 'a' complete
        wait 300
        evict
        ---
        wait 2699
        alice brief turns
        wait 1001
        alice brief turns
        ",
        expect![[r#"
            -- 5499 ms
            alice = 200 turns: t1 active agent
            -- 6500 ms
            agent < turn.end #4 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            alice < turn.end #4 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            alice = 200 turns: 
        "#]],
    );
}

/// P6.8: by a ping on a connection that then broke: its turn has a whole lease from there.
#[test]
fn a_lease_over_a_close() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1 lease=3000
        wait 2500
        agent pings
        wait 400
        agent drop
        ---
        wait 2599
        alice brief turns
        wait 1
        ",
        expect![[r#"
            -- 5499 ms
            alice = 200 turns: t1 active agent
            -- 5500 ms
            alice < turn.end #2 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
        "#]],
    );
}

/// P6.8: by pings alone, for many leases, before a crash or a deployment took every socket:
/// what the alarms learned of them is kept.
#[test]
fn a_lease_over_a_crash_after_many_pings() {
    check(
        "
        agent attach
        agent start t1 lease=3000
        wait 2000
        agent pings
        wait 2000
        agent pings
        wait 2000
        agent pings
        wait 2000
        agent pings
        wait 2000
        agent pings
        wait 100
        crash
        ---
        agent attach
        agent heartbeat t1 attempt=1
        ",
        expect![[r#"
            -- 10100 ms
            agent < attached #1 anew, turns: t1 active agent
            agent < caught-up #1
            agent < ack 2 t1 active agent
        "#]],
    );
}

/// P6.8: a crash takes every socket: who was heard before has its lease, no more.
#[test]
fn a_lease_over_a_crash() {
    check(
        "
        agent attach
        agent start t1 lease=3000
        agent publish 'a' streaming turn=t1
        wait 2000
        agent append #2 'b'
        wait 300
        agent pings
        crash
        ---
        wait 2699
        alice brief turns
        wait 1001
        alice brief turns all
        alice brief messages
        ",
        expect![[r#"
            -- 4999 ms
            alice = 200 turns: t1 active agent
            -- 6000 ms
            alice = 200 turns: t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            alice = 200 turns: t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}, messages: #2 v#4 agent
                  turn=t1 'ab' failed
        "#]],
    );
}

/// P6.8: a clock that jumps ahead finds the deadline passed, before anything else happens.
#[test]
fn a_late_alarm_makes_no_difference() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1 lease=3000
        agent publish 'a' streaming turn=t1
        ---
        clock 4000
        + agent append #2 'b'
        ",
        expect![[r#"
            agent < append #2 v#3 @1 '' failed
            agent | turn.end #4 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            agent | nack 3 turn-closed: unable to append; turn t1 is failed
            alice < append #2 v#3 @1 '' failed
            alice | turn.end #4 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
        "#]],
    );
}

/// P6.8: the same for a heartbeat, an end, an adoption, that come a little too late.
#[test]
fn too_late_is_too_late() {
    check(
        "
        agent attach
        agent start t1 lease=1000
        agent start t2 lease=1000
        agent start t3 lease=1000
        ---
        clock 1400
        + agent heartbeat t1; end t2 complete; adopt t3
        ",
        expect![[r#"
            agent < turn.end #4 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            agent | turn.end #5 t2 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            agent | turn.end #6 t3 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            agent | nack 4 turn-closed: unable to renew the lease; turn t1 is failed
            agent | nack 5 turn-closed: unable to end the turn; turn t2 is failed
            agent | nack 6 turn-closed: unable to adopt the turn; turn t3 is failed
        "#]],
    );
}

/// P6.8: a clock that jumps back ends no lease early, and none never.
#[test]
fn a_clock_that_jumps_back() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1 lease=3000
        clock -2000
        agent start t2 lease=3000
        agent heartbeat t1
        ---
        wait 2999
        alice brief turns
        wait 3001
        alice brief turns
        alarm
        ",
        expect![[r#"
            -- 2999 ms
            alice = 200 turns: t1 active agent; t2 active agent
            -- 3000 ms
            agent < turn.end #3 t2 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            alice < turn.end #3 t2 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            -- 5000 ms
            agent < turn.end #4 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            alice < turn.end #4 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            -- 6000 ms
            alice = 200 turns: 
            alarm: None
        "#]],
    );
}

/// P6.8: also when the session slept in between, and nobody led from anywhere.
#[test]
fn pings_of_the_next_socket_after_a_sleep() {
    check(
        "
        agent attach
        agent start t1 lease=3000
        agent drop
        evict
        agent attach rewind=0
        agent heartbeat t1 attempt=1
        ---
        wait 2000
        agent pings
        wait 2000
        agent pings
        wait 2999
        eve brief turns
        wait 1
        ",
        expect![[r#"
            -- 6999 ms
            eve = 200 turns: t1 active agent
            -- 7000 ms
            agent < turn.end #2 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
        "#]],
    );
}

/// P6.8: the latest append of any of its streams counts.
#[test]
fn a_lease_over_a_sleep_of_two_streams() {
    check(
        "
        agent attach
        agent start t1 lease=3000
        agent publish '' streaming turn=t1 and '' streaming turn=t1
        wait 500
        agent append #3 'a'
        wait 1500
        agent append #2 'b'
        wait 300
        evict
        ---
        wait 2699
        eve brief turns
        wait 1001
        eve brief turns
        ",
        expect![[r#"
            -- 4999 ms
            eve = 200 turns: t1 active agent
            -- 5000 ms
            agent < append #2 v#6 @1 '' failed
            agent | append #3 v#7 @1 '' failed
            agent | turn.end #8 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            -- 6000 ms
            eve = 200 turns: 
        "#]],
    );
}

/// P6.8: what streamed tells of its leader, also when somebody else closes or deletes it.
#[test]
fn a_lease_over_a_sleep_after_an_edit() {
    check(
        "
        admin patch {\"unwatchedWindowMs\":0}
        agent attach
        supervisor attach rewind=0
        agent start t1 lease=3000
        agent start t2 lease=3000
        agent publish 'a' streaming turn=t1
        agent publish 'b' streaming turn=t2
        wait 2000
        agent append #3 'c'
        agent append #4 'd'
        supervisor delete #3
        supervisor append #4 '' complete
        evict
        ---
        wait 2999
        supervisor brief turns
        wait 1001
        ",
        expect![[r#"
            -- 4999 ms
            supervisor = 200 turns: t1 active agent; t2 active agent
            -- 6000 ms
            agent < turn.end #9 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            agent | turn.end #10 t2 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            supervisor < turn.end #9 t1 failed agent reason=agent-lost
                  error={"code":"agent-lost","message":"the agent was not heard within its
                  lease"}
            supervisor | turn.end #10 t2 failed agent reason=agent-lost
                  error={"code":"agent-lost","message":"the agent was not heard within its
                  lease"}
        "#]],
    );
}
