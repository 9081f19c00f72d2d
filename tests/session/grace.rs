//! A lease that ran out while the session was not there to hear (P6.8).

use crate::world::check;
use expect_test::expect;

/// P6.8: the alarm rings late: whoever leads has one whole lease from then on, and is lost only
/// after that.
#[test]
fn a_late_alarm_prolongs_a_lease() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1 lease=3000
        agent publish 'a' streaming turn=t1
        ---
        clock 4001
        alice brief turns
        alarm
        wait 2999
        alice brief turns
        wait 1
        ",
        expect![[r#"
            alice = 200 turns: t1 active agent
            alarm: Some(3000)
            -- 2999 ms
            alice = 200 turns: t1 active agent
            -- 3000 ms
            agent < append #2 v#3 @1 '' failed
            agent | turn.end #4 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            alice < append #2 v#3 @1 '' failed
            alice | turn.end #4 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
        "#]],
    );
}

/// P6.8: who is heard within it goes on, as if nothing had been.
#[test]
fn who_is_heard_in_time_goes_on() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1 lease=3000
        agent publish 'a' streaming turn=t1
        ---
        clock 100000
        + agent append #2 'b'
        wait 2999
        agent heartbeat t1
        wait 2999
        alice brief turns
        wait 1
        ",
        expect![[r#"
            agent < ack 3 #2 v#3
            alice < append #2 v#3 @1 'b'
            -- 2999 ms
            agent < ack 4 t1 active agent
            -- 5998 ms
            alice = 200 turns: t1 active agent
            -- 5999 ms
            agent < append #2 v#4 @2 '' failed
            agent | turn.end #5 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            alice < append #2 v#4 @2 '' failed
            alice | turn.end #5 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
        "#]],
    );
}

/// P6.8: a session that nobody could load, a deployment that took too long: everything is gone,
/// and the agent comes back.
#[test]
fn an_agent_that_comes_back_after_an_outage() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1 lease=3000
        agent publish 'a' streaming turn=t1
        wait 1000
        crash
        clock 60000
        ---
        agent attach rewind=0
        agent append #2 'b' attempt=1
        alice attach rewind=0
        agent get turn t1
        ",
        expect![[r#"
            -- 1000 ms
            agent < attached #2 anew, has older, turns: t1 active agent
            agent < create #2 agent turn=t1 'a' streaming
            agent < caught-up #2
            agent < ack 3 #2 v#3
            alice < attached #3 anew, has older, turns: t1 active agent
            alice < create #2 v#3 agent turn=t1 'ab' streaming
            alice < caught-up #3
            agent = 200 {"turn":{"agent":"agent","attempt":1,"createdAt":"+0","id":"t1",
                  "leaseMs":3000,"leaseUntil":"+64000","startedAt":"+0","status":"active"}}
        "#]],
    );
}

/// P6.8: it is prolonged once: not again for an agent that was not heard since, however often the
/// session is late, over crashes too.
#[test]
fn a_lease_is_prolonged_once() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1 lease=3000
        clock 10000
        alice brief turns
        crash
        clock 10000
        ---
        alice attach rewind=0
        alice brief turns all
        ",
        expect![[r#"
            alice < attached #2 anew
            alice < caught-up #2
            alice = 200 turns: t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
        "#]],
    );
}

/// P6.8: and again, for one that was.
#[test]
fn a_lease_is_prolonged_again_for_an_agent_that_was_heard() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1 lease=3000
        clock 10000
        + agent heartbeat t1
        evict
        clock 10000
        ---
        alice brief turns
        wait 2000
        agent pings
        clock 10000
        alice brief turns
        wait 2999
        alice brief turns
        wait 1
        ",
        expect![[r#"
            alice = 200 turns: t1 active agent
            -- 2000 ms
            alice = 200 turns: t1 active agent
            -- 4999 ms
            alice = 200 turns: t1 active agent
            -- 5000 ms
            agent < turn.end #2 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            alice < turn.end #2 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
        "#]],
    );
}

/// P6.8: of several leases each is its own; one that had not run out is as it was.
#[test]
fn each_lease_is_its_own() {
    check(
        "
        agent attach rewind=0
        alice attach rewind=0
        agent start t1 lease=1000
        agent start t2 lease=3000
        agent start t3 lease=60000
        ---
        clock 3500
        alice brief turns
        wait 1000
        alice brief turns
        wait 55500
        ",
        expect![[r#"
            agent < turn.end #4 t2 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            alice < turn.end #4 t2 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            alice = 200 turns: t1 active agent; t3 active agent
            -- 1000 ms
            agent < turn.end #5 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            alice < turn.end #5 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            alice = 200 turns: t3 active agent
            -- 56500 ms
            agent < turn.end #6 t3 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            alice < turn.end #6 t3 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
        "#]],
    );
}

/// P6.5: a turn whose leader was asked to stop has its grace, and no more.
#[test]
fn a_cancelled_turn_is_not_prolonged_beyond_its_grace() {
    check(
        "
        admin patch {\"cancelGraceMs\":2000}
        agent attach rewind=0
        alice attach rewind=0
        agent start t1 lease=3000
        agent start t2 lease=3000
        alice cancel turn=t1
        wait 2999
        ---
        clock 3000
        alice cancel turn=t2
        wait 1999
        alice brief turns
        wait 1
        ",
        expect![[r#"
            -- 2999 ms
            agent < turn.cancel #5 t2 active agent cancel=alice
            alice < turn.cancel #5 t2 active agent cancel=alice
            alice | ack 2 [t2 active agent cancel=alice]
            -- 4998 ms
            alice = 200 turns: t2 active agent cancel=alice
            -- 4999 ms
            agent < turn.end #6 t2 cancelled agent cancel=alice
            alice < turn.end #6 t2 cancelled agent cancel=alice
        "#]],
    );
}

/// P6.1: an agent that comes back in time leads on, also where another would be woken.
#[test]
fn a_turn_is_queued_only_after_the_grace() {
    check(
        "
        hook always answers 410
        admin patch {\"agent\":{\"url\":\"https://a.example\"}}
        agent attach
        agent start t1 lease=3000
        wait 10
        crash
        clock 10000
        ---
        agent attach rewind=0
        wait 2999
        eve brief turns
        wait 1
        ",
        expect![[r#"
            -- 10 ms
            agent < attached #1 anew, turns: t1 active agent
            agent < caught-up #1
            -- 3009 ms
            eve = 200 turns: t1 active agent
            -- 3010 ms
            agent < turn.queue #2 t1 queued attempt=2
            !1 > https://a.example {"at":"+13010","attempt":2,"session":"s1","turn":"t1",
                  "type":"input"}
        "#]],
    );
}
