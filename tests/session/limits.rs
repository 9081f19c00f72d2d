//! Refusals of too much, too large and too fast (P14).

use crate::world::{check, check_with};
use expect_test::expect;
use sessile::protocol::limits::Limits;

/// P14: messages in one publish.
#[test]
fn messages_in_one_publish() {
    check_with(
        Limits {
            publish_messages: 2,
            ..Limits::default()
        },
        "
        alice attach
        ---
        alice publish 'a' and 'b' and 'c'
        ",
        expect![[r#"
            alice < nack 1 invalid-frame: unable to publish; messages has 3 items, not 1 to 2
        "#]],
    );
}

/// P14: the size of one frame.
#[test]
fn the_size_of_a_frame() {
    check_with(
        Limits {
            frame_bytes: 128,
            ..Limits::default()
        },
        "
        alice attach
        ---
        alice floods 200 publish '…'
        alice publish 'ok'
        ",
        expect![[r#"
            alice < nack 1 too-large: unable to read the message; 251 bytes of UTF-8 exceed the
                  limit of 128
            alice < create #1 alice 'ok'
            alice | ack 2 #1
        "#]],
    );
}

/// P13.3: a message many times too large closes the connection.
#[test]
fn a_huge_message_closes() {
    check_with(
        Limits {
            frame_bytes: 128,
            ..Limits::default()
        },
        "
        alice attach
        ---
        alice floods 2000 publish '…'
        ",
        expect![[r#"
            alice < nack null too-large: unable to read the message; 2051 bytes of UTF-8 exceed
                  the limit of 128
            alice x 4413 the message is too large
        "#]],
    );
}

/// P14: one message's data, after all appends, counted in UTF-8.
#[test]
fn the_size_of_a_message() {
    check_with(
        Limits {
            data_bytes: 10,
            ..Limits::default()
        },
        "
        agent attach
        ---
        agent publish 'ééééé'
        agent publish 'éééé' streaming
        agent append #2 'é'
        agent append #2 'é'
        agent append #2 'x'
        wait 300
        agent update #2 'ééééé!'
        agent publish {\"a\":\"bcdef\"}
        ",
        expect![[r#"
            agent < create #1 agent 'ééééé'
            agent | ack 1 #1
            agent < create #2 agent 'éééé' streaming
            agent | ack 2 #2
            agent < ack 3 #2 v#3
            agent < nack 4 too-large: unable to append; 12 bytes of UTF-8 exceed the limit of 10
            agent < nack 5 too-large: unable to append; 11 bytes of UTF-8 exceed the limit of 10
            -- 300 ms
            agent < nack 6 too-large: unable to update; 11 bytes of UTF-8 exceed the limit of 10
            agent < nack 7 too-large: unable to publish; 13 bytes of UTF-8 exceed the limit of
                  10
        "#]],
    );
}

/// P14: headers of a message, keys and bytes.
#[test]
fn headers_of_a_message() {
    check_with(
        Limits {
            header_keys: 2,
            header_bytes: 8,
            ..Limits::default()
        },
        "
        alice attach
        ---
        alice publish 'a' headers={\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"}
        alice publish 'a' headers={\"a\":\"12345678\"}
        alice publish 'a' headers={\"a\":\"1\",\"b\":\"2\"}
        alice update #1 headers={\"a\":\"12345678\"}
        alice publish 'a' headers={\"a\":1}
        ",
        expect![[r#"
            alice < nack 1 too-large: unable to publish; messages[0].headers has more than 2
                  keys or 8 bytes of UTF-8
            alice < nack 2 too-large: unable to publish; messages[0].headers has more than 2
                  keys or 8 bytes of UTF-8
            alice < create #1 alice 'a' headers={"a":"1","b":"2"}
            alice | ack 3 #1
            alice < nack 4 too-large: unable to update; headers has more than 2 keys or 8 bytes
                  of UTF-8
            alice < nack 5 invalid-frame: unable to publish; messages[0].headers: it is the
                  number 1, not text
        "#]],
    );
}

/// P14: an `id`, a `ref`, a `name`, in characters.
#[test]
fn the_length_of_names() {
    check_with(
        Limits {
            name_length: 4,
            ..Limits::default()
        },
        "
        alice attach
        ---
        alice publish 'a' id=12345
        alice publish 'a' name=12345
        alice publish 'a' ref=12345
        alice publish 'a' id=éééé name=1234 ref=1234
        alice append #1 'a' id=12345
        alice signal 12345
        ",
        expect![[r#"
            alice < nack 1 invalid-frame: unable to publish; messages[0].id is not 1 to 4
                  characters
            alice < nack 2 invalid-frame: unable to publish; messages[0].name is not 1 to 4
                  characters
            alice < nack null invalid-frame: unable to read the frame; ref is not 1 to 4
                  characters
            alice < create #1 alice name=1234 id=éééé 'a'
            alice | ack "1234" #1 id="éééé"
            alice < nack 5 invalid-frame: unable to append; id is not 1 to 4 characters
            alice < nack 6 invalid-frame: unable to signal; name is not 1 to 4 characters
        "#]],
    );
}

/// P14: connections to a session.
#[test]
fn connections_to_a_session() {
    check_with(
        Limits {
            connections: 2,
            ..Limits::default()
        },
        "
        alice attach
        bob attach
        ---
        carol attach
        bob drop
        carol attach
        ",
        expect![[r#"
            carol < nack null over-limit: unable to attach; session s1 has 2 connections
            carol x 4429 too many connections
            carol < attached #0 anew
            carol < caught-up #0
        "#]],
    );
}

/// P14: streaming messages at once.
#[test]
fn streaming_messages_at_once() {
    check_with(
        Limits {
            streaming_messages: 2,
            ..Limits::default()
        },
        "
        agent attach
        agent publish 'a' streaming
        ---
        agent publish 'b' streaming and 'c' streaming
        agent publish 'b' streaming
        agent publish 'c' streaming
        agent append #1 '' complete
        agent publish 'c' streaming
        ",
        expect![[r#"
            agent < nack 2 over-limit: unable to publish; 2 messages stream already
            agent < create #2 agent 'b' streaming
            agent | ack 3 #2
            agent < nack 4 over-limit: unable to publish; 2 messages stream already
            agent < ack 5 #1 v#3
            agent < create #4 agent 'c' streaming
            agent | ack 6 #4
        "#]],
    );
}

/// P14: depth of a frame's JSON.
#[test]
fn the_depth_of_json() {
    check_with(
        Limits {
            frame_depth: 5,
            ..Limits::default()
        },
        "
        alice attach
        ---
        alice publish [[[0]]]
        alice publish [0]
        ",
        expect![[r#"
            alice < nack 1 invalid-frame: unable to read the frame; it nests deeper than 5
            alice < create #1 alice [0]
            alice | ack 2 #1
        "#]],
    );
}

/// P14: WebSocket messages in a second; the frames of an array count once.
#[test]
fn messages_in_a_second() {
    check_with(
        Limits {
            messages_per_second: 1,
            messages_burst: 3,
            ..Limits::default()
        },
        "
        alice attach
        bob attach
        ---
        alice signal a; signal b; signal c
        alice signal a
        alice signal a
        alice signal a
        bob signal b
        ",
        expect![[r#"
            alice < signal alice a
            alice | ack 1 {}
            alice | signal alice b
            alice | ack 2 {}
            alice | signal alice c
            alice | ack 3 {}
            bob < signal alice a
            bob | signal alice b
            bob | signal alice c
            alice < signal alice a
            alice | ack 4 {}
            bob < signal alice a
            alice < signal alice a
            alice | ack 5 {}
            bob < signal alice a
            alice x 4429 too many messages
            bob < signal bob b
            bob | ack 1 {}
        "#]],
    );
}

/// P14: text in a second.
#[test]
fn text_in_a_second() {
    check_with(
        Limits {
            text_bytes_per_second: 600,
            frame_bytes: 600,
            ..Limits::default()
        },
        "
        alice attach
        ---
        alice floods 400 publish '…'
        alice floods 400 publish '…'
        wait 1000
        alice floods 400 publish '…'
        ",
        expect![[r#"
            alice < create #1 alice 'xxxxxxxxxxxx…' (400)
            alice | ack 1 #1
            alice < nack 2 rate-limited: unable to send so much text; the connection sends too
                  fast, wait 504 ms retryAfterMs=504
            -- 1000 ms
            alice < create #2 alice 'xxxxxxxxxxxx…' (400)
            alice | ack 3 #2
        "#]],
    );
}

/// P14: frames that go to everybody; appends are not among them.
#[test]
fn frames_to_everybody_in_a_second() {
    check_with(
        Limits {
            frames_per_second: 2,
            frames_burst: 2,
            ..Limits::default()
        },
        "
        agent attach
        ---
        agent publish 'a' streaming
        agent update #1 'b'
        agent delete #1
        agent append #1 'c'
        wait 500
        agent delete #1
        ",
        expect![[r#"
            agent < create #1 agent 'a' streaming
            agent | ack 1 #1
            agent < update #1 v#2 agent 'b' streaming
            agent | ack 2 #1 v#2
            agent < nack 3 rate-limited: unable to delete; the connection sends too fast, wait
                  500 ms retryAfterMs=500
            agent < ack 4 #1 v#3
            -- 500 ms
            agent < delete #1 v#4
            agent | ack 5 #1 v#4
        "#]],
    );
}

/// P14: signals in a second.
#[test]
fn signals_in_a_second() {
    check_with(
        Limits {
            signals_per_second: 2,
            ..Limits::default()
        },
        "
        alice attach
        ---
        alice signal a
        alice signal b
        alice signal c
        wait 500
        alice signal d
        ",
        expect![[r#"
            alice < signal alice a
            alice | ack 1 {}
            alice < signal alice b
            alice | ack 2 {}
            alice < nack 3 rate-limited: unable to signal; the connection sends too fast, wait
                  500 ms retryAfterMs=500
            -- 500 ms
            alice < signal alice d
            alice | ack 4 {}
        "#]],
    );
}

/// P13.7: a reader that takes nothing is closed, as the platform tells.
#[test]
fn a_reader_that_takes_nothing_is_closed() {
    check_with(
        Limits {
            unsent_bytes: 500,
            ..Limits::default()
        },
        "
        alice attach
        bob attach
        ---
        alice unsent 100
        alice unsent 100000
        bob publish 'on we go'
        ",
        expect![[r#"
            alice x 4429 the reader is too slow
            bob < create #1 bob 'on we go'
            bob | ack 1 #1
        "#]],
    );
}

/// P13.7: a reader that answers no probe is closed, once it had time to.
#[test]
fn a_reader_that_answers_no_probe_is_closed() {
    check_with(
        Limits {
            unsent_bytes: 1000,
            ..Limits::default()
        },
        "
        alice attach probed rewind=0
        bob attach probed rewind=0
        ---
        bob floods 400 publish '…'
        bob seen 1
        bob floods 400 publish '…'
        bob seen 2
        wait 1000
        bob floods 400 publish '…'
        ",
        expect![[r#"
            alice < create #1 bob 'xxxxxxxxxxxx…' (400)
            alice | {"n":1,"type":"probe"}
            bob < create #1 bob 'xxxxxxxxxxxx…' (400)
            bob | ack 1 #1
            bob | {"n":1,"type":"probe"}
            bob < ack 2 {}
            alice < create #2 bob 'xxxxxxxxxxxx…' (400)
            bob < create #2 bob 'xxxxxxxxxxxx…' (400)
            bob | ack 3 #2
            bob | {"n":2,"type":"probe"}
            bob < ack 4 {}
            -- 1000 ms
            alice x 4429 the reader is too slow
            bob < create #3 bob 'xxxxxxxxxxxx…' (400)
            bob | ack 5 #3
            bob | {"n":3,"type":"probe"}
        "#]],
    );
}

/// P13.2: a number that nobody can count is refused.
#[test]
fn numbers_that_nobody_can_count() {
    check(
        "
        alice attach
        ---
        alice raw {\"type\":\"seen\", \"n\":-1, \"ref\":1}
        alice raw {\"type\":\"seen\", \"n\":18446744073709551616, \"ref\":2}
        alice seen 5
        ",
        expect![[r#"
            alice < nack 1 invalid-frame: unable to answer the probe; n: it is the number -1,
                  not a whole number from 0
            alice < nack 2 invalid-frame: unable to answer the probe; n: it is the number
                  1.8446744073709552e+19, not a whole number from 0
            alice < ack 1 {}
        "#]],
    );
}
