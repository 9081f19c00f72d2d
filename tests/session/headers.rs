//! Headers that would speak for somebody else (P6.9).

use crate::world::check;
use expect_test::expect;

/// P6.9: only its author makes another version of a message: what calls itself one of somebody
/// else's is refused, also from whoever may edit everybody's.
#[test]
fn nobody_makes_another_version_of_what_somebody_else_wrote() {
    check(
        r##"
        agent attach rewind=0
        alice attach rewind=0
        bob attach rewind=0
        supervisor attach rewind=0
        alice publish 'hello'
        agent start t1 input=#1
        agent publish 'hi' turn=t1
        ---
        bob publish 'not that' headers={"sessile-edits":"#1"}
        supervisor publish 'nor that' headers={"sessile-edits":"#1"}
        alice publish 'nor this' headers={"sessile-edits":"#3"}
        bob publish 'one' and 'two' headers={"sessile-edits":"#1"}
        bob get messages
        "##,
        expect![[r##"
            bob < nack 1 forbidden: unable to publish; sessile-edits names message #1, which is
                  alice's and not bob's
            supervisor < nack 1 forbidden: unable to publish; sessile-edits names message #1,
                  which is alice's and not supervisor's
            alice < nack 2 forbidden: unable to publish; sessile-edits names message #3, which
                  is agent's and not alice's
            bob < nack 2 forbidden: unable to publish; sessile-edits names message #1, which is
                  alice's and not bob's
            bob = 200 {"hasMore":false,"messages":[{"client":"agent","connection":"agent-1",
                  "createdAt":"+0","data":"hi","name":"message","role":"user","serial":"#3",
                  "turn":"t1","updatedAt":"+0","version":"#3"},{"client":"alice",
                  "connection":"alice-1","createdAt":"+0","data":"hello","name":"message",
                  "role":"user","serial":"#1","updatedAt":"+0","version":"#1"}],
                  "turns":[{"agent":"agent","attempt":1,"createdAt":"+0","id":"t1","input":"#1",
                  "leaseMs":30000,"leaseUntil":"+30000","startedAt":"+0","status":"active"}]}
        "##]],
    );
}

/// P6.9: its author does, and an agent of what its turn said.
#[test]
fn authors_make_other_versions_of_what_they_wrote() {
    check(
        r##"
        agent attach rewind=0
        alice attach rewind=0
        alice publish 'hello' id=a
        agent start t1 input=#1
        agent publish 'hi' turn=t1
        ---
        alice publish 'hello!' headers={"sessile-edits":"#1"}
        agent publish 'hi!' headers={"sessile-edits":"#3"}
        alice delete #1
        alice publish 'hello?' headers={"sessile-edits":"#1"}
        "##,
        expect![[r#"
            agent < create #4 alice 'hello!' headers={"sessile-edits":"b2cy00000001"}
            alice < create #4 alice 'hello!' headers={"sessile-edits":"b2cy00000001"}
            alice | ack 2 #4
            agent < create #5 agent 'hi!' headers={"sessile-edits":"b2cy00000003"}
            agent | ack 3 #5
            alice < create #5 agent 'hi!' headers={"sessile-edits":"b2cy00000003"}
            agent < delete #1 v#6
            alice < delete #1 v#6
            alice | ack 3 #1 v#6
            agent < create #7 alice 'hello?' headers={"sessile-edits":"b2cy00000001"}
            alice < create #7 alice 'hello?' headers={"sessile-edits":"b2cy00000001"}
            alice | ack 4 #7
        "#]],
    );
}

/// P6.9: a text that names no message of this log speaks for nobody, and means nothing.
#[test]
fn a_version_of_nothing_is_taken() {
    check(
        r##"
        alice attach rewind=0
        ---
        alice publish 'odd' headers={"sessile-edits":"nobody"}
        alice publish 'odder' headers={"sessile-edits":"#9"}
        "##,
        expect![[r#"
            alice < create #1 alice 'odd' headers={"sessile-edits":"nobody"}
            alice | ack 1 #1
            alice < create #2 alice 'odder' headers={"sessile-edits":"b2cy00000009"}
            alice | ack 2 #2
        "#]],
    );
}

/// P6.9, P4.3, P5.1: nor does a message become another version of somebody else's by an update or
/// by its end; whoever may edit it may name what its author wrote.
#[test]
fn a_message_becomes_no_version_of_what_somebody_else_wrote() {
    check(
        r##"
        alice attach rewind=0
        bob attach rewind=0
        supervisor attach rewind=0
        alice publish 'hello'
        bob publish 'mine'
        bob publish 'more' streaming
        alice publish 'again'
        ---
        bob update #2 headers={"sessile-edits":"#1"}
        bob update #3 complete headers={"sessile-edits":"#1"}
        bob append #3 '' complete headers={"sessile-edits":"#1"}
        supervisor update #2 headers={"sessile-edits":"#1"}
        supervisor update #4 headers={"sessile-edits":"#1"}
        "##,
        expect![[r#"
            bob < nack 3 forbidden: unable to update; sessile-edits names message #1, which is
                  alice's and not bob's
            bob < nack 4 forbidden: unable to update; sessile-edits names message #1, which is
                  alice's and not bob's
            bob < nack 5 forbidden: unable to append; sessile-edits names message #1, which is
                  alice's and not bob's
            supervisor < nack 1 forbidden: unable to update; sessile-edits names message #1,
                  which is alice's and not bob's
            alice < update #4 v#5 alice headers={"sessile-edits":"b2cy00000001"}
            bob < update #4 v#5 alice headers={"sessile-edits":"b2cy00000001"}
            supervisor < update #4 v#5 alice headers={"sessile-edits":"b2cy00000001"}
            supervisor | ack 2 #4 v#5
        "#]],
    );
}
