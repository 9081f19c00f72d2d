//! Messages are updated and deleted (P4.3).

use crate::world::check;
use expect_test::expect;

/// P4.3: an update replaces the given fields.
#[test]
fn an_update_replaces_what_is_given() {
    check(
        "
        alice attach
        bob attach
        alice publish 'a' headers={\"k\":\"v\"}
        ---
        alice update #1 'b'
        alice update #1 headers={\"n\":\"1\"}
        alice update #1 {\"now\":\"json\"}
        alice raw {\"type\":\"update\", \"ref\":5, \"serial\":\"#1\", \"data\":null}
        ",
        expect![[r#"
            alice < update #1 v#2 alice 'b' headers={"k":"v"}
            alice | ack 2 #1 v#2
            bob < update #1 v#2 alice 'b' headers={"k":"v"}
            alice < update #1 v#3 alice headers={"n":"1"}
            alice | ack 3 #1 v#3
            bob < update #1 v#3 alice headers={"n":"1"}
            alice < update #1 v#4 alice {"now":"json"} headers={"n":"1"}
            alice | ack 4 #1 v#4
            bob < update #1 v#4 alice {"now":"json"} headers={"n":"1"}
            alice < update #1 v#5 alice headers={"n":"1"}
            alice | ack 5 #1 v#5
            bob < update #1 v#5 alice headers={"n":"1"}
        "#]],
    );
}

/// P4.3: a deletion leaves a tombstone without data.
#[test]
fn a_deletion_leaves_a_tombstone() {
    check(
        "
        alice attach
        bob attach
        alice publish 'a' id=x headers={\"k\":\"v\"}
        ---
        alice delete #1
        alice get #1
        carol attach
        ",
        expect![[r##"
            alice < delete #1 v#2
            alice | ack 2 #1 v#2
            bob < delete #1 v#2
            alice = 200 {"message":{"client":"alice","connection":"alice-1","createdAt":"+0",
                  "deletedAt":"+0","headers":{"k":"v"},"id":"x","name":"message","role":"user",
                  "serial":"#1","updatedAt":"+0","version":"#2"}}
            carol < attached #2 anew
            carol < create #1 v#2 alice id=x headers={"k":"v"} deleted
            carol < caught-up #2
        "##]],
    );
}

/// P4.3: a deleted message takes no further change.
#[test]
fn a_deleted_message_stays_deleted() {
    check(
        "
        alice attach
        alice publish 'a'
        alice delete #1
        ---
        alice update #1 'b'
        alice delete #1
        ",
        expect![[r#"
            alice < nack 3 deleted: unable to update; message #1 is deleted
            alice < nack 4 deleted: unable to delete; message #1 is deleted
        "#]],
    );
}

/// P4.3: own messages need `publish`, others' need `edit`.
#[test]
fn who_may_change() {
    check(
        "
        alice attach
        bob attach rewind=0
        supervisor attach rewind=0
        alice publish 'a'
        ---
        bob update #1 'b'
        bob delete #1
        supervisor update #1 'c'
        supervisor delete #1
        ",
        expect![[r#"
            bob < nack 1 forbidden: unable to update; the token lacks the operation edit for
                  session s1, it has read, publish, presence, cancel, steer, approve, state,
                  annotate, push
            bob < nack 2 forbidden: unable to delete; the token lacks the operation edit for
                  session s1, it has read, publish, presence, cancel, steer, approve, state,
                  annotate, push
            alice < update #1 v#2 alice 'c'
            bob < update #1 v#2 alice 'c'
            supervisor < update #1 v#2 alice 'c'
            supervisor | ack 1 #1 v#2
            alice < delete #1 v#3
            bob < delete #1 v#3
            supervisor < delete #1 v#3
            supervisor | ack 2 #1 v#3
        "#]],
    );
}

/// P4.3: with `ifVersion` only if the version still is that one.
#[test]
fn a_condition_must_hold() {
    check(
        "
        alice attach
        alice publish 'a'
        ---
        alice update #1 'b' if=#1
        alice update #1 'c' if=#1
        alice delete #1 if=#1
        alice delete #1 if=#2
        alice update #1 'd' if=#2
        ",
        expect![[r#"
            alice < update #1 v#2 alice 'b'
            alice | ack 2 #1 v#2
            alice < nack 3 conflict: unable to update; message #1 has version #2, not #1
            alice < nack 4 conflict: unable to delete; message #1 has version #2, not #1
            alice < delete #1 v#3
            alice | ack 5 #1 v#3
            alice < nack 6 deleted: unable to update; message #1 is deleted
        "#]],
    );
}

/// P4.3: a condition is not a serial, no condition.
#[test]
fn a_condition_is_a_serial() {
    check(
        "
        alice attach
        alice publish 'a'
        ---
        alice update #1 'b' if=zzzz00000001
        alice update #1 'b' if=soon
        ",
        expect![[r#"
            alice < nack 2 conflict: unable to update; message #1 has version #1, not b#1
            alice < nack 3 invalid-frame: unable to update; ifVersion: "soon" is not a serial
                  of a session
        "#]],
    );
}

/// P13.1: an update and a deletion may carry an id.
#[test]
fn a_change_with_an_id_is_made_once() {
    check(
        "
        alice attach
        alice publish 'a' and 'b'
        ---
        alice update #1 'A' id=x
        alice update #1 'A' id=x
        alice delete #2 id=x
        alice delete #2 id=x
        ",
        expect![[r#"
            alice < update #1 v#3 alice 'A'
            alice | ack 2 #1 v#3
            alice < ack 3 #1 v#3 duplicate
            alice < delete #2 v#4
            alice | ack 4 #2 v#4
            alice < ack 5 #2 v#4 duplicate
        "#]],
    );
}

/// P13.1: ids of frames are kept for `idRetentionMs`, those of messages with the message.
#[test]
fn ids_of_frames_age() {
    check(
        "
        admin patch {\"idRetentionMs\":1000}
        alice attach
        alice publish 'a' id=m
        alice update #1 'b' id=u
        wait 1000
        alice update #1 'b' id=u
        wait 1001
        ---
        alice update #1 'b' id=u
        alice publish 'a' id=m
        ",
        expect![[r#"
            -- 2001 ms
            alice < update #1 v#3 alice id=m 'b'
            alice | ack 4 #1 v#3
            alice < ack 5 #1 v#3 id="m" duplicate
        "#]],
    );
}

/// P4.3: what was never there is not found.
#[test]
fn what_is_not_there_is_not_changed() {
    check(
        "
        alice attach
        ---
        alice update #1 'b'
        alice delete #1
        alice raw {\"type\":\"delete\",\"ref\":1}
        ",
        expect![[r#"
            alice < nack 1 not-found: unable to update; there is no message #1
            alice < nack 2 not-found: unable to delete; there is no message #1
            alice < nack 1 invalid-frame: unable to delete; serial is missing
        "#]],
    );
}

/// P5.1: an update of a stream goes on from the new text.
#[test]
fn a_stream_goes_on_from_its_new_text() {
    check(
        "
        agent attach
        alice attach window=100
        agent publish 'draft' streaming
        agent append #1 '!'
        wait 10
        agent append #1 '?'
        ---
        agent update #1 'final'
        agent append #1 ' text'
        wait 200
        alice holds
        bob attach
        ",
        expect![[r#"
            -- 10 ms
            agent < ack 3 #1 v#3
            agent | update #1 v#4 agent 'final' streaming
            agent | ack 4 #1 v#4
            alice < append #1 v#3 @6 '?'
            alice | update #1 v#4 agent 'final' streaming
            -- 110 ms
            agent < ack 5 #1 v#5
            alice < append #1 v#5 @5 ' text'
            alice holds #1 "final text" streaming
            -- 210 ms
            bob < attached #5 anew
            bob < create #1 v#5 agent 'final text' streaming
            bob < caught-up #5
        "#]],
    );
}

/// P4.3: a stream may be deleted.
#[test]
fn a_stream_is_deleted() {
    check(
        "
        agent attach
        alice attach window=500
        agent publish 'a' streaming
        agent append #1 'b'
        wait 10
        agent append #1 'c'
        ---
        agent delete #1
        timer
        alarm
        alice holds
        ",
        expect![[r#"
            -- 10 ms
            agent < ack 3 #1 v#3
            agent | delete #1 v#4
            agent | ack 4 #1 v#4
            alice < append #1 v#3 @2 'c'
            alice | delete #1 v#4
            timer: None
            alarm: Some(299990)
            alice holds #1 null streaming deleted
        "#]],
    );
}
