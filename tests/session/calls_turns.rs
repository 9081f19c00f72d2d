//! Turns that wait for their calls, and that end with them (P8.9, P8.4).

use crate::world::check;
use expect_test::expect;

/// P8.9: with `suspend` the turn waits for all of them, and goes on with the last.
#[test]
fn p8_9_a_turn_waits_for_its_calls() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1
        ---
        agent call c1 turn=t1 suspend; call c2 turn=t1 suspend; call c3 turn=t1
        agent resume t1
        agent ask a1 turn=t1
        alice claim c1; settle c1 1
        alice claim c3; settle c3 3
        alice decide a1 approve
        alice claim c2; settle c2 2
        ",
        expect![[r#"
            agent < tool.call #2 c1 where pending turn=t1
            agent | turn.suspend #2 t1 suspended agent reason=call
            agent | ack 2 c1 where pending turn=t1
            agent | tool.call #3 c2 where pending turn=t1
            agent | ack 3 c2 where pending turn=t1
            agent | tool.call #4 c3 where pending turn=t1
            agent | ack 4 c3 where pending turn=t1
            alice < tool.call #2 c1 where pending turn=t1
            alice | turn.suspend #2 t1 suspended agent reason=call
            alice | tool.call #3 c2 where pending turn=t1
            alice | tool.call #4 c3 where pending turn=t1
            agent < nack 5 conflict: unable to resume the turn; turn t1 waits for what it asked
                  for, which has to be settled or withdrawn first
            agent < approval.request #5 a1 pending turn=t1 [+0 request agent]
            agent | ack 6 a1 pending turn=t1 [+0 request agent]
            alice < approval.request #5 a1 pending turn=t1 [+0 request agent]
            agent < tool.claim #6 c1 where pending turn=t1 [alice-1 until +30000]
            agent | tool.result #7 c1 where complete turn=t1 output=1 [alice-1]
            alice < tool.claim #6 c1 where pending turn=t1 [alice-1 until +30000]
            alice | ack 1 c1 where pending turn=t1 [alice-1 until +30000]
            alice | tool.result #7 c1 where complete turn=t1 output=1 [alice-1]
            alice | ack 2 c1 where complete turn=t1 output=1 [alice-1]
            agent < tool.claim #8 c3 where pending turn=t1 [alice-1 until +30000]
            agent | tool.result #9 c3 where complete turn=t1 output=3 [alice-1]
            alice < tool.claim #8 c3 where pending turn=t1 [alice-1 until +30000]
            alice | ack 3 c3 where pending turn=t1 [alice-1 until +30000]
            alice | tool.result #9 c3 where complete turn=t1 output=3 [alice-1]
            alice | ack 4 c3 where complete turn=t1 output=3 [alice-1]
            agent < approval.decide #10 a1 approved turn=t1 decidedBy=alice [+0 request agent,
                  +0 decide alice]
            alice < approval.decide #10 a1 approved turn=t1 decidedBy=alice [+0 request agent,
                  +0 decide alice]
            alice | ack 5 a1 approved turn=t1 decidedBy=alice [+0 request agent, +0 decide
                  alice]
            agent < tool.claim #11 c2 where pending turn=t1 [alice-1 until +30000]
            agent | tool.result #12 c2 where complete turn=t1 output=2 [alice-1]
            agent | turn.resume #12 t1 active agent
            alice < tool.claim #11 c2 where pending turn=t1 [alice-1 until +30000]
            alice | ack 6 c2 where pending turn=t1 [alice-1 until +30000]
            alice | tool.result #12 c2 where complete turn=t1 output=2 [alice-1]
            alice | turn.resume #12 t1 active agent
            alice | ack 7 c2 where complete turn=t1 output=2 [alice-1]
        "#]],
    );
}

