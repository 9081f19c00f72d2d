//! Cancel (P6.5).

use crate::world::check;
use expect_test::expect;

/// P6.5: a cancel from a second device: all are told who asked; the leader stops, and what it
/// had said by then is kept as `cancelled`.
#[test]
fn a_second_device_cancels() {
    check(
        "
        agent attach
        alice attach window=500
        alice/phone attach window=0
        alice publish 'q'
        agent start t1 input=#1
        agent publish 'Hel' streaming turn=t1
        agent append #3 'lo'
        agent append #3 ' wor'
        ---
        alice/phone cancel turn=t1 reason='enough'
        agent append #3 'ld' cancelled
        agent end t1 cancelled
        alice holds
        alice turns
        ",
        expect![[r#"
            agent < turn.cancel #6 t1 active agent input=#1 cancel=alice 'enough'
            alice < append #3 v#5 @5 ' wor'
            alice | turn.cancel #6 t1 active agent input=#1 cancel=alice 'enough'
            alice/phone < turn.cancel #6 t1 active agent input=#1 cancel=alice 'enough'
            alice/phone | ack 1 [t1 active agent input=#1 cancel=alice 'enough']
            agent < ack 5 #3 v#7
            alice < append #3 v#7 @9 'ld' cancelled
            alice/phone < append #3 v#7 @9 'ld' cancelled
            agent < turn.end #8 t1 cancelled agent input=#1 cancel=alice 'enough'
            agent | ack 6 t1 cancelled agent input=#1 cancel=alice 'enough'
            alice < turn.end #8 t1 cancelled agent input=#1 cancel=alice 'enough'
            alice/phone < turn.end #8 t1 cancelled agent input=#1 cancel=alice 'enough'
            alice holds #1 "q"
            alice holds #3 "Hello world" cancelled
            alice knows t1 cancelled agent input=#1 cancel=alice 'enough'
        "#]],
    );
}

/// P6.5: what a leader says within the grace is kept, its end is `cancelled` however it calls
/// it (P6.1), and the session does not end it again.
#[test]
fn the_leader_has_time_to_stop() {
    check(
        "
        agent attach
        alice attach window=0
        agent start t1
        agent publish '' streaming turn=t1
        alice cancel turn=t1
        ---
        wait 4999
        agent append #2 'bye'
        agent publish 'footnote' turn=t1
        agent heartbeat t1
        agent end t1 complete
        wait 10000
        alice get turn t1
        ",
        expect![[r#"
            -- 4999 ms
            agent < ack 3 #2 v#4
            alice < append #2 v#4 @0 'bye'
            agent < create #5 agent turn=t1 'footnote'
            agent | ack 4 #5
            alice < create #5 agent turn=t1 'footnote'
            agent < ack 5 t1 active agent cancel=alice
            agent < append #2 v#6 @3 '' cancelled
            agent | turn.end #7 t1 cancelled agent cancel=alice
            agent | ack 6 t1 cancelled agent cancel=alice
            alice < append #2 v#6 @3 '' cancelled
            alice | turn.end #7 t1 cancelled agent cancel=alice
            -- 14999 ms
            alice = 200 {"turn":{"agent":"agent","attempt":1,"cancel":{"at":"+0","by":"alice"},
                  "createdAt":"+0","endedAt":"+4999","id":"t1","startedAt":"+0",
                  "status":"cancelled"}}
        "#]],
    );
}

/// P6.5: after `cancelGraceMs` the session ends the turn itself, with nobody connected, though
/// the leader works on.
#[test]
fn the_grace_passes() {
    check(
        "
        agent attach
        agent start t1
        agent publish 'a' streaming turn=t1
        alice shorthand cancel turn=t1
        agent append #2 'b'
        wait 4999
        agent append #2 'c'
        agent drop
        ---
        alarm
        wait 1
        alice brief turns all
        agent post append #2 'd' attempt=1
        agent post publish 'e' turn=t1 attempt=1
        alice brief messages
        alarm
        ",
        expect![[r#"
            alarm: Some(1)
            -- 5000 ms
            alice = 200 turns: t1 cancelled agent cancel=alice
            agent = 409 {"error":{"code":"turn-closed","message":"unable to append; turn t1 is
                  cancelled","status":409},"ref":5,"type":"nack"}
            agent = 409 {"error":{"code":"turn-closed","message":"unable to publish; turn t1 is
                  cancelled","status":409},"ref":6,"type":"nack"}
            alice = 200 turns: t1 cancelled agent cancel=alice, messages: #2 v#6 agent turn=t1
                  'abc' cancelled
            alarm: None
        "#]],
    );
}

/// P6.5: the same with the session asleep all the while; `cancelGraceMs` is a setting.
#[test]
fn the_grace_passes_in_a_sleep() {
    check(
        "
        admin patch {\"cancelGraceMs\":20000}
        agent attach
        alice attach window=0
        agent start t1 lease=600000
        agent publish 'a' streaming turn=t1
        alice cancel turn=t1
        wait 1000
        evict
        wait 18999
        ---
        wait 1
        agent end t1 cancelled
        ",
        expect![[r#"
            -- 20000 ms
            agent < append #2 v#4 @1 '' cancelled
            agent | turn.end #5 t1 cancelled agent cancel=alice
            alice < append #2 v#4 @1 '' cancelled
            alice | turn.end #5 t1 cancelled agent cancel=alice
            agent < nack 3 turn-closed: unable to end the turn; turn t1 is cancelled
        "#]],
    );
}

/// P6.8: an input that comes after the grace finds it passed, however late the alarm.
#[test]
fn the_grace_is_over_when_it_is() {
    check(
        "
        agent attach
        alice attach window=0
        agent start t1
        agent publish 'a' streaming turn=t1
        alice cancel turn=t1
        ---
        clock 5000
        + agent append #2 'late'
        ",
        expect![[r#"
            agent < append #2 v#4 @1 '' cancelled
            agent | turn.end #5 t1 cancelled agent cancel=alice
            agent | nack 3 turn-closed: unable to append; turn t1 is cancelled
            alice < append #2 v#4 @1 '' cancelled
            alice | turn.end #5 t1 cancelled agent cancel=alice
        "#]],
    );
}

/// P6.5: no grace at all.
#[test]
fn no_grace() {
    check(
        "
        admin patch {\"cancelGraceMs\":0}
        agent attach
        alice attach rewind=0
        agent start t1
        ---
        alice cancel turn=t1
        ",
        expect![[r#"
            agent < turn.cancel #2 t1 active agent cancel=alice
            alice < turn.cancel #2 t1 active agent cancel=alice
            alice | ack 1 [t1 active agent cancel=alice]
            agent < turn.end #3 t1 cancelled agent cancel=alice
            alice < turn.end #3 t1 cancelled agent cancel=alice
        "#]],
    );
}

/// P6.5: cancelled twice, by two, and when it is over: acknowledged, told to nobody, and the
/// first stays who asked.
#[test]
fn a_cancel_is_taken_once() {
    check(
        "
        agent attach
        alice attach rewind=0
        bob attach rewind=0
        agent start t1
        agent start t2
        agent end t2 complete
        ---
        alice cancel turn=t1 reason=first
        bob cancel turn=t1 reason=second
        wait 3000
        alice cancel turn=t1
        wait 2000
        bob cancel turn=t1
        bob cancel turn=t2
        bob cancel all
        ",
        expect![[r#"
            agent < turn.cancel #4 t1 active agent cancel=alice 'first'
            alice < turn.cancel #4 t1 active agent cancel=alice 'first'
            alice | ack 1 [t1 active agent cancel=alice 'first']
            bob < turn.cancel #4 t1 active agent cancel=alice 'first'
            bob < ack 1 [t1 active agent cancel=alice 'first']
            -- 3000 ms
            alice < ack 2 [t1 active agent cancel=alice 'first']
            -- 5000 ms
            agent < turn.end #5 t1 cancelled agent cancel=alice 'first'
            alice < turn.end #5 t1 cancelled agent cancel=alice 'first'
            bob < turn.end #5 t1 cancelled agent cancel=alice 'first'
            bob < ack 2 [t1 cancelled agent cancel=alice 'first']
            bob < ack 3 [t2 complete agent]
            bob < ack 4 []
        "#]],
    );
}

/// P6.1, P6.5: a suspended turn ends at once: nobody works on it.
#[test]
fn a_suspended_turn_is_cancelled_at_once() {
    check(
        "
        agent attach
        alice attach window=0
        agent start t1
        agent publish 'a' streaming turn=t1
        agent suspend t1 reason=approval
        ---
        alice cancel turn=t1
        agent resume t1
        ",
        expect![[r#"
            agent < turn.cancel #4 t1 suspended agent cancel=alice reason=approval
            agent | append #2 v#5 @1 '' cancelled
            agent | turn.end #6 t1 cancelled agent cancel=alice
            alice < turn.cancel #4 t1 suspended agent cancel=alice reason=approval
            alice | append #2 v#5 @1 '' cancelled
            alice | turn.end #6 t1 cancelled agent cancel=alice
            alice | ack 1 [t1 cancelled agent cancel=alice]
            agent < nack 4 turn-closed: unable to resume the turn; turn t1 is cancelled
        "#]],
    );
}

/// P6.5: a leader that suspends what was cancelled does not keep it from ending.
#[test]
fn a_cancelled_turn_is_suspended_in_vain() {
    check(
        "
        agent attach
        agent start t1
        agent post cancel turn=t1
        ---
        agent suspend t1 reason=stubborn
        wait 5000
        ",
        expect![[r#"
            agent < turn.suspend #3 t1 suspended agent cancel=agent reason=stubborn
            agent | ack 3 t1 suspended agent cancel=agent reason=stubborn
            -- 5000 ms
            agent < turn.end #4 t1 cancelled agent cancel=agent
        "#]],
    );
}

/// P6.5: all open turns, and no other; in the order in which they began.
#[test]
fn all_turns_are_cancelled() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t0
        agent end t0 complete
        agent start t2
        agent start t1
        agent suspend t1
        agent-two post start t3
        ---
        alice cancel all
        agent end t2 cancelled
        wait 5000
        alice cancel all
        ",
        expect![[r#"
            agent < turn.cancel #7 t2 active agent cancel=alice
            agent | turn.cancel #8 t1 suspended agent cancel=alice
            agent | turn.end #9 t1 cancelled agent cancel=alice
            agent | turn.cancel #10 t3 active agent-two cancel=alice
            alice < turn.cancel #7 t2 active agent cancel=alice
            alice | turn.cancel #8 t1 suspended agent cancel=alice
            alice | turn.end #9 t1 cancelled agent cancel=alice
            alice | turn.cancel #10 t3 active agent-two cancel=alice
            alice | ack 1 [t2 active agent cancel=alice; t1 cancelled agent cancel=alice; t3
                  active agent-two cancel=alice]
            agent < turn.end #11 t2 cancelled agent cancel=alice
            agent | ack 6 t2 cancelled agent cancel=alice
            alice < turn.end #11 t2 cancelled agent cancel=alice
            -- 5000 ms
            agent < turn.end #12 t3 cancelled agent-two cancel=alice
            alice < turn.end #12 t3 cancelled agent-two cancel=alice
            alice < ack 2 []
        "#]],
    );
}

/// P6.4, P6.5: one of two is cancelled; the other goes on.
#[test]
fn one_of_two_is_cancelled() {
    check(
        "
        agent attach
        agent-two attach rewind=0
        alice attach window=0
        agent start t1
        agent-two start t2
        agent publish 'one' streaming turn=t1
        agent-two publish 'two' streaming turn=t2
        ---
        alice cancel turn=t1
        agent end t1 cancelled
        agent-two append #4 ' goes on'
        wait 300
        agent-two end t2 complete
        alice holds
        ",
        expect![[r#"
            agent < turn.cancel #5 t1 active agent cancel=alice
            agent-two < turn.cancel #5 t1 active agent cancel=alice
            alice < turn.cancel #5 t1 active agent cancel=alice
            alice | ack 1 [t1 active agent cancel=alice]
            agent < append #3 v#6 @3 '' cancelled
            agent | turn.end #7 t1 cancelled agent cancel=alice
            agent | ack 3 t1 cancelled agent cancel=alice
            agent-two < append #3 v#6 @3 '' cancelled
            agent-two | turn.end #7 t1 cancelled agent cancel=alice
            alice < append #3 v#6 @3 '' cancelled
            alice | turn.end #7 t1 cancelled agent cancel=alice
            agent < append #4 v#8 @3 ' goes on'
            agent-two < ack 3 #4 v#8
            alice < append #4 v#8 @3 ' goes on'
            -- 300 ms
            agent < append #4 v#9 @11 '' complete
            agent | turn.end #10 t2 complete agent-two
            agent-two < append #4 v#9 @11 '' complete
            agent-two | turn.end #10 t2 complete agent-two
            agent-two | ack 4 t2 complete agent-two
            alice < append #4 v#9 @11 '' complete
            alice | turn.end #10 t2 complete agent-two
            alice holds #3 "one" cancelled
            alice holds #4 "two goes on" complete
        "#]],
    );
}
