//! Turns whose agent was lost (P6.1, P6.8).

use crate::world::check;
use expect_test::expect;

/// P6.8: without a word the lease ends on time, with nobody connected, by the alarm; what
/// streamed fails with the turn.
#[test]
fn an_agent_is_lost() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1 lease=10000
        agent publish 'a' streaming turn=t1
        agent publish 'b' turn=t1
        agent drop
        ---
        alarm
        wait 9999
        alice brief turns
        wait 1
        alice get turn t1
        alice holds
        alarm
        ",
        expect![[r#"
            alarm: Some(10000)
            -- 9999 ms
            alice = 200 turns: t1 active agent
            -- 10000 ms
            alice < append #2 v#4 @1 '' failed
            alice | turn.end #5 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            alice = 200 {"turn":{"agent":"agent","attempt":1,"createdAt":"+0",
                  "endedAt":"+10000","error":{"code":"agent-lost","message":"the agent was not
                  heard within its lease"},"id":"t1","reason":"agent-lost","startedAt":"+0",
                  "status":"failed"}}
            alice holds #2 "a" failed
            alice holds #3 "b"
            alarm: None
        "#]],
    );
}

/// P6.8: a close by itself ends nothing; the connection may come back, and the turn goes on
/// with its attempt.
#[test]
fn an_agent_comes_back_in_time() {
    check(
        "
        agent attach
        agent start t1 lease=10000
        agent publish 'a' streaming turn=t1
        agent drop
        wait 9000
        agent attach
        agent append #2 'b' attempt=1
        ---
        wait 9999
        agent brief turns
        agent publish 'c' turn=t1
        agent end t1 complete attempt=1
        ",
        expect![[r#"
            -- 18999 ms
            agent = 200 turns: t1 active agent
            agent < create #4 agent turn=t1 'c'
            agent | ack 4 #4
            agent < append #2 v#5 @2 '' complete
            agent | turn.end #6 t1 complete agent
            agent | ack 5 t1 complete agent
        "#]],
    );
}

/// P6.1, P10.3: where agents are woken, a lost turn is queued as the next attempt, without a
/// leader; what streamed fails, what was taken waits again; with no attempt left it fails.
#[test]
fn a_lost_turn_is_queued() {
    check(
        "
        hook always answers 410
        admin patch {\"agent\":{\"url\":\"https://agent.example\"},\"maxAttempts\":2}
        agent attach
        alice attach rewind=0
        alice publish 'q'
        agent start t1 input=#1 lease=1000
        agent publish 'a' streaming turn=t1 id=answer
        alice steer t1 'faster'
        agent steered t1 #4
        ---
        wait 1000
        agent append #3 'late'
        agent append #3 'late' attempt=2
        agent heartbeat t1
        evict
        agent/two attach rewind=0
        agent/two start t9 input=#1 lease=1000
        agent/two publish 'a' streaming turn=t1 id=answer
        agent heartbeat t1
        wait 1000
        alice holds
        alarm
        ",
        expect![[r##"
            -- 1000 ms
            agent < append #3 v#6 @1 '' failed
            agent | update #4 v#7 alice name=steer turn=t1 'faster' headers={"steer":"waiting"}
            agent | turn.queue #8 t1 queued attempt=2 input=#1
            alice < append #3 v#6 @1 '' failed
            alice | update #4 v#7 alice name=steer turn=t1 'faster' headers={"steer":"waiting"}
            alice | turn.queue #8 t1 queued attempt=2 input=#1
            !2 > https://agent.example {"at":"+1000","attempt":2,"input":"#1","session":"s1",
                  "turn":"t1","type":"input"}
            agent < nack 4 not-leader: unable to append; turn t1 is queued, take it with
                  turn.start or turn.adopt
            agent < nack 5 not-leader: unable to append; turn t1 is queued, take it with
                  turn.start or turn.adopt
            agent < nack 6 not-leader: unable to renew the lease; turn t1 is queued, take it
                  with turn.start or turn.adopt
            agent/two < attached #8 anew, has older, turns: t1 queued attempt=2 input=#1
            agent/two < caught-up #8
            agent < turn.start #9 t1 active agent attempt=2 input=#1
            agent/two < turn.start #9 t1 active agent attempt=2 input=#1
            agent/two | ack 1 t1 active agent attempt=2 input=#1
            alice < turn.start #9 t1 active agent attempt=2 input=#1
            agent < delete #3 v#10 superseded
            agent | create #11 agent id=answer turn=t1 'a' streaming
            agent/two < delete #3 v#10 superseded
            agent/two | create #11 agent id=answer turn=t1 'a' streaming
            agent/two | ack 2 #11 id="answer"
            alice < delete #3 v#10 superseded
            alice | create #11 agent id=answer turn=t1 'a' streaming
            agent < nack 7 not-leader: unable to renew the lease; turn t1 was not taken over
                  this connection, send its current attempt with the frame
            -- 2000 ms
            agent < append #11 v#12 @1 '' failed
            agent | update #4 v#13 alice name=steer turn=t1 headers={"steer":"missed"}
            agent | turn.end #14 t1 failed agent attempt=2 input=#1 reason=agent-lost
                  error={"code":"agent-lost","message":"the agent was not heard within its
                  lease"}
            agent/two < append #11 v#12 @1 '' failed
            agent/two | update #4 v#13 alice name=steer turn=t1 headers={"steer":"missed"}
            agent/two | turn.end #14 t1 failed agent attempt=2 input=#1 reason=agent-lost
                  error={"code":"agent-lost","message":"the agent was not heard within its
                  lease"}
            alice < append #11 v#12 @1 '' failed
            alice | update #4 v#13 alice name=steer turn=t1 headers={"steer":"missed"}
            alice | turn.end #14 t1 failed agent attempt=2 input=#1 reason=agent-lost
                  error={"code":"agent-lost","message":"the agent was not heard within its
                  lease"}
            alice holds #1 "q"
            alice holds #3 null failed deleted
            alice holds #4 "faster" missed
            alice holds #11 "a" failed
            alarm: None
        "##]],
    );
}

/// P6.1: a queued turn has no lease; it waits for `suspendMs`, a week by default.
#[test]
fn a_queued_turn_waits() {
    check(
        "
        hook always answers 410
        admin patch {\"agent\":{\"url\":\"https://agent.example\"}}
        agent attach
        agent start t1 lease=1000
        agent drop
        wait 1000
        ---
        alarm
        wait 3600000
        evict
        alice brief turns
        agent-two attach rewind=0
        agent-two adopt t1 lease=2000
        agent-two get turn t1
        wait 2000
        agent shorthand adopt t1
        agent shorthand end t1 complete attempt=3
        ",
        expect![[r#"
            alarm: Some(15000)
            -- 3601000 ms
            alice = 200 turns: t1 queued attempt=2
            agent-two < attached #2 anew, turns: t1 queued attempt=2
            agent-two < caught-up #2
            agent-two < turn.start #3 t1 active agent-two attempt=2
            agent-two | ack 1 t1 active agent-two attempt=2
            agent-two = 200 {"turn":{"agent":"agent-two","attempt":2,"createdAt":"+0","id":"t1",
                  "leaseMs":2000,"leaseUntil":"+3603000","startedAt":"+0","status":"active"}}
            -- 3603000 ms
            agent-two < turn.queue #4 t1 queued attempt=3
            !2 > https://agent.example {"at":"+3603000","attempt":3,"session":"s1","turn":"t1",
                  "type":"input"}
            agent-two < turn.start #5 t1 active agent attempt=3
            agent = 200 {"turn":{"agent":"agent","attempt":3,"createdAt":"+0","id":"t1",
                  "leaseMs":30000,"leaseUntil":"+3633000","startedAt":"+0","status":"active"}}
            agent-two < turn.end #6 t1 complete agent attempt=3
            agent = 200 {"turn":{"agent":"agent","attempt":3,"createdAt":"+0",
                  "endedAt":"+3603000","id":"t1","startedAt":"+0","status":"complete"}}
        "#]],
    );
}

/// P3.7: what windows hold of other turns goes before the end of a lost one, in its array.
#[test]
fn what_was_held_goes_before_a_loss() {
    check(
        "
        agent attach rewind=0 window=500
        agent/two attach rewind=0 window=500
        alice attach window=500
        agent start t1 lease=1000
        agent/two start t2
        agent/two publish '' streaming turn=t2
        wait 800
        agent/two append #3 'a'
        wait 50
        agent/two append #3 'b'
        ---
        wait 150
        alice holds
        wait 1000
        ",
        expect![[r#"
            -- 1000 ms
            agent < append #3 v#5 @1 'b'
            agent | turn.end #6 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            agent/two < ack 4 #3 v#5
            agent/two | turn.end #6 t1 failed agent reason=agent-lost
                  error={"code":"agent-lost","message":"the agent was not heard within its
                  lease"}
            alice < append #3 v#5 @1 'b'
            alice | turn.end #6 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            alice holds #3 "ab" streaming
        "#]],
    );
}
