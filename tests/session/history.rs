//! Reads over HTTP (P3.9, P11.1).

use crate::world::check;
use expect_test::expect;

/// P3.9: newest first with `before` or neither, oldest first with `after`.
#[test]
fn history_is_read_in_pages() {
    check(
        "
        alice attach
        alice publish '1' and '2' and '3' and '4' and '5'
        ---
        alice get messages limit=2
        alice get messages limit=2 before=#4
        alice get messages limit=2 before=#2
        alice get messages limit=3 after=#0
        alice get messages limit=3 after=#3
        ",
        expect![[r##"
            alice = 200 {"hasMore":true,"messages":[{"client":"alice","connection":"alice-1",
                  "createdAt":"+0","data":"5","name":"message","role":"user","serial":"#5",
                  "updatedAt":"+0","version":"#5"},{"client":"alice","connection":"alice-1",
                  "createdAt":"+0","data":"4","name":"message","role":"user","serial":"#4",
                  "updatedAt":"+0","version":"#4"}],"next":"#4"}
            alice = 200 {"hasMore":true,"messages":[{"client":"alice","connection":"alice-1",
                  "createdAt":"+0","data":"3","name":"message","role":"user","serial":"#3",
                  "updatedAt":"+0","version":"#3"},{"client":"alice","connection":"alice-1",
                  "createdAt":"+0","data":"2","name":"message","role":"user","serial":"#2",
                  "updatedAt":"+0","version":"#2"}],"next":"#2"}
            alice = 200 {"hasMore":false,"messages":[{"client":"alice","connection":"alice-1",
                  "createdAt":"+0","data":"1","name":"message","role":"user","serial":"#1",
                  "updatedAt":"+0","version":"#1"}]}
            alice = 200 {"hasMore":true,"messages":[{"client":"alice","connection":"alice-1",
                  "createdAt":"+0","data":"1","name":"message","role":"user","serial":"#1",
                  "updatedAt":"+0","version":"#1"},{"client":"alice","connection":"alice-1",
                  "createdAt":"+0","data":"2","name":"message","role":"user","serial":"#2",
                  "updatedAt":"+0","version":"#2"},{"client":"alice","connection":"alice-1",
                  "createdAt":"+0","data":"3","name":"message","role":"user","serial":"#3",
                  "updatedAt":"+0","version":"#3"}],"next":"#3"}
            alice = 200 {"hasMore":false,"messages":[{"client":"alice","connection":"alice-1",
                  "createdAt":"+0","data":"4","name":"message","role":"user","serial":"#4",
                  "updatedAt":"+0","version":"#4"},{"client":"alice","connection":"alice-1",
                  "createdAt":"+0","data":"5","name":"message","role":"user","serial":"#5",
                  "updatedAt":"+0","version":"#5"}]}
        "##]],
    );
}

/// P3.9: one item a message, aggregated, at its place of creation.
#[test]
fn history_has_each_message_once() {
    check(
        "
        agent attach
        agent publish '' streaming id=x
        agent publish 'later'
        agent append #1 'a' seq=1
        wait 300
        agent append #1 'b' seq=2 complete
        agent delete #2
        ---
        alice get messages
        ",
        expect![[r##"
            alice = 200 {"hasMore":false,"messages":[{"client":"agent","connection":"agent-1",
                  "createdAt":"+0","deletedAt":"+300","name":"message","role":"user",
                  "serial":"#2","updatedAt":"+300","version":"#5"},{"client":"agent",
                  "connection":"agent-1","createdAt":"+0","data":"ab","id":"x","name":"message",
                  "role":"user","seq":2,"serial":"#1","status":"complete","updatedAt":"+300",
                  "version":"#4"}]}
        "##]],
    );
}

/// P3.9: a page ends at 1 MiB.
#[test]
fn a_page_is_bounded() {
    check(
        "
        agent attach
        agent floods 200000 publish '…'
        wait 1000
        agent floods 200000 publish '…'
        agent floods 200000 publish '…'
        agent floods 200000 publish '…'
        agent floods 200000 publish '…'
        agent floods 200000 publish '…'
        ---
        alice get messages limit=1000
        ",
        expect![[r##"
            alice = 200 {"hasMore":true,"messages":[{"client":"agent","connection":"agent-1",
                  "createdAt":"+1000","data":"xxxxxxxxxxxx…' (200000)","name":"message",
                  "role":"user","serial":"#6","updatedAt":"+1000","version":"#6"},
                  {"client":"agent","connection":"agent-1","createdAt":"+1000",
                  "data":"xxxxxxxxxxxx…' (200000)","name":"message","role":"user","serial":"#5",
                  "updatedAt":"+1000","version":"#5"},{"client":"agent","connection":"agent-1",
                  "createdAt":"+1000","data":"xxxxxxxxxxxx…' (200000)","name":"message",
                  "role":"user","serial":"#4","updatedAt":"+1000","version":"#4"},
                  {"client":"agent","connection":"agent-1","createdAt":"+1000",
                  "data":"xxxxxxxxxxxx…' (200000)","name":"message","role":"user","serial":"#3",
                  "updatedAt":"+1000","version":"#3"},{"client":"agent","connection":"agent-1",
                  "createdAt":"+1000","data":"xxxxxxxxxxxx…' (200000)","name":"message",
                  "role":"user","serial":"#2","updatedAt":"+1000","version":"#2"}],"next":"#2"}
        "##]],
    );
}

/// P3.9: a cursor is a serial of this session.
#[test]
fn a_cursor_of_another_session_is_not_found() {
    check(
        "
        alice attach
        alice publish 'a'
        ---
        alice get messages before=zzzz00000001
        alice get messages after=soon
        ",
        expect![[r#"
            alice = 404 {"error":{"code":"not-found","message":"unable to read; before
                  \"zzzz00000001\" is no serial of this session","status":404}}
            alice = 404 {"error":{"code":"not-found","message":"unable to read; after \"soon\"
                  is no serial of this session","status":404}}
        "#]],
    );
}

/// P3.9: one message by its serial.
#[test]
fn one_message_is_read() {
    check(
        "
        alice attach
        alice publish 'a' headers={\"k\":\"v\"}
        ---
        alice get #1
        alice get #2
        alice get nonsense
        alice get #1 bare
        ",
        expect![[r##"
            alice = 200 {"message":{"client":"alice","connection":"alice-1","createdAt":"+0",
                  "data":"a","headers":{"k":"v"},"name":"message","role":"user","serial":"#1",
                  "updatedAt":"+0","version":"#1"}}
            alice = 404 {"error":{"code":"not-found","message":"unable to read; there is no
                  message \"b2cy00000002\"","status":404}}
            alice = 404 {"error":{"code":"not-found","message":"unable to read; there is no
                  message \"nonsense\"","status":404}}
            alice = 200 {"message":{"client":"alice","connection":"alice-1","createdAt":"+0",
                  "headers":{"k":"v"},"name":"message","role":"user","serial":"#1",
                  "updatedAt":"+0","version":"#1"}}
        "##]],
    );
}

/// P11.1: the snapshot has what a page needs, oldest first.
#[test]
fn a_snapshot_is_the_session_in_one_read() {
    check(
        "
        admin patch {\"title\":\"Support\"}
        alice attach
        alice publish '1' and '2' and '3'
        ---
        alice get snapshot rewind=2
        ",
        expect![[r##"
            alice = 200 {"approvals":[],"calls":[],"createdAt":"+0","grants":[],"hasOlder":true,
                  "messages":[{"client":"alice","connection":"alice-1","createdAt":"+0",
                  "data":"2","name":"message","role":"user","serial":"#2","updatedAt":"+0",
                  "version":"#2"},{"client":"alice","connection":"alice-1","createdAt":"+0",
                  "data":"3","name":"message","role":"user","serial":"#3","updatedAt":"+0",
                  "version":"#3"}],"presence":[],"serial":"#3","session":"s1",
                  "settings":{"title":"Support"},"turns":[],"updatedAt":"+0"}
        "##]],
    );
}

/// P2.3: reading needs `read`.
#[test]
fn reading_needs_read() {
    check(
        "
        alice attach
        alice publish 'a'
        ---
        eve get messages as=publish
        eve get snapshot as=publish
        eve get #1 as=presence
        eve attach as=publish
        ",
        expect![[r#"
            eve = 403 {"error":{"code":"forbidden","message":"unable to read; the token lacks
                  the operation read for session s1, it has publish","status":403}}
            eve = 403 {"error":{"code":"forbidden","message":"unable to read; the token lacks
                  the operation read for session s1, it has publish","status":403}}
            eve = 403 {"error":{"code":"forbidden","message":"unable to read; the token lacks
                  the operation read for session s1, it has presence","status":403}}
            eve < nack null forbidden: unable to attach; the token lacks the operation read for
                  session s1, it has publish
            eve x 4403 the token lacks read
        "#]],
    );
}
