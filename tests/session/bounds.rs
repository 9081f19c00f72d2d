//! Everything that one message, one connection and one client makes the session do is bounded
//! (P13.4, P14).

use crate::world::{World, check, check_with};
use expect_test::expect;
use sessile::protocol::limits::Limits;

/// P13.6, P14: an array of too many frames is not taken apart; as nobody knows what it was part
/// of, the connection ends with it.
#[test]
fn frames_of_an_array() {
    check_with(
        Limits {
            array_frames: 3,
            ..Limits::default()
        },
        "
        alice attach
        bob attach
        ---
        alice signal a; signal b; signal c
        alice signal a; signal b; signal c; signal d
        bob raw [0,0,0,0]
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
            alice < nack null too-large: unable to read the message; the array has 4 frames,
                  the limit is 3
            alice x 4413 the message is too large
            bob < nack null too-large: unable to read the message; the array has 4 frames, the
                  limit is 3
            bob x 4413 the message is too large
        "#]],
    );
}

/// P14: short frames count as well.
#[test]
fn short_frames_count_as_text() {
    check_with(
        Limits {
            text_bytes_per_second: 640,
            frame_bytes: 640,
            ..Limits::default()
        },
        "
        alice attach
        ---
        alice raw [0,0,0,0,0,0,0,0,0]
        alice publish 'a'
        alice raw [0,0]
        wait 200
        alice publish 'b'
        ",
        expect![[r#"
            alice < nack null invalid-frame: unable to read the frame; it is the number 0, not
                  an object
            alice | nack null invalid-frame: unable to read the frame; it is the number 0, not
                  an object
            alice | nack null invalid-frame: unable to read the frame; it is the number 0, not
                  an object
            alice | nack null invalid-frame: unable to read the frame; it is the number 0, not
                  an object
            alice | nack null invalid-frame: unable to read the frame; it is the number 0, not
                  an object
            alice | nack null invalid-frame: unable to read the frame; it is the number 0, not
                  an object
            alice | nack null invalid-frame: unable to read the frame; it is the number 0, not
                  an object
            alice | nack null invalid-frame: unable to read the frame; it is the number 0, not
                  an object
            alice | nack null invalid-frame: unable to read the frame; it is the number 0, not
                  an object
            alice < create #1 alice 'a'
            alice | ack 1 #1
            alice < nack null rate-limited: unable to send so much text; the connection sends
                  too fast, wait 200 ms retryAfterMs=200
            alice | nack null rate-limited: unable to send so much text; the connection sends
                  too fast, wait 200 ms retryAfterMs=200
            -- 200 ms
            alice < create #2 alice 'b'
            alice | ack 2 #2
        "#]],
    );
}

/// P14: whoever is refused too often is closed; answers are not free.
#[test]
fn refused_frames() {
    check_with(
        Limits {
            refusals_per_second: 1,
            refusals_burst: 3,
            ..Limits::default()
        },
        "
        viewer attach
        bob attach
        ---
        viewer publish 'a'; publish 'b'
        wait 1000
        viewer publish 'c'; publish 'd'; publish 'e'; publish 'f'
        bob publish 'g'
        ",
        expect![[r#"
            viewer < nack 1 forbidden: unable to publish; the token lacks the operation publish
                  for session s1, it has read, presence
            viewer | nack 2 forbidden: unable to publish; the token lacks the operation publish
                  for session s1, it has read, presence
            -- 1000 ms
            viewer < nack 3 forbidden: unable to publish; the token lacks the operation publish
                  for session s1, it has read, presence
            viewer | nack 4 forbidden: unable to publish; the token lacks the operation publish
                  for session s1, it has read, presence
            viewer | nack 5 forbidden: unable to publish; the token lacks the operation publish
                  for session s1, it has read, presence
            viewer x 4429 too much that is refused
            bob < create #1 bob 'g'
            bob | ack 1 #1
        "#]],
    );
}

/// P14: requests are refused as a whole once so many frames of them were.
#[test]
fn refused_frames_of_requests() {
    check_with(
        Limits {
            refusals_per_second: 1,
            refusals_burst: 1,
            client_rates: 3,
            ..Limits::default()
        },
        "
        viewer post publish 'a'; publish 'b'; publish 'c'; publish 'd'
        viewer post publish 'e'
        viewer brief turns
        bob brief turns
        wait 1000
        viewer brief turns
        ",
        expect![[r#"
            viewer = 200 [{"error":{"code":"forbidden","message":"unable to publish; the token
                  lacks the operation publish for session s1, it has read, presence",
                  "status":403},"ref":1,"type":"nack"},{"error":{"code":"forbidden",
                  "message":"unable to publish; the token lacks the operation publish for
                  session s1, it has read, presence","status":403},"ref":2,"type":"nack"},
                  {"error":{"code":"forbidden","message":"unable to publish; the token lacks
                  the operation publish for session s1, it has read, presence","status":403},
                  "ref":3,"type":"nack"},{"error":{"code":"forbidden","message":"unable to
                  publish; the token lacks the operation publish for session s1, it has read,
                  presence","status":403},"ref":4,"type":"nack"}]
            viewer = 429 {"error":{"code":"rate-limited","message":"unable to send so much that
                  is refused; the client sends too fast, wait 334 ms","retryAfterMs":334,
                  "status":429},"ref":5,"type":"nack"}
            viewer = 429 {"error":{"code":"rate-limited","message":"unable to send so much that
                  is refused; the client sends too fast, wait 334 ms","retryAfterMs":334,
                  "status":429}}
            bob = 200 turns: 
            -- 1000 ms
            viewer = 200 turns: 
        "#]],
    );
}

/// P13.4: what one message makes is bounded, rows that are written anew among it. The rest of it
/// is refused before it is done, and may come by itself.
#[test]
fn what_one_message_makes() {
    check_with(
        Limits {
            effect_bytes: 3_000,
            ..Limits::default()
        },
        r#"
        alice attach
        bob attach
        alice floods 2000 publish '…'
        ---
        alice update #1 headers={"n":"1"}; update #1 headers={"n":"2"}; update #1 headers={}
        alice update #1 headers={"n":"3"}
        alice post update #1 headers={"n":"4"}; update #1 headers={"n":"5"}; publish 'x'
        bob holds
        "#,
        expect![[r##"
            alice < update #1 v#2 alice headers={"n":"1"}
            alice | ack 2 #1 v#2
            alice | update #1 v#3 alice headers={"n":"2"}
            alice | ack 3 #1 v#3
            alice | nack 4 rate-limited: unable to update; what came with it made more than
                  3000 bytes already, send it again retryAfterMs=1
            bob < update #1 v#2 alice headers={"n":"1"}
            bob | update #1 v#3 alice headers={"n":"2"}
            alice < update #1 v#4 alice headers={"n":"3"}
            alice | ack 5 #1 v#4
            bob < update #1 v#4 alice headers={"n":"3"}
            alice < update #1 v#5 alice headers={"n":"4"}
            alice | update #1 v#6 alice headers={"n":"5"}
            bob < update #1 v#5 alice headers={"n":"4"}
            bob | update #1 v#6 alice headers={"n":"5"}
            alice = 200 [{"ref":6,"result":{"serial":"#1","version":"#5"},"type":"ack"},
                  {"ref":7,"result":{"serial":"#1","version":"#6"},"type":"ack"},
                  {"error":{"code":"rate-limited","message":"unable to publish; what came with
                  it made more than 3000 bytes already, send it again","retryAfterMs":1,
                  "status":429},"ref":8,"type":"nack"}]
            bob holds #1 "xxxxxxxxxxxx…' (2000)"
        "##]],
    );
}

/// P13.8: what is refused so ends its chain, so that nothing overtakes it.
#[test]
fn what_one_message_makes_ends_chains() {
    check_with(
        Limits {
            effect_bytes: 500,
            ..Limits::default()
        },
        "
        alice attach
        ---
        alice publish 'a' chain=1; publish 'b' chain=1; publish 'c' chain=1; publish 'd' chain=1
        alice publish 'e' chain=1
        alice publish 'f' chain=2
        ",
        expect![[r#"
            alice < create #1 alice 'a'
            alice | ack 1 #1
            alice | create #2 alice 'b'
            alice | ack 2 #2
            alice | nack 3 rate-limited: unable to publish; what came with it made more than
                  500 bytes already, send it again retryAfterMs=1
            alice | nack 4 skipped: unable to take the frame; one before it in chain 1 was
                  refused
            alice < nack 5 skipped: unable to take the frame; one before it in chain 1 was
                  refused
            alice < create #3 alice 'f'
            alice | ack 6 #3
        "#]],
    );
}

/// P14: what a client makes in a second is bounded as well, over all that it has.
#[test]
fn what_a_client_makes_in_a_second() {
    check_with(
        Limits {
            effect_bytes_per_second: 10_000,
            ..Limits::default()
        },
        "
        alice attach rewind=0
        alice/2 attach rewind=0
        bob attach rewind=0
        ---
        alice floods 12000 publish '…'
        alice publish 'a'
        alice/2 publish 'b'
        alice brief turns
        bob publish 'c'
        wait 2000
        alice publish 'd'
        ",
        expect![[r#"
            alice < create #1 alice 'xxxxxxxxxxxx…' (12000)
            alice | ack 1 #1
            alice/2 < create #1 alice 'xxxxxxxxxxxx…' (12000)
            bob < create #1 alice 'xxxxxxxxxxxx…' (12000)
            alice < nack 2 rate-limited: unable to do so much; the client sends too fast, wait
                  232 ms retryAfterMs=232
            alice/2 < nack 1 rate-limited: unable to do so much; the client sends too fast,
                  wait 232 ms retryAfterMs=232
            alice = 429 {"error":{"code":"rate-limited","message":"unable to do so much; the
                  client sends too fast, wait 232 ms","retryAfterMs":232,"status":429}}
            alice < create #2 bob 'c'
            alice/2 < create #2 bob 'c'
            bob < create #2 bob 'c'
            bob | ack 1 #2
            -- 2000 ms
            alice < create #3 alice 'd'
            alice | ack 3 #3
            alice/2 < create #3 alice 'd'
            bob < create #3 alice 'd'
        "#]],
    );
}

/// P14: so is what it is sent when it attaches, over and over.
#[test]
fn attaches_of_a_client() {
    check_with(
        Limits {
            effect_bytes_per_second: 10_000,
            ..Limits::default()
        },
        "
        bob attach rewind=0
        bob floods 9000 publish '…'
        ---
        alice attach
        alice drop
        alice attach
        carol attach rewind=0
        alice brief turns
        wait 1000
        alice attach rewind=0
        ",
        expect![[r#"
            alice < attached #1 anew
            alice < create #1 bob 'xxxxxxxxxxxx…' (9000)
            alice < caught-up #1
            alice < nack null rate-limited: unable to do so much; the client sends too fast,
                  wait 37 ms retryAfterMs=37
            alice x 4429 the client asks too much
            carol < attached #1 anew, has older
            carol < caught-up #1
            alice = 429 {"error":{"code":"rate-limited","message":"unable to do so much; the
                  client sends too fast, wait 37 ms","retryAfterMs":37,"status":429}}
            -- 1000 ms
            alice < attached #1 anew, has older
            alice < caught-up #1
        "#]],
    );
}

/// P14: a client is no faster for having more connections, or for sending by HTTP.
#[test]
fn frames_of_a_client() {
    check_with(
        Limits {
            frames_per_second: 1,
            frames_burst: 2,
            client_rates: 2,
            ..Limits::default()
        },
        "
        alice attach
        alice/2 attach
        alice/3 attach
        bob attach
        ---
        alice publish 'a'; publish 'b'; publish 'c'
        alice/2 publish 'd'
        alice post publish 'e'
        alice/3 publish 'f'
        alice post publish 'g'
        bob publish 'h'
        wait 500
        alice post publish 'i'
        ",
        expect![[r##"
            alice < create #1 alice 'a'
            alice | ack 1 #1
            alice | create #2 alice 'b'
            alice | ack 2 #2
            alice | nack 3 rate-limited: unable to publish; the connection sends too fast, wait
                  1000 ms retryAfterMs=1000
            alice/2 < create #1 alice 'a'
            alice/2 | create #2 alice 'b'
            alice/3 < create #1 alice 'a'
            alice/3 | create #2 alice 'b'
            bob < create #1 alice 'a'
            bob | create #2 alice 'b'
            alice < create #3 alice 'd'
            alice/2 < create #3 alice 'd'
            alice/2 | ack 1 #3
            alice/3 < create #3 alice 'd'
            bob < create #3 alice 'd'
            alice < create #4 alice 'e'
            alice/2 < create #4 alice 'e'
            alice/3 < create #4 alice 'e'
            bob < create #4 alice 'e'
            alice = 200 {"ref":4,"result":{"messages":[{"serial":"#4","version":"#4"}]},
                  "type":"ack"}
            alice/3 < nack 1 rate-limited: unable to publish; the client sends too fast, wait
                  500 ms retryAfterMs=500
            alice = 429 {"error":{"code":"rate-limited","message":"unable to publish; the
                  client sends too fast, wait 500 ms","retryAfterMs":500,"status":429},"ref":5,
                  "type":"nack"}
            alice < create #5 bob 'h'
            alice/2 < create #5 bob 'h'
            alice/3 < create #5 bob 'h'
            bob < create #5 bob 'h'
            bob | ack 1 #5
            -- 500 ms
            alice < create #6 alice 'i'
            alice/2 < create #6 alice 'i'
            alice/3 < create #6 alice 'i'
            bob < create #6 alice 'i'
            alice = 200 {"ref":6,"result":{"messages":[{"serial":"#6","version":"#6"}]},
                  "type":"ack"}
        "##]],
    );
}

/// P13.5: an ack never holds more turns than fit.
#[test]
fn acks_of_many_turns_have_ids() {
    let metadata = "x".repeat(4_000);
    let mut world = World::new(Limits::default());
    world.run("agent attach rewind=0\nbob attach rewind=0");
    for turn in 0..20 {
        world.run(&format!(
            "agent start t{turn} metadata={{\"m\":\"{metadata}\"}}"
        ));
    }
    world.run("---\nbob cancel turn=t1\nbob cancel all id=all");
    let acks = world
        .output
        .lines()
        .filter(|line| line.contains("bob") && line.contains("ack"));
    let acks: Vec<String> = acks.map(|line| line.chars().take(60).collect()).collect();
    expect![[r#"
        [
            "bob | ack 1 [t1 active agent cancel=bob metadata={\"m\":\"xxxxx",
            "bob | ack 2 {\"turnIds\":[\"t0\",\"t1\",\"t2\",\"t3\",\"t4\",\"t5\",\"t6\",\"",
        ]
    "#]]
    .assert_debug_eq(&acks);
}

/// P4.4: data that did not change is told again to nobody.
#[test]
fn unchanged_data_is_not_told_again() {
    check(
        "
        agent attach
        bob attach
        agent publish {\"a\":1}
        agent publish 'text' streaming
        ---
        agent update #1 headers={\"n\":\"1\"}
        agent update #2 headers={\"n\":\"2\"}
        agent update #2 headers={\"n\":\"3\"} status=complete seq=1
        agent update #1 null
        bob holds
        ",
        expect![[r#"
            agent < update #1 v#3 agent headers={"n":"1"}
            agent | ack 3 #1 v#3
            bob < update #1 v#3 agent headers={"n":"1"}
            agent < update #2 v#4 agent headers={"n":"2"} streaming
            agent | ack 4 #2 v#4
            bob < update #2 v#4 agent headers={"n":"2"} streaming
            agent < update #2 v#5 agent headers={"n":"3"} complete seq=1
            agent | ack 5 #2 v#5 seq=1
            bob < update #2 v#5 agent headers={"n":"3"} complete seq=1
            agent < nack 6 invalid-frame: unable to update; none of data, headers and status
                  are given
            bob holds #1 {"a":1}
            bob holds #2 "text" complete
        "#]],
    );
}
