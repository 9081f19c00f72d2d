//! The conversation that leads to a message (P6.9).

use std::fmt::Write;

use crate::world::{World, check, check_with};
use expect_test::expect;
use sessile::protocol::limits::Limits;

/// P6.9: regenerating: the answers beside the one that is asked for are no part of it, and what
/// names no parent follows the last that began before it.
#[test]
fn another_answer() {
    check(
        "
        agent attach rewind=0
        alice attach rewind=0
        alice publish 'q'
        agent start t1 input=#1
        agent publish 'one' turn=t1
        agent end t1 complete
        agent start t2 input=#1 again
        agent publish 'two' turn=t2
        agent end t2 complete
        alice publish 'more'
        alice publish 'other' parent=#3
        ---
        alice brief conversation to=#1
        alice brief conversation to=#3
        alice brief conversation to=#6
        alice brief conversation to=#8
        alice brief conversation to=#9
        ",
        expect![[r#"
            alice = 200 messages: #1 alice 'q'
            alice = 200 turns: t1 complete agent input=#1, messages: #3 agent turn=t1 'one'; #1
                  alice 'q'
            alice = 200 turns: t2 complete agent input=#1, messages: #6 agent turn=t2 'two'; #1
                  alice 'q'
            alice = 200 turns: t2 complete agent input=#1, messages: #8 alice 'more'; #6 agent
                  turn=t2 'two'; #1 alice 'q'
            alice = 200 turns: t1 complete agent input=#1, messages: #9 alice parent=#3
                  'other'; #3 agent turn=t1 'one'; #1 alice 'q'
        "#]],
    );
}

/// P6.9: editing: another version of a message follows what the first did, also where that was
/// nothing, and an edit of an edit as well.
#[test]
fn another_question() {
    check(
        r##"
        agent attach rewind=0
        alice attach rewind=0
        alice publish 'hello'
        agent start t1 input=#1
        agent publish 'hi' turn=t1
        agent end t1 complete
        alice publish 'x?'
        alice publish 'y?' parent=#3 headers={"sessile-edits":"#5"}
        alice publish 'bye' headers={"sessile-edits":"#1"}
        alice publish 'bye!' headers={"sessile-edits":"#7"}
        agent start t2 input=#8
        agent publish 'see you' turn=t2
        alice publish 'odd' headers={"sessile-edits":"nobody"}
        ---
        alice brief conversation to=#5
        alice brief conversation to=#6
        alice brief conversation to=#7
        alice brief conversation to=#8
        alice brief conversation to=#10
        alice brief conversation to=#11
        "##,
        expect![[r#"
            alice = 200 turns: t1 complete agent input=#1, messages: #5 alice 'x?'; #3 agent
                  turn=t1 'hi'; #1 alice 'hello'
            alice = 200 turns: t1 complete agent input=#1, messages: #6 alice parent=#3 'y?'
                  headers={"sessile-edits":"b2cy00000005"}; #3 agent turn=t1 'hi'; #1 alice
                  'hello'
            alice = 200 messages: #7 alice 'bye' headers={"sessile-edits":"b2cy00000001"}
            alice = 200 messages: #8 alice 'bye!' headers={"sessile-edits":"b2cy00000007"}
            alice = 200 turns: t2 active agent input=#8, messages: #10 agent turn=t2 'see you';
                  #8 alice 'bye!' headers={"sessile-edits":"b2cy00000007"}
            alice = 200 turns: t2 active agent input=#8, messages: #11 alice 'odd'
                  headers={"sessile-edits":"nobody"}; #10 agent turn=t2 'see you'; #8 alice
                  'bye!' headers={"sessile-edits":"b2cy00000007"}
        "#]],
    );
}

/// P6.9: only its author makes another version of a message: whatever somebody else calls one
/// follows what it would follow without that word.
#[test]
fn another_question_of_another_client() {
    check(
        r##"
        agent attach rewind=0
        alice attach rewind=0
        bob attach rewind=0
        alice publish 'hello'
        agent start t1 input=#1
        agent publish 'hi' turn=t1
        bob publish 'not that' headers={"sessile-edits":"#1"}
        bob publish 'nor that' parent=#3 headers={"sessile-edits":"t1"}
        bob publish 'but this' headers={"sessile-edits":"#4"}
        ---
        alice brief conversation to=#4
        alice brief conversation to=#5
        alice brief conversation to=#6
        "##,
        expect![[r#"
            alice = 200 turns: t1 active agent input=#1, messages: #4 bob parent=#3 'nor that'
                  headers={"sessile-edits":"t1"}; #3 agent turn=t1 'hi'; #1 alice 'hello'
            alice = 200 turns: t1 active agent input=#1, messages: #5 bob 'but this'
                  headers={"sessile-edits":"b2cy00000004"}; #3 agent turn=t1 'hi'; #1 alice
                  'hello'
            alice = 404 {"error":{"code":"not-found","message":"unable to read; there is no
                  message #6","status":404}}
        "#]],
    );
}

/// P6.9: each turn comes with all its messages, whatever was said in between; of the one that is
/// asked for, what is up to there.
#[test]
fn turns_come_whole() {
    check(
        "
        agent attach rewind=0
        alice attach rewind=0
        alice publish 'a'
        agent start t1 input=#1
        agent publish 'one' turn=t1
        alice publish 'b'
        agent publish 'two' turn=t1
        agent start t2 input=#4
        agent publish 'three' turn=t2
        agent publish 'four' turn=t1 and 'five' turn=t2
        alice publish 'c'
        ---
        alice brief conversation to=#4
        alice brief conversation to=#7
        alice brief conversation to=#10
        ",
        expect![[r#"
            alice = 200 turns: t1 active agent input=#1, messages: #4 alice 'b'; #8 agent
                  turn=t1 'four'; #5 agent turn=t1 'two'; #3 agent turn=t1 'one'; #1 alice 'a'
            alice = 200 turns: t1 active agent input=#1; t2 active agent input=#4, messages: #7
                  agent turn=t2 'three'; #4 alice 'b'; #8 agent turn=t1 'four'; #5 agent
                  turn=t1 'two'; #3 agent turn=t1 'one'; #1 alice 'a'
            alice = 200 turns: t1 active agent input=#1; t2 active agent input=#4, messages:
                  #10 alice 'c'; #9 agent turn=t2 'five'; #7 agent turn=t2 'three'; #4 alice
                  'b'; #8 agent turn=t1 'four'; #5 agent turn=t1 'two'; #3 agent turn=t1 'one';
                  #1 alice 'a'
        "#]],
    );
}

/// P6.9: an answer that goes on after what the page gave back is one chain.
#[test]
fn an_answer_that_goes_on() {
    check(
        "
        agent attach rewind=0
        alice attach rewind=0
        alice publish 'what is the weather?'
        agent start t1 input=#1
        agent publish 'where am I?' turn=t1 name=tool-input and 'and when?' turn=t1 name=tool-input
        agent end t1 complete
        alice publish 'Oslo' name=tool-output parent=#4 wake=false
        alice publish 'today' name=tool-output parent=#6
        agent start t2 input=#7
        agent publish 'sunny' turn=t2
        agent end t2 complete
        ---
        alice brief conversation to=#7
        alice brief conversation to=#9
        ",
        expect![[r#"
            alice = 200 turns: t1 complete agent input=#1, messages: #7 alice name=tool-output
                  parent=#6 'today'; #6 alice name=tool-output parent=#4 'Oslo'; #4 agent
                  name=tool-input turn=t1 'and when?'; #3 agent name=tool-input turn=t1 'where
                  am I?'; #1 alice 'what is the weather?'
            alice = 200 turns: t1 complete agent input=#1; t2 complete agent input=#7,
                  messages: #9 agent turn=t2 'sunny'; #7 alice name=tool-output parent=#6
                  'today'; #6 alice name=tool-output parent=#4 'Oslo'; #4 agent name=tool-input
                  turn=t1 'and when?'; #3 agent name=tool-input turn=t1 'where am I?'; #1 alice
                  'what is the weather?'
        "#]],
    );
}

/// P6.9: what was deleted is no part of it, and is passed over to what it followed.
#[test]
fn what_was_deleted_is_out() {
    check(
        "
        agent attach rewind=0
        alice attach rewind=0
        alice publish 'a'
        alice publish 'b'
        agent start t1 input=#2
        agent publish 'gone' turn=t1 and 'stays' turn=t1
        alice publish 'c' parent=#4
        alice publish 'd'
        agent delete #4
        alice delete #2
        alice delete #7
        agent start t2 input=#7
        agent publish 'all' turn=t2
        agent delete #12
        alice publish 'e' parent=#12
        ---
        alice brief conversation to=#6
        alice brief conversation to=#7
        alice brief conversation to=#12
        alice brief conversation to=#14
        ",
        expect![[r#"
            alice = 200 turns: t1 active agent input=#2, messages: #6 alice parent=#4 'c'; #5
                  agent turn=t1 'stays'; #1 alice 'a'
            alice = 200 turns: t1 active agent input=#2, messages: #6 alice parent=#4 'c'; #5
                  agent turn=t1 'stays'; #1 alice 'a'
            alice = 200 turns: t1 active agent input=#2, messages: #6 alice parent=#4 'c'; #5
                  agent turn=t1 'stays'; #1 alice 'a'
            alice = 200 turns: t1 active agent input=#2, messages: #14 alice parent=#12 'e'; #6
                  alice parent=#4 'c'; #5 agent turn=t1 'stays'; #1 alice 'a'
        "#]],
    );
}

/// P6.9: it comes in pages, each of which goes on where the one before ended.
#[test]
fn pages() {
    check(
        "
        agent attach rewind=0
        alice attach rewind=0
        alice publish 'a' and 'b'
        agent start t1 input=#2
        agent publish 'one' turn=t1 and 'two' turn=t1 and 'three' turn=t1
        agent start t2 input=#2 again
        agent publish 'other' turn=t2
        alice publish 'c' parent=#6
        ---
        alice get conversation to=#9 limit=2
        alice brief conversation to=#9 limit=2 before=#6
        alice brief conversation to=#9 limit=2 before=#4
        alice brief conversation to=#9 limit=2 before=#1
        alice brief conversation to=#9 limit=6
        ",
        expect![[r##"
            alice = 200 {"hasMore":true,"messages":[{"client":"alice","connection":"alice-1",
                  "createdAt":"+0","data":"c","name":"message","parent":"#6","role":"user",
                  "serial":"#9","updatedAt":"+0","version":"#9"},{"client":"agent",
                  "connection":"agent-1","createdAt":"+0","data":"three","name":"message",
                  "role":"user","serial":"#6","turn":"t1","updatedAt":"+0","version":"#6"}],
                  "next":"#6","turns":[{"agent":"agent","attempt":1,"createdAt":"+0","id":"t1",
                  "input":"#2","leaseMs":30000,"leaseUntil":"+30000","startedAt":"+0",
                  "status":"active"}]}
            alice = 200 turns: t1 active agent input=#2, messages: #5 agent turn=t1 'two'; #4
                  agent turn=t1 'one', hasMore=true, next=#4
            alice = 200 messages: #2 alice 'b'; #1 alice 'a'
            alice = 200 messages: 
            alice = 200 turns: t1 active agent input=#2, messages: #9 alice parent=#6 'c'; #6
                  agent turn=t1 'three'; #5 agent turn=t1 'two'; #4 agent turn=t1 'one'; #2
                  alice 'b'; #1 alice 'a'
        "##]],
    );
}

/// P6.9: what there is not is not found, and it needs `read`.
#[test]
fn what_there_is_not() {
    check(
        "
        alice attach rewind=0
        alice publish 'a'
        ---
        alice get conversation to=#2
        alice get conversation to=first
        alice get conversation to=#1 before=x
        alice get conversation to=#1 before=#7
        bob get conversation to=#1 as=publish
        ",
        expect![[r#"
            alice = 404 {"error":{"code":"not-found","message":"unable to read; there is no
                  message #2","status":404}}
            alice = 404 {"error":{"code":"not-found","message":"unable to read; to \"first\" is
                  no serial of this session","status":404}}
            alice = 404 {"error":{"code":"not-found","message":"unable to read; before \"x\" is
                  no serial of this session","status":404}}
            alice = 200 {"hasMore":false,"messages":[]}
            bob = 403 {"error":{"code":"forbidden","message":"unable to read; the token lacks
                  the operation read for session s1, it has publish","status":403}}
        "#]],
    );
}

/// P6.9, P3.9: a page ends at 1 MiB, and always holds one.
#[test]
fn pages_are_bounded_in_bytes() {
    let limits = Limits {
        frame_bytes: 4 * 1024 * 1024,
        data_bytes: 4 * 1024 * 1024,
        ..Limits::default()
    };
    check_with(
        limits,
        "
        alice attach rewind=0
        alice publish 'a'
        alice floods 600000 publish '…'
        alice floods 600000 publish '…'
        alice floods 2000000 publish '…'
        ---
        alice brief conversation to=#4
        alice brief conversation to=#4 before=#4
        alice brief conversation to=#4 before=#3
        ",
        expect![[r#"
            alice = 200 messages: #4 alice 'xxxxxxxxxxxx…' (2000000), hasMore=true, next=#4
            alice = 200 messages: #3 alice 'xxxxxxxxxxxx…' (600000), hasMore=true, next=#3
            alice = 200 messages: #2 alice 'xxxxxxxxxxxx…' (600000); #1 alice 'a'
        "#]],
    );
}

/// P13.4: links that are looked at for a page are bounded: a way that is longer than that from
/// one message to the next ends, one that is shorter goes on with the next page.
#[test]
fn the_way_is_bounded() {
    let mut world = World::new(Limits::default());
    let mut script = "agent attach rewind=0\nalice attach rewind=0\nalice publish 'a'\n".to_owned();
    script += "agent start t1 input=#1\nagent publish 'one' turn=t1\n";
    let many = vec!["'x'"; 100].join(" and ");
    for _ in 0..201 {
        let _ = writeln!(script, "agent post publish {many}");
    }
    world.run(&script);
    world.run("agent publish 'two' turn=t1\nalice publish 'b'");
    world.output.clear();
    world.run(
        "
        alice brief conversation to=#20105 limit=3
        alice get conversation to=#20104 limit=3
        alice get conversation to=#20104 limit=3 before=#20104
        ",
    );
    expect![[r##"
        alice = 200 messages: #20105 alice 'b'; #20103 agent 'x'; #20102 agent 'x',
              hasMore=true, next=#20102
        alice = 200 {"hasMore":true,"messages":[{"client":"agent","connection":"agent-1",
              "createdAt":"+0","data":"two","name":"message","role":"user",
              "serial":"#20104","turn":"t1","updatedAt":"+0","version":"#20104"}],
              "next":"#20104","turns":[{"agent":"agent","attempt":1,"createdAt":"+0",
              "id":"t1","input":"#1","leaseMs":30000,"leaseUntil":"+30000","startedAt":"+0",
              "status":"active"}]}
        alice = 200 {"hasMore":false,"messages":[]}
    "##]]
    .assert_eq(&world.output);
}
