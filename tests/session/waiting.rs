//! Inputs that wait, as a turn: what cancels them, and what takes them (P6.1, P6.5).

use crate::world::check;
use expect_test::expect;

/// P6.5: an agent that was about to take a turn finds it cancelled, and begins no other; also
/// after a sleep. One that is started with `again` is wanted.
#[test]
fn what_waited_and_was_cancelled_is_not_begun_anew() {
    check(
        "
        admin patch {\"onInput\":\"queue\"}
        agent attach rewind=0
        agent-two attach rewind=0
        alice attach rewind=0
        alice publish 'q'
        agent start t1 input=#1
        alice publish 'later'
        bob post publish 'latest'
        ---
        alice cancel turn=turn-#4 reason=never
        agent start t2 input=#3
        alice cancel all
        agent end t1 complete
        evict
        agent-two start t3 input=#5
        agent-two start t4 input=#5 again
        ",
        expect![[r#"
            agent < turn.cancel #7 turn-#4 queued input=#3 cancel=alice 'never'
            agent | turn.end #8 turn-#4 cancelled input=#3 cancel=alice 'never'
            agent-two < turn.cancel #7 turn-#4 queued input=#3 cancel=alice 'never'
            agent-two | turn.end #8 turn-#4 cancelled input=#3 cancel=alice 'never'
            alice < turn.cancel #7 turn-#4 queued input=#3 cancel=alice 'never'
            alice | turn.end #8 turn-#4 cancelled input=#3 cancel=alice 'never'
            alice | ack 3 [turn-#4 cancelled input=#3 cancel=alice 'never']
            agent < turn.end #9 t2 cancelled agent input=#3 cancel=alice 'never'
            agent | ack 2 t2 cancelled agent input=#3 cancel=alice 'never'
            agent-two < turn.end #9 t2 cancelled agent input=#3 cancel=alice 'never'
            alice < turn.end #9 t2 cancelled agent input=#3 cancel=alice 'never'
            agent < turn.cancel #10 t1 active agent input=#1 cancel=alice
            agent | turn.cancel #11 turn-#6 queued input=#5 cancel=alice
            agent | turn.end #12 turn-#6 cancelled input=#5 cancel=alice
            agent-two < turn.cancel #10 t1 active agent input=#1 cancel=alice
            agent-two | turn.cancel #11 turn-#6 queued input=#5 cancel=alice
            agent-two | turn.end #12 turn-#6 cancelled input=#5 cancel=alice
            alice < turn.cancel #10 t1 active agent input=#1 cancel=alice
            alice | turn.cancel #11 turn-#6 queued input=#5 cancel=alice
            alice | turn.end #12 turn-#6 cancelled input=#5 cancel=alice
            alice | ack 4 [t1 active agent input=#1 cancel=alice; turn-#6 cancelled input=#5
                  cancel=alice]
            agent < turn.end #13 t1 cancelled agent input=#1 cancel=alice
            agent | ack 3 t1 cancelled agent input=#1 cancel=alice
            agent-two < turn.end #13 t1 cancelled agent input=#1 cancel=alice
            alice < turn.end #13 t1 cancelled agent input=#1 cancel=alice
            agent < turn.end #14 t3 cancelled agent-two input=#5 cancel=alice
            agent-two < turn.end #14 t3 cancelled agent-two input=#5 cancel=alice
            agent-two | ack 1 t3 cancelled agent-two input=#5 cancel=alice
            alice < turn.end #14 t3 cancelled agent-two input=#5 cancel=alice
            agent < turn.start #15 t4 active agent-two input=#5
            agent-two < turn.start #15 t4 active agent-two input=#5
            agent-two | ack 2 t4 active agent-two input=#5
            alice < turn.start #15 t4 active agent-two input=#5
        "#]],
    );
}

/// P6.1, P6.2: whoever takes a turn that waited says where it belongs and what travels along.
#[test]
fn what_a_start_says_is_kept_with_the_turn_that_waited() {
    check(
        "
        admin patch {\"onInput\":\"queue\"}
        agent attach rewind=0
        alice attach rewind=0
        alice publish 'q'
        agent start t1 input=#1
        alice publish 'later'
        ---
        agent start input=#3 parent=#1 metadata={\"model\":\"m\"}
        evict
        agent start input=#3
        alice get turn turn-#4
        ",
        expect![[r##"
            agent < turn.start #5 turn-#4 active agent input=#3 parent=#1 metadata={"model":"m"}
            agent | ack 2 turn-#4 active agent input=#3 parent=#1 metadata={"model":"m"}
            alice < turn.start #5 turn-#4 active agent input=#3 parent=#1 metadata={"model":"m"}
            agent < ack 3 turn-#4 active agent input=#3 parent=#1 metadata={"model":"m"}
                  duplicate
            alice = 200 {"turn":{"agent":"agent","attempt":1,"createdAt":"+0","id":"turn-#4",
                  "input":"#3","leaseMs":30000,"leaseUntil":"+40000","metadata":{"model":"m"},
                  "parent":"#1","startedAt":"+0","status":"active"}}
        "##]],
    );
}
