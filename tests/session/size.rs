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
