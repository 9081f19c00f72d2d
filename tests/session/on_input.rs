//! Inputs that come while another is answered (P10.3), by the setting `onInput`.

use crate::world::{check, check_with};
use expect_test::expect;
use sessile::protocol::limits::Limits;

/// P6.6, P10.3: what an input interrupts itself does not stand in its way.
#[test]
fn an_interrupting_input_is_not_rejected() {
    check(
        "
        admin patch {\"onInput\":\"reject\"}
        agent attach
        alice attach
        alice publish 'one'
        agent start t1 input=#1
        ---
        alice publish 'two'
        alice publish 'two' interrupt=t1
        alice publish 'three' interrupt=true
        ",
        expect![[r#"
            alice < nack 2 busy: unable to publish; session s1 answers another input
            agent < turn.cancel #3 t1 active agent input=#1 cancel=alice
            agent | create #4 alice 'two'
            alice < turn.cancel #3 t1 active agent input=#1 cancel=alice
            alice | create #4 alice 'two'
            alice | ack 3 #4
            agent < create #5 alice 'three'
            alice < create #5 alice 'three'
            alice | ack 4 #5
        "#]],
    );
}

/// P14: inputs that wait are open turns, also those of one publish.
#[test]
fn open_turns_are_counted_in_one_publish() {
    let limits = Limits {
        open_turns: 2,
        ..Limits::default()
    };
    check_with(
        limits,
        "
        admin patch {\"onInput\":\"queue\"}
        agent attach
        alice attach
        alice publish 'one'
        agent start t1 input=#1
        ---
        alice publish 'two' and 'three'
        alice publish 'two'
        ",
        expect![[r#"
            alice < nack 2 over-limit: unable to publish; 2 turns are open already
            agent < create #3 alice 'two'
            agent | turn.queue #4 turn-#4 queued input=#3
            alice < create #3 alice 'two'
            alice | turn.queue #4 turn-#4 queued input=#3
            alice | ack 3 #3
        "#]],
    );
}

/// P10.3: by default nothing becomes of it: agents answer it as they like.
#[test]
fn parallel() {
    check(
        "
        agent attach rewind=0
        alice attach rewind=0
        alice publish 'q1'
        agent start t1 input=#1
        ---
        alice publish 'q2'
        agent start t2 input=#3
        agent brief turns
        ",
        expect![[r#"
            agent < create #3 alice 'q2'
            alice < create #3 alice 'q2'
            alice | ack 2 #3
            agent < turn.start #4 t2 active agent input=#3
            agent | ack 2 t2 active agent input=#3
            alice < turn.start #4 t2 active agent input=#3
            agent = 200 turns: t1 active agent input=#1; t2 active agent input=#3
        "#]],
    );
}

/// P10.3: `reject`: it is refused as `busy`, all of a publish or none; not once the turn is over.
#[test]
fn an_input_is_refused() {
    check(
        "
        admin patch {\"onInput\":\"reject\"}
        agent attach rewind=0
        alice attach rewind=0
        alice publish 'q1'
        agent start t1 input=#1
        ---
        alice publish 'q2'
        alice publish 'note' turn=t1
        alice post publish 'q2'
        agent publish 'status'
        alice publish 'q1' id=x
        alice cancel turn=t1
        agent end t1 cancelled
        alice publish 'q2'
        ",
        expect![[r#"
            alice < nack 2 busy: unable to publish; session s1 answers another input
            alice < nack 3 not-leader: unable to publish; turn t1 is agent's
            alice = 409 {"error":{"code":"busy","message":"unable to publish; session s1
                  answers another input","status":409},"ref":4,"type":"nack"}
            agent < create #3 agent 'status'
            agent | ack 2 #3
            alice < create #3 agent 'status'
            alice < nack 5 busy: unable to publish; session s1 answers another input
            agent < turn.cancel #4 t1 active agent input=#1 cancel=alice
            alice < turn.cancel #4 t1 active agent input=#1 cancel=alice
            alice | ack 6 [t1 active agent input=#1 cancel=alice]
            agent < turn.end #5 t1 cancelled agent input=#1 cancel=alice
            agent | ack 3 t1 cancelled agent input=#1 cancel=alice
            alice < turn.end #5 t1 cancelled agent input=#1 cancel=alice
            agent < create #6 alice 'q2'
            alice < create #6 alice 'q2'
            alice | ack 7 #6
        "#]],
    );
}

/// P10.3, P13.1: what was accepted before is acknowledged again, busy or not.
#[test]
fn a_duplicate_is_not_refused() {
    check(
        "
        admin patch {\"onInput\":\"reject\"}
        agent attach rewind=0
        alice attach rewind=0
        alice publish 'q1' id=a
        agent start t1 input=#1
        ---
        alice publish 'q1' id=a
        alice publish 'q1' id=a and 'q2' id=b
        ",
        expect![[r#"
            alice < ack 2 #1 id="a" duplicate
            alice < nack 3 busy: unable to publish; session s1 answers another input
        "#]],
    );
}

/// P6.6, P10.3: whoever interrupts makes room itself, and is not held up.
#[test]
fn an_interrupt_makes_room() {
    check(
        "
        admin patch {\"onInput\":\"reject\"}
        agent attach rewind=0
        alice attach rewind=0
        alice publish 'q1'
        agent start t1 input=#1
        ---
        alice publish 'q2' interrupt=true
        admin patch {\"onInput\":\"queue\"}
        agent end t1 cancelled
        agent start t2 input=#4
        alice publish 'q3' interrupt=true
        agent brief turns
        ",
        expect![[r#"
            agent < turn.cancel #3 t1 active agent input=#1 cancel=alice
            agent | create #4 alice 'q2'
            alice < turn.cancel #3 t1 active agent input=#1 cancel=alice
            alice | create #4 alice 'q2'
            alice | ack 2 #4
            admin = 200 {"settings":{"onInput":"queue"}}
            agent < turn.end #5 t1 cancelled agent input=#1 cancel=alice
            agent | ack 2 t1 cancelled agent input=#1 cancel=alice
            alice < turn.end #5 t1 cancelled agent input=#1 cancel=alice
            agent < turn.start #6 t2 active agent input=#4
            agent | ack 3 t2 active agent input=#4
            alice < turn.start #6 t2 active agent input=#4
            agent < turn.cancel #7 t2 active agent input=#4 cancel=alice
            agent | create #8 alice 'q3'
            alice < turn.cancel #7 t2 active agent input=#4 cancel=alice
            alice | create #8 alice 'q3'
            alice | ack 3 #8
            agent = 200 turns: t2 active agent input=#4 cancel=alice
        "#]],
    );
}

/// P10.3: `interrupt`: turns that answer an input are cancelled first, in the same array; the
/// others go on.
#[test]
fn an_input_interrupts() {
    check(
        "
        admin patch {\"onInput\":\"interrupt\"}
        agent attach rewind=0
        alice attach rewind=0
        alice publish 'q1'
        alice publish 'q1b'
        agent start t1 input=#1
        agent start t2
        agent start t3 input=#2
        agent suspend t3
        agent start t4 input=#2 again
        agent publish 'a' streaming turn=t1
        agent append #8 'b'
        ---
        alice publish 'q2'
        agent publish 'own'
        agent end t1 complete
        agent brief turns
        wait 5000
        agent brief turns
        ",
        expect![[r#"
            agent < turn.cancel #10 t1 active agent input=#1 cancel=alice
            agent | turn.cancel #11 t4 active agent input=#2 cancel=alice
            agent | create #12 alice 'q2'
            alice < turn.cancel #10 t1 active agent input=#1 cancel=alice
            alice | turn.cancel #11 t4 active agent input=#2 cancel=alice
            alice | create #12 alice 'q2'
            alice | ack 3 #12
            agent < create #13 agent 'own'
            agent | ack 8 #13
            alice < create #13 agent 'own'
            agent < append #8 v#14 @2 '' cancelled
            agent | turn.end #15 t1 cancelled agent input=#1 cancel=alice
            agent | ack 9 t1 cancelled agent input=#1 cancel=alice
            alice < append #8 v#14 @2 '' cancelled
            alice | turn.end #15 t1 cancelled agent input=#1 cancel=alice
            agent = 200 turns: t2 active agent; t3 suspended agent input=#2; t4 active agent
                  input=#2 cancel=alice
            -- 5000 ms
            agent < turn.end #16 t4 cancelled agent input=#2 cancel=alice
            alice < turn.end #16 t4 cancelled agent input=#2 cancel=alice
            agent = 200 turns: t2 active agent; t3 suspended agent input=#2
        "#]],
    );
}

/// P10.3: it needs no right to cancel: it is the session's own setting.
#[test]
fn an_input_interrupts_by_itself() {
    check(
        "
        admin patch {\"onInput\":\"interrupt\"}
        agent attach rewind=0
        alice attach rewind=0 as=read,publish
        alice publish 'q1'
        agent start t1 input=#1
        ---
        alice publish 'q2' interrupt=true
        alice publish 'q2' id=a
        alice publish 'q2' id=a
        ",
        expect![[r#"
            alice < nack 2 forbidden: unable to interrupt; the token lacks the operation cancel
                  for session s1, it has read, publish
            agent < turn.cancel #3 t1 active agent input=#1 cancel=alice
            agent | create #4 alice id=a 'q2'
            alice < turn.cancel #3 t1 active agent input=#1 cancel=alice
            alice | create #4 alice id=a 'q2'
            alice | ack 3 #4 id="a"
            alice < ack 4 #4 id="a" duplicate
        "#]],
    );
}

/// P10.3: settings that are none.
#[test]
fn settings_of_inputs() {
    check(
        "
        ---
        admin patch {\"onInput\":\"maybe\"}
        admin patch {\"agent\":{\"url\":\"ftp://x\"}}
        admin patch {\"agent\":{}}
        admin patch {\"maxAttempts\":0}
        admin patch {\"takeMs\":1}
        admin patch {\"onInput\":\"queue\",\"agent\":{\"url\":\"https://a.example/\"},\
        \"maxAttempts\":2}
        admin patch {\"onInput\":null}
        ",
        expect![[r#"
            admin = 400 {"error":{"code":"invalid-frame","message":"unable to change the
                  settings; onInput: it is `maybe`, not one of `parallel`, `queue`, `interrupt`,
                   `reject`, `steer`","status":400}}
            admin = 400 {"error":{"code":"invalid-frame","message":"unable to change the
                  settings; agent.url: it is no address of https","status":400}}
            admin = 400 {"error":{"code":"invalid-frame","message":"unable to change the
                  settings; agent has not exactly one of url, service, queue, workflow and
                  inbox","status":400}}
            admin = 400 {"error":{"code":"invalid-frame","message":"unable to change the
                  settings; maxAttempts is not between 1 and 100","status":400}}
            admin = 400 {"error":{"code":"invalid-frame","message":"unable to change the
                  settings; takeMs is not between 1000 and 315360000000 ms","status":400}}
            admin = 200 {"settings":{"agent":{"url":"https://a.example/"},"maxAttempts":2,
                  "onInput":"queue"}}
            admin = 200 {"settings":{"agent":{"url":"https://a.example/"},"maxAttempts":2}}
        "#]],
    );
}

/// P10.3: one input among the messages of a publish interrupts.
#[test]
fn an_input_among_others_interrupts() {
    check(
        "
        admin patch {\"onInput\":\"interrupt\"}
        agent attach rewind=0
        alice post publish 'q1'
        agent start t1 input=#1
        ---
        agent publish 'own' and 'wake up' wake
        ",
        expect![[r#"
            agent < turn.cancel #3 t1 active agent input=#1 cancel=agent
            agent | create #4 agent 'own'
            agent | create #5 agent 'wake up'
            agent | ack 2 #4, #5
        "#]],
    );
}

/// P10.3: a message with `wake: false` is never an input, whoever sends it: it is not refused,
/// waits for nothing and interrupts nothing.
#[test]
fn what_shall_wake_nobody_is_no_input() {
    for on_input in ["reject", "queue", "interrupt"] {
        check(
            &format!(
                "
                admin patch {{\"onInput\":\"{on_input}\"}}
                agent attach rewind=0
                alice attach rewind=0
                alice publish 'q1'
                agent start t1 input=#1
                ---
                alice publish 'an output' wake=false and 'another' wake=false
                agent publish 'a note' wake=false
                agent brief turns
                "
            ),
            expect![[r#"
                agent < create #3 alice 'an output'
                agent | create #4 alice 'another'
                alice < create #3 alice 'an output'
                alice | create #4 alice 'another'
                alice | ack 2 #3, #4
                agent < create #5 agent 'a note'
                agent | ack 2 #5
                alice < create #5 agent 'a note'
                agent = 200 turns: t1 active agent input=#1
            "#]],
        );
    }
}

/// P10.3: `wake` is a word of the message: what comes with it is an input as ever.
#[test]
fn the_last_of_several_wakes() {
    check(
        "
        admin patch {\"onInput\":\"queue\"}
        agent attach rewind=0
        alice attach rewind=0
        alice publish 'q1'
        agent start t1 input=#1
        ---
        alice publish 'an output' wake=false and 'the last'
        alice publish 'x' wake=null
        alice publish 'x' wake=maybe
        ",
        expect![[r#"
            agent < create #3 alice 'an output'
            agent | create #4 alice 'the last'
            agent | turn.queue #5 turn-#5 queued input=#4
            alice < create #3 alice 'an output'
            alice | create #4 alice 'the last'
            alice | turn.queue #5 turn-#5 queued input=#4
            alice | ack 2 #3, #4
            agent < create #6 alice 'x'
            agent | turn.queue #7 turn-#7 queued input=#6
            alice < create #6 alice 'x'
            alice | turn.queue #7 turn-#7 queued input=#6
            alice | ack 3 #6
            alice < nack 4 invalid-frame: unable to publish; messages[0].wake: it is the text
                  "maybe", not true or false
        "#]],
    );
}
