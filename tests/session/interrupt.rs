//! Cancel and send in one step (P6.6).

use crate::world::check;
use expect_test::expect;

/// P6.6: everyone sees cancel, then the message, in one array with nothing between, whatever
/// their window holds; what it held goes first.
#[test]
fn a_message_interrupts() {
    check(
        "
        agent attach window=0
        alice attach window=40
        bob attach window=500
        carol attach window=0
        alice publish 'q'
        agent start t1 input=#1
        agent publish '' streaming turn=t1
        agent append #3 'Let'
        wait 1
        agent append #3 ' me'
        agent append #3 ' see'
        ---
        alice publish 'stop, rather' interrupt=true
        agent end t1 cancelled
        alice holds
        bob holds
        ",
        expect![[r#"
            agent < turn.cancel #7 t1 active agent input=#1 cancel=alice
            agent | create #8 alice 'stop, rather'
            alice < append #3 v#6 @3 ' me see'
            alice | turn.cancel #7 t1 active agent input=#1 cancel=alice
            alice | create #8 alice 'stop, rather'
            alice | ack 2 #8
            bob < append #3 v#6 @3 ' me see'
            bob | turn.cancel #7 t1 active agent input=#1 cancel=alice
            bob | create #8 alice 'stop, rather'
            carol < turn.cancel #7 t1 active agent input=#1 cancel=alice
            carol | create #8 alice 'stop, rather'
            agent < append #3 v#9 @10 '' cancelled
            agent | turn.end #10 t1 cancelled agent input=#1 cancel=alice
            agent | ack 6 t1 cancelled agent input=#1 cancel=alice
            alice < append #3 v#9 @10 '' cancelled
            alice | turn.end #10 t1 cancelled agent input=#1 cancel=alice
            bob < append #3 v#9 @10 '' cancelled
            bob | turn.end #10 t1 cancelled agent input=#1 cancel=alice
            carol < append #3 v#9 @10 '' cancelled
            carol | turn.end #10 t1 cancelled agent input=#1 cancel=alice
            alice holds #1 "q"
            alice holds #3 "Let me see" cancelled
            alice holds #8 "stop, rather"
            bob holds #1 "q"
            bob holds #3 "Let me see" cancelled
            bob holds #8 "stop, rather"
        "#]],
    );
}

/// P6.6: every active turn, in the order in which they began; not the suspended, not those
/// that are cancelled already.
#[test]
fn every_active_turn_is_interrupted() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t2
        agent start t1
        agent start t3
        agent suspend t3
        agent start t4
        alice cancel turn=t4
        ---
        alice publish 'one' and 'two' interrupt=true
        ",
        expect![[r#"
            agent < turn.cancel #7 t2 active agent cancel=alice
            agent | turn.cancel #8 t1 active agent cancel=alice
            agent | create #9 alice 'one'
            agent | create #10 alice 'two'
            alice < turn.cancel #7 t2 active agent cancel=alice
            alice | turn.cancel #8 t1 active agent cancel=alice
            alice | create #9 alice 'one'
            alice | create #10 alice 'two'
            alice | ack 2 #9, #10
        "#]],
    );
}

/// P6.6: or one, by its id.
#[test]
fn one_turn_is_interrupted() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1
        agent start t2
        agent suspend t2 reason=tool
        agent start t3
        agent end t3 complete
        ---
        alice publish 'a' interrupt=t1
        alice publish 'b' interrupt=t2
        alice publish 'c' interrupt=t3
        alice publish 'd' interrupt=t9
        alice publish 'e' interrupt=false
        alice publish 'f' interrupt=5
        ",
        expect![[r#"
            agent < turn.cancel #6 t1 active agent cancel=alice
            agent | create #7 alice 'a'
            alice < turn.cancel #6 t1 active agent cancel=alice
            alice | create #7 alice 'a'
            alice | ack 1 #7
            agent < turn.cancel #8 t2 suspended agent cancel=alice reason=tool
            agent | turn.end #9 t2 cancelled agent cancel=alice
            agent | create #10 alice 'b'
            alice < turn.cancel #8 t2 suspended agent cancel=alice reason=tool
            alice | turn.end #9 t2 cancelled agent cancel=alice
            alice | create #10 alice 'b'
            alice | ack 2 #10
            agent < create #11 alice 'c'
            alice < create #11 alice 'c'
            alice | ack 3 #11
            alice < nack 4 not-found: unable to interrupt; there is no turn t9
            agent < create #12 alice 'e'
            alice < create #12 alice 'e'
            alice | ack 5 #12
            alice < nack 6 invalid-frame: unable to publish; interrupt: it is neither true nor
                  the id of a turn
        "#]],
    );
}

/// P6.6: if every message is a duplicate, nothing is cancelled; if one is new, all are.
#[test]
fn duplicates_interrupt_nothing() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1
        alice publish 'a' id=x
        ---
        alice publish 'a' id=x interrupt=true
        alice publish 'a' id=x interrupt=t1
        alice publish 'a' id=x and 'b' id=y interrupt=true
        alice publish 'a' id=x and 'b' id=y interrupt=true
        ",
        expect![[r#"
            alice < ack 2 #2 id="x" duplicate
            alice < ack 3 #2 id="x" duplicate
            agent < turn.cancel #3 t1 active agent cancel=alice
            agent | create #4 alice id=y 'b'
            alice < turn.cancel #3 t1 active agent cancel=alice
            alice | create #4 alice id=y 'b'
            alice | ack 4 #2 id="x" duplicate, #4 id="y"
            alice < ack 5 #2 id="x" duplicate, #4 id="y" duplicate
        "#]],
    );
}

/// P6.6: with nothing to interrupt it is a message.
#[test]
fn nothing_to_interrupt() {
    check(
        "
        alice attach
        ---
        alice publish 'a' interrupt=true
        ",
        expect![[r#"
            alice < create #1 alice 'a'
            alice | ack 1 #1
        "#]],
    );
}

/// P6.6: all or none: a message that is refused interrupts nothing.
#[test]
fn a_refused_message_interrupts_nothing() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1
        ---
        alice publish 'a' role=assistant interrupt=true
        alice publish 'a' and 'b' parent=#9 interrupt=true
        alice publish 'a' turn=t1 interrupt=true
        alice brief turns
        ",
        expect![[r#"
            alice < nack 1 forbidden: unable to publish with role assistant; the token lacks
                  turn or edit on session s1
            alice < nack 2 not-found: unable to publish after parent; there is no message #9
            alice < nack 3 not-leader: unable to publish; turn t1 is agent's
            alice = 200 turns: t1 active agent
        "#]],
    );
}

/// P6.6: it needs `cancel`, and `publish`.
#[test]
fn an_interrupt_needs_both() {
    check(
        "
        agent attach
        dave attach as=read,publish rewind=0
        erin attach as=read,cancel rewind=0
        agent start t1
        ---
        dave publish 'a' interrupt=true
        dave publish 'a' interrupt=t1
        dave publish 'a' interrupt=false
        erin publish 'a' interrupt=true
        ",
        expect![[r#"
            dave < nack 1 forbidden: unable to interrupt; the token lacks the operation cancel
                  for session s1, it has read, publish
            dave < nack 2 forbidden: unable to interrupt; the token lacks the operation cancel
                  for session s1, it has read, publish
            agent < create #2 dave 'a'
            dave < create #2 dave 'a'
            dave | ack 3 #2
            erin < create #2 dave 'a'
            erin < nack 1 forbidden: unable to publish; the token lacks the operation publish
                  for session s1, it has read, cancel
        "#]],
    );
}

/// P6.6: an agent interrupts its own turns, with the message of another.
#[test]
fn an_agent_interrupts() {
    check(
        "
        agent attach
        alice attach window=0
        agent start t1
        agent publish 'old' streaming turn=t1
        agent start t2
        ---
        agent publish 'new' turn=t2 interrupt=t1
        agent end t1 cancelled
        agent end t2 complete
        ",
        expect![[r#"
            agent < turn.cancel #4 t1 active agent cancel=agent
            agent | create #5 agent turn=t2 'new'
            agent | ack 4 #5
            alice < turn.cancel #4 t1 active agent cancel=agent
            alice | create #5 agent turn=t2 'new'
            agent < append #2 v#6 @3 '' cancelled
            agent | turn.end #7 t1 cancelled agent cancel=agent
            agent | ack 5 t1 cancelled agent cancel=agent
            alice < append #2 v#6 @3 '' cancelled
            alice | turn.end #7 t1 cancelled agent cancel=agent
            agent < turn.end #8 t2 complete agent
            agent | ack 6 t2 complete agent
            alice < turn.end #8 t2 complete agent
        "#]],
    );
}

/// P6.6, P6.3: a turn that is suspended ends with the interrupt that names it, so nothing that
/// comes with it is left open in a turn that is over.
#[test]
fn a_turn_that_its_leader_interrupts_takes_nothing_more() {
    check(
        "
        agent attach rewind=0
        agent start t1
        agent start t2
        agent suspend t1
        ---
        agent publish 'a' streaming turn=t1 interrupt=t1
        agent publish 'a' streaming turn=t2 interrupt=t1
        agent publish 'b' turn=t2 interrupt=t2
        agent end t2 complete
        ",
        expect![[r#"
            agent < nack 4 turn-closed: unable to publish; turn t1 ends with the interrupt
            agent < turn.cancel #4 t1 suspended agent cancel=agent
            agent | turn.end #5 t1 cancelled agent cancel=agent
            agent | create #6 agent turn=t2 'a' streaming
            agent | ack 5 #6
            agent < turn.cancel #7 t2 active agent cancel=agent
            agent | create #8 agent turn=t2 'b'
            agent | ack 6 #8
            agent < append #6 v#9 @1 '' cancelled
            agent | turn.end #10 t2 cancelled agent cancel=agent
            agent | ack 7 t2 cancelled agent cancel=agent
        "#]],
    );
}
