//! Messages streamed as HTTP bodies (P5.5).

use crate::world::check;
use expect_test::expect;

/// P5.5: a body that breaks off leaves a failed message.
#[test]
fn a_broken_body_fails() {
    check(
        "
        agent attach body
        alice attach window=0
        agent publish 'a' streaming id=x
        agent append #1 'b' seq=1
        agent append #1 'c' seq=2
        ---
        agent drop
        alarm
        ",
        expect![[r#"
            alice < append #1 v#4 @3 '' failed
            alarm: None
        "#]],
    );
}

/// P4.2: the id of a body that failed is free again.
#[test]
fn the_id_of_a_failed_body_is_free() {
    check(
        "
        agent attach body
        agent publish 'a' streaming id=x
        agent drop
        alice attach
        ---
        agent attach body
        agent publish 'again' streaming id=x
        agent append #3 '' complete
        agent drop
        agent attach
        agent publish 'third' id=x
        ",
        expect![[r#"
            agent < ack 2 #3 id="x"
            alice < create #3 agent id=x 'again' streaming
            agent < ack 3 #3 v#4
            alice < append #3 v#4 @5 '' complete
            agent < attached #4 anew
            agent < create #1 v#2 agent id=x 'a' failed
            agent | create #3 v#4 agent id=x 'again' complete
            agent < caught-up #4
            agent < ack 4 #3 v#4 id="x" duplicate
        "#]],
    );
}

/// P5.5: a body whose process died fails when the session looks next.
#[test]
fn a_body_that_a_crash_orphaned_fails() {
    check(
        "
        agent attach body
        agent publish 'a' streaming id=x
        agent append #1 'b'
        wait 300
        crash
        ---
        alice attach
        ",
        expect![[r#"
            -- 300 ms
            alice < attached #3 anew
            alice < create #1 v#3 agent id=x 'ab' failed
            alice < caught-up #3
        "#]],
    );
}

/// P5.5: the alarm looks for it with nobody there.
#[test]
fn an_orphaned_body_fails_by_the_alarm() {
    check(
        "
        agent attach body
        agent publish 'a' streaming
        crash
        alice get #1
        ",
        expect![[r##"
            agent < ack 1 #1
            alice = 200 {"message":{"client":"agent","connection":"body-agent-1",
                  "createdAt":"+0","data":"a","name":"message","role":"user","serial":"#1",
                  "status":"failed","updatedAt":"+0","version":"#2"}}
        "##]],
    );
}

/// P2.6, P5.5: a body whose token expires is closed, and fails.
#[test]
fn an_expired_body_fails() {
    check(
        "
        alice attach
        agent attach body expires=1000
        agent publish 'a' streaming
        wait 1000
        ---
        agent append #1 'b'
        ",
        expect![[r#"
            -- 1000 ms
            agent x 4401 the token expired
            alice < append #1 v#2 @1 '' failed
        "#]],
    );
}

/// P5.5: a body that ended is complete, and its connection may go.
#[test]
fn a_body_that_ended_stays() {
    check(
        "
        agent attach body
        alice attach window=500
        agent publish 'a' streaming
        agent append #1 'b'
        agent append #1 'c' complete
        ---
        agent ends-body
        agent drop
        agent get #1 bare
        alarm
        ",
        expect![[r##"
            agent = 200 {"message":{"client":"agent","connection":"body-agent-1",
                  "createdAt":"+0","name":"message","role":"user","serial":"#1",
                  "status":"complete","updatedAt":"+0","version":"#3"}}
            alarm: Some(300000)
        "##]],
    );
}

/// P12.1: lines are no body: what they wrote goes on when they break off.
#[test]
fn lines_that_break_off_fail_nothing() {
    check(
        "
        agent attach lines
        agent publish 'a' streaming
        agent drop
        agent get #1
        ",
        expect![[r##"
            agent < ack 1 #1
            agent = 200 {"message":{"client":"agent","connection":"agent-1","createdAt":"+0",
                  "data":"a","name":"message","role":"user","serial":"#1","status":"streaming",
                  "updatedAt":"+0","version":"#1"}}
        "##]],
    );
}
