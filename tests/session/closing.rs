//! The end of a message is told once, with whatever changes with it (P4.3, P5.1).

use crate::world::check;
use expect_test::expect;

/// P5.1: an append that closes may bring the headers, which replace all that there were.
#[test]
fn an_append_that_closes_replaces_the_headers() {
    check(
        r#"
        alice attach window=0
        agent attach
        agent publish 'Hel' streaming headers={"part":"0"}
        ---
        agent append #1 'lo' seq=1 complete headers={"signature":"s"}
        agent append #1 'lo' seq=1 complete headers={"signature":"s"}
        alice holds
        alice get #1
        "#,
        expect![[r##"
            agent < ack 2 #1 v#2 seq=1
            alice < append #1 v#2 @3 'lo' headers={"signature":"s"} complete
            agent < ack 3 #1 v#2 seq=1 duplicate
            alice holds #1 "Hello" complete
            alice = 200 {"message":{"client":"agent","connection":"agent-1","createdAt":"+0",
                  "data":"Hello","headers":{"signature":"s"},"name":"message","role":"user",
                  "seq":1,"serial":"#1","status":"complete","updatedAt":"+0","version":"#2"}}
        "##]],
    );
}

/// P5.1: headers change with an end, and not with any other append.
#[test]
fn headers_come_with_an_end() {
    check(
        r#"
        agent attach
        agent publish '' streaming
        ---
        agent append #1 'a' headers={"a":"b"}
        agent append #1 'a' streaming headers={"a":"b"}
        agent append #1 'a' complete headers={"a":1}
        "#,
        expect![[r#"
            agent < nack 2 invalid-frame: unable to append; only an append that closes the
                  message may have headers, send an update instead
            agent < nack 3 invalid-frame: unable to append; only an append that closes the
                  message may have headers, send an update instead
            agent < nack 4 invalid-frame: unable to append; headers: it is the number 1, not
                  text
        "#]],
    );
}

/// P3.5: who was away when headers came with the end gets the message whole; who missed no more
/// than text and a status gets no more.
#[test]
fn who_was_away_gets_headers_with_the_whole_message() {
    check(
        r#"
        agent attach
        alice attach window=0
        agent publish 'one' streaming headers={"a":"1"} and 'two' streaming and 'three' streaming
        alice drop
        agent append #1 '!' seq=1 complete headers={"b":"2"}
        agent append #2 '!' seq=1 complete
        agent update #3 complete
        evict
        ---
        alice attach since
        alice holds
        "#,
        expect![[r#"
            alice < attached #6 resumed, has older
            alice < update #1 v#4 agent 'one!' headers={"b":"2"} complete seq=1
            alice | append #2 v#5 @3 '!' complete
            alice | append #3 v#6 @5 '' complete
            alice < caught-up #6
            alice holds #1 "one!" complete
            alice holds #2 "two!" complete
            alice holds #3 "three" complete
        "#]],
    );
}

/// P4.3: an update with a status replaces and closes in one entry and one frame.
#[test]
fn an_update_may_close() {
    check(
        r#"
        alice attach window=0
        agent attach
        agent publish '{"a"' streaming
        agent append #1 ':' seq=1
        ---
        agent update #1 data={"a":1} seq=2 complete headers={"toolCallId":"c"}
        agent update #1 data={"a":1} seq=2 complete headers={"toolCallId":"c"}
        agent append #1 'x' seq=3
        agent update #1 'late' seq=3 failed
        agent update #1 'late' failed
        agent update #1 data={"a":2}
        "#,
        expect![[r#"
            agent < update #1 v#3 agent {"a":1} headers={"toolCallId":"c"} complete seq=2
            agent | ack 3 #1 v#3 seq=2
            alice < update #1 v#3 agent {"a":1} headers={"toolCallId":"c"} complete seq=2
            agent < ack 4 #1 v#3 seq=2 duplicate
            agent < nack 5 closed: unable to append; message #1 is closed
            agent < nack 6 closed: unable to update; message #1 is closed
            agent < nack 7 closed: unable to update; message #1 is closed
            agent < update #1 v#4 agent {"a":2} headers={"toolCallId":"c"} complete seq=2
            agent | ack 8 #1 v#4
            alice < update #1 v#4 agent {"a":2} headers={"toolCallId":"c"} complete seq=2
        "#]],
    );
}

/// P4.3: what is pending is told before the update that closes, and its text may be long.
#[test]
fn an_update_that_closes_comes_after_what_was_appended() {
    check(
        "
        alice attach window=100
        agent attach
        agent publish 'a' streaming and 'b' streaming
        agent append #1 'b' seq=1
        ---
        agent append #2 'c' seq=1; append #1 'c' seq=2; update #1 'whole' seq=3 cancelled; \
            append #2 'd' seq=2
        wait 200
        alice holds
        ",
        expect![[r#"
            agent < ack 3 #2 v#5 seq=1
            agent | ack 4 #1 v#4 seq=2
            agent | update #1 v#6 agent 'whole' cancelled seq=3
            agent | ack 5 #1 v#6 seq=3
            alice < append #1 v#4 @2 'c'
            alice | append #2 v#5 @1 'c'
            alice | update #1 v#6 agent 'whole' cancelled seq=3
            -- 100 ms
            agent < ack 6 #2 v#7 seq=2
            alice < append #2 v#7 @2 'd'
            alice holds #1 "whole" cancelled
            alice holds #2 "bcd" streaming
        "#]],
    );
}

/// P4.3, P5.3: without data the text stays, so nothing of it may be missing.
#[test]
fn an_update_with_a_status_alone_closes_what_was_appended() {
    check(
        "
        alice attach window=0
        agent attach
        agent publish 'a' streaming and 'b' streaming
        agent append #1 'b' seq=1
        ---
        agent update #1 seq=3 complete
        agent update #1 seq=2 complete
        agent update #1 seq=2 complete
        agent update #2 complete
        agent update #2 complete
        alice holds
        ",
        expect![[r#"
            agent < nack 3 gap: unable to update; message #1 expects seq 2 and holds 2
                  expectedSeq=2 length=2
            agent < update #1 v#4 agent complete seq=2
            agent | ack 4 #1 v#4 seq=2
            alice < update #1 v#4 agent complete seq=2
            agent < ack 5 #1 v#4 seq=2 duplicate
            agent < update #2 v#5 agent complete
            agent | ack 6 #2 v#5
            alice < update #2 v#5 agent complete
            agent < nack 7 closed: unable to update; message #2 is closed
            alice holds #1 "ab" complete
            alice holds #2 "b" complete
        "#]],
    );
}

/// P4.3: only what streams is closed, and nothing streams again.
#[test]
fn an_update_closes_only_what_streams() {
    check(
        "
        agent attach
        agent publish 'whole'
        agent publish '' streaming
        ---
        agent update #1 'x' complete
        agent update #2 'x' streaming
        agent update #2 status=ended
        agent update #2
        ",
        expect![[r#"
            agent < nack 3 closed: unable to update; message #1 is closed
            agent < nack 4 invalid-frame: unable to update; status is streaming, not complete,
                  cancelled or failed
            agent < nack 5 invalid-frame: unable to update; status: it is `ended`, not one of
                  `streaming`, `complete`, `cancelled`, `failed`
            agent < nack 6 invalid-frame: unable to update; none of data, headers and status
                  are given
        "#]],
    );
}

/// P6.8, P5.3: the end is fenced like any output, and sent again until it is acknowledged.
#[test]
fn the_end_of_a_final_turn_is_acknowledged_again() {
    check(
        "
        agent attach
        agent/2 attach
        agent start t1; publish 'a' turn=t1 streaming and 'b' turn=t1 streaming
        ---
        agent/2 update #2 'c' seq=1 complete
        agent update #2 'c' seq=1 complete; end t1 complete
        agent update #2 'c' seq=1 complete
        agent update #3 'c' seq=1 complete
        agent update #2 'd' seq=2 complete
        ",
        expect![[r#"
            agent/2 < nack 1 not-leader: unable to update; turn t1 was not taken over this
                  connection, send its current attempt with the frame
            agent < update #2 v#4 agent turn=t1 'c' complete seq=1
            agent | ack 3 #2 v#4 seq=1
            agent | append #3 v#5 @1 '' complete
            agent | turn.end #6 t1 complete agent
            agent | ack 4 t1 complete agent
            agent/2 < update #2 v#4 agent turn=t1 'c' complete seq=1
            agent/2 | append #3 v#5 @1 '' complete
            agent/2 | turn.end #6 t1 complete agent
            agent < ack 5 #2 v#4 seq=1 duplicate
            agent < nack 6 turn-closed: unable to update; turn t1 is complete
            agent < nack 7 turn-closed: unable to update; turn t1 is complete
        "#]],
    );
}

/// P5.1: a message that ended is alone no longer, and one that is over wakes nobody.
#[test]
fn what_an_update_closed_is_not_waited_for() {
    check(
        "
        agent attach
        agent publish 'a' streaming
        agent update #1 complete
        ---
        alarm
        evict
        alice attach
        alice holds
        ",
        expect![[r#"
            alarm: Some(300000)
            alice < attached #2 anew
            alice < create #1 v#2 agent 'a' complete
            alice < caught-up #2
            alice holds #1 "a" complete
        "#]],
    );
}

/// P13.1: an update with an id may be sent again without a `seq`.
#[test]
fn an_update_that_closes_is_known_by_its_id() {
    check(
        "
        agent attach
        agent publish 'a' streaming
        ---
        agent update #1 'b' complete id=u1
        agent update #1 'b' complete id=u1
        ",
        expect![[r#"
            agent < update #1 v#2 agent 'b' complete
            agent | ack 2 #1 v#2
            agent < ack 3 #1 v#2 duplicate
        "#]],
    );
}
