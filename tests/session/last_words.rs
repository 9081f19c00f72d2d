//! The last frames to a connection that is closed for a frame it sent: everything that it is owed
//! (P13.1, P13.3).

use crate::world::{check, check_with};
use expect_test::expect;
use sessile::protocol::limits::Limits;

fn few() -> Limits {
    Limits {
        array_frames: 2,
        refusals_per_second: 1,
        refusals_burst: 2,
        messages_per_second: 1,
        messages_burst: 8,
        ..Limits::default()
    }
}

/// P13.6: what was taken before is stored and acknowledged, and the last nack says why.
#[test]
fn an_array_of_too_many_frames_behind_an_append() {
    check_with(
        few(),
        "
        agent attach
        alice attach
        agent publish '' streaming
        agent append #1 'a' seq=1
        ---
        agent append #1 'b' seq=2
        + agent append #1 'c' seq=3; append #1 'd' seq=4; append #1 'e' seq=5
        wait 1000
        ",
        expect![[r#"
            agent < ack 3 #1 v#3 seq=2
            agent | nack null too-large: unable to read the message; the array has 3 frames,
                  the limit is 2
            agent x 4413 the message is too large
            alice < append #1 v#3 @1 'b'
        "#]],
    );
}

/// P2.6: a token that grants nothing here ends the connection, and says so.
#[test]
fn a_token_without_a_grant_behind_an_append() {
    check(
        "
        agent attach
        alice attach
        agent publish '' streaming
        agent append #1 'a' seq=1
        ---
        agent append #1 'b' seq=2
        + agent renew as=none
        wait 1000
        ",
        expect![[r#"
            agent < ack 3 #1 v#3 seq=2
            agent | nack 4 forbidden: unable to authorize; the token lacks every operation
            agent x 4403 the token lacks read
            alice < append #1 v#3 @1 'b'
        "#]],
    );
}

/// P2.6: so does one that lacks `read` alone: it was taken.
#[test]
fn a_token_without_read_behind_an_append() {
    check(
        "
        agent attach
        alice attach
        agent publish '' streaming
        agent append #1 'a' seq=1
        ---
        agent append #1 'b' seq=2
        + agent renew as=publish
        wait 1000
        ",
        expect![[r#"
            agent < ack 3 #1 v#3 seq=2
            agent | ack 4 {"at":"+0","expiresAt":"+31536000000"}
            agent x 4403 the token lacks read
            alice < append #1 v#3 @1 'b'
        "#]],
    );
}

/// P14: and too many refusals, or too many messages.
#[test]
fn too_much_behind_an_append() {
    check_with(
        few(),
        "
        agent attach
        agent-two attach
        alice attach
        agent publish '' streaming
        agent-two publish '' streaming
        agent append #1 'a' seq=1
        agent-two append #2 'a' seq=1
        ---
        agent append #1 'b' seq=2
        + agent append #1 'd' seq=4
        + agent append #1 'd' seq=4
        + agent append #1 'd' seq=4
        agent-two append #2 'b' seq=2
        + agent-two append #2 'c' seq=3
        + agent-two append #2 'd' seq=4
        + agent-two append #2 'e' seq=5
        + agent-two append #2 'f' seq=6
        + agent-two append #2 'g' seq=7
        + agent-two append #2 'h' seq=8
        wait 1000
        ",
        expect![[r#"
            agent < append #2 v#5 @0 'a'
            agent | ack 3 #1 v#4 seq=2
            agent | nack 4 gap: unable to append; message #1 expects seq 3 and holds 2
                  expectedSeq=3 length=2
            agent | nack 5 gap: unable to append; message #1 expects seq 3 and holds 2
                  expectedSeq=3 length=2
            agent | nack 6 gap: unable to append; message #1 expects seq 3 and holds 2
                  expectedSeq=3 length=2
            agent x 4429 too much that is refused
            agent-two < append #1 v#4 @1 'b'
            agent-two | ack 2 #2 v#5 seq=1
            alice < append #1 v#4 @1 'b'
            alice | append #2 v#5 @0 'a'
            agent-two < ack 3 #2 v#6 seq=2
            agent-two | ack 4 #2 v#6 seq=3
            agent-two | ack 5 #2 v#6 seq=4
            agent-two | ack 6 #2 v#6 seq=5
            agent-two | ack 7 #2 v#6 seq=6
            agent-two | ack 8 #2 v#6 seq=7
            agent-two x 4429 too many messages
            alice < append #2 v#6 @1 'bcdefg'
        "#]],
    );
}

/// P2.6: an expired connection is sent nothing and obeyed in nothing; what it appended before is
/// stored all the same.
#[test]
fn an_expired_token_behind_an_append() {
    check(
        "
        agent attach expires=1000
        alice attach window=500
        agent publish '' streaming
        agent append #1 'a' seq=1
        wait 900
        ---
        agent append #1 'b' seq=2
        + clock 200
        + agent append #1 'c' seq=3
        wait 1000
        alice brief messages
        ",
        expect![[r#"
            -- 900 ms
            agent x 4401 the token expired
            agent < ack 3 #1 v#3 seq=2
            alice < append #1 v#3 @1 'b'
            -- 1900 ms
            alice = 200 messages: #1 v#3 agent 'ab' streaming seq=2
        "#]],
    );
}
