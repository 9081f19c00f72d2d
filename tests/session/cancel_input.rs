//! Cancel by what a turn answers, also before it starts; and what no cancel is (P6.5).

use crate::world::check;
use expect_test::expect;

/// P6.5: by input: every turn that answers it, of whatever client.
#[test]
fn an_input_is_cancelled() {
    check(
        "
        agent attach
        alice attach rewind=0
        alice publish 'q'
        alice publish 'other'
        agent start t1 input=#1
        agent-two post start t2 input=#1
        agent start t3 input=#2
        agent start t4
        ---
        alice cancel input=#1 reason=no
        ",
        expect![[r#"
            agent < turn.cancel #7 t1 active agent input=#1 cancel=alice 'no'
            agent | turn.cancel #8 t2 active agent-two input=#1 cancel=alice 'no'
            alice < turn.cancel #7 t1 active agent input=#1 cancel=alice 'no'
            alice | turn.cancel #8 t2 active agent-two input=#1 cancel=alice 'no'
            alice | ack 3 [t1 active agent input=#1 cancel=alice 'no'; t2 active agent-two
                  input=#1 cancel=alice 'no']
        "#]],
    );
}

/// P6.5: a cancel before the turn starts: it is born cancelled, in one frame, with who asked;
/// also after a sleep. One started with `again` is wanted.
#[test]
fn an_input_is_cancelled_before_its_turn() {
    check(
        "
        agent attach
        alice attach rewind=0
        alice publish 'q'
        alice publish 'other'
        ---
        alice cancel input=#1 reason=early
        evict
        wait 1000
        agent start t1 input=#1
        agent publish 'x' turn=t1
        agent start t2 input=#1
        agent-two post start t3 input=#1
        agent start t4 input=#2
        agent start t5 input=#1 again
        alice get turn t1
        ",
        expect![[r##"
            alice < ack 3 []
            -- 1000 ms
            agent < turn.end #3 t1 cancelled agent input=#1 cancel=alice 'early'
            agent | ack 1 t1 cancelled agent input=#1 cancel=alice 'early'
            alice < turn.end #3 t1 cancelled agent input=#1 cancel=alice 'early'
            agent < nack 2 turn-closed: unable to publish; turn t1 is cancelled
            agent < ack 3 t1 cancelled agent input=#1 cancel=alice 'early' duplicate
            agent < turn.end #4 t3 cancelled agent-two input=#1 cancel=alice 'early'
            alice < turn.end #4 t3 cancelled agent-two input=#1 cancel=alice 'early'
            agent-two = 200 {"ref":1,"result":{"turn":{"agent":"agent-two","attempt":1,
                  "cancel":{"at":"+0","by":"alice","reason":"early"},"createdAt":"+1000",
                  "endedAt":"+1000","id":"t3","input":"#1","startedAt":"+1000",
                  "status":"cancelled"}},"type":"ack"}
            agent < turn.start #5 t4 active agent input=#2
            agent | ack 4 t4 active agent input=#2
            alice < turn.start #5 t4 active agent input=#2
            agent < turn.start #6 t5 active agent input=#1
            agent | ack 5 t5 active agent input=#1
            alice < turn.start #6 t5 active agent input=#1
            alice = 200 {"turn":{"agent":"agent","attempt":1,"cancel":{"at":"+0","by":"alice",
                  "reason":"early"},"createdAt":"+1000","endedAt":"+1000","id":"t1",
                  "input":"#1","startedAt":"+1000","status":"cancelled"}}
        "##]],
    );
}

/// P6.5: cancelled while it is answered, too: an answer that starts later is born cancelled.
#[test]
fn an_input_stays_cancelled() {
    check(
        "
        agent attach
        alice attach rewind=0
        alice publish 'q'
        agent start t1 input=#1
        alice cancel input=#1 reason=first
        ---
        bob post cancel input=#1 reason=second
        agent end t1 cancelled
        agent-two post start t2 input=#1
        ",
        expect![[r##"
            bob = 200 {"ref":1,"result":{"turns":[{"agent":"agent","attempt":1,
                  "cancel":{"at":"+0","by":"alice","reason":"first"},"createdAt":"+0","id":"t1",
                  "input":"#1","leaseMs":30000,"leaseUntil":"+30000","startedAt":"+0",
                  "status":"active"}]},"type":"ack"}
            agent < turn.end #4 t1 cancelled agent input=#1 cancel=alice 'first'
            agent | ack 2 t1 cancelled agent input=#1 cancel=alice 'first'
            alice < turn.end #4 t1 cancelled agent input=#1 cancel=alice 'first'
            agent < turn.end #5 t2 cancelled agent-two input=#1 cancel=alice 'first'
            alice < turn.end #5 t2 cancelled agent-two input=#1 cancel=alice 'first'
            agent-two = 200 {"ref":1,"result":{"turn":{"agent":"agent-two","attempt":1,
                  "cancel":{"at":"+0","by":"alice","reason":"first"},"createdAt":"+0",
                  "endedAt":"+0","id":"t2","input":"#1","startedAt":"+0","status":"cancelled"}},
                  "type":"ack"}
        "##]],
    );
}

/// P6.5: what is cancelled is named, by one name, and exists.
#[test]
fn a_cancel_says_what() {
    check(
        "
        alice attach
        alice publish 'q'
        ---
        alice cancel
        alice cancel turn=t1 all
        alice cancel input=#1 all
        alice cancel turn=t1 input=#1
        alice cancel input=#9
        alice cancel input=x
        alice cancel turn=t1
        alice raw {\"type\":\"cancel\",\"ref\":8,\"all\":false}
        alice raw {\"type\":\"cancel\",\"ref\":9,\"all\":\"yes\"}
        alice cancel all
        alice cancel input=#1
        ",
        expect![[r#"
            alice < nack 2 invalid-frame: unable to cancel; it takes exactly one of turn, input
                  and all
            alice < nack 3 invalid-frame: unable to cancel; it takes exactly one of turn, input
                  and all
            alice < nack 4 invalid-frame: unable to cancel; it takes exactly one of turn, input
                  and all
            alice < nack 5 invalid-frame: unable to cancel; it takes exactly one of turn, input
                  and all
            alice < nack 6 not-found: unable to cancel; there is no message #9
            alice < nack 7 invalid-frame: unable to cancel; input: "x" is not a serial of a
                  session
            alice < nack 8 not-found: unable to cancel; there is no turn t1
            alice < nack 8 invalid-frame: unable to cancel; it takes exactly one of turn, input
                  and all
            alice < nack 9 invalid-frame: unable to cancel; all: it is the text "yes", not true
                  or false
            alice < ack 9 []
            alice < ack 10 []
        "#]],
    );
}

/// P6.5: a closed connection is never a cancel: not the asker's, not the last reader's, not
/// the agent's.
#[test]
fn a_closed_connection_cancels_nothing() {
    check(
        "
        agent attach
        alice attach window=0
        alice/phone attach window=0
        alice publish 'q'
        agent start t1 input=#1
        agent publish 'a' streaming turn=t1
        ---
        alice drop
        alice/phone drop
        agent append #3 'b'
        wait 5000
        agent append #3 'c'
        agent drop
        alice attach
        agent attach rewind=0
        agent append #3 'd' attempt=1
        wait 300
        alice cancel turn=t1
        agent end t1 cancelled attempt=1
        alice holds
        ",
        expect![[r#"
            agent < ack 3 #3 v#4
            -- 5000 ms
            agent < ack 4 #3 v#5
            alice < attached #5 anew, turns: t1 active agent input=#1
            alice < create #1 alice 'q'
            alice | create #3 v#5 agent turn=t1 'abc' streaming
            alice < caught-up #5
            agent < attached #5 anew, has older, turns: t1 active agent input=#1
            agent < create #3 v#5 agent turn=t1 'abc' streaming
            agent < caught-up #5
            -- 5040 ms
            agent < ack 5 #3 v#6
            alice < append #3 v#6 @3 'd'
            -- 5300 ms
            agent < turn.cancel #7 t1 active agent input=#1 cancel=alice
            alice < turn.cancel #7 t1 active agent input=#1 cancel=alice
            alice | ack 2 [t1 active agent input=#1 cancel=alice]
            agent < append #3 v#8 @4 '' cancelled
            agent | turn.end #9 t1 cancelled agent input=#1 cancel=alice
            agent | ack 6 t1 cancelled agent input=#1 cancel=alice
            alice < append #3 v#8 @4 '' cancelled
            alice | turn.end #9 t1 cancelled agent input=#1 cancel=alice
            alice holds #1 "q"
            alice holds #3 "abcd" cancelled
        "#]],
    );
}

/// P6.5: a leader that lost its socket learns of the cancel when it comes back.
#[test]
fn a_leader_that_was_away_learns() {
    check(
        "
        agent attach
        agent start t1
        agent drop
        alice post cancel turn=t1
        ---
        agent attach since
        agent end t1 cancelled attempt=1
        ",
        expect![[r#"
            agent < attached #2 resumed, turns: t1 active agent cancel=alice
            agent < turn.cancel #2 t1 active agent cancel=alice
            agent < caught-up #2
            agent < turn.end #3 t1 cancelled agent cancel=alice
            agent | ack 2 t1 cancelled agent cancel=alice
        "#]],
    );
}
