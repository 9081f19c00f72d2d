//! Branches: what follows what, and what stands beside it (P6.9).

use crate::world::check;
use expect_test::expect;

/// P6.9: regenerating: another answer to the same input is a sibling of the first; both are kept,
/// with what belongs to them.
#[test]
fn another_answer() {
    check(
        "
        agent attach rewind=0
        alice attach rewind=0
        alice publish 'q'
        agent start t1 input=#1
        agent publish 'thinking' turn=t1 name=reasoning and 'one' turn=t1
        agent end t1 complete
        agent start t2 input=#1 again
        agent publish 'two' turn=t2
        ---
        agent end t2 complete
        alice brief snapshot
        alice brief messages
        alice brief turns all
        ",
        expect![[r#"
            agent < turn.end #8 t2 complete agent input=#1
            agent | ack 6 t2 complete agent input=#1
            alice < turn.end #8 t2 complete agent input=#1
            alice = 200 turns: t1 complete agent input=#1; t2 complete agent input=#1,
                  approvals: , calls: , presence: , messages: #1 alice 'q'; #3 agent
                  name=reasoning turn=t1 'thinking'; #4 agent turn=t1 'one'; #7 agent turn=t2
                  'two'
            alice = 200 turns: t1 complete agent input=#1; t2 complete agent input=#1,
                  messages: #7 agent turn=t2 'two'; #4 agent turn=t1 'one'; #3 agent
                  name=reasoning turn=t1 'thinking'; #1 alice 'q'
            alice = 200 turns: t2 complete agent input=#1; t1 complete agent input=#1
        "#]],
    );
}

/// P6.9: editing: another message after the same parent is a sibling of the first, which stays as
/// it is.
#[test]
fn another_question() {
    check(
        "
        agent attach rewind=0
        alice attach rewind=0
        alice publish 'hello'
        agent start t1 input=#1
        agent publish 'hi' turn=t1
        agent end t1 complete
        ---
        alice publish 'what is x?' parent=#3
        agent start t2 input=#5 parent=#5
        alice publish 'what is y?' parent=#3
        agent start t3 input=#7 parent=#7
        agent publish 'x is' turn=t2 and 'y is' turn=t3
        agent end t2 cancelled
        agent end t3 complete
        alice brief snapshot
        ",
        expect![[r#"
            agent < create #5 alice parent=#3 'what is x?'
            alice < create #5 alice parent=#3 'what is x?'
            alice | ack 2 #5
            agent < turn.start #6 t2 active agent input=#5 parent=#5
            agent | ack 4 t2 active agent input=#5 parent=#5
            alice < turn.start #6 t2 active agent input=#5 parent=#5
            agent < create #7 alice parent=#3 'what is y?'
            alice < create #7 alice parent=#3 'what is y?'
            alice | ack 3 #7
            agent < turn.start #8 t3 active agent input=#7 parent=#7
            agent | ack 5 t3 active agent input=#7 parent=#7
            alice < turn.start #8 t3 active agent input=#7 parent=#7
            agent < create #9 agent turn=t2 'x is'
            agent | create #10 agent turn=t3 'y is'
            agent | ack 6 #9, #10
            alice < create #9 agent turn=t2 'x is'
            alice | create #10 agent turn=t3 'y is'
            agent < turn.end #11 t2 cancelled agent input=#5 parent=#5
            agent | ack 7 t2 cancelled agent input=#5 parent=#5
            alice < turn.end #11 t2 cancelled agent input=#5 parent=#5
            agent < turn.end #12 t3 complete agent input=#7 parent=#7
            agent | ack 8 t3 complete agent input=#7 parent=#7
            alice < turn.end #12 t3 complete agent input=#7 parent=#7
            alice = 200 turns: t1 complete agent input=#1; t2 cancelled agent input=#5
                  parent=#5; t3 complete agent input=#7 parent=#7, approvals: , calls: ,
                  presence: , messages: #1 alice 'hello'; #3 agent turn=t1 'hi'; #5 alice
                  parent=#3 'what is x?'; #7 alice parent=#3 'what is y?'; #9 agent turn=t2 'x
                  is'; #10 agent turn=t3 'y is'
        "#]],
    );
}

/// P6.9: turns may follow a message without answering it, and siblings then have that `parent`;
/// messages of a turn may name one too.
#[test]
fn parents_without_inputs() {
    check(
        "
        agent attach rewind=0
        alice attach rewind=0
        agent start t1
        agent publish 'plan' turn=t1
        agent end t1 complete
        ---
        agent start t2 parent=#2
        agent start t3 parent=#2
        agent publish 'a' turn=t2 parent=#2
        agent publish 'b' turn=t3 parent=#6
        alice get turn t3
        ",
        expect![[r##"
            agent < turn.start #4 t2 active agent parent=#2
            agent | ack 4 t2 active agent parent=#2
            alice < turn.start #4 t2 active agent parent=#2
            agent < turn.start #5 t3 active agent parent=#2
            agent | ack 5 t3 active agent parent=#2
            alice < turn.start #5 t3 active agent parent=#2
            agent < create #6 agent turn=t2 parent=#2 'a'
            agent | ack 6 #6
            alice < create #6 agent turn=t2 parent=#2 'a'
            agent < create #7 agent turn=t3 parent=#6 'b'
            agent | ack 7 #7
            alice < create #7 agent turn=t3 parent=#6 'b'
            alice = 200 {"turn":{"agent":"agent","attempt":1,"createdAt":"+0","id":"t3",
                  "leaseMs":30000,"leaseUntil":"+30000","parent":"#2","startedAt":"+0",
                  "status":"active"}}
        "##]],
    );
}

/// P4.1, P6.9: what is followed exists, is of this session, and is a message; a deleted one still
/// stands where it stood.
#[test]
fn what_is_followed_exists() {
    check(
        "
        agent attach rewind=0
        agent start t1
        agent publish 'a'
        agent delete #2
        ---
        agent publish 'b' parent=#1
        agent publish 'b' parent=#9
        agent publish 'b' parent=nonsense
        agent publish 'b' parent=#2
        agent publish 'c' parent=#4 and 'd' parent=#5
        agent publish 'c' parent=#4 and 'd' parent=#4
        agent publish 'b' parent=bbbb00000001
        ",
        expect![[r#"
            agent < nack 4 not-found: unable to publish after parent; there is no message #1
            agent < nack 5 not-found: unable to publish after parent; there is no message #9
            agent < nack 6 invalid-frame: unable to publish; messages[0].parent: "nonsense" is
                  not a serial of a session
            agent < create #4 agent parent=#2 'b'
            agent | ack 7 #4
            agent < nack 8 not-found: unable to publish after parent; there is no message #5
            agent < create #5 agent parent=#4 'c'
            agent | create #6 agent parent=#4 'd'
            agent | ack 9 #5, #6
            agent < nack 10 not-found: unable to publish after parent; there is no message b#1
        "#]],
    );
}

/// P6.9, P6.8: what followed an answer that was superseded keeps its parent.
#[test]
fn a_superseded_parent() {
    check(
        "
        agent attach rewind=0
        alice attach rewind=0
        agent start t1
        agent publish 'a' turn=t1
        alice publish 'why?' parent=#2
        agent adopt t1
        ---
        agent start t2 input=#3 parent=#2
        alice brief snapshot
        ",
        expect![[r#"
            agent < turn.start #6 t2 active agent input=#3 parent=#2
            agent | ack 4 t2 active agent input=#3 parent=#2
            alice < turn.start #6 t2 active agent input=#3 parent=#2
            alice = 200 turns: t1 active agent attempt=2; t2 active agent input=#3 parent=#2,
                  approvals: , calls: , presence: , messages: #2 v#5 agent turn=t1 deleted; #3
                  alice parent=#2 'why?'
        "#]],
    );
}

/// P6.9: a parent stays what it was through every change of the message.
#[test]
fn a_parent_stays() {
    check(
        "
        alice attach window=0
        alice publish 'a'
        alice publish 'b' streaming parent=#1
        ---
        alice update #2 'bb'
        alice append #2 'c'
        alice raw {\"type\":\"update\",\"ref\":9,\"serial\":\"#2\",\"parent\":\"#2\",\"data\":\"d\"}
        alice brief #2
        alice get #2
        ",
        expect![[r##"
            alice < update #2 v#3 alice parent=#1 'bb' streaming
            alice | ack 3 #2 v#3
            alice < ack 4 #2 v#4
            alice < update #2 v#5 alice parent=#1 'd' streaming
            alice | ack 9 #2 v#5
            alice = 200 
            alice = 200 {"message":{"client":"alice","connection":"alice-1","createdAt":"+0",
                  "data":"d","name":"message","parent":"#1","role":"user","serial":"#2",
                  "status":"streaming","updatedAt":"+0","version":"#5"}}
        "##]],
    );
}

/// P3.3, P6.9: a rewind brings the final turns that its messages belong to, before them, each once;
/// open ones are in `attached`.
#[test]
fn turns_of_a_rewind() {
    check(
        "
        agent attach
        alice post publish 'q'
        agent start t1 input=#1
        agent publish 'a' turn=t1
        agent publish 'b' turn=t1
        agent end t1 complete
        agent start t2 input=#1 again
        agent publish 'c' turn=t2
        agent end t2 failed
        agent start t3
        agent publish 'd' turn=t3
        agent start t4
        agent end t4 complete
        ---
        alice attach
        alice turns
        bob attach rewind=2
        bob turns
        carol attach rewind=0
        dave attach names=other
        ",
        expect![[r#"
            alice < attached #12 anew, turns: t3 active agent
            alice < turn.end #5 t1 complete agent input=#1
            alice | turn.end #8 t2 failed agent input=#1
            alice | create #1 alice 'q'
            alice | create #3 agent turn=t1 'a'
            alice | create #4 agent turn=t1 'b'
            alice | create #7 agent turn=t2 'c'
            alice | create #10 agent turn=t3 'd'
            alice < caught-up #12
            alice knows t1 complete agent input=#1
            alice knows t2 failed agent input=#1
            alice knows t3 active agent
            bob < attached #12 anew, has older, turns: t3 active agent
            bob < turn.end #8 t2 failed agent input=#1
            bob | create #7 agent turn=t2 'c'
            bob | create #10 agent turn=t3 'd'
            bob < caught-up #12
            bob knows t2 failed agent input=#1
            bob knows t3 active agent
            carol < attached #12 anew, has older, turns: t3 active agent
            carol < caught-up #12
            dave < attached #12 anew, turns: t3 active agent
            dave < caught-up #12
        "#]],
    );
}

/// P3.3: with those that still stream come their turns, which are open.
#[test]
fn turns_of_streams() {
    check(
        "
        agent attach
        agent start t1
        agent publish 'a' streaming turn=t1
        agent publish 'b'
        agent publish 'c'
        ---
        alice attach rewind=1
        ",
        expect![[r#"
            alice < attached #4 anew, has older, turns: t1 active agent
            alice < create #2 agent turn=t1 'a' streaming
            alice | create #4 agent 'c'
            alice < caught-up #4
        "#]],
    );
}

/// P3.9, P6.9: a page of history has the turns that its messages belong to, and no others.
#[test]
fn turns_of_a_page() {
    check(
        "
        agent attach
        agent start t1
        agent publish 'a' turn=t1
        agent end t1 complete
        agent start t2
        agent publish 'b' turn=t2
        agent publish 'c'
        agent publish 'd' turn=t2
        agent end t2 complete
        agent start t3
        ---
        eve brief messages limit=1
        eve brief messages limit=2
        eve brief messages limit=1 before=#6
        eve brief messages limit=2 before=#5
        eve brief messages limit=1 after=#0
        eve get messages limit=1 before=#7
        ",
        expect![[r##"
            eve = 200 turns: t2 complete agent, messages: #7 agent turn=t2 'd', hasMore=true,
                  next=#7
            eve = 200 turns: t2 complete agent, messages: #7 agent turn=t2 'd'; #6 agent 'c',
                  hasMore=true, next=#6
            eve = 200 turns: t2 complete agent, messages: #5 agent turn=t2 'b', hasMore=true,
                  next=#5
            eve = 200 turns: t1 complete agent, messages: #2 agent turn=t1 'a'
            eve = 200 turns: t1 complete agent, messages: #2 agent turn=t1 'a', hasMore=true,
                  next=#2
            eve = 200 {"hasMore":true,"messages":[{"client":"agent","connection":"agent-1",
                  "createdAt":"+0","data":"c","name":"message","role":"user","serial":"#6",
                  "updatedAt":"+0","version":"#6"}],"next":"#6"}
        "##]],
    );
}

/// P11.1, P6.9: the snapshot has the open turns too, and those of its messages only.
#[test]
fn turns_of_a_snapshot() {
    check(
        "
        agent attach
        agent start t1
        agent publish 'a' turn=t1
        agent end t1 complete
        agent start t2
        agent start t3
        agent publish 'b' turn=t3
        agent end t3 complete
        ---
        eve brief snapshot rewind=1
        eve brief snapshot rewind=0
        eve brief snapshot
        ",
        expect![[r#"
            eve = 200 turns: t2 active agent; t3 complete agent, approvals: , calls: ,
                  presence: , messages: #6 agent turn=t3 'b'
            eve = 200 turns: t2 active agent, approvals: , calls: , presence: , messages: 
            eve = 200 turns: t1 complete agent; t2 active agent; t3 complete agent, approvals: ,
                   calls: , presence: , messages: #2 agent turn=t1 'a'; #6 agent turn=t3 'b'
        "#]],
    );
}

/// P3.5: whoever resumes has each turn that changed once, as its latest frame, before the
/// messages.
#[test]
fn turns_of_a_resume() {
    check(
        "
        agent attach
        alice attach
        agent start t1
        agent publish 'a' streaming turn=t1
        agent start t2
        agent start t3
        ---
        alice drop
        agent end t2 complete
        agent append #2 'b'
        agent suspend t1
        agent resume t1
        agent start t4
        agent publish 'c' turn=t4
        agent end t4 complete
        agent start t5
        alice attach since
        alice turns
        alice holds
        ",
        expect![[r#"
            agent < turn.end #5 t2 complete agent
            agent | ack 5 t2 complete agent
            agent < ack 6 #2 v#6
            agent < turn.suspend #7 t1 suspended agent
            agent | ack 7 t1 suspended agent
            agent < turn.resume #8 t1 active agent
            agent | ack 8 t1 active agent
            agent < turn.start #9 t4 active agent
            agent | ack 9 t4 active agent
            agent < create #10 agent turn=t4 'c'
            agent | ack 10 #10
            agent < turn.end #11 t4 complete agent
            agent | ack 11 t4 complete agent
            agent < turn.start #12 t5 active agent
            agent | ack 12 t5 active agent
            alice < attached #12 resumed, has older, turns: t1 active agent; t3 active agent;
                  t5 active agent
            alice < turn.end #5 t2 complete agent
            alice | turn.resume #8 t1 active agent
            alice | turn.end #11 t4 complete agent
            alice | turn.start #12 t5 active agent
            alice | append #2 v#6 @1 'b'
            alice | create #10 agent turn=t4 'c'
            alice < caught-up #12
            alice knows t1 active agent
            alice knows t2 complete agent
            alice knows t3 active agent
            alice knows t4 complete agent
            alice knows t5 active agent
            alice holds #2 "ab" streaming
            alice holds #10 "c"
        "#]],
    );
}

/// P11.2: retention takes messages that were answered; turns go on by what they are, and what is
/// gone is followed no more.
#[test]
fn parents_and_retention() {
    check(
        "
        admin patch {\"retentionMs\":10000}
        agent attach rewind=0
        alice attach rewind=0
        alice publish 'q'
        agent start t1 input=#1
        agent publish 'a' turn=t1
        wait 1000
        ---
        wait 9000
        alice publish 'follow' parent=#1
        agent start t2 input=#1
        agent publish 'b' turn=t1
        alice brief snapshot
        agent end t1 complete
        wait 60000
        alice brief snapshot
        alice brief turns all
        ",
        expect![[r#"
            -- 10000 ms
            agent < create #4 alice parent=#1 'follow'
            alice < create #4 alice parent=#1 'follow'
            alice | ack 2 #4
            agent < ack 3 t1 active agent input=#1 duplicate
            agent < create #5 agent turn=t1 'b'
            agent | ack 4 #5
            alice < create #5 agent turn=t1 'b'
            alice = 200 turns: t1 active agent input=#1, approvals: , calls: , presence: ,
                  messages: #1 alice 'q'; #3 agent turn=t1 'a'; #4 alice parent=#1 'follow'; #5
                  agent turn=t1 'b'
            agent < turn.end #6 t1 complete agent input=#1
            agent | ack 5 t1 complete agent input=#1
            alice < turn.end #6 t1 complete agent input=#1
            agent < trim before #4
            alice < trim before #4
            -- 70000 ms
            agent < trim before #6
            alice < trim before #6
            alice = 200 turns: , approvals: , calls: , presence: , messages: 
            alice = 200 turns: t1 complete agent input=#1
        "#]],
    );
}
