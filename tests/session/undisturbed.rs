//! A frame that is refused, and a reader that attaches, end nobody's window: a stream costs as many
//! rows and frames as without them (P5.4, P13.4).

use crate::world::check;
use expect_test::expect;

/// P13.4: a right, a fence, a version that does not match: nothing is stored for a refusal.
#[test]
fn refusals_end_no_window() {
    check(
        "
        agent attach window=500 rewind=0
        bob attach window=500 rewind=0
        viewer attach window=500 rewind=0
        agent publish '' streaming
        agent append #1 'a'
        wait 500
        ---
        agent append #1 'b'
        agent append #1 'c'
        rows
        viewer update #1 'x'
        viewer delete #1
        viewer publish 'x'
        bob update #1 'x'
        bob delete #1
        bob start t1
        viewer cancel all
        agent update #1 'x' ifVersion=#9
        agent update #1 'x' ifVersion=#3
        agent delete #1 ifVersion=#3
        agent end t1 complete
        agent publish 'x' parent=#9
        agent publish 'x' turn=t9
        bob post update #1 'x'
        bob post delete #1
        viewer post publish 'x'
        viewer post append #1 'x'
        rows
        wait 500
        ",
        expect![[r#"
            -- 500 ms
            agent < ack 3 #1 v#3
            bob < append #1 v#3 @1 'b'
            viewer < append #1 v#3 @1 'b'
            rows: 4
            viewer < nack 1 forbidden: unable to update; the token lacks the operation edit for
                  session s1, it has read, presence
            viewer < nack 2 forbidden: unable to delete; the token lacks the operation edit for
                  session s1, it has read, presence
            viewer < nack 3 forbidden: unable to publish; the token lacks the operation publish
                  for session s1, it has read, presence
            bob < nack 1 forbidden: unable to update; the token lacks the operation edit for
                  session s1, it has read, publish, presence, cancel, steer, approve, state,
                  annotate, push
            bob < nack 2 forbidden: unable to delete; the token lacks the operation edit for
                  session s1, it has read, publish, presence, cancel, steer, approve, state,
                  annotate, push
            bob < nack 3 forbidden: unable to start the turn; the token lacks the operation
                  turn for session s1, it has read, publish, presence, cancel, steer, approve,
                  state, annotate, push
            viewer < nack 4 forbidden: unable to cancel; the token lacks the operation cancel
                  for session s1, it has read, presence
            bob = 403 {"error":{"code":"forbidden","message":"unable to update; the token lacks
                  the operation edit for session s1, it has read, publish, presence, cancel,
                  steer, approve, state, annotate, push","status":403},"ref":4,"type":"nack"}
            bob = 403 {"error":{"code":"forbidden","message":"unable to delete; the token lacks
                  the operation edit for session s1, it has read, publish, presence, cancel,
                  steer, approve, state, annotate, push","status":403},"ref":5,"type":"nack"}
            viewer = 403 {"error":{"code":"forbidden","message":"unable to publish; the token
                  lacks the operation publish for session s1, it has read, presence",
                  "status":403},"ref":5,"type":"nack"}
            viewer = 403 {"error":{"code":"forbidden","message":"unable to append; the token
                  lacks the operation edit for session s1, it has read, presence; message #1 is
                  agent's","status":403},"ref":6,"type":"nack"}
            rows: 0
            -- 1000 ms
            agent < ack 4 #1 v#4
            agent | nack 5 conflict: unable to update; message #1 is growing beyond version #3
            agent | nack 6 conflict: unable to update; message #1 is growing beyond version #3
            agent | nack 7 conflict: unable to delete; message #1 is growing beyond version #3
            agent | nack 8 not-found: unable to end the turn; there is no turn t1
            agent | nack 9 not-found: unable to publish after parent; there is no message #9
            agent | nack 10 not-found: unable to publish; there is no turn t9
            bob < append #1 v#4 @2 'c'
            viewer < append #1 v#4 @2 'c'
        "#]],
    );
}

/// P3.4: who attaches in the middle of a window has what is stored, and the rest at its end, with
/// everybody else.
#[test]
fn attaching_ends_no_window() {
    check(
        "
        agent attach window=500 rewind=0
        bob attach window=500 rewind=0
        fast attach window=100 rewind=0
        agent publish 'a' streaming
        agent append #1 'b'
        wait 500
        agent append #1 'c'
        wait 100
        ---
        rows
        carol attach window=500
        agent append #1 'd'
        carol/2 attach window=500
        carol/3 attach window=100
        rows
        wait 100
        carol/4 attach window=500
        wait 400
        agent append #1 'e'
        wait 500
        ",
        expect![[r#"
            rows: 4
            -- 600 ms
            carol < attached #3 anew
            carol < create #1 v#3 agent 'abc' streaming
            carol < caught-up #3
            agent < ack 4 #1 v#4
            fast < append #1 v#4 @3 'd'
            carol/2 < attached #4 anew
            carol/2 < create #1 v#4 agent 'abcd' streaming
            carol/2 < caught-up #4
            carol/3 < attached #4 anew
            carol/3 < create #1 v#4 agent 'abcd' streaming
            carol/3 < caught-up #4
            rows: 1
            -- 700 ms
            carol/4 < attached #4 anew
            carol/4 < create #1 v#4 agent 'abcd' streaming
            carol/4 < caught-up #4
            -- 1000 ms
            bob < append #1 v#4 @3 'd'
            carol < append #1 v#4 @3 'd'
            -- 1100 ms
            agent < ack 5 #1 v#5
            carol/3 < append #1 v#5 @4 'e'
            fast < append #1 v#5 @4 'e'
            -- 1500 ms
            bob < append #1 v#5 @4 'e'
            carol < append #1 v#5 @4 'e'
            carol/2 < append #1 v#5 @4 'e'
            carol/4 < append #1 v#5 @4 'e'
        "#]],
    );
}

/// P3.4: who leaves again before that leaves nothing behind.
#[test]
fn leaving_again_ends_no_window() {
    check(
        "
        agent attach window=500 rewind=0
        bob attach window=500 rewind=0
        fast attach window=100 rewind=0
        agent publish 'a' streaming
        agent append #1 'b'
        wait 500
        agent append #1 'c'
        wait 100
        ---
        carol attach window=500 rewind=0
        carol drop
        bob drop
        carol attach window=500 rewind=0
        fast drop
        agent append #1 'd'
        carol/2 attach window=500 rewind=0
        carol drop
        wait 500
        timer
        ",
        expect![[r#"
            -- 600 ms
            carol < attached #3 anew, has older
            carol < create #1 v#3 agent 'abc' streaming
            carol < caught-up #3
            carol < attached #3 anew, has older
            carol < create #1 v#3 agent 'abc' streaming
            carol < caught-up #3
            carol/2 < attached #3 anew, has older
            carol/2 < create #1 v#3 agent 'abc' streaming
            carol/2 < caught-up #3
            -- 1000 ms
            agent < ack 4 #1 v#4
            carol/2 < append #1 v#4 @3 'd'
            timer: None
        "#]],
    );
}

/// P6.5: a cancel that cancels nothing stores nothing.
#[test]
fn idle_cancels_end_no_window() {
    check(
        "
        agent attach window=500 rewind=0
        bob attach window=500 rewind=0
        agent publish '' streaming
        agent append #1 'a'
        wait 500
        ---
        agent append #1 'b'
        agent append #1 'c'
        rows
        bob cancel all
        bob cancel all
        rows
        wait 500
        ",
        expect![[r#"
            -- 500 ms
            agent < ack 3 #1 v#3
            bob < append #1 v#3 @1 'b'
            rows: 4
            bob < ack 1 []
            bob < ack 2 []
            rows: 0
            -- 1000 ms
            agent < ack 4 #1 v#4
            bob < append #1 v#4 @2 'c'
        "#]],
    );
}
