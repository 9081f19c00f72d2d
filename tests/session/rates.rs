//! Frames that cost a row of their own are bounded like frames for everybody (P13.4, P14).

use crate::world::check_with;
use expect_test::expect;
use sessile::protocol::limits::Limits;

fn slow() -> Limits {
    Limits {
        frames_per_second: 1,
        frames_burst: 4,
        ..Limits::default()
    }
}

/// P14: an append with an id is stored at once, and the id with it; one without waits for others.
#[test]
fn ids_of_appends_are_bounded() {
    check_with(
        slow(),
        "
        agent attach rewind=0
        agent publish '' streaming
        ---
        agent append #1 'a' id=a; append #1 'b' id=b; append #1 'c' id=c; append #1 'd' id=d
        agent append #1 'e'; append #1 'f'; append #1 'g'
        agent append #1 'h' id=d
        wait 1000
        agent append #1 'd' id=d
        ",
        expect![[r#"
            agent < ack 2 #1 v#2
            agent | ack 3 #1 v#3
            agent | ack 4 #1 v#4
            agent | nack 5 rate-limited: unable to append; the connection sends too fast, wait
                  1000 ms retryAfterMs=1000
            -- 250 ms
            agent < ack 6 #1 v#5
            agent | ack 7 #1 v#5
            agent | ack 8 #1 v#5
            agent | nack 9 rate-limited: unable to append; the connection sends too fast, wait
                  1000 ms retryAfterMs=1000
            -- 1000 ms
            agent < ack 10 #1 v#6
        "#]],
    );
}

/// P14: so are those of signs of life, which write nothing else.
#[test]
fn ids_of_heartbeats_are_bounded() {
    check_with(
        slow(),
        "
        agent attach rewind=0
        agent start t1
        ---
        agent heartbeat t1 id=a; heartbeat t1 id=b; heartbeat t1 id=c; heartbeat t1 id=d
        agent heartbeat t1; heartbeat t1; heartbeat t1
        agent resume t1
        ",
        expect![[r#"
            agent < ack 2 t1 active agent
            agent | ack 3 t1 active agent
            agent | ack 4 t1 active agent
            agent | nack 5 rate-limited: unable to renew the lease; the connection sends too
                  fast, wait 1000 ms retryAfterMs=1000
            agent < ack 6 t1 active agent
            agent | ack 7 t1 active agent
            agent | ack 8 t1 active agent
            agent < nack 9 rate-limited: unable to resume the turn; the connection sends too
                  fast, wait 1000 ms retryAfterMs=1000
        "#]],
    );
}

/// P13.1: many answers wait in order, of those to whom any is owed, and of nobody else.
#[test]
fn answers_wait_for_those_before_them() {
    check_with(
        Limits::default(),
        "
        agent attach rewind=0
        agent-two attach rewind=0
        alice attach rewind=0
        agent publish '' streaming
        ---
        agent append #1 'a'; append #9 'x'; heartbeat t9
        + agent-two append #1 'x'
        + alice append #9 'x'
        + agent seen 1
        wait 40
        agent seen 2
        ",
        expect![[r#"
            agent-two < nack 1 forbidden: unable to append; the token lacks the operation edit
                  for session s1, it has read, publish, presence, turn, cancel, steer, state,
                  annotate; message #1 is agent's
            alice < nack 1 not-found: unable to append; there is no message #9
            agent < ack 2 #1 v#2
            agent | nack 3 not-found: unable to append; there is no message #9
            agent | nack 4 not-found: unable to renew the lease; there is no turn t9
            agent | ack 5 {}
            agent-two < append #1 v#2 @0 'a'
            alice < append #1 v#2 @0 'a'
            -- 40 ms
            agent < ack 6 {}
        "#]],
    );
}

/// P13.4: acks that wait are held in memory: so many, and what they wait for is stored before its
/// window ends, however little that is.
#[test]
fn acks_that_wait_are_bounded() {
    check_with(
        Limits::default(),
        "
        agent attach rewind=0
        agent publish '' streaming
        agent append #1 'a' seq=1
        agent append #1 'b' seq=2
        agent repeats 2046 append #1 ''
        timer
        ---
        agent append #1 'c' seq=3
        timer
        agent append #1 'd' seq=4
        agent repeats 2046 append #1 'd' seq=4
        timer
        agent append #1 'd' seq=4
        timer
        ",
        expect![[r#"
            agent < ack 3 #1 v#3 seq=2
            agent | ack 4 #1 v#3
            … and 2045 more
            agent | ack 2050 #1 v#3 seq=3
            timer: None
            timer: Some(250)
            agent < ack 2051 #1 v#4 seq=4
            agent | ack 2052 #1 v#4 seq=4 duplicate
            … and 2045 more
            agent | ack 4098 #1 v#4 seq=4 duplicate
            timer: None
        "#]],
    );
}

/// P14: rows that are read count as output of the client, however little comes of them.
#[test]
fn rows_that_are_read() {
    check_with(
        Limits {
            effect_bytes_per_second: 8_000,
            ..Limits::default()
        },
        "
        alice attach rewind=0
        bob attach rewind=0
        alice publish 'a' and 'b' and 'c' and 'd' and 'e' and 'f' and 'g' and 'h' and 'i' and 'j'
        alice publish 'a' and 'b' and 'c' and 'd' and 'e' and 'f' and 'g' and 'h' and 'i' and 'j'
        alice publish 'a' and 'b' and 'c' and 'd' and 'e' and 'f' and 'g' and 'h' and 'i' and 'j'
        ---
        bob brief messages limit=30
        bob brief messages limit=1
        alice brief messages limit=1
        ",
        expect![[r#"
            bob = 200 30 messages
            bob = 429 {"error":{"code":"rate-limited","message":"unable to do so much; the
                  client sends too fast, wait 658 ms","retryAfterMs":658,"status":429}}
            alice = 200 messages: #30 alice 'j', hasMore=true, next=#30
        "#]],
    );
}
