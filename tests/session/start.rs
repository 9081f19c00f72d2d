//! Beginning a turn twice, and frames that are sent again (P6.2, P13.1).

use crate::world::{check, check_with};
use expect_test::expect;
use sessile::protocol::limits::Limits;

/// P6.2: the same id by the same client is the same turn, as it now stands, and nobody is told.
#[test]
fn the_same_id_is_the_same_turn() {
    check(
        "
        agent attach
        agent start t1 metadata={\"a\":1}
        ---
        agent start t1 metadata={\"a\":2} lease=1000
        agent suspend t1 reason=tool
        agent start t1
        agent end t1 failed error={\"code\":\"x\"}
        agent start t1
        evict
        agent start t1
        agent/two attach rewind=0
        agent/two start t1
        ",
        expect![[r#"
            agent < ack 2 t1 active agent metadata={"a":1} duplicate
            agent < turn.suspend #2 t1 suspended agent reason=tool metadata={"a":1}
            agent | ack 3 t1 suspended agent reason=tool metadata={"a":1}
            agent < ack 4 t1 suspended agent reason=tool metadata={"a":1} duplicate
            agent < turn.end #3 t1 failed agent error={"code":"x"} metadata={"a":1}
            agent | ack 5 t1 failed agent error={"code":"x"} metadata={"a":1}
            agent < ack 6 t1 failed agent error={"code":"x"} metadata={"a":1} duplicate
            agent < ack 7 t1 failed agent error={"code":"x"} metadata={"a":1} duplicate
            agent/two < attached #3 anew
            agent/two < caught-up #3
            agent/two < ack 1 t1 failed agent error={"code":"x"} metadata={"a":1} duplicate
        "#]],
    );
}

/// P6.2: another client's id is a conflict, open or over; that one is not told what it is.
#[test]
fn the_id_of_another_client() {
    check(
        "
        agent attach
        agent-two attach rewind=0
        agent start t1
        agent start t2
        agent end t2 complete
        ---
        agent-two start t1
        agent-two start t2
        ",
        expect![[r#"
            agent-two < nack 1 conflict: unable to start the turn; t1 is another client's turn
            agent-two < nack 2 conflict: unable to start the turn; t2 is another client's turn
        "#]],
    );
}

/// P6.2: a second start for the input that the client answers, or has answered, is a
/// duplicate: whoever sent it does not lead it.
#[test]
fn an_input_is_answered_once() {
    check(
        "
        agent attach
        agent/two attach rewind=0
        alice post publish 'q'
        agent start t1 input=#1
        ---
        agent/two start t2 input=#1
        agent/two publish 'x' turn=t1
        agent/two start input=#1
        agent end t1 complete
        agent/two start t3 input=#1
        agent brief turns all
        ",
        expect![[r#"
            agent/two < ack 1 t1 active agent input=#1 duplicate
            agent/two < nack 2 not-leader: unable to publish; turn t1 was not taken over this
                  connection, send its current attempt with the frame
            agent/two < ack 3 t1 active agent input=#1 duplicate
            agent < turn.end #3 t1 complete agent input=#1
            agent | ack 2 t1 complete agent input=#1
            agent/two < turn.end #3 t1 complete agent input=#1
            agent/two < ack 4 t1 complete agent input=#1 duplicate
            agent = 200 turns: t1 complete agent input=#1
        "#]],
    );
}

/// P6.2: other clients may answer the same input.
#[test]
fn two_agents_answer() {
    check(
        "
        agent attach
        agent-two attach
        alice post publish 'q'
        ---
        agent start t1 input=#1
        agent-two start t2 input=#1
        agent-two start t3 input=#1
        ",
        expect![[r#"
            agent < turn.start #2 t1 active agent input=#1
            agent | ack 1 t1 active agent input=#1
            agent-two < turn.start #2 t1 active agent input=#1
            agent < turn.start #3 t2 active agent-two input=#1
            agent-two < turn.start #3 t2 active agent-two input=#1
            agent-two | ack 1 t2 active agent-two input=#1
            agent-two < ack 2 t2 active agent-two input=#1 duplicate
        "#]],
    );
}

/// P6.2: `again` asks for another answer, with an id that makes sending it again safe.
#[test]
fn another_answer_to_the_same_input() {
    check(
        "
        agent attach
        alice post publish 'q'
        agent start t1 input=#1
        agent end t1 complete
        ---
        agent start t2 input=#1 again
        agent start t2 input=#1 again
        agent start input=#1 again
        agent start t3 input=#1
        agent brief turns all
        ",
        expect![[r#"
            agent < turn.start #4 t2 active agent input=#1
            agent | ack 3 t2 active agent input=#1
            agent < ack 4 t2 active agent input=#1 duplicate
            agent < nack 5 invalid-frame: unable to start the turn; again needs an id for the
                  new turn
            agent < ack 6 t2 active agent input=#1 duplicate
            agent = 200 turns: t2 active agent input=#1; t1 complete agent input=#1
        "#]],
    );
}

/// P6.2: which of several answers is meant by a start without `again`, is one of the
/// client's own.
#[test]
fn an_answer_among_others() {
    check(
        "
        agent attach
        agent-two attach
        alice post publish 'q'
        agent-two start t1 input=#1
        agent start t2 input=#1
        agent end t2 complete
        agent start t3 input=#1 again
        ---
        agent start t4 input=#1
        ",
        expect![[r#"
            agent < ack 4 t3 active agent input=#1 duplicate
        "#]],
    );
}

/// P6.2: `input` and `parent` exist, as messages of this session; deleted ones do.
#[test]
fn what_a_turn_answers_exists() {
    check(
        "
        agent attach
        agent start t1
        agent publish 'a'
        agent delete #2
        ---
        agent start t2 input=#9
        agent start t2 parent=#9
        agent start t2 input=#1
        agent start t2 input=nonsense
        agent start t2 input=#2 parent=#2
        agent start t3 input=bbbb00000001
        ",
        expect![[r#"
            agent < nack 4 not-found: unable to start the turn; there is no message #9
            agent < nack 5 not-found: unable to start the turn; there is no message #9
            agent < nack 6 not-found: unable to start the turn; there is no message #1
            agent < nack 7 invalid-frame: unable to start the turn; input: "nonsense" is not a
                  serial of a session
            agent < turn.start #4 t2 active agent input=#2 parent=#2
            agent | ack 8 t2 active agent input=#2 parent=#2
            agent < nack 9 not-found: unable to start the turn; there is no message b#1
        "#]],
    );
}

/// P13.1: the same id on the same frame by the same client gives the first result as it now
/// stands, and changes nothing; on another client's turn it means nothing.
#[test]
fn frames_are_sent_again() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1
        ---
        agent suspend t1 reason=tool id=a
        agent suspend t1 reason=tool id=a
        agent resume t1 id=a
        agent suspend t1 reason=tool id=a
        agent resume t1 id=a
        agent heartbeat t1 id=a
        agent heartbeat t1 id=a
        alice cancel turn=t1 id=a
        alice cancel turn=t1 id=a
        agent end t1 complete id=a
        agent end t1 complete id=a
        agent suspend t1 id=a
        alice cancel turn=t1 id=a
        evict
        agent end t1 complete id=a
        alice cancel turn=t1 id=a
        ",
        expect![[r#"
            agent < turn.suspend #2 t1 suspended agent reason=tool
            agent | ack 2 t1 suspended agent reason=tool
            alice < turn.suspend #2 t1 suspended agent reason=tool
            agent < ack 3 t1 suspended agent reason=tool duplicate
            agent < turn.resume #3 t1 active agent
            agent | ack 4 t1 active agent
            alice < turn.resume #3 t1 active agent
            agent < ack 5 t1 active agent duplicate
            agent < ack 6 t1 active agent duplicate
            agent < ack 7 t1 active agent
            agent < ack 8 t1 active agent duplicate
            agent < turn.cancel #4 t1 active agent cancel=alice
            alice < turn.cancel #4 t1 active agent cancel=alice
            alice | ack 1 [t1 active agent cancel=alice]
            alice < ack 2 [t1 active agent cancel=alice] duplicate
            agent < turn.end #5 t1 cancelled agent cancel=alice
            agent | ack 9 t1 cancelled agent cancel=alice
            alice < turn.end #5 t1 cancelled agent cancel=alice
            agent < ack 10 t1 cancelled agent cancel=alice duplicate
            agent < ack 11 t1 cancelled agent cancel=alice duplicate
            alice < ack 3 [t1 cancelled agent cancel=alice] duplicate
            agent < ack 12 t1 cancelled agent cancel=alice duplicate
            alice < ack 4 [t1 cancelled agent cancel=alice] duplicate
        "#]],
    );
}

/// P13.1: adopting and steering are sent again safely, too.
#[test]
fn adoptions_and_steers_are_sent_again() {
    check(
        "
        agent attach
        agent/two attach
        alice attach rewind=0
        agent start t1
        ---
        alice steer t1 'faster' id=a
        alice steer t1 'faster' id=a
        agent/two adopt t1 id=b
        agent/two adopt t1 id=b
        agent/two steered t1 #2 id=c
        agent/two steered t1 #2 id=c
        evict
        alice steer t1 'faster' id=a
        agent/two end t1 complete attempt=2
        alice steer t1 'faster' id=a
        alice steer t1 'faster' id=b
        alice holds
        ",
        expect![[r#"
            agent < create #2 alice name=steer turn=t1 'faster' headers={"steer":"waiting"}
            agent | turn.steer #2 t1 active agent message=#2 'faster'
            agent/two < create #2 alice name=steer turn=t1 'faster' headers={"steer":"waiting"}
            agent/two | turn.steer #2 t1 active agent message=#2 'faster'
            alice < create #2 alice name=steer turn=t1 'faster' headers={"steer":"waiting"}
            alice | turn.steer #2 t1 active agent message=#2 'faster'
            alice | ack 1 #2 in t1 active agent
            alice < ack 2 #2 in t1 active agent duplicate
            agent < turn.adopt #3 t1 active agent attempt=2
            agent/two < turn.adopt #3 t1 active agent attempt=2
            agent/two | ack 1 t1 active agent attempt=2
            alice < turn.adopt #3 t1 active agent attempt=2
            agent/two < ack 2 t1 active agent attempt=2 duplicate
            agent < update #2 v#4 alice name=steer turn=t1 headers={"steer":"taken"}
            agent/two < update #2 v#4 alice name=steer turn=t1 headers={"steer":"taken"}
            agent/two | ack 3 t1 active agent attempt=2
            alice < update #2 v#4 alice name=steer turn=t1 headers={"steer":"taken"}
            agent/two < ack 4 t1 active agent attempt=2 duplicate
            alice < ack 3 #2 in t1 active agent attempt=2 duplicate
            agent < turn.end #5 t1 complete agent attempt=2
            agent/two < turn.end #5 t1 complete agent attempt=2
            agent/two | ack 5 t1 complete agent attempt=2
            alice < turn.end #5 t1 complete agent attempt=2
            alice < ack 4 #2 in t1 complete agent attempt=2 duplicate
            alice < nack 5 turn-closed: unable to steer; turn t1 is complete
            alice holds #2 "faster" taken
        "#]],
    );
}

/// P6.8: a lease that is none.
#[test]
fn impossible_leases() {
    check(
        "
        agent attach
        ---
        agent start t1 lease=999
        agent start t1 lease=600001
        agent start t1 lease=0
        agent start t1 lease=-5
        agent start t1 lease=\"long\"
        agent start t1 lease=1000
        agent start t2 lease=600000
        agent adopt t1 lease=10
        ",
        expect![[r#"
            agent < nack 1 invalid-frame: unable to start the turn; leaseMs is not between 1000
                  and 600000
            agent < nack 2 invalid-frame: unable to start the turn; leaseMs is not between 1000
                  and 600000
            agent < nack 3 invalid-frame: unable to start the turn; leaseMs is not between 1000
                  and 600000
            agent < nack 4 invalid-frame: unable to start the turn; leaseMs: it is the number
                  -5, not a whole number from 0
            agent < nack 5 invalid-frame: unable to start the turn; leaseMs: it is the text
                  "long", not a whole number from 0
            agent < turn.start #1 t1 active agent
            agent | ack 6 t1 active agent
            agent < turn.start #2 t2 active agent
            agent | ack 7 t2 active agent
            agent < nack 8 invalid-frame: unable to adopt the turn; leaseMs is not between 1000
                  and 600000
        "#]],
    );
}

/// P14: open turns, by number; ended ones make room.
#[test]
fn open_turns() {
    check_with(
        Limits {
            open_turns: 2,
            ..Limits::default()
        },
        "
        agent attach
        agent start t1
        agent start t2
        ---
        agent start t3
        agent start t1
        agent suspend t1
        agent start t3
        agent end t1 complete
        agent start t3
        ",
        expect![[r#"
            agent < nack 3 over-limit: unable to start the turn; 2 turns are open already
            agent < ack 4 t1 active agent duplicate
            agent < turn.suspend #3 t1 suspended agent
            agent | ack 5 t1 suspended agent
            agent < nack 6 over-limit: unable to start the turn; 2 turns are open already
            agent < turn.end #4 t1 complete agent
            agent | ack 7 t1 complete agent
            agent < turn.start #5 t3 active agent
            agent | ack 8 t3 active agent
        "#]],
    );
}
