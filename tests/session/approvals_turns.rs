//! Turns that wait for approvals (P8.4).

use crate::world::check;
use expect_test::expect;

/// P8.4: suspended in the step of the first request, active again with the last decision.
#[test]
fn p8_4_a_turn_waits_for_all_that_it_asked_for() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1
        ---
        agent raw [{\"type\":\"approval.request\",\"id\":\"a1\",\"title\":\"x\",\
             \"turn\":\"t1\"},{\"type\":\"approval.request\",\"id\":\"a2\",\
             \"title\":\"x\",\"turn\":\"t1\"}]
        agent resume t1
        alice decide a1 approve
        wait 3600000
        alice decide a2 reject
        agent end t1 complete
        ",
        expect![[r#"
            agent < approval.request #2 a1 pending turn=t1 [+0 request agent]
            agent | turn.suspend #2 t1 suspended agent reason=approval
            agent | approval.request #3 a2 pending turn=t1 [+0 request agent]
            alice < approval.request #2 a1 pending turn=t1 [+0 request agent]
            alice | turn.suspend #2 t1 suspended agent reason=approval
            alice | approval.request #3 a2 pending turn=t1 [+0 request agent]
            agent < nack 2 conflict: unable to resume the turn; turn t1 waits for what it asked
                  for, which has to be settled or withdrawn first
            agent < approval.decide #4 a1 approved turn=t1 decidedBy=alice [+0 request agent,
                  +0 decide alice]
            alice < approval.decide #4 a1 approved turn=t1 decidedBy=alice [+0 request agent,
                  +0 decide alice]
            alice | ack 1 a1 approved turn=t1 decidedBy=alice [+0 request agent, +0 decide
                  alice]
            -- 3600000 ms
            agent < approval.decide #5 a2 rejected turn=t1 decidedBy=alice [+0 request agent,
                  +3600000 decide alice]
            agent | turn.resume #5 t1 active agent
            alice < approval.decide #5 a2 rejected turn=t1 decidedBy=alice [+0 request agent,
                  +3600000 decide alice]
            alice | turn.resume #5 t1 active agent
            alice | ack 2 a2 rejected turn=t1 decidedBy=alice [+0 request agent, +3600000
                  decide alice]
            agent < turn.end #6 t1 complete agent
            agent | ack 3 t1 complete agent
            alice < turn.end #6 t1 complete agent
        "#]],
    );
}

