//! Streams that nobody appends to (P5.1).

use crate::world::check;
use expect_test::expect;

/// P5.1: a stream that nobody appends to for `streamIdleMs` fails, with nobody there.
#[test]
fn a_stream_that_goes_silent_fails() {
    check(
        "
        agent attach
        agent publish 'a' streaming
        agent drop
        wait 299999
        alice attach
        ---
        wait 1
        alice get #1
        ",
        expect![[r##"
            -- 300000 ms
            alice < append #1 v#2 @1 '' failed
            alice = 200 {"message":{"client":"agent","connection":"agent-1","createdAt":"+0",
                  "data":"a","name":"message","role":"user","serial":"#1","status":"failed",
                  "updatedAt":"+300000","version":"#2"}}
        "##]],
    );
}

/// P5.1: an append puts the end off.
#[test]
fn an_append_keeps_a_stream_alive() {
    check(
        "
        agent attach
        agent publish 'a' streaming
        wait 200000
        agent append #1 'b'
        wait 299000
        ---
        alice attach
        wait 1500
        ",
        expect![[r#"
            -- 499000 ms
            alice < attached #2 anew
            alice < create #1 v#2 agent 'ab' streaming
            alice < caught-up #2
            -- 500000 ms
            agent < append #1 v#3 @2 '' failed
            alice < append #1 v#3 @2 '' failed
        "#]],
    );
}

/// P5.1, P13.2: the silence is noticed though the session slept through it.
#[test]
fn a_stream_fails_over_a_sleep() {
    check(
        "
        agent attach
        alice attach
        agent publish 'a' streaming
        agent append #1 'b'
        wait 1000
        evict
        ---
        wait 300000
        alarm
        ",
        expect![[r#"
            -- 300000 ms
            agent < append #1 v#3 @2 '' failed
            alice < append #1 v#3 @2 '' failed
            alarm: None
        "#]],
    );
}

/// P5.1: an input that comes after the time finds the stream failed, however late the alarm.
#[test]
fn a_late_alarm_makes_no_difference() {
    check(
        "
        agent attach
        agent publish 'a' streaming
        ---
        clock 300000
        + agent append #1 'b'
        ",
        expect![[r#"
            agent < append #1 v#2 @1 '' failed
            agent | nack 2 closed: unable to append; message #1 is closed
        "#]],
    );
}

/// P4.2: the id of a stream that failed stays taken, unless it was a body's.
#[test]
fn the_id_of_a_failed_stream() {
    check(
        "
        admin patch {\"streamIdleMs\":1000}
        agent attach
        agent publish 'a' streaming id=x
        agent start t1
        agent publish 'b' streaming id=y turn=t1
        agent end t1 failed
        wait 1000
        ---
        agent publish 'a' streaming id=x
        agent publish 'b' streaming id=y turn=t1
        agent publish 'b' id=y
        ",
        expect![[r#"
            agent < ack 5 #1 v#6 id="x" duplicate
            agent < ack 6 #3 v#4 id="y" duplicate
            agent < ack 7 #3 v#4 id="y" duplicate
        "#]],
    );
}
