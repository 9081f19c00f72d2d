//! Inputs that steer the turn that answers, or are inputs like any other if it ends first (P10.3).

use crate::world::{check, check_after, check_with};
use expect_test::expect;
use sessile::protocol::limits::Limits;

/// An agent answers in a session whose inputs steer.
const STEERED: &str = "
    admin patch {\"onInput\":\"steer\"}
    alice attach
    agent attach rewind=0
    alice publish 'go'
    agent start t1 input=#1";

/// P6.2: an input during an answer is an instruction, in one array; its leader takes it.
#[test]
fn p10_3_an_input_steers_the_turn_that_answers() {
    check_after(
        STEERED,
        "
        ---
        alice publish 'shorter' headers={\"a\":\"b\"}
        agent steered t1 #3
        agent end t1 complete
        alice publish 'again'
        alice holds
        ",
        expect![[r#"
            agent < create #3 alice 'shorter' headers={"a":"b","steer":"waiting",
                  "steer-turn":"t1"}
            agent | turn.steer #3 t1 active agent input=#1 message=#3 'shorter'
            alice < create #3 alice 'shorter' headers={"a":"b","steer":"waiting",
                  "steer-turn":"t1"}
            alice | turn.steer #3 t1 active agent input=#1 message=#3 'shorter'
            alice | ack 2 #3
            agent < update #3 v#4 alice headers={"a":"b","steer":"taken","steer-turn":"t1"}
            agent | ack 2 t1 active agent input=#1
            alice < update #3 v#4 alice headers={"a":"b","steer":"taken","steer-turn":"t1"}
            agent < turn.end #5 t1 complete agent input=#1
            agent | ack 3 t1 complete agent input=#1
            alice < turn.end #5 t1 complete agent input=#1
            agent < create #6 alice 'again'
            alice < create #6 alice 'again'
            alice | ack 3 #6
            alice holds #1 "go"
            alice holds #3 "shorter" taken
            alice holds #6 "again"
        "#]],
    );
}

/// P6.2: one that is missed is queued in the step that ends the turn, and taken once.
#[test]
fn p10_3_a_missed_input_is_queued_with_the_end() {
    check_after(
        STEERED,
        "
        alice publish 'and this'
        alice publish 'and that' and 'those'
        agent steered t1 #4
        ---
        agent end t1 complete
        agent steered t1 #3
        agent start t2 input=#4
        agent start t3 input=#3
        agent start t3 input=#3
        ",
        expect![[r#"
            agent < update #3 v#7 alice headers={"steer":"requeued"}
            agent | update #5 v#8 alice headers={"steer":"requeued"}
            agent | turn.end #9 t1 complete agent input=#1
            agent | turn.queue #10 turn-#10 queued input=#3
            agent | turn.queue #11 turn-#11 queued input=#5
            agent | ack 3 t1 complete agent input=#1
            alice < update #3 v#7 alice headers={"steer":"requeued"}
            alice | update #5 v#8 alice headers={"steer":"requeued"}
            alice | turn.end #9 t1 complete agent input=#1
            alice | turn.queue #10 turn-#10 queued input=#3
            alice | turn.queue #11 turn-#11 queued input=#5
            agent < nack 4 turn-closed: unable to take the steer; turn t1 is complete
            agent < nack 5 conflict: unable to start the turn; its input is an instruction to
                  turn t1
            agent < turn.start #12 turn-#10 active agent input=#3
            agent | ack 6 turn-#10 active agent input=#3
            alice < turn.start #12 turn-#10 active agent input=#3
            agent < ack 7 turn-#10 active agent input=#3 duplicate
        "#]],
    );
}

/// P6.2: nobody else answers it while it is the turn's, or once the turn has read it.
#[test]
fn p10_3_a_message_is_read_by_one_turn() {
    check(
        "
        admin patch {\"onInput\":\"steer\"}
        alice attach
        agent attach rewind=0
        agent-b attach rewind=0
        alice publish 'go'
        agent start t1 input=#1
        alice publish 'and this'
        ---
        agent-b start x input=#3
        agent steered t1 #3
        agent-b start x input=#3
        agent end t1 complete
        agent-b start x input=#3
        agent-b start y input=#3 again
        ",
        expect![[r#"
            agent-b < nack 1 conflict: unable to start the turn; its input is an instruction to
                  turn t1
            agent < update #3 v#4 alice headers={"steer":"taken","steer-turn":"t1"}
            agent | ack 2 t1 active agent input=#1
            agent-b < update #3 v#4 alice headers={"steer":"taken","steer-turn":"t1"}
            alice < update #3 v#4 alice headers={"steer":"taken","steer-turn":"t1"}
            agent-b < nack 2 conflict: unable to start the turn; its input is an instruction to
                  turn t1
            agent < turn.end #5 t1 complete agent input=#1
            agent | ack 3 t1 complete agent input=#1
            agent-b < turn.end #5 t1 complete agent input=#1
            alice < turn.end #5 t1 complete agent input=#1
            agent-b < nack 3 conflict: unable to start the turn; its input is an instruction to
                  turn t1
            agent < turn.start #6 y active agent-b input=#3
            agent-b < turn.start #6 y active agent-b input=#3
            agent-b | ack 4 y active agent-b input=#3
            alice < turn.start #6 y active agent-b input=#3
        "#]],
    );
}

/// P6.5: a cancel of one turn leaves its inputs, of all or of an input gives them up.
#[test]
fn p10_3_cancelled_inputs_are_missed() {
    check_after(
        STEERED,
        "
        alice publish 'a'
        alice publish 'b'
        alice publish 'c'
        alice cancel input=#4
        alice delete #5
        alice cancel turn=t1
        ---
        agent end t1 cancelled
        agent start input=#3
        alice publish 'd'
        alice cancel all
        wait 5000
        agent start input=#13
        ",
        expect![[r#"
            agent < update #3 v#8 alice headers={"steer":"requeued"}
            agent | update #4 v#9 alice headers={"steer":"missed","steer-turn":"t1"}
            agent | turn.end #10 t1 cancelled agent input=#1 cancel=alice
            agent | turn.queue #11 turn-#11 queued input=#3
            agent | ack 2 t1 cancelled agent input=#1 cancel=alice
            alice < update #3 v#8 alice headers={"steer":"requeued"}
            alice | update #4 v#9 alice headers={"steer":"missed","steer-turn":"t1"}
            alice | turn.end #10 t1 cancelled agent input=#1 cancel=alice
            alice | turn.queue #11 turn-#11 queued input=#3
            agent < turn.start #12 turn-#11 active agent input=#3
            agent | ack 3 turn-#11 active agent input=#3
            alice < turn.start #12 turn-#11 active agent input=#3
            agent < create #13 alice 'd' headers={"steer":"waiting",
                  "steer-turn":"turn-b2cy0000000b"}
            agent | turn.steer #13 turn-#11 active agent input=#3 message=#13 'd'
            alice < create #13 alice 'd' headers={"steer":"waiting",
                  "steer-turn":"turn-b2cy0000000b"}
            alice | turn.steer #13 turn-#11 active agent input=#3 message=#13 'd'
            alice | ack 8 #13
            agent < turn.cancel #14 turn-#11 active agent input=#3 cancel=alice
            alice < turn.cancel #14 turn-#11 active agent input=#3 cancel=alice
            alice | ack 9 [turn-#11 active agent input=#3 cancel=alice]
            -- 5000 ms
            agent < update #13 v#15 alice headers={"steer":"missed",
                  "steer-turn":"turn-b2cy0000000b"}
            agent | turn.end #16 turn-#11 cancelled agent input=#3 cancel=alice
            alice < update #13 v#15 alice headers={"steer":"missed",
                  "steer-turn":"turn-b2cy0000000b"}
            alice | turn.end #16 turn-#11 cancelled agent input=#3 cancel=alice
            agent < turn.end #17 turn-#17 cancelled agent input=#13 cancel=alice
            agent | ack 4 turn-#17 cancelled agent input=#13 cancel=alice
            alice < turn.end #17 turn-#17 cancelled agent input=#13 cancel=alice
        "#]],
    );
}

/// P6.8: a turn whose agent was lost keeps its inputs for the next attempt.
#[test]
fn p10_3_the_next_attempt_reads_them() {
    check(
        "
        hook always answers 410
        admin patch {\"onInput\":\"steer\",\"maxAttempts\":2,\
             \"agent\":{\"url\":\"https://a.example/\"}}
        alice attach
        agent attach rewind=0
        alice publish 'go'
        agent start t1 input=#1 lease=1000
        alice publish 'a'
        alice publish 'b'
        agent steered t1 #3
        agent drop
        ---
        wait 1400
        evict
        agent attach rewind=0
        agent start input=#1
        agent end t1 complete
        ",
        expect![[r##"
            -- 1000 ms
            alice < update #3 v#6 alice 'a' headers={"steer":"waiting","steer-turn":"t1"}
            alice | turn.queue #7 t1 queued attempt=2 input=#1
            !2 > https://a.example/ {"at":"+1000","attempt":2,"input":"#1","session":"s1",
                  "turn":"t1","type":"input"}
            -- 1400 ms
            agent < attached #7 anew, has older, turns: t1 queued attempt=2 input=#1
            agent < caught-up #7
            agent < turn.start #8 t1 active agent attempt=2 input=#1
            agent | ack 3 t1 active agent attempt=2 input=#1
            alice < turn.start #8 t1 active agent attempt=2 input=#1
            agent < update #3 v#9 alice headers={"steer":"requeued"}
            agent | update #4 v#10 alice headers={"steer":"requeued"}
            agent | turn.end #11 t1 complete agent attempt=2 input=#1
            agent | turn.queue #12 turn-#12 queued input=#3
            agent | turn.queue #13 turn-#13 queued input=#4
            agent | ack 4 t1 complete agent attempt=2 input=#1
            alice < update #3 v#9 alice headers={"steer":"requeued"}
            alice | update #4 v#10 alice headers={"steer":"requeued"}
            alice | turn.end #11 t1 complete agent attempt=2 input=#1
            alice | turn.queue #12 turn-#12 queued input=#3
            alice | turn.queue #13 turn-#13 queued input=#4
            !3 > https://a.example/ {"at":"+1400","attempt":1,"input":"#3","session":"s1",
                  "turn":"turn-#12","type":"input"}
            !4 > https://a.example/ {"at":"+1400","attempt":1,"input":"#4","session":"s1",
                  "turn":"turn-#13","type":"input"}
        "##]],
    );
}

/// P8.8: while a person leads they wait for the return.
#[test]
fn p10_3_missed_inputs_wait_for_a_person() {
    check(
        "
        admin patch {\"onInput\":\"steer\"}
        alice attach
        agent attach rewind=0
        supervisor attach rewind=0
        alice publish 'go'
        agent start t1 input=#1
        alice publish 'a'
        supervisor raw {\"type\":\"lead.take\"}
        ---
        agent end t1 complete
        supervisor raw {\"type\":\"lead.return\"}
        ",
        expect![[r##"
            agent < update #3 v#5 alice headers={"steer":"requeued"}
            agent | turn.end #6 t1 complete agent input=#1
            agent | ack 2 t1 complete agent input=#1
            alice < update #3 v#5 alice headers={"steer":"requeued"}
            alice | turn.end #6 t1 complete agent input=#1
            supervisor < update #3 v#5 alice headers={"steer":"requeued"}
            supervisor | turn.end #6 t1 complete agent input=#1
            agent < {"by":"supervisor","lead":{"client":"supervisor","since":"+0"},
                  "serial":"#7","type":"lead.return","wake":"last"}
            agent | turn.queue #8 turn-#8 queued input=#3
            alice < {"by":"supervisor","lead":{"client":"supervisor","since":"+0"},
                  "serial":"#7","type":"lead.return","wake":"last"}
            alice | turn.queue #8 turn-#8 queued input=#3
            supervisor < {"by":"supervisor","lead":{"client":"supervisor","since":"+0"},
                  "serial":"#7","type":"lead.return","wake":"last"}
            supervisor | turn.queue #8 turn-#8 queued input=#3
        "##]],
    );
}

/// P10.3: what streams, and one too many, is queued; a turn that waits reads nothing.
#[test]
fn p10_3_what_cannot_steer_is_queued() {
    check_after(
        STEERED,
        "
        ---
        alice publish 'spok' streaming
        alice publish 'x' wake=false
        agent publish 'y' wake
        agent suspend t1
        alice publish 'z'
        ",
        expect![[r#"
            agent < create #3 alice 'spok' streaming
            agent | turn.queue #4 turn-#4 queued input=#3
            alice < create #3 alice 'spok' streaming
            alice | turn.queue #4 turn-#4 queued input=#3
            alice | ack 2 #3
            agent < create #5 alice 'x'
            alice < create #5 alice 'x'
            alice | ack 3 #5
            agent < create #6 agent 'y' headers={"steer":"waiting","steer-turn":"t1"}
            agent | turn.steer #6 t1 active agent input=#1 message=#6 'y'
            agent | ack 2 #6
            alice < create #6 agent 'y' headers={"steer":"waiting","steer-turn":"t1"}
            alice | turn.steer #6 t1 active agent input=#1 message=#6 'y'
            agent < turn.suspend #7 t1 suspended agent input=#1
            agent | ack 3 t1 suspended agent input=#1
            alice < turn.suspend #7 t1 suspended agent input=#1
            agent < create #8 alice 'z'
            alice < create #8 alice 'z'
            alice | ack 4 #8
        "#]],
    );
}

/// P14: inputs that wait in a turn count as the turns that they may become.
#[test]
fn p14_waiting_inputs_count_as_turns() {
    check_with(
        Limits {
            open_turns: 3,
            ..Limits::default()
        },
        "
        admin patch {\"onInput\":\"steer\"}
        alice attach
        agent attach rewind=0
        alice publish 'go'
        agent start t1 input=#1
        alice publish 'a'
        ---
        alice publish 'b' and 'c'
        alice publish 'b'
        agent start t2
        agent steered t1 #3
        agent start t2
        agent end t1 complete
        ",
        expect![[r#"
            alice < nack 3 over-limit: unable to publish; 3 turns are open already
            agent < create #4 alice 'b' headers={"steer":"waiting","steer-turn":"t1"}
            agent | turn.steer #4 t1 active agent input=#1 message=#4 'b'
            alice < create #4 alice 'b' headers={"steer":"waiting","steer-turn":"t1"}
            alice | turn.steer #4 t1 active agent input=#1 message=#4 'b'
            alice | ack 4 #4
            agent < nack 2 over-limit: unable to start the turn; 3 turns are open already
            agent < update #3 v#5 alice headers={"steer":"taken","steer-turn":"t1"}
            agent | ack 3 t1 active agent input=#1
            alice < update #3 v#5 alice headers={"steer":"taken","steer-turn":"t1"}
            agent < turn.start #6 t2 active agent
            agent | ack 4 t2 active agent
            alice < turn.start #6 t2 active agent
            agent < update #4 v#7 alice headers={"steer":"requeued"}
            agent | turn.end #8 t1 complete agent input=#1
            agent | turn.queue #9 turn-#9 queued input=#4
            agent | ack 5 t1 complete agent input=#1
            alice < update #4 v#7 alice headers={"steer":"requeued"}
            alice | turn.end #8 t1 complete agent input=#1
            alice | turn.queue #9 turn-#9 queued input=#4
        "#]],
    );
}

/// P11.2: retention keeps what an open turn is still to read.
#[test]
fn p11_2_waiting_inputs_are_not_trimmed() {
    check(
        "
        admin patch {\"onInput\":\"steer\",\"retentionMs\":1000}
        alice attach
        agent attach rewind=0
        alice publish 'go'
        agent start t1 input=#1 lease=600000
        alice publish 'a'
        alice publish 'b' wake=false
        ---
        wait 70000
        agent end t1 complete
        wait 1000
        ",
        expect![[r#"
            -- 1000 ms
            agent < trim before #5 but #1 #3
            alice < trim before #5 but #1 #3
            -- 70000 ms
            agent < update #3 v#5 alice headers={"steer":"requeued"}
            agent | turn.end #6 t1 complete agent input=#1
            agent | turn.queue #7 turn-#7 queued input=#3
            agent | ack 2 t1 complete agent input=#1
            alice < update #3 v#5 alice headers={"steer":"requeued"}
            alice | turn.end #6 t1 complete agent input=#1
            alice | turn.queue #7 turn-#7 queued input=#3
            agent < trim before #5 but #3
            alice < trim before #5 but #3
        "#]],
    );
}