/// P8.4: the last decision queues it; the next process takes it with the decision.
#[test]
fn p8_4_without_its_leader_the_turn_waits_for_the_next_process() {
    check(
        "
        alice attach
        alice publish 'go'
        agent attach rewind=0
        agent start t1 input=#1
        agent publish 'wait' streaming turn=t1
        agent ask a1 turn=t1
        agent drop
        crash
        wait 86400000
        supervisor attach
        ---
        supervisor decide a1 approve
        agent attach
        agent start input=#1
        agent ask a1 turn=t1 attempt=2
        agent end t1 complete
        ",
        expect![[r#"
            supervisor < approval.decide #5 a1 approved turn=t1 decidedBy=supervisor [+0
                  request agent, +86400000 decide supervisor]
            supervisor | append #3 v#6 @4 '' failed
            supervisor | turn.queue #7 t1 queued attempt=2 input=#1
            supervisor | ack 1 a1 approved turn=t1 decidedBy=supervisor [+0 request agent,
                  +86400000 decide supervisor]
            agent < attached #7 anew, turns: t1 queued attempt=2 input=#1
            agent < create #1 alice 'go'
            agent | create #3 v#6 agent turn=t1 'wait' failed
            agent < caught-up #7
            agent < turn.start #8 t1 active agent attempt=2 input=#1
            agent | ack 4 t1 active agent attempt=2 input=#1
            supervisor < turn.start #8 t1 active agent attempt=2 input=#1
            agent < ack 5 a1 approved turn=t1 decidedBy=supervisor [+0 request agent, +86400000
                  decide supervisor] duplicate
            agent < turn.end #9 t1 complete agent attempt=2 input=#1
            agent | ack 6 t1 complete agent attempt=2 input=#1
            supervisor < turn.end #9 t1 complete agent attempt=2 input=#1
        "#]],
    );
}

/// P8.4: in the same step, whatever ends it; a decision comes too late then.
#[test]
fn p8_4_the_end_of_a_turn_withdraws_what_it_asked() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1
        agent ask a1 turn=t1
        agent ask a2 turn=t1
        agent ask a3
        ---
        agent end t1 complete
        alice decide a1 approve
        agent start t2
        agent ask b1 turn=t2
        alice cancel turn=t2
        alice decide b1 approve
        ",
        expect![[r#"
            agent < approval.withdraw #5 a1 withdrawn turn=t1 [+0 request agent, +0 withdraw]
            agent | approval.withdraw #6 a2 withdrawn turn=t1 [+0 request agent, +0 withdraw]
            agent | turn.end #7 t1 complete agent
            agent | ack 5 t1 complete agent
            alice < approval.withdraw #5 a1 withdrawn turn=t1 [+0 request agent, +0 withdraw]
            alice | approval.withdraw #6 a2 withdrawn turn=t1 [+0 request agent, +0 withdraw]
            alice | turn.end #7 t1 complete agent
            alice < nack 1 already-decided: unable to decide the approval; approval a1 is
                  withdrawn (a1 withdrawn turn=t1 [+0 request agent, +0 withdraw])
            agent < turn.start #8 t2 active agent
            agent | ack 6 t2 active agent
            alice < turn.start #8 t2 active agent
            agent < approval.request #9 b1 pending turn=t2 [+0 request agent]
            agent | turn.suspend #9 t2 suspended agent reason=approval
            agent | ack 7 b1 pending turn=t2 [+0 request agent]
            alice < approval.request #9 b1 pending turn=t2 [+0 request agent]
            alice | turn.suspend #9 t2 suspended agent reason=approval
            agent < turn.cancel #10 t2 suspended agent cancel=alice reason=approval
            agent | approval.withdraw #11 b1 withdrawn turn=t2 [+0 request agent, +0 withdraw]
            agent | turn.end #12 t2 cancelled agent cancel=alice
            alice < turn.cancel #10 t2 suspended agent cancel=alice reason=approval
            alice | approval.withdraw #11 b1 withdrawn turn=t2 [+0 request agent, +0 withdraw]
            alice | turn.end #12 t2 cancelled agent cancel=alice
            alice | ack 2 [t2 cancelled agent cancel=alice]
            alice < nack 3 already-decided: unable to decide the approval; approval b1 is
                  withdrawn (b1 withdrawn turn=t2 [+0 request agent, +0 withdraw])
        "#]],
    );
}

/// P6.8: requests and withdrawals are fenced by the attempt.
#[test]
fn p6_8_only_the_leader_asks_for_a_turn() {
    check(
        "
        agent attach
        agent2 attach rewind=0
        agent/2 attach rewind=0
        agent start t1
        agent ask a1 turn=t1
        ---
        agent2 ask x turn=t1
        agent/2 ask x turn=t1
        agent/2 adopt t1
        agent withdraw a1
        agent ask x turn=t1 attempt=1
        agent/2 withdraw a1
        agent/2 ask x turn=nothing
        agent/2 end t1 complete
        agent/2 ask x turn=t1
        ",
        expect![[r#"
            agent2 < nack 1 not-leader: unable to ask for approval; turn t1 is agent's
            agent/2 < nack 1 not-leader: unable to ask for approval; turn t1 was not taken over
                  this connection, send its current attempt with the frame
            agent < turn.adopt #3 t1 suspended agent attempt=2 reason=approval
            agent/2 < turn.adopt #3 t1 suspended agent attempt=2 reason=approval
            agent/2 | ack 2 t1 suspended agent attempt=2 reason=approval
            agent2 < turn.adopt #3 t1 suspended agent attempt=2 reason=approval
            agent < nack 3 not-leader: unable to withdraw the approval; turn t1 was not taken
                  over this connection, send its current attempt with the frame
            agent < nack 4 not-leader: unable to ask for approval; turn t1 is at attempt 2, not
                  1
            agent < approval.withdraw #4 a1 withdrawn turn=t1 [+0 request agent, +0 withdraw
                  agent]
            agent | turn.resume #4 t1 active agent attempt=2
            agent/2 < approval.withdraw #4 a1 withdrawn turn=t1 [+0 request agent, +0 withdraw
                  agent]
            agent/2 | turn.resume #4 t1 active agent attempt=2
            agent/2 | ack 3 a1 withdrawn turn=t1 [+0 request agent, +0 withdraw agent]
            agent2 < approval.withdraw #4 a1 withdrawn turn=t1 [+0 request agent, +0 withdraw
                  agent]
            agent2 | turn.resume #4 t1 active agent attempt=2
            agent/2 < nack 4 not-found: unable to ask for approval; there is no turn nothing
            agent < turn.end #5 t1 complete agent attempt=2
            agent/2 < turn.end #5 t1 complete agent attempt=2
            agent/2 | ack 5 t1 complete agent attempt=2
            agent2 < turn.end #5 t1 complete agent attempt=2
            agent/2 < nack 6 turn-closed: unable to ask for approval; turn t1 is complete
        "#]],
    );
}