/// P8.9: its result waits for the next process, which calls with the same ids.
#[test]
fn p8_9_the_next_process_finds_the_result() {
    check(
        "
        agent attach
        alice attach rewind=0
        alice publish 'go'
        agent start t1 input=#1
        agent call c1 turn=t1 suspend
        crash
        wait 3600000
        alice attach rewind=0
        ---
        alice claim c1
        alice settle c1 'here'
        agent attach
        agent start input=#1
        agent call c1 turn=t1 attempt=2
        ",
        expect![[r#"
            alice < tool.claim #4 c1 where pending turn=t1 to=["alice"] [alice-2 until +3630000]
            alice | ack 2 c1 where pending turn=t1 to=["alice"] [alice-2 until +3630000]
            alice < tool.result #5 c1 where complete turn=t1 to=["alice"] output="here"
                  [alice-2]
            alice | turn.queue #6 t1 queued attempt=2 input=#1
            alice | ack 3 c1 where complete turn=t1 to=["alice"] output="here" [alice-2]
            agent < attached #6 anew, turns: t1 queued attempt=2 input=#1
            agent < create #1 alice 'go'
            agent < caught-up #6
            agent < turn.start #7 t1 active agent attempt=2 input=#1
            agent | ack 3 t1 active agent attempt=2 input=#1
            alice < turn.start #7 t1 active agent attempt=2 input=#1
            agent < ack 4 c1 where complete turn=t1 to=["alice"] output="here" [alice-2]
                  duplicate
        "#]],
    );
}

/// P8.9: the end of a turn withdraws what it called, in the same step.
#[test]
fn p8_9_the_end_of_a_turn_withdraws_its_calls() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1
        agent call c1 turn=t1
        agent call c2 turn=t1 suspend
        alice claim c1
        ---
        alice cancel turn=t1
        alice settle c1 'x'
        agent start t2
        agent call c3 turn=t2
        agent end t2 complete
        alice claim c3
        ",
        expect![[r#"
            agent < turn.cancel #5 t1 suspended agent cancel=alice reason=call
            agent | tool.expire #6 c1 where withdrawn turn=t1
            agent | tool.expire #7 c2 where withdrawn turn=t1
            agent | turn.end #8 t1 cancelled agent cancel=alice
            alice < turn.cancel #5 t1 suspended agent cancel=alice reason=call
            alice | tool.expire #6 c1 where withdrawn turn=t1
            alice | tool.expire #7 c2 where withdrawn turn=t1
            alice | turn.end #8 t1 cancelled agent cancel=alice
            alice | ack 2 [t1 cancelled agent cancel=alice]
            alice < nack 3 already-settled: unable to settle the call; call c1 is withdrawn (c1
                  where withdrawn turn=t1)
            agent < turn.start #9 t2 active agent
            agent | ack 4 t2 active agent
            alice < turn.start #9 t2 active agent
            agent < tool.call #10 c3 where pending turn=t2
            agent | ack 5 c3 where pending turn=t2
            alice < tool.call #10 c3 where pending turn=t2
            agent < tool.expire #11 c3 where withdrawn turn=t2
            agent | turn.end #12 t2 complete agent
            agent | ack 6 t2 complete agent
            alice < tool.expire #11 c3 where withdrawn turn=t2
            alice | turn.end #12 t2 complete agent
            alice < nack 4 already-settled: unable to claim the call; call c3 is withdrawn (c3
                  where withdrawn turn=t2)
        "#]],
    );
}

/// P8.9: the agent takes a call back, and its turn goes on.
#[test]
fn p8_9_a_call_is_taken_back() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1
        agent call c1 turn=t1 suspend
        alice claim c1
        ---
        alice take-back c1
        agent/2 attach rewind=0
        agent/2 take-back c1
        agent take-back c1
        alice settle c1 'x'
        ",
        expect![[r#"
            alice < nack 2 forbidden: unable to withdraw the call; the token lacks the
                  operation turn for session s1, it has read, publish, presence, cancel, steer,
                  approve, state, annotate, push
            agent/2 < attached #3 anew, turns: t1 suspended agent reason=call, called: c1 where
                  pending turn=t1 [alice-1 until +30000]
            agent/2 < caught-up #3
            agent/2 < nack 1 not-leader: unable to withdraw the call; turn t1 was not taken
                  over this connection, send its current attempt with the frame
            agent < tool.expire #4 c1 where withdrawn turn=t1
            agent | turn.resume #4 t1 active agent
            agent | ack 3 c1 where withdrawn turn=t1
            agent/2 < tool.expire #4 c1 where withdrawn turn=t1
            agent/2 | turn.resume #4 t1 active agent
            alice < tool.expire #4 c1 where withdrawn turn=t1
            alice | turn.resume #4 t1 active agent
            alice < nack 3 already-settled: unable to settle the call; call c1 is withdrawn (c1
                  where withdrawn turn=t1)
        "#]],
    );
}

/// P8.9: a call that does not suspend leaves a suspended turn alone.
#[test]
fn p8_9_a_result_wakes_no_turn_that_waits_for_something_else() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1
        agent suspend t1
        agent call c1 turn=t1
        ---
        alice claim c1
        alice settle c1 'x'
        agent resume t1
        ",
        expect![[r#"
            agent < tool.claim #4 c1 where pending turn=t1 [alice-1 until +30000]
            alice < tool.claim #4 c1 where pending turn=t1 [alice-1 until +30000]
            alice | ack 1 c1 where pending turn=t1 [alice-1 until +30000]
            agent < tool.result #5 c1 where complete turn=t1 output="x" [alice-1]
            alice < tool.result #5 c1 where complete turn=t1 output="x" [alice-1]
            alice | ack 2 c1 where complete turn=t1 output="x" [alice-1]
            agent < turn.resume #6 t1 active agent
            agent | ack 4 t1 active agent
            alice < turn.resume #6 t1 active agent
        "#]],
    );
}
