//! Appends grouped in time (P5.4).

use crate::world::check;
use expect_test::expect;

/// P5.4: the first append after a pause goes out at once; those that follow within the window are
/// sent as one.
#[test]
fn a_window_groups_what_follows_the_first() {
    check(
        "
        agent attach
        alice attach window=40
        agent publish '' streaming
        wait 1000
        ---
        agent append #1 'a'
        wait 10
        agent append #1 'b'
        wait 10
        agent append #1 'c'
        wait 20
        wait 100
        agent append #1 'd'
        ",
        expect![[r#"
            -- 1000 ms
            agent < ack 2 #1 v#2
            alice < append #1 v#2 @0 'a'
            -- 1040 ms
            agent < ack 3 #1 v#3
            agent | ack 4 #1 v#3
            alice < append #1 v#3 @1 'bc'
            -- 1140 ms
            agent < ack 5 #1 v#4
            alice < append #1 v#4 @3 'd'
        "#]],
    );
}

/// P5.4: 0 means that nothing waits for a clock.
#[test]
fn without_a_window_nothing_waits() {
    check(
        "
        agent attach window=500
        alice attach window=0
        agent publish '' streaming
        ---
        agent append #1 'a'
        agent append #1 'b'
        + agent append #1 'c'
        timer
        ",
        expect![[r#"
            agent < ack 2 #1 v#2
            alice < append #1 v#2 @0 'a'
            agent < ack 3 #1 v#3
            agent | ack 4 #1 v#3
            alice < append #1 v#3 @1 'bc'
            timer: None
        "#]],
    );
}

/// P5.4: a window changes how often frames come, never what they add up to.
#[test]
fn every_window_adds_up_to_the_same() {
    check(
        "
        agent attach
        alice attach window=0
        bob attach window=40
        carol attach window=500
        agent publish '' streaming
        wait 1000
        ---
        agent append #1 'a'
        wait 20
        agent append #1 'b'
        wait 20
        agent append #1 'c'
        wait 20
        agent append #1 'd'
        wait 500
        alice holds
        bob holds
        carol holds
        timer
        ",
        expect![[r#"
            -- 1000 ms
            agent < ack 2 #1 v#2
            alice < append #1 v#2 @0 'a'
            bob < append #1 v#2 @0 'a'
            carol < append #1 v#2 @0 'a'
            -- 1020 ms
            agent < ack 3 #1 v#3
            alice < append #1 v#3 @1 'b'
            -- 1040 ms
            bob < append #1 v#3 @1 'b'
            agent < ack 4 #1 v#4
            alice < append #1 v#4 @2 'c'
            -- 1060 ms
            agent < ack 5 #1 v#5
            alice < append #1 v#5 @3 'd'
            -- 1080 ms
            bob < append #1 v#5 @2 'cd'
            -- 1500 ms
            carol < append #1 v#5 @1 'bcd'
            alice holds #1 "abcd" streaming
            bob holds #1 "abcd" streaming
            carol holds #1 "abcd" streaming
            timer: None
        "#]],
    );
}

/// P5.4: the end of a message closes the window.
#[test]
fn the_end_closes_the_window() {
    check(
        "
        agent attach
        alice attach window=500
        agent publish '' streaming
        agent append #1 'a'
        wait 10
        ---
        agent append #1 'b'
        agent append #1 'c' complete
        timer
        ",
        expect![[r#"
            -- 10 ms
            agent < ack 3 #1 v#3
            agent | ack 4 #1 v#3
            alice < append #1 v#3 @1 'bc' complete
            timer: None
        "#]],
    );
}

/// P3.7: before any other frame goes to a connection, what its window holds goes first, in the
/// same array.
#[test]
fn another_frame_brings_what_is_held_with_it() {
    check(
        "
        agent attach
        alice attach window=500
        bob attach window=0
        agent publish '' streaming
        agent append #1 'a'
        wait 10
        agent append #1 'b'
        wait 1
        ---
        agent append #1 'c'
        + bob publish 'hi'
        ",
        expect![[r#"
            -- 11 ms
            agent < ack 4 #1 v#4
            agent | create #5 bob 'hi'
            alice < append #1 v#4 @1 'bc'
            alice | create #5 bob 'hi'
            bob < append #1 v#4 @2 'c'
            bob | create #5 bob 'hi'
            bob | ack 1 #5
        "#]],
    );
}

/// P3.7: a signal has no place in the log, so nothing goes before it.
#[test]
fn a_signal_does_not_wait_for_what_is_held() {
    check(
        "
        agent attach
        alice attach window=500
        bob attach window=0
        agent publish '' streaming
        agent append #1 'a'
        wait 10
        agent append #1 'b'
        wait 1
        ---
        bob signal look
        ",
        expect![[r#"
            -- 11 ms
            agent < signal bob look
            alice < signal bob look
            bob < signal bob look
            bob | ack 1 {}
        "#]],
    );
}

/// P3.7: what a window held back for several messages is sent in one array, in the log's order.
#[test]
fn several_messages_are_held_for_one_array() {
    check(
        "
        agent attach window=500
        alice attach window=100
        agent publish '' and '' streaming
        agent publish '' streaming
        agent publish '' streaming
        agent append #4 'x'
        wait 100
        ---
        agent append #4 'a'
        + agent append #3 'b'
        + agent append #4 'c'
        wait 100
        ",
        expect![[r#"
            -- 100 ms
            agent < ack 5 #4 v#7
            agent | ack 6 #3 v#6
            agent | ack 7 #4 v#7
            alice < append #3 v#6 @0 'b'
            alice | append #4 v#7 @1 'ac'
        "#]],
    );
}

/// P5.4: storage is written once per message and shortest window, and acks come with it.
#[test]
fn one_change_per_shortest_window() {
    check(
        "
        agent attach window=500
        alice attach window=100
        bob attach window=500
        agent publish '' streaming
        agent append #1 'x' seq=1
        wait 1000
        agent append #1 'x' seq=2
        ---
        wait 10
        agent append #1 'a' seq=3
        wait 50
        agent append #1 'b' seq=4
        wait 50
        agent append #1 'c' seq=5
        wait 400
        ",
        expect![[r#"
            -- 1100 ms
            agent < ack 4 #1 v#4 seq=3
            agent | ack 5 #1 v#4 seq=4
            alice < append #1 v#4 @2 'ab'
            -- 1200 ms
            agent < ack 6 #1 v#5 seq=5
            alice < append #1 v#5 @4 'c'
            -- 1500 ms
            bob < append #1 v#5 @2 'abc'
        "#]],
    );
}

/// P5.4: text is stored and sent early when there is much of it.
#[test]
fn much_text_does_not_wait() {
    check(
        "
        agent attach
        alice attach window=500
        agent publish '' streaming
        agent append #1 'x'
        wait 10
        ---
        agent floods 20000 append #1 '…'
        timer
        agent floods 60000 append #1 '…'
        timer
        wait 500
        agent append #1 'y'
        wait 10
        agent append #1 'z'
        timer
        ",
        expect![[r#"
            -- 10 ms
            agent < ack 3 #1 v#3
            timer: Some(490)
            agent < ack 4 #1 v#4
            alice < append #1 v#4 @1 'xxxxxxxxxxxx…' (80000)
            timer: None
            -- 510 ms
            agent < ack 5 #1 v#5
            alice < append #1 v#5 @80001 'y'
            timer: Some(490)
        "#]],
    );
}

/// P5.4: the end of an HTTP request closes the window.
#[test]
fn a_request_waits_for_no_window() {
    check(
        "
        alice attach window=500
        agent post publish '' streaming
        agent post append #1 'a' seq=1
        ---
        agent post append #1 'b' seq=2; append #1 'c' seq=3
        ",
        expect![[r##"
            alice < append #1 v#3 @1 'bc'
            agent = 200 [{"ref":3,"result":{"seq":2,"serial":"#1","version":"#3"},"type":"ack"},
                  {"ref":4,"result":{"seq":3,"serial":"#1","version":"#3"},"type":"ack"}]
        "##]],
    );
}

/// P3.2: a dropped agent loses nothing that it was pending.
#[test]
fn what_was_taken_is_stored_without_its_sender() {
    check(
        "
        agent attach
        alice attach window=100
        agent publish '' streaming
        agent append #1 'a'
        wait 10
        agent append #1 'b'
        agent drop
        ---
        wait 100
        ",
        expect![[r#"
            -- 100 ms
            agent < ack 3 #1 v#3
            alice < append #1 v#3 @1 'b'
        "#]],
    );
}

/// P5.4: what is due at once and comes alone waits for no timer, not even for one of 0 ms.
#[test]
fn what_comes_alone_waits_for_nothing() {
    check(
        "
        agent attach window=500
        alice attach window=0
        agent publish '' streaming
        ---
        agent alone append #1 'a'
        + timer
        agent append #1 'b'
        + timer
        ",
        expect![[r#"
            agent < ack 2 #1 v#2
            alice < append #1 v#2 @0 'a'
            timer: None
            timer: Some(0)
            agent < ack 3 #1 v#3
            alice < append #1 v#3 @1 'b'
        "#]],
    );
}

/// P5.4: a window is kept all the same.
#[test]
fn what_comes_alone_waits_for_its_window() {
    check(
        "
        agent attach window=500
        alice attach window=100
        agent publish '' streaming
        ---
        agent alone append #1 'a'
        + timer
        agent alone append #1 'b'
        + timer
        ",
        expect![[r#"
            agent < ack 2 #1 v#2
            alice < append #1 v#2 @0 'a'
            timer: None
            timer: Some(100)
        "#]],
    );
}
