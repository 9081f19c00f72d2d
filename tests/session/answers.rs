//! Exactly one answer a frame, in order, never before it is stored (P13.1).

use crate::world::check;
use expect_test::expect;

/// P13.1: answers come in the order of the frames, though one has to wait.
#[test]
fn answers_keep_their_order() {
    check(
        "
        agent attach
        alice attach window=100
        agent publish '' streaming
        agent append #1 'a'
        ---
        agent append #1 'b'
        agent append #9 'x'
        agent signal look
        agent append #1 'c'
        wait 100
        ",
        expect![[r#"
            agent < signal agent look
            alice < signal agent look
            -- 100 ms
            agent < ack 3 #1 v#3
            agent | nack 4 not-found: unable to append; there is no message #9
            agent | ack 5 {}
            agent | ack 6 #1 v#3
            alice < append #1 v#3 @1 'bc'
        "#]],
    );
}

/// P13.1: another connection's answers do not wait with them.
#[test]
fn answers_of_others_do_not_wait() {
    check(
        "
        agent attach
        alice attach window=100
        agent publish '' streaming
        agent append #1 'a'
        agent append #1 'b'
        ---
        alice signal look
        alice append #9 'x'
        ",
        expect![[r#"
            agent < signal alice look
            alice < signal alice look
            alice | ack 1 {}
            alice < nack 2 not-found: unable to append; there is no message #9
        "#]],
    );
}

/// P13.1: a frame that changes the log brings out what waits before it.
#[test]
fn a_change_answers_what_waits() {
    check(
        "
        agent attach
        alice attach window=100
        agent publish '' streaming
        agent append #1 'a'
        ---
        agent append #1 'b' ref=b; publish 'x' ref=x; append #1 'c' ref=c
        ",
        expect![[r#"
            agent < ack "b" #1 v#3
            agent | create #4 agent 'x'
            agent | ack "x" #4
            alice < append #1 v#3 @1 'b'
            alice | create #4 agent 'x'
        "#]],
    );
}

/// P13.1: `ref` is text or a number, given back as it came.
#[test]
fn a_ref_is_given_back_as_it_came() {
    check(
        "
        alice attach
        ---
        alice raw {\"type\":\"signal\", \"name\":\"x\", \"ref\":\"1\"}
        alice raw {\"type\":\"signal\", \"name\":\"x\", \"ref\":1.50}
        alice raw {\"type\":\"signal\", \"name\":\"x\", \"ref\":-7}
        alice raw {\"type\":\"signal\", \"name\":\"x\", \"ref\":null}
        alice raw {\"type\":\"signal\", \"name\":\"x\", \"ref\":{}}
        alice raw {\"type\":\"signal\", \"name\":\"x\", \"ref\":true}
        ",
        expect![[r#"
            alice < signal alice x
            alice | ack "1" {}
            alice < signal alice x
            alice | ack 1.5 {}
            alice < signal alice x
            alice | ack -7 {}
            alice < signal alice x
            alice < nack null invalid-frame: unable to read the frame; ref is neither text nor
                  a number
            alice < nack null invalid-frame: unable to read the frame; ref is neither text nor
                  a number
        "#]],
    );
}

/// P13.6: a message that cannot be read is answered by one nack with `ref: null`.
#[test]
fn what_cannot_be_read_is_answered_once() {
    check(
        "
        alice attach
        bob attach
        ---
        alice raw {
        alice raw 5
        alice raw \"text\"
        alice raw [
        alice raw {\"type\":5, \"ref\":1}
        alice raw {\"ref\":1}
        alice raw {\"type\":\"dance\", \"ref\":1}
        alice raw {\"type\":\"approval.request\", \"ref\":2}
        ",
        expect![[r#"
            alice < nack null invalid-frame: unable to read the frame; it is not JSON, EOF
                  while parsing an object at line 1, column 1
            alice < nack null invalid-frame: unable to read the frame; it is the number 5, not
                  an object
            alice < nack null invalid-frame: unable to read the frame; it is the text "text",
                  not an object
            alice < nack null invalid-frame: unable to read the message; it is not JSON, EOF
                  while parsing a list at line 1, column 1
            alice < nack 1 invalid-frame: unable to read the frame; type: it is the number 5,
                  not text
            alice < nack 1 invalid-frame: unable to read the frame; type is missing
            alice < nack 1 unknown-frame: unable to read the frame; there is no type "dance",
                  only append, publish, update, delete, signal, turn.start, turn.end,
                  turn.suspend, turn.resume, turn.heartbeat, turn.usage, turn.adopt,
                  turn.steered, cancel, steer, approval.request, approval.decide,
                  approval.withdraw, grant.revoke, tool.call, tool.claim, tool.result,
                  tool.withdraw, notify, lead.take, lead.return, state, annotate, unannotate,
                  read, presence.set, presence.leave, auth, seen
            alice < nack 2 invalid-frame: unable to ask for approval; title is missing
        "#]],
    );
}

/// P13.6: a bad frame harms none of the others in its array.
#[test]
fn a_bad_frame_harms_no_other() {
    check(
        "
        alice attach
        ---
        alice raw [{\"type\":\"signal\", \"name\":\"x\", \"ref\":1}, 5, {\"type\":\"dance\", \
        \"ref\":2}, {\"type\":\"signal\", \"name\":\"y\", \"ref\":3}]
        alice raw []
        ",
        expect![[r#"
            alice < signal alice x
            alice | ack 1 {}
            alice | nack null invalid-frame: unable to read the frame; it is the number 5, not
                  an object
            alice | nack 2 unknown-frame: unable to read the frame; there is no type "dance",
                  only append, publish, update, delete, signal, turn.start, turn.end,
                  turn.suspend, turn.resume, turn.heartbeat, turn.usage, turn.adopt,
                  turn.steered, cancel, steer, approval.request, approval.decide,
                  approval.withdraw, grant.revoke, tool.call, tool.claim, tool.result,
                  tool.withdraw, notify, lead.take, lead.return, state, annotate, unannotate,
                  read, presence.set, presence.leave, auth, seen
            alice | signal alice y
            alice | ack 3 {}
        "#]],
    );
}

/// P13.1: what is pending is answered to nobody else when its sender is gone.
#[test]
fn an_answer_finds_its_connection_only() {
    check(
        "
        agent attach
        alice attach window=100
        agent publish '' streaming
        agent append #1 'a'
        agent append #1 'b' seq=1
        agent drop
        agent attach rewind=0
        ---
        agent append #1 'b' seq=1
        wait 100
        ",
        expect![[r#"
            -- 40 ms
            agent < append #1 v#3 @1 'b'
            agent | ack 4 #1 v#3 seq=1 duplicate
            agent < ack 3 #1 v#3 seq=1
            -- 100 ms
            alice < append #1 v#3 @1 'b'
        "#]],
    );
}
