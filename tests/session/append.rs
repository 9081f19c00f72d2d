//! Streaming messages grow (P5.1–P5.3).

use crate::world::check;
use expect_test::expect;

/// P3.10: an append says how long the text was before it.
#[test]
fn an_append_is_sent_with_its_offset() {
    check(
        "
        alice attach window=0
        agent attach
        agent publish 'Hel' streaming
        ---
        agent append #1 'lo' seq=1
        wait 40
        agent append #1 ', 👍🏽' seq=2
        wait 40
        agent append #1 '!' seq=3 complete
        alice holds
        ",
        expect![[r#"
            agent < ack 2 #1 v#2 seq=1
            alice < append #1 v#2 @3 'lo'
            -- 40 ms
            agent < ack 3 #1 v#3 seq=2
            alice < append #1 v#3 @5 ', 👍🏽'
            -- 80 ms
            agent < ack 4 #1 v#4 seq=3
            alice < append #1 v#4 @11 '!' complete
            alice holds #1 "Hello, 👍🏽!" complete
        "#]],
    );
}

/// P3.7: only the appends that a connection made itself are not sent back to it.
#[test]
fn ones_own_appends_are_not_sent_back() {
    check(
        "
        agent attach window=0
        agent/phone attach window=0
        agent publish 'a' streaming
        ---
        agent append #1 'b'
        wait 10
        agent/phone append #1 'c'
        wait 10
        agent append #1 'd' complete
        ",
        expect![[r#"
            agent < ack 2 #1 v#2
            agent/phone < append #1 v#2 @1 'b'
            -- 10 ms
            agent < append #1 v#3 @2 'c'
            agent/phone < ack 1 #1 v#3
            -- 20 ms
            agent < ack 3 #1 v#4
            agent/phone < append #1 v#4 @3 'd' complete
        "#]],
    );
}

/// P3.7: a close is an append like any other: not sent back to who made it.
#[test]
fn the_end_is_told_to_the_others() {
    check(
        "
        agent attach window=0
        alice attach window=0
        agent publish 'a' streaming
        ---
        agent append #1 '' failed
        ",
        expect![[r#"
            agent < ack 2 #1 v#2
            alice < append #1 v#2 @1 '' failed
        "#]],
    );
}

/// P5.3: appends that arrive in one turn of the event loop are one change.
#[test]
fn appends_of_one_turn_share_a_version() {
    check(
        "
        agent attach
        alice attach window=0
        agent publish '' streaming
        ---
        agent append #1 'a' seq=1
        + agent append #1 'b' seq=2
        + agent append #1 'c' seq=3
        wait 1
        ",
        expect![[r#"
            agent < ack 2 #1 v#2 seq=1
            agent | ack 3 #1 v#2 seq=2
            agent | ack 4 #1 v#2 seq=3
            alice < append #1 v#2 @0 'abc'
        "#]],
    );
}

/// P5.1: a closed message takes no appends; a repeat of one that it took is still acknowledged.
#[test]
fn a_closed_message_takes_no_appends() {
    check(
        "
        agent attach
        agent publish '' streaming
        agent append #1 'a' seq=1 complete
        ---
        agent append #1 'b' seq=2
        agent append #1 'b'
        agent append #1 'a' seq=1 complete
        ",
        expect![[r#"
            agent < nack 3 closed: unable to append; message #1 is closed
            agent < nack 4 closed: unable to append; message #1 is closed
            agent < ack 5 #1 v#2 seq=1 duplicate
        "#]],
    );
}

/// P5.1: a message that never streamed takes none.
#[test]
fn only_streams_take_appends() {
    check(
        "
        agent attach
        agent publish 'whole'
        agent publish 'whole' complete
        ---
        agent append #1 'b'
        agent append #2 'b'
        agent append #7 'b'
        ",
        expect![[r#"
            agent < nack 3 closed: unable to append; message #1 is closed
            agent < nack 4 closed: unable to append; message #2 is closed
            agent < nack 5 not-found: unable to append; there is no message #7
        "#]],
    );
}

/// P4.3: a deleted message takes none.
#[test]
fn a_deleted_message_takes_no_appends() {
    check(
        "
        agent attach
        agent publish '' streaming
        agent delete #1
        ---
        agent append #1 'b'
        ",
        expect![[r#"
            agent < nack 3 deleted: unable to append; message #1 is deleted
        "#]],
    );
}

/// P5.2: only the client that created a message appends to it, or one with `edit`.
#[test]
fn who_may_append() {
    check(
        "
        agent attach
        alice attach window=0
        supervisor attach
        agent publish '' streaming
        ---
        alice append #1 'x'
        agent/other attach rewind=0
        agent/other append #1 'a'
        wait 1
        supervisor append #1 'b'
        wait 1
        ",
        expect![[r#"
            alice < nack 1 forbidden: unable to append; the token lacks the operation edit for
                  session s1, it has read, publish, presence, cancel, steer, approve, state,
                  annotate, push; message #1 is agent's
            agent/other < attached #1 anew, has older
            agent/other < create #1 agent '' streaming
            agent/other < caught-up #1
            agent < append #1 v#2 @0 'a'
            agent/other < ack 1 #1 v#2
            alice < append #1 v#2 @0 'a'
            supervisor < append #1 v#2 @0 'a'
            -- 1 ms
            alice < append #1 v#3 @1 'b'
            supervisor < ack 1 #1 v#3
        "#]],
    );
}

/// P3.7: what one connection appended goes out before what another appends, so that each is
/// spared only its own.
#[test]
fn appends_of_two_connections_are_kept_apart() {
    check(
        "
        agent attach window=500
        agent/two attach window=500
        alice attach window=500
        agent publish '' streaming
        agent append #1 'a'
        wait 10
        ---
        agent append #1 'b'
        agent/two append #1 'c'
        agent append #1 'd'
        wait 500
        alice holds
        ",
        expect![[r#"
            -- 10 ms
            agent < ack 3 #1 v#3
            agent/two < append #1 v#3 @1 'b'
            alice < append #1 v#3 @1 'b'
            agent < append #1 v#4 @2 'c'
            agent/two < ack 1 #1 v#4
            alice < append #1 v#4 @2 'c'
            -- 510 ms
            agent < ack 4 #1 v#5
            agent/two < append #1 v#5 @3 'd'
            alice < append #1 v#5 @3 'd'
            alice holds #1 "abcd" streaming
        "#]],
    );
}

/// P5.1: an update that would leave a stream without text is refused.
#[test]
fn a_stream_stays_text() {
    check(
        "
        agent attach
        agent publish '' streaming
        ---
        agent update #1 {\"no\":\"text\"}
        agent update #1
        agent append #1 'a' complete
        agent update #1 {\"no\":\"text\"}
        ",
        expect![[r#"
            agent < nack 2 invalid-frame: unable to update; message #1 streams, data is not text
            agent < nack 3 invalid-frame: unable to update; none of data, headers and status
                  are given
            agent < ack 4 #1 v#2
            agent < update #1 v#3 agent {"no":"text"} complete
            agent | ack 5 #1 v#3
        "#]],
    );
}

/// P5.1: `status: "streaming"` in an append closes nothing.
#[test]
fn a_status_of_streaming_goes_on() {
    check(
        "
        agent attach
        agent publish '' streaming
        ---
        agent append #1 'a' streaming
        wait 250
        agent append #1 'b' cancelled
        ",
        expect![[r#"
            agent < ack 2 #1 v#2
            -- 250 ms
            agent < ack 3 #1 v#3
        "#]],
    );
}

/// P5.1: data of an append is text.
#[test]
fn an_append_is_text() {
    check(
        "
        agent attach
        agent publish '' streaming
        ---
        agent append #1 5
        agent raw \
        {\"type\":\"append\",\"ref\":\"r\",\"serial\":\"#1\",\"data\":\"x\",\"status\":\"done\"}
        agent raw {\"type\":\"append\",\"ref\":\"r\",\"data\":\"x\"}
        agent raw {\"type\":\"append\",\"ref\":\"r\",\"serial\":7,\"data\":\"x\"}
        ",
        expect![[r#"
            agent < nack 2 invalid-frame: unable to append; data: it is the number 5, not text
            agent < nack "r" invalid-frame: unable to append; status: it is `done`, not one of
                  `streaming`, `complete`, `cancelled`, `failed`
            agent < nack "r" invalid-frame: unable to append; serial is missing
            agent < nack "r" invalid-frame: unable to append; serial: it is the number 7, not
                  text
        "#]],
    );
}
