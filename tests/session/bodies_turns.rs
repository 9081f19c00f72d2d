//! Messages streamed as HTTP bodies within turns (P5.5, P6).

use crate::world::check;
use expect_test::expect;

/// P5.5, P6.8: a body carries the attempt; what it says keeps the turn alive; its end leaves the
/// turn open.
#[test]
fn a_body_within_a_turn() {
    check(
        "
        agent attach rewind=0
        agent start t1 lease=3000
        agent/2 attach body
        alice attach rewind=0 window=0
        ---
        agent/2 publish 'a' streaming turn=t1 its-attempt=1
        wait 2500
        agent/2 append #2 'b' seq=1 attempt=1
        wait 2500
        agent/2 append #2 '' seq=2 attempt=1 complete
        agent/2 ends-body
        agent/2 drop
        wait 2900
        alice brief turns
        agent end t1 complete
        ",
        expect![[r#"
            agent < create #2 agent turn=t1 'a' streaming
            agent/2 < ack 1 #2
            alice < create #2 agent turn=t1 'a' streaming
            -- 2500 ms
            agent < append #2 v#3 @1 'b'
            agent/2 < ack 2 #2 v#3 seq=1
            alice < append #2 v#3 @1 'b'
            -- 5000 ms
            agent < append #2 v#4 @2 '' complete
            agent/2 < ack 3 #2 v#4 seq=2
            alice < append #2 v#4 @2 '' complete
            -- 7900 ms
            alice = 200 turns: t1 active agent
            agent < turn.end #5 t1 complete agent
            agent | ack 2 t1 complete agent
            alice < turn.end #5 t1 complete agent
        "#]],
    );
}

/// P6.8: without the attempt it is not led from there.
#[test]
fn a_body_without_the_attempt_is_refused() {
    check(
        "
        agent attach rewind=0
        agent start t1
        agent/2 attach body
        ---
        agent/2 publish 'a' streaming turn=t1
        agent/2 publish 'a' streaming turn=t1 attempt=2
        ",
        expect![[r#"
            agent/2 < nack 1 not-leader: unable to publish; turn t1 was not taken over this
                  connection, send its current attempt with the frame
            agent/2 < nack 2 not-leader: unable to publish; turn t1 is at attempt 1, not 2
        "#]],
    );
}

/// P5.5: one that breaks off fails its message and nothing else.
#[test]
fn a_body_that_breaks_off_leaves_the_turn_open() {
    check(
        "
        agent attach rewind=0
        agent start t1
        agent/2 attach body
        agent/2 publish 'a' streaming turn=t1 its-attempt=1 id=x
        ---
        agent/2 drop
        agent publish 'b' turn=t1 id=x
        agent end t1 complete
        alarm
        ",
        expect![[r#"
            agent < append #2 v#3 @1 '' failed
            agent < create #4 agent id=x turn=t1 'b'
            agent | ack 2 #4 id="x"
            agent < turn.end #5 t1 complete agent
            agent | ack 3 t1 complete agent
            alarm: Some(30000)
        "#]],
    );
}

/// P5.5: it fails with its body, whoever else has appended to it meanwhile.
#[test]
fn a_body_that_breaks_off_fails_what_others_appended_to() {
    check(
        "
        agent attach body
        agent publish 'a' streaming
        supervisor attach rewind=0
        supervisor append #1 '!'
        wait 300
        ---
        agent drop
        alarm
        ",
        expect![[r#"
            -- 300 ms
            supervisor < append #1 v#3 @2 '' failed
            alarm: None
        "#]],
    );
}

/// P5.5: also where its process died.
#[test]
fn a_body_that_was_orphaned_fails_what_others_appended_to() {
    check(
        "
        agent attach rewind=0
        agent start t1
        agent/2 attach body expires=1000
        agent/2 publish 'a' streaming turn=t1 its-attempt=1
        supervisor attach rewind=0
        supervisor append #2 '!'
        wait 1000
        ---
        agent/2 append #2 'b' attempt=1
        alarm
        ",
        expect![[r#"
            -- 1000 ms
            agent/2 x 4401 the token expired
            agent < append #2 v#4 @2 '' failed
            supervisor < append #2 v#4 @2 '' failed
            alarm: Some(29000)
        "#]],
    );
}

/// P6.3, P6.8: what a body still sends once its turn is over, or led by another process, is
/// refused, and nothing of it stays open.
#[test]
fn a_body_outlives_its_turn() {
    check(
        "
        agent attach rewind=0
        agent start t1
        agent start t2
        agent/2 attach body
        agent/2 publish 'a' streaming turn=t1 its-attempt=1
        agent/3 attach body
        agent/3 publish 'a' streaming turn=t2 its-attempt=1
        agent/2 append #3 'b' seq=1 attempt=1
        agent/3 append #4 'b' seq=1 attempt=1
        ---
        agent end t1 complete
        agent/2 append #3 'c' seq=2 attempt=1
        agent/2 append #3 '' seq=2 failed attempt=1
        agent/2 drop
        agent adopt t2
        agent/3 append #4 'c' seq=2 attempt=1
        agent/3 append #4 '' seq=2 failed attempt=1
        agent/3 drop
        alice get messages
        ",
        expect![[r##"
            agent < append #4 v#6 @1 'b'
            agent | append #3 v#7 @2 '' complete
            agent | turn.end #8 t1 complete agent
            agent | ack 3 t1 complete agent
            agent/3 < ack 2 #4 v#6 seq=1
            agent/2 < nack 3 turn-closed: unable to append; turn t1 is complete
            agent/2 < nack 4 turn-closed: unable to append; turn t1 is complete
            agent < turn.adopt #9 t2 active agent attempt=2
            agent | delete #4 v#10 superseded
            agent | ack 4 t2 active agent attempt=2
            agent/3 < nack 3 not-leader: unable to append; turn t2 is at attempt 2, not 1
            agent/3 < nack 4 not-leader: unable to append; turn t2 is at attempt 2, not 1
            alice = 200 {"hasMore":false,"messages":[{"client":"agent",
                  "connection":"body-agent/3-1","createdAt":"+0","deletedAt":"+0",
                  "name":"message","role":"user","seq":1,"serial":"#4","status":"cancelled",
                  "turn":"t2","updatedAt":"+0","version":"#10"},{"client":"agent",
                  "connection":"body-agent/2-1","createdAt":"+0","data":"ab","name":"message",
                  "role":"user","seq":1,"serial":"#3","status":"complete","turn":"t1",
                  "updatedAt":"+0","version":"#7"}],"turns":[{"agent":"agent","attempt":1,
                  "createdAt":"+0","endedAt":"+0","id":"t1","startedAt":"+0",
                  "status":"complete"},{"agent":"agent","attempt":2,"createdAt":"+0","id":"t2",
                  "leaseMs":30000,"leaseUntil":"+30000","startedAt":"+0","status":"active"}]}
        "##]],
    );
}
