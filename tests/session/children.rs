//! Turns within turns: a cancel reaches the leaves, and a turn that ends takes them along (P6.11).

use crate::world::check;
use expect_test::expect;

/// P6.11: other clients may lead the children, and their own leader alone says something in them.
#[test]
fn p6_11_a_turn_runs_within_another() {
    check(
        "
        agent attach
        agent-b attach rewind=0
        alice attach rewind=0
        agent start t1
        ---
        agent-b start t2 within=t1
        agent start t3 within=t2 detached
        agent start t2 within=t1
        agent-b publish 'x' turn=t2
        agent publish 'x' turn=t2
        agent start t4 within=t9
        agent start t4 detached
        agent-b end t2 complete
        agent start t4 within=t2
        alice brief turns all
        ",
        expect![[r#"
            agent < turn.start #2 t2 active agent-b within=t1
            agent-b < turn.start #2 t2 active agent-b within=t1
            agent-b | ack 1 t2 active agent-b within=t1
            alice < turn.start #2 t2 active agent-b within=t1
            agent < turn.start #3 t3 active agent within=~t2
            agent | ack 2 t3 active agent within=~t2
            agent-b < turn.start #3 t3 active agent within=~t2
            alice < turn.start #3 t3 active agent within=~t2
            agent < nack 3 conflict: unable to start the turn; t2 is another client's turn
            agent < create #4 agent-b turn=t2 'x'
            agent-b < create #4 agent-b turn=t2 'x'
            agent-b | ack 2 #4
            alice < create #4 agent-b turn=t2 'x'
            agent < nack 4 not-leader: unable to publish; turn t2 is agent-b's
            agent < nack 5 not-found: unable to start the turn; there is no turn t9
            agent < nack 6 invalid-frame: unable to start the turn; detached goes with within
            agent < turn.end #5 t2 complete agent-b within=t1
            agent-b < turn.end #5 t2 complete agent-b within=t1
            agent-b | ack 3 t2 complete agent-b within=t1
            alice < turn.end #5 t2 complete agent-b within=t1
            agent < nack 7 turn-closed: unable to start the turn; turn t2 is complete
            alice = 200 turns: t3 active agent within=~t2; t2 complete agent-b within=t1; t1
                  active agent
        "#]],
    );
}

/// P6.11: a cancel of the parent reaches all within it, in one step; its leaders have the grace.
#[test]
fn p6_11_a_cancel_reaches_the_leaves() {
    check(
        "
        agent attach
        agent-b attach rewind=0
        agent start t1
        agent-b start a within=t1
        agent-b start b within=t1 detached
        agent start aa within=a
        agent start ab within=a
        agent start x
        agent-b suspend a
        agent publish 'text' turn=aa streaming
        agent-b suspend b
        ---
        alice attach rewind=0
        alice cancel turn=t1 reason=enough
        agent start late within=t1
        agent start later within=b
        agent append #8 '!'
        wait 5000
        agent append #8 '!'
        ",
        expect![[r#"
            alice < attached #9 anew, has older, turns: t1 active agent; a suspended agent-b
                  within=t1; b suspended agent-b within=~t1; aa active agent within=a; ab
                  active agent within=a; x active agent
            alice < create #8 agent turn=aa 'text' streaming
            alice < caught-up #9
            agent < turn.cancel #10 t1 active agent cancel=alice 'enough'
            agent | turn.cancel #11 a suspended agent-b within=t1 cancel=alice 'enough'
            agent | turn.cancel #12 aa active agent within=a cancel=alice 'enough'
            agent | turn.cancel #13 ab active agent within=a cancel=alice 'enough'
            agent | turn.end #14 a cancelled agent-b within=t1 cancel=alice 'enough'
            agent | turn.cancel #15 b suspended agent-b within=~t1 cancel=alice 'enough'
            agent | turn.end #16 b cancelled agent-b within=~t1 cancel=alice 'enough'
            agent-b < turn.cancel #10 t1 active agent cancel=alice 'enough'
            agent-b | turn.cancel #11 a suspended agent-b within=t1 cancel=alice 'enough'
            agent-b | turn.cancel #12 aa active agent within=a cancel=alice 'enough'
            agent-b | turn.cancel #13 ab active agent within=a cancel=alice 'enough'
            agent-b | turn.end #14 a cancelled agent-b within=t1 cancel=alice 'enough'
            agent-b | turn.cancel #15 b suspended agent-b within=~t1 cancel=alice 'enough'
            agent-b | turn.end #16 b cancelled agent-b within=~t1 cancel=alice 'enough'
            alice < turn.cancel #10 t1 active agent cancel=alice 'enough'
            alice | turn.cancel #11 a suspended agent-b within=t1 cancel=alice 'enough'
            alice | turn.cancel #12 aa active agent within=a cancel=alice 'enough'
            alice | turn.cancel #13 ab active agent within=a cancel=alice 'enough'
            alice | turn.end #14 a cancelled agent-b within=t1 cancel=alice 'enough'
            alice | turn.cancel #15 b suspended agent-b within=~t1 cancel=alice 'enough'
            alice | turn.end #16 b cancelled agent-b within=~t1 cancel=alice 'enough'
            alice | ack 1 [t1 active agent cancel=alice 'enough']
            agent < turn.end #17 late cancelled agent within=t1 cancel=alice 'enough'
            agent | ack 6 late cancelled agent within=t1 cancel=alice 'enough'
            agent-b < turn.end #17 late cancelled agent within=t1 cancel=alice 'enough'
            alice < turn.end #17 late cancelled agent within=t1 cancel=alice 'enough'
            agent < nack 7 turn-closed: unable to start the turn; turn b is cancelled
            agent < ack 8 #8 v#18
            agent-b < append #8 v#18 @4 '!'
            alice < append #8 v#18 @4 '!'
            -- 5000 ms
            agent < turn.end #19 t1 cancelled agent cancel=alice 'enough'
            agent | append #8 v#20 @5 '' cancelled
            agent | turn.end #21 aa cancelled agent within=a cancel=alice 'enough'
            agent | turn.end #22 ab cancelled agent within=a cancel=alice 'enough'
            agent-b < turn.end #19 t1 cancelled agent cancel=alice 'enough'
            agent-b | append #8 v#20 @5 '' cancelled
            agent-b | turn.end #21 aa cancelled agent within=a cancel=alice 'enough'
            agent-b | turn.end #22 ab cancelled agent within=a cancel=alice 'enough'
            alice < turn.end #19 t1 cancelled agent cancel=alice 'enough'
            alice | append #8 v#20 @5 '' cancelled
            alice | turn.end #21 aa cancelled agent within=a cancel=alice 'enough'
            alice | turn.end #22 ab cancelled agent within=a cancel=alice 'enough'
            agent < nack 9 turn-closed: unable to append; turn aa is cancelled
        "#]],
    );
}

/// P6.11: a turn that ends cancels those within it, but for the detached ones.
#[test]
fn p6_11_a_turn_that_ends_takes_those_within_it_along() {
    check(
        "
        agent attach
        agent-b attach rewind=0
        agent start t1
        agent-b start a within=t1
        agent-b start b within=t1 detached
        agent-b start aa within=a
        agent-b start bb within=b
        agent-b ask q turn=a
        ---
        agent end t1 complete
        wait 5000
        agent-b end b complete
        wait 5000
        ",
        expect![[r#"
            agent < turn.cancel #7 a suspended agent-b within=t1 cancel=agent 'parent-ended'
                  reason=approval
            agent | turn.cancel #8 aa active agent-b within=a cancel=agent 'parent-ended'
            agent | approval.withdraw #9 q withdrawn turn=a [+0 request agent-b, +0 withdraw]
            agent | turn.end #10 a cancelled agent-b within=t1 cancel=agent 'parent-ended'
            agent | turn.end #11 t1 complete agent
            agent | ack 2 t1 complete agent
            agent-b < turn.cancel #7 a suspended agent-b within=t1 cancel=agent 'parent-ended'
                  reason=approval
            agent-b | turn.cancel #8 aa active agent-b within=a cancel=agent 'parent-ended'
            agent-b | approval.withdraw #9 q withdrawn turn=a [+0 request agent-b, +0 withdraw]
            agent-b | turn.end #10 a cancelled agent-b within=t1 cancel=agent 'parent-ended'
            agent-b | turn.end #11 t1 complete agent
            -- 5000 ms
            agent < turn.end #12 aa cancelled agent-b within=a cancel=agent 'parent-ended'
            agent-b < turn.end #12 aa cancelled agent-b within=a cancel=agent 'parent-ended'
            agent < turn.cancel #13 bb active agent-b within=b cancel=agent-b 'parent-ended'
            agent | turn.end #14 b complete agent-b within=~t1
            agent-b < turn.cancel #13 bb active agent-b within=b cancel=agent-b 'parent-ended'
            agent-b | turn.end #14 b complete agent-b within=~t1
            agent-b | ack 6 b complete agent-b within=~t1
            -- 10000 ms
            agent < turn.end #15 bb cancelled agent-b within=b cancel=agent-b 'parent-ended'
            agent-b < turn.end #15 bb cancelled agent-b within=b cancel=agent-b 'parent-ended'
        "#]],
    );
}

/// P6.11: so does one whose agent was lost, and one that is abandoned.
#[test]
fn p6_11_so_does_a_turn_that_is_lost() {
    check(
        "
        agent attach
        agent-b attach rewind=0
        agent start t1 lease=1000
        agent start t2
        agent suspend t2
        agent-b start a within=t1 lease=600000
        agent-b start b within=t2 lease=600000
        ---
        wait 1400
        agent drop
        agent-b heartbeat a
        agent-b heartbeat b
        agent-b end a complete
        ",
        expect![[r#"
            -- 1000 ms
            agent < turn.cancel #6 a active agent-b within=t1 cancel=agent 'parent-ended'
            agent | turn.end #7 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            agent-b < turn.cancel #6 a active agent-b within=t1 cancel=agent 'parent-ended'
            agent-b | turn.end #7 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            -- 1400 ms
            agent-b < ack 3 a active agent-b within=t1 cancel=agent 'parent-ended'
            agent-b < ack 4 b active agent-b within=t2
            agent-b < turn.end #8 a cancelled agent-b within=t1 cancel=agent 'parent-ended'
            agent-b | ack 5 a cancelled agent-b within=t1 cancel=agent 'parent-ended'
        "#]],
    );
}

/// P6.11: cancelling all names each turn once, as it now stands.
#[test]
fn p6_11_all_are_cancelled_once() {
    check(
        "
        agent attach
        agent start t1
        agent start a within=t1
        agent start aa within=a
        agent suspend aa
        ---
        agent cancel all
        agent cancel all
        ",
        expect![[r#"
            agent < turn.cancel #5 t1 active agent cancel=agent
            agent | turn.cancel #6 a active agent within=t1 cancel=agent
            agent | turn.cancel #7 aa suspended agent within=a cancel=agent
            agent | turn.end #8 aa cancelled agent within=a cancel=agent
            agent | ack 5 [t1 active agent cancel=agent; a active agent within=t1 cancel=agent;
                  aa cancelled agent within=a cancel=agent]
            agent < ack 6 [t1 active agent cancel=agent; a active agent within=t1 cancel=agent]
        "#]],
    );
}

/// P6.11: eight turns may be around one.
#[test]
fn p6_11_turns_nest_eight_deep() {
    check(
        "
        agent attach
        agent start t0
        agent start t1 within=t0
        agent start t2 within=t1
        agent start t3 within=t2
        agent start t4 within=t3
        agent start t5 within=t4
        agent start t6 within=t5
        agent start t7 within=t6
        agent start t8 within=t7
        ---
        agent start t9 within=t8
        ",
        expect![[r#"
            agent < nack 10 over-limit: unable to start the turn; turn t8 has 8 turns around it
        "#]],
    );
}

/// P6.6: a message of a turn that ends with what it interrupts is refused, and nothing happens.
#[test]
fn p6_11_an_interrupt_reaches_those_within() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1
        agent start a within=t1
        agent suspend a
        ---
        agent publish 'x' turn=a interrupt=t1
        agent publish 'x' turn=a interrupt=true
        agent publish 'x' turn=a
        agent publish 'y' turn=t1 interrupt=t1
        ",
        expect![[r#"
            agent < nack 4 turn-closed: unable to publish; turn a ends with the interrupt
            agent < nack 5 turn-closed: unable to publish; turn a ends with the interrupt
            agent < create #4 agent turn=a 'x'
            agent | ack 6 #4
            alice < create #4 agent turn=a 'x'
            agent < turn.cancel #5 t1 active agent cancel=agent
            agent | turn.cancel #6 a suspended agent within=t1 cancel=agent
            agent | turn.end #7 a cancelled agent within=t1 cancel=agent
            agent | create #8 agent turn=t1 'y'
            agent | ack 7 #8
            alice < turn.cancel #5 t1 active agent cancel=agent
            alice | turn.cancel #6 a suspended agent within=t1 cancel=agent
            alice | turn.end #7 a cancelled agent within=t1 cancel=agent
            alice | create #8 agent turn=t1 'y'
        "#]],
    );
}
