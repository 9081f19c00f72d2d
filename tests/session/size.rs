//! A session that is as large as it may be (P14): nothing more is written, and all else goes on.

use crate::world::check_with;
use expect_test::expect;
use sessile::protocol::limits::Limits;

fn small() -> Limits {
    Limits {
        session_bytes: 256 * 1024,
        ..Limits::default()
    }
}

/// P14: a session refuses writes before its database is full; reads, ends and deletion go on, and
/// make room again.
#[test]
fn a_session_that_is_large_takes_nothing_more() {
    check_with(
        small(),
        "
        agent attach window=0
        agent start t1
        agent publish 'open' turn=t1 streaming
        agent floods 120000 publish '…'
        agent floods 120000 publish '…'
        ---
        agent publish 'more'
        agent append #2 'more'
        agent update #2 'more'
        agent steer t1 'more'
        agent start t2
        alice post signal typing id=i
        alice brief turns
        agent append #2 '' complete
        agent end t1 complete
        agent delete #3
        agent publish 'again'
        evict
        agent publish 'and again'
        ",
        expect![[r#"
            agent < nack 5 over-limit: unable to publish; session s1 has as many bytes as it
                  may, sessionBytes is 262144: delete something or set retentionMs
            agent < nack 6 over-limit: unable to append; session s1 has as many bytes as it may,
                   sessionBytes is 262144: delete something or set retentionMs
            agent < nack 7 over-limit: unable to update; session s1 has as many bytes as it may,
                   sessionBytes is 262144: delete something or set retentionMs
            agent < nack 8 over-limit: unable to steer; session s1 has as many bytes as it may,
                  sessionBytes is 262144: delete something or set retentionMs
            agent < nack 9 over-limit: unable to start the turn; session s1 has as many bytes
                  as it may, sessionBytes is 262144: delete something or set retentionMs
            alice = 429 {"error":{"code":"over-limit","message":"unable to signal with an id;
                  session s1 has as many bytes as it may, sessionBytes is 262144: delete
                  something or set retentionMs","status":429},"ref":1,"type":"nack"}
            alice = 200 turns: t1 active agent
            agent < ack 10 #2 v#5
            agent < turn.end #6 t1 complete agent
            agent | ack 11 t1 complete agent
            agent < delete #3 v#7
            agent | ack 12 #3 v#7
            agent < create #8 agent 'again'
            agent | ack 13 #8
            agent < create #9 agent 'and again'
            agent | ack 14 #9
        "#]],
    );
}

/// P14: what is written is counted, so that the bound is not passed by much between two looks.
#[test]
fn the_size_is_known_while_it_grows() {
    check_with(
        Limits {
            messages_per_second: 1_000_000,
            messages_burst: 1_000_000,
            frames_per_second: 1_000_000,
            frames_burst: 1_000_000,
            ..small()
        },
        "
        agent attach window=0 names=none
        agent repeats 4000 publish '0123456789012345678901234567890123456789'
        ---
        agent publish 'more'
        ",
        expect![[r#"
            agent < nack 4001 over-limit: unable to publish; session s1 has as many bytes as it
                  may, sessionBytes is 262144: delete something or set retentionMs
        "#]],
    );
}

/// P14: a write that fails for space is a refusal, and nobody is disconnected: what is shown is
/// what is stored, and what comes afterwards goes on from there.
#[test]
fn a_write_that_fails_for_space_is_refused() {
    check_with(
        Limits::default(),
        "
        alice attach window=0
        bob attach window=500
        agent attach
        agent start t1 lease=600000
        agent publish 'a' turn=t1 streaming
        agent append #2 'b' seq=1
        agent append #2 'c' seq=2
        wait 100
        ---
        agent append #2 'd' seq=3
        platform full
        agent append #2 'e' seq=4
        alice publish 'no room'
        agent append #2 'e' seq=4
        wait 600
        alice update #2 'no room'
        alice post publish 'no room'
        admin patch {\"title\":\"no room\"}
        agent end t1 complete
        carol attach rewind=1
        alice brief snapshot
        platform roomy
        agent append #2 'd' seq=3; append #2 'e' seq=4
        wait 600
        agent end t1 complete
        alice publish 'room'
        wait 600
        alice holds
        bob holds
        carol holds
        ",
        expect![[r#"
            -- 100 ms
            agent < ack 5 #2 v#5 seq=3
            alice < append #2 v#5 @3 'd'
            agent < nack 6 over-limit: unable to write; the database of session s1 has no room
                  left
            alice < nack 1 over-limit: unable to write; the database of session s1 has no room
                  left
            bob < append #2 v#5 @2 'cd'
            agent < nack 7 over-limit: unable to write; the database of session s1 has no room
                  left
            -- 700 ms
            alice < nack 2 not-leader: unable to update; turn t1 is agent's
            alice = 429 {"error":{"code":"over-limit","message":"unable to write; the database
                  of session s1 has no room left","status":429},"ref":3,"type":"nack"}
            admin = 429 {"error":{"code":"over-limit","message":"unable to write; the database
                  of session s1 has no room left","status":429}}
            agent < nack 8 over-limit: unable to write; the database of session s1 has no room
                  left
            carol < attached #5 anew, turns: t1 active agent
            carol < create #2 v#5 agent turn=t1 'abcd' streaming seq=3
            carol < caught-up #5
            alice = 200 turns: t1 active agent, approvals: , calls: , presence: , messages: #2
                  v#5 agent turn=t1 'abcd' streaming seq=3
            agent < ack 9 #2 v#5 seq=3 duplicate
            agent < ack 10 #2 v#6 seq=4
            alice < append #2 v#6 @4 'e'
            bob < append #2 v#6 @4 'e'
            carol < append #2 v#6 @4 'e'
            -- 1300 ms
            agent < append #2 v#7 @5 '' complete
            agent | turn.end #8 t1 complete agent
            agent | ack 11 t1 complete agent
            alice < append #2 v#7 @5 '' complete
            alice | turn.end #8 t1 complete agent
            bob < append #2 v#7 @5 '' complete
            bob | turn.end #8 t1 complete agent
            carol < append #2 v#7 @5 '' complete
            carol | turn.end #8 t1 complete agent
            agent < create #9 alice 'room'
            alice < create #9 alice 'room'
            alice | ack 4 #9
            bob < create #9 alice 'room'
            carol < create #9 alice 'room'
            alice holds #2 "abcde" complete
            alice holds #9 "room"
            bob holds #2 "abcde" complete
            bob holds #9 "room"
            carol holds #2 "abcde" complete
            carol holds #9 "room"
        "#]],
    );
}
