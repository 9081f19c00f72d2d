//! Turns that wait for an agent that never comes (P6.1).

use crate::world::check;
use expect_test::expect;

/// P6.1: an input that nobody takes is given up after `suspendMs`, and the session comes to rest.
#[test]
fn a_queued_input_that_nobody_takes() {
    check(
        "
        admin patch {\"onInput\":\"queue\",\"suspendMs\":60000,\"idleExpiryMs\":10000}
        agent attach
        alice attach
        alice publish 'q'
        agent start t1 input=#1
        wait 5000
        alice publish 'later'
        agent end t1 complete
        agent drop
        ---
        wait 59999
        alarm
        evict
        alice brief turns
        wait 1
        alarm
        alice brief turns all
        wait 10000
        tables
        ",
        expect![[r#"
            alarm: Some(1)
            -- 64999 ms
            alice = 200 turns: turn-#4 queued input=#3
            -- 65000 ms
            alice < turn.end #6 turn-#4 failed input=#3 reason=abandoned
                  error={"code":"abandoned","message":"no agent took the turn"}
            alarm: Some(10000)
            alice = 200 turns: turn-#4 failed input=#3 reason=abandoned
                  error={"code":"abandoned","message":"no agent took the turn"}; t1 complete
                  agent input=#1
            -- 75000 ms
            alice x 4410 the session was deleted
            erased
            tables: 0
        "#]],
    );
}

/// P6.1: a turn whose agent was lost waits as long from then on, over a sleep and a crash; an
/// instruction makes it no longer.
#[test]
fn a_lost_turn_that_nobody_takes() {
    check(
        "
        hook always answers 410
        admin patch {\"agent\":{\"url\":\"https://a.example\"},\"suspendMs\":60000}
        agent attach
        alice attach rewind=0
        agent start t1 lease=3000
        agent publish 'a' streaming turn=t1
        wait 2000
        agent drop
        wait 2000
        ---
        wait 30000
        alice steer t1 'still there?'
        evict
        alice brief turns
        wait 20000
        crash
        alice attach rewind=0
        wait 8999
        alice brief turns
        wait 1
        ",
        expect![[r#"
            -- 34000 ms
            alice < create #5 alice name=steer turn=t1 'still there?'
                  headers={"steer":"waiting"}
            alice | turn.steer #5 t1 queued attempt=2 message=#5 'still there?'
            alice | ack 1 #5 in t1 queued attempt=2
            alice = 200 turns: t1 queued attempt=2
            -- 54000 ms
            alice < attached #5 anew, has older, turns: t1 queued attempt=2
            alice < caught-up #5
            -- 62999 ms
            alice = 200 turns: t1 queued attempt=2
            -- 63000 ms
            alice < update #5 v#6 alice name=steer turn=t1 headers={"steer":"missed"}
            alice | turn.end #7 t1 failed attempt=2 reason=abandoned error={"code":"abandoned",
                  "message":"no agent took the turn"}
        "#]],
    );
}

/// P6.1: who takes it in time has all the time that a lease gives; and it waits anew once that
/// agent is lost as well.
#[test]
fn a_lost_turn_that_is_taken() {
    check(
        "
        hook always answers 410
        admin patch {\"agent\":{\"url\":\"https://a.example\"},\"suspendMs\":5000}
        agent attach
        agent start t1 lease=3000
        wait 3000
        wait 4000
        ---
        agent/2 attach rewind=0
        agent/2 adopt t1 lease=3000
        wait 2999
        eve brief turns
        wait 1
        wait 4999
        eve brief turns
        wait 1
        ",
        expect![[r#"
            -- 7000 ms
            agent/2 < attached #2 anew, turns: t1 queued attempt=2
            agent/2 < caught-up #2
            agent < turn.start #3 t1 active agent attempt=2
            agent/2 < turn.start #3 t1 active agent attempt=2
            agent/2 | ack 1 t1 active agent attempt=2
            -- 9999 ms
            eve = 200 turns: t1 active agent attempt=2
            -- 10000 ms
            agent < turn.queue #4 t1 queued attempt=3
            agent/2 < turn.queue #4 t1 queued attempt=3
            !2 > https://a.example {"at":"+10000","attempt":3,"session":"s1","turn":"t1",
                  "type":"input"}
            -- 14999 ms
            eve = 200 turns: t1 queued attempt=3
            -- 15000 ms
            agent < turn.end #5 t1 failed attempt=3 reason=abandoned error={"code":"abandoned",
                  "message":"no agent took the turn"}
            agent/2 < turn.end #5 t1 failed attempt=3 reason=abandoned
                  error={"code":"abandoned","message":"no agent took the turn"}
        "#]],
    );
}

/// P11.2: `suspendMs` counts as it is set now.
#[test]
fn the_setting_counts_as_it_is() {
    check(
        "
        admin patch {\"onInput\":\"queue\"}
        agent attach
        alice attach
        alice publish 'q'
        agent start t1 input=#1
        alice publish 'later'
        agent end t1 complete
        wait 100000
        ---
        alarm
        admin patch {\"onInput\":\"queue\",\"suspendMs\":200000}
        alarm
        wait 100000
        ",
        expect![[r#"
            alarm: Some(604700000)
            -- 100000 ms
            admin = 200 {"settings":{"onInput":"queue","suspendMs":200000}}
            alarm: Some(100000)
            -- 200000 ms
            agent < turn.end #6 turn-#4 failed input=#3 reason=abandoned
                  error={"code":"abandoned","message":"no agent took the turn"}
            alice < turn.end #6 turn-#4 failed input=#3 reason=abandoned
                  error={"code":"abandoned","message":"no agent took the turn"}
        "#]],
    );
}
