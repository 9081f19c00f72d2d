//! Frames that come by HTTP (P12).

use crate::world::check;
use expect_test::expect;

/// P12.1: one frame is answered by its ack or nack, with the error's status.
#[test]
fn one_frame_one_answer() {
    check(
        "
        alice post publish 'a' id=x
        alice post publish 'a' id=x
        alice post append #1 'b'
        alice post append #9 'b'
        viewer post publish 'c'
        ",
        expect![[r##"
            alice = 200 {"ref":1,"result":{"messages":[{"id":"x","serial":"#1",
                  "version":"#1"}]},"type":"ack"}
            alice = 200 {"ref":2,"result":{"messages":[{"duplicate":true,"id":"x","serial":"#1",
                  "version":"#1"}]},"type":"ack"}
            alice = 409 {"error":{"code":"closed","message":"unable to append; message #1 is
                  closed","status":409},"ref":3,"type":"nack"}
            alice = 404 {"error":{"code":"not-found","message":"unable to append; there is no
                  message #9","status":404},"ref":4,"type":"nack"}
            viewer = 403 {"error":{"code":"forbidden","message":"unable to publish; the token
                  lacks the operation publish for session s1, it has read, presence",
                  "status":403},"ref":1,"type":"nack"}
        "##]],
    );
}

/// P12.1: an array is answered by one for each, with or without `ref`, in order.
#[test]
fn an_array_is_answered_in_order() {
    check(
        "
        alice attach
        ---
        agent post publish 'a' streaming noref; append #1 'b' seq=1; append #1 'd' seq=3; \
        update #1 'x' noref; delete #9
        ",
        expect![[r##"
            alice < create #1 agent 'a' streaming
            alice | append #1 v#2 @1 'b'
            alice | update #1 v#3 agent 'x' streaming seq=1
            agent = 200 [{"ref":null,"result":{"messages":[{"serial":"#1","version":"#1"}]},
                  "type":"ack"},{"ref":2,"result":{"seq":1,"serial":"#1","version":"#2"},
                  "type":"ack"},{"error":{"code":"gap","expectedSeq":2,"length":2,
                  "message":"unable to append; message #1 expects seq 2 and holds 2",
                  "status":409},"ref":3,"type":"nack"},{"ref":null,"result":{"serial":"#1",
                  "version":"#3"},"type":"ack"},{"error":{"code":"not-found","message":"unable
                  to delete; there is no message #9","status":404},"ref":5,"type":"nack"}]
        "##]],
    );
}

/// P12.2: a shorthand is answered by the result alone; 201 for what is created.
#[test]
fn a_shorthand_is_answered_by_its_result() {
    check(
        "
        alice shorthand publish 'a' id=x
        alice shorthand publish 'a' id=x
        alice shorthand update #1 'b'
        alice shorthand delete #1 if=#1
        alice shorthand delete #1
        ",
        expect![[r##"
            alice = 201 {"messages":[{"id":"x","serial":"#1","version":"#1"}]}
            alice = 200 {"messages":[{"duplicate":true,"id":"x","serial":"#1","version":"#1"}]}
            alice = 200 {"serial":"#1","version":"#2"}
            alice = 409 {"error":{"code":"conflict","message":"unable to delete; message #1 has
                  version #2, not #1","status":409}}
            alice = 200 {"serial":"#1","version":"#3"}
        "##]],
    );
}

/// P12.1: `auth` and `seen` mean something on a connection only.
#[test]
fn what_needs_a_connection_is_refused() {
    check(
        "
        alice post auth token=x
        alice post seen 1
        ",
        expect![[r#"
            alice = 400 {"error":{"code":"unknown-frame","message":"unable to take auth; it is
                  only valid on a WebSocket","status":400},"ref":1,"type":"nack"}
            alice = 400 {"error":{"code":"unknown-frame","message":"unable to take seen; it is
                  only valid on a WebSocket","status":400},"ref":2,"type":"nack"}
        "#]],
    );
}

/// P12.1: lines of a body are each answered, with or without `ref`.
#[test]
fn lines_are_each_answered() {
    check(
        "
        agent attach lines
        agent publish 'a' streaming noref
        agent append #1 'b' noref
        agent append #1 'c' noref
        agent append #9 'c' noref
        ---
        agent ends-body
        agent get #1
        ",
        expect![[r##"
            agent < ack null #1 v#3
            agent | nack null not-found: unable to append; there is no message #9
            agent = 200 {"message":{"client":"agent","connection":"agent-1","createdAt":"+0",
                  "data":"abc","name":"message","role":"user","serial":"#1",
                  "status":"streaming","updatedAt":"+0","version":"#3"}}
        "##]],
    );
}

/// P12.1: an answer comes before the next line only when it may.
#[test]
fn lines_do_not_wait_for_each_other() {
    check(
        "
        agent attach lines
        alice attach window=100
        agent publish 'a' streaming
        agent append #1 'b'
        ---
        agent append #1 'c'
        agent publish 'd'
        ",
        expect![[r#"
            agent < ack 3 #1 v#3
            agent | ack 4 #4
            alice < append #1 v#3 @2 'c'
            alice | create #4 agent 'd'
        "#]],
    );
}