/// P8.4: as a decision does.
#[test]
fn p8_4_a_withdrawal_lets_the_turn_go_on() {
    check(
        "
        agent attach
        agent start t1
        ---
        agent ask a1 turn=t1
        agent withdraw a1
        agent ask a2 turn=t1
        agent withdraw a2
        ",
        expect![[r#"
            agent < approval.request #2 a1 pending turn=t1 [+0 request agent]
            agent | turn.suspend #2 t1 suspended agent reason=approval
            agent | ack 2 a1 pending turn=t1 [+0 request agent]
            agent < approval.withdraw #3 a1 withdrawn turn=t1 [+0 request agent, +0 withdraw
                  agent]
            agent | turn.resume #3 t1 active agent
            agent | ack 3 a1 withdrawn turn=t1 [+0 request agent, +0 withdraw agent]
            agent < approval.request #4 a2 pending turn=t1 [+0 request agent]
            agent | turn.suspend #4 t1 suspended agent reason=approval
            agent | ack 4 a2 pending turn=t1 [+0 request agent]
            agent < approval.withdraw #5 a2 withdrawn turn=t1 [+0 request agent, +0 withdraw
                  agent]
            agent | turn.resume #5 t1 active agent
            agent | ack 5 a2 withdrawn turn=t1 [+0 request agent, +0 withdraw agent]
        "#]],
    );
}

/// P8.4: a leader without a connection is not there.
#[test]
fn p8_4_a_turn_over_http_is_queued() {
    check(
        "
        alice attach
        agent shorthand start t1
        agent shorthand ask a1 turn=t1 attempt=1
        ---
        alice decide a1 approve
        agent shorthand adopt t1
        agent shorthand ask a1 turn=t1 attempt=2
        agent shorthand end t1 complete attempt=2
        ",
        expect![[r##"
            alice < approval.decide #3 a1 approved turn=t1 decidedBy=alice [+0 request agent,
                  +0 decide alice]
            alice | turn.queue #4 t1 queued attempt=2
            alice | ack 1 a1 approved turn=t1 decidedBy=alice [+0 request agent, +0 decide
                  alice]
            alice < turn.start #5 t1 active agent attempt=2
            agent = 200 {"turn":{"agent":"agent","attempt":2,"createdAt":"+0","id":"t1",
                  "leaseMs":30000,"leaseUntil":"+30000","startedAt":"+0","status":"active"}}
            agent = 200 {"approval":{"client":"agent","createdAt":"+0","decidedBy":"alice",
                  "decision":"approve","history":[{"at":"+0","what":"request","who":"agent"},
                  {"at":"+0","what":"decide","who":"alice"}],"id":"a1","kind":"approval",
                  "serial":"#2","session":"s1","status":"approved","title":"Buy?","turn":"t1",
                  "version":"#3"},"duplicate":true}
            alice < turn.end #6 t1 complete agent attempt=2
            agent = 200 {"turn":{"agent":"agent","attempt":2,"createdAt":"+0","endedAt":"+0",
                  "id":"t1","startedAt":"+0","status":"complete"}}
        "##]],
    );
}
