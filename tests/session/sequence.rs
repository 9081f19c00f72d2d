//! Numbered appends: sent again, never taken twice (P5.3).

use crate::world::check;
use expect_test::expect;

/// P5.3: a `seq` already taken is acknowledged again and changes nothing.
#[test]
fn a_seq_is_taken_once() {
    check(
        "
        agent attach
        alice attach window=0
        agent publish '' streaming
        agent append #1 'a' seq=1
        wait 10
        ---
        agent append #1 'a' seq=1
        agent append #1 'b' seq=2
        agent append #1 'b' seq=2
        wait 10
        alice holds
        ",
        expect![[r#"
            -- 10 ms
            agent < ack 3 #1 v#2 seq=1 duplicate
            agent < ack 4 #1 v#3 seq=2
            alice < append #1 v#3 @1 'b'
            agent < ack 5 #1 v#3 seq=2 duplicate
            alice holds #1 "ab" streaming
        "#]],
    );
}

/// P3.2, P5.3: the repeat of an append that is not stored yet waits for it.
#[test]
fn a_repeat_is_not_acknowledged_before_the_first() {
    check(
        "
        agent attach
        alice attach window=100
        agent publish '' streaming
        agent append #1 'a' seq=1
        wait 10
        ---
        agent append #1 'b' seq=2
        agent append #1 'b' seq=2
        wait 100
        ",
        expect![[r#"
            -- 100 ms
            agent < ack 3 #1 v#3 seq=2
            agent | ack 4 #1 v#3 seq=2 duplicate
            alice < append #1 v#3 @1 'b'
        "#]],
    );
}

/// P5.3: one too high is refused with `gap`, what is expected, and the length.
#[test]
fn a_seq_too_high_is_a_gap() {
    check(
        "
        agent attach
        agent publish '👍🏽' streaming
        ---
        agent append #1 'b' seq=2
        agent append #1 'a' seq=1; append #1 'c' seq=3; append #1 'b' seq=2
        wait 250
        ",
        expect![[r#"
            agent < nack 2 gap: unable to append; message #1 expects seq 1 and holds 4
                  expectedSeq=1 length=4
            agent < ack 3 #1 v#2 seq=1
            agent | nack 4 gap: unable to append; message #1 expects seq 2 and holds 5
                  expectedSeq=2 length=5
            agent | ack 5 #1 v#2 seq=2
        "#]],
    );
}

/// P5.3: the length in a `gap` counts what is pending too.
#[test]
fn a_gap_counts_what_is_pending() {
    check(
        "
        agent attach
        agent publish '' streaming
        agent append #1 'four' seq=1
        wait 250
        ---
        agent append #1 'five!' seq=2
        agent append #1 'x' seq=9
        wait 250
        ",
        expect![[r#"
            -- 250 ms
            agent < ack 3 #1 v#3 seq=2
            agent < nack 4 gap: unable to append; message #1 expects seq 3 and holds 9
                  expectedSeq=3 length=9
        "#]],
    );
}

/// P5.3: appends without `seq` are taken as they come.
#[test]
fn appends_without_seq_are_taken_each_time() {
    check(
        "
        agent attach
        alice attach window=0
        agent publish '' streaming
        ---
        agent append #1 'a'
        agent append #1 'a'
        wait 1
        alice holds
        ",
        expect![[r#"
            agent < ack 2 #1 v#2
            alice < append #1 v#2 @0 'a'
            agent < ack 3 #1 v#3
            alice < append #1 v#3 @1 'a'
            alice holds #1 "aa" streaming
        "#]],
    );
}

/// P5.3: `update` with `seq` says what its text contains; appends go on from there.
#[test]
fn an_update_with_seq_goes_on() {
    check(
        "
        agent attach
        alice attach window=0
        agent publish 'a' streaming
        agent append #1 'b' seq=1
        ---
        agent update #1 'abcd' seq=3
        agent append #1 'c' seq=2
        agent append #1 'e' seq=4
        wait 1
        alice holds
        ",
        expect![[r#"
            agent < update #1 v#3 agent 'abcd' streaming seq=3
            agent | ack 3 #1 v#3 seq=3
            alice < update #1 v#3 agent 'abcd' streaming seq=3
            agent < ack 4 #1 v#3 seq=2 duplicate
            agent < ack 5 #1 v#4 seq=4
            alice < append #1 v#4 @4 'e'
            alice holds #1 "abcde" streaming
        "#]],
    );
}

/// P5.3: an `update` whose `seq` is below the highest taken is a duplicate and changes nothing.
#[test]
fn an_old_update_changes_nothing() {
    check(
        "
        agent attach
        alice attach window=0
        agent publish '' streaming
        agent append #1 'a' seq=1; append #1 'b' seq=2
        wait 1
        ---
        agent update #1 'a' seq=1
        agent update #1 'ab!' seq=2
        ",
        expect![[r#"
            -- 1 ms
            agent < ack 4 #1 v#2 seq=1 duplicate
            agent < update #1 v#3 agent 'ab!' streaming seq=2
            agent | ack 5 #1 v#3 seq=2
            alice < update #1 v#3 agent 'ab!' streaming seq=2
        "#]],
    );
}

/// P13.1: an append may carry an id.
#[test]
fn an_append_with_an_id_is_taken_once() {
    check(
        "
        agent attach
        alice attach window=0
        agent publish '' streaming
        ---
        agent append #1 'a' id=x
        agent append #1 'a' id=x
        alice holds
        ",
        expect![[r#"
            agent < ack 2 #1 v#2
            alice < append #1 v#2 @0 'a'
            agent < ack 3 #1 v#2 duplicate
            alice holds #1 "a" streaming
        "#]],
    );
}

/// P5.3: `seq` counts from 1.
#[test]
fn seq_counts_from_one() {
    check(
        "
        agent attach
        agent publish '' streaming
        ---
        agent append #1 'a' seq=0
        agent append #1 'a' seq=-1
        agent append #1 'a' seq=1.5
        agent append #1 'a' seq=9007199254740993
        ",
        expect![[r#"
            agent < nack 2 invalid-frame: unable to append; seq: it is 0, the first is 1
            agent < nack 3 invalid-frame: unable to append; seq: it is the number -1, not a
                  whole number from 0
            agent < nack 4 invalid-frame: unable to append; seq: it is the number 1.5, not a
                  whole number from 0
            agent < nack 5 invalid-frame: unable to append; seq: it is 9007199254740993, the
                  limit is 9007199254740991
        "#]],
    );
}
