//! The replay of a connection before it is live (P3.3–P3.8).

use crate::world::check;
use expect_test::expect;

/// P1.2: attaching to a session that never existed gives an empty one and writes nothing.
#[test]
fn an_empty_session_stays_unwritten() {
    check(
        "
        alice attach
        tables
        alice drop
        alice get snapshot
        alice get messages
        tables
        ",
        expect![[r##"
            alice < attached #0 anew
            alice < caught-up #0
            tables: 0
            alice = 200 {"approvals":[],"calls":[],"grants":[],"hasOlder":false,"messages":[],
                  "presence":[],"serial":"#0","session":"s1","settings":{},"turns":[]}
            alice = 200 {"hasMore":false,"messages":[]}
            tables: 0
        "##]],
    );
}

/// P3.4: `attached`, the replay, `caught-up`, then live frames.
#[test]
fn a_replay_comes_before_what_is_live() {
    check(
        "
        bob attach
        bob publish 'one'
        bob publish 'two'
        ---
        alice attach
        bob publish 'three'
        ",
        expect![[r#"
            alice < attached #2 anew
            alice < create #1 bob 'one'
            alice | create #2 bob 'two'
            alice < caught-up #2
            alice < create #3 bob 'three'
            bob < create #3 bob 'three'
            bob | ack 3 #3
        "#]],
    );
}

/// P3.3: `rewind` starts with the newest N messages.
#[test]
fn rewind_goes_back_so_many_messages() {
    check(
        "
        bob attach
        bob publish '1' and '2' and '3' and '4'
        ---
        alice attach rewind=2
        carol attach rewind=4
        dave attach rewind=0
        ",
        expect![[r#"
            alice < attached #4 anew, has older
            alice < create #3 bob '3'
            alice | create #4 bob '4'
            alice < caught-up #4
            carol < attached #4 anew
            carol < create #1 bob '1'
            carol | create #2 bob '2'
            carol | create #3 bob '3'
            carol | create #4 bob '4'
            carol < caught-up #4
            dave < attached #4 anew, has older
            dave < caught-up #4
        "#]],
    );
}

/// P3.3: and always with those still streaming.
#[test]
fn rewind_brings_every_stream() {
    check(
        "
        agent attach
        agent publish 'old' streaming
        agent publish 'a' and 'b' and 'c'
        agent append #1 'er'
        ---
        alice attach rewind=1
        bob attach rewind=0
        ",
        expect![[r#"
            alice < attached #5 anew, has older
            alice < create #1 v#5 agent 'older' streaming
            alice | create #4 agent 'c'
            alice < caught-up #5
            bob < attached #5 anew, has older
            bob < create #1 v#5 agent 'older' streaming
            bob < caught-up #5
        "#]],
    );
}

/// P3.3: a replay is restricted to the names as live frames are.
#[test]
fn names_restrict_a_replay() {
    check(
        "
        agent attach
        alice attach names=answer
        agent publish 'a' name=answer and 'b' name=progress
        alice drop
        agent publish 'c' name=answer and 'd' name=progress
        agent update #1 'A'
        agent update #2 'B'
        ---
        alice attach since names=answer
        bob attach names=progress rewind=1
        ",
        expect![[r#"
            alice < attached #6 resumed, has older
            alice < update #1 v#5 agent name=answer 'A'
            alice | create #3 agent name=answer 'c'
            alice < caught-up #6
            bob < attached #6 anew, has older
            bob < create #4 agent name=progress 'd'
            bob < caught-up #6
        "#]],
    );
}

/// P3.4: between replay and live nothing is missing, though text is pending.
#[test]
fn nothing_falls_between_replay_and_live() {
    check(
        "
        agent attach
        alice attach window=500
        agent publish '' streaming
        agent append #1 'a'
        agent append #1 'b'
        ---
        bob attach window=500
        agent append #1 'c'
        wait 500
        alice holds
        bob holds
        ",
        expect![[r#"
            bob < attached #2 anew
            bob < create #1 v#2 agent 'a' streaming
            bob < caught-up #2
            -- 500 ms
            agent < ack 3 #1 v#3
            agent | ack 4 #1 v#3
            alice < append #1 v#3 @1 'bc'
            bob < append #1 v#3 @1 'bc'
            alice holds #1 "abc" streaming
            bob holds #1 "abc" streaming
        "#]],
    );
}

/// P3.8: an event stream reads like a socket, and takes no frames.
#[test]
fn an_event_stream_takes_no_frames() {
    check(
        "
        bob attach
        alice attach events
        ---
        bob publish 'hi'
        alice publish 'no'
        ",
        expect![[r#"
            alice < create #1 bob 'hi'
            bob < create #1 bob 'hi'
            bob | ack 1 #1
            alice x 4429 too many messages
        "#]],
    );
}

/// P3.4, invariant 5: a session that slept goes on as if nothing had happened.
#[test]
fn sleep_is_invisible() {
    check(
        "
        agent attach
        alice attach window=0
        agent publish 'a' streaming
        agent append #1 'b' seq=1
        wait 300
        evict
        ---
        agent append #1 'c' seq=2
        wait 300
        evict
        agent append #1 'c' seq=2
        agent append #1 'd' seq=3 complete
        evict
        alice publish 'thanks'
        ",
        expect![[r#"
            -- 300 ms
            agent < ack 3 #1 v#3 seq=2
            alice < append #1 v#3 @2 'c'
            -- 600 ms
            agent < ack 4 #1 v#3 seq=2 duplicate
            agent < ack 5 #1 v#4 seq=3
            alice < append #1 v#4 @3 'd' complete
            agent < create #5 alice 'thanks'
            alice < create #5 alice 'thanks'
            alice | ack 1 #5
        "#]],
    );
}

/// P1.2: a session that nobody has written to keeps its epoch over a sleep.
#[test]
fn an_empty_session_keeps_its_epoch() {
    check(
        "
        alice attach
        evict
        bob attach since=#0
        alice publish 'first'
        ",
        expect![[r#"
            alice < attached #0 anew
            alice < caught-up #0
            bob < attached #0 resumed
            bob < caught-up #0
            alice < create #1 alice 'first'
            alice | ack 1 #1
            bob < create #1 alice 'first'
        "#]],
    );
}

/// P3.2: a process that dies before it stored anything has said nothing.
#[test]
fn what_was_not_stored_was_not_said() {
    check(
        "
        agent attach
        alice attach window=0
        agent publish 'a' streaming
        dies before
        agent append #1 'b' seq=1
        ---
        agent attach since
        alice attach since
        agent append #1 'b' seq=1
        wait 1
        alice holds
        ",
        expect![[r#"
            agent < attached #1 resumed, has older
            agent < caught-up #1
            alice < attached #1 resumed, has older
            alice < caught-up #1
            agent < ack 3 #1 v#2 seq=1
            alice < append #1 v#2 @1 'b'
            alice holds #1 "ab" streaming
        "#]],
    );
}

/// P3.2: one that dies when it has stored it says so when it is asked again.
#[test]
fn what_was_stored_is_acknowledged_when_it_comes_again() {
    check(
        "
        agent attach
        alice attach window=0
        dies after
        agent publish 'a' id=x
        ---
        agent attach
        alice attach since
        agent publish 'a' id=x
        ",
        expect![[r#"
            agent < attached #1 anew
            agent < create #1 agent id=x 'a'
            agent < caught-up #1
            alice < attached #1 resumed
            alice < create #1 agent id=x 'a'
            alice < caught-up #1
            agent < ack 2 #1 id="x" duplicate
        "#]],
    );
}
