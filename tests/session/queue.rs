//! Inputs that wait while another is answered (P6.1, P10.3).

use crate::world::check;
use expect_test::expect;

/// P6.1, P10.3: `queue`: it waits as a turn without a leader, told with the message in one array;
/// whoever starts a turn with that input takes it.
#[test]
fn an_input_waits() {
    check(
        "
        admin patch {\"onInput\":\"queue\"}
        agent attach rewind=0
        alice attach rewind=0
        alice publish 'q1'
        agent start t1 input=#1
        ---
        alice publish 'q2'
        evict
        alice publish 'q3'
        bob attach
        agent end t1 complete
        agent start t9 input=#3
        alice get turn t9
        agent end turn-#4 complete
        agent brief turns
        agent brief turns all
        ",
        expect![[r#"
            agent < create #3 alice 'q2'
            agent | turn.queue #4 turn-#4 queued input=#3
            alice < create #3 alice 'q2'
            alice | turn.queue #4 turn-#4 queued input=#3
            alice | ack 2 #3
            agent < create #5 alice 'q3'
            agent | turn.queue #6 turn-#6 queued input=#5
            alice < create #5 alice 'q3'
            alice | turn.queue #6 turn-#6 queued input=#5
            alice | ack 3 #5
            bob < attached #6 anew, turns: t1 active agent input=#1; turn-#4 queued input=#3;
                  turn-#6 queued input=#5
            bob < create #1 alice 'q1'
            bob | create #3 alice 'q2'
            bob | create #5 alice 'q3'
            bob < caught-up #6
            agent < turn.end #7 t1 complete agent input=#1
            agent | ack 2 t1 complete agent input=#1
            alice < turn.end #7 t1 complete agent input=#1
            bob < turn.end #7 t1 complete agent input=#1
            agent < turn.start #8 turn-#4 active agent input=#3
            agent | ack 3 turn-#4 active agent input=#3
            alice < turn.start #8 turn-#4 active agent input=#3
            bob < turn.start #8 turn-#4 active agent input=#3
            alice = 404 {"error":{"code":"not-found","message":"unable to read; there is no
                  turn t9","status":404}}
            agent < turn.end #9 turn-#4 complete agent input=#3
            agent | ack 4 turn-#4 complete agent input=#3
            alice < turn.end #9 turn-#4 complete agent input=#3
            bob < turn.end #9 turn-#4 complete agent input=#3
            agent = 200 turns: turn-#6 queued input=#5
            agent = 200 turns: turn-#6 queued input=#5; turn-#4 complete agent input=#3; t1
                  complete agent input=#1
        "#]],
    );
}

/// P6.1: or it is adopted, by any agent; nothing of it is superseded, and its attempt is the
/// first.
#[test]
fn a_waiting_input_is_adopted() {
    check(
        "
        admin patch {\"onInput\":\"queue\"}
        agent attach rewind=0
        alice attach rewind=0
        alice publish 'q1'
        agent start t1 input=#1
        ---
        alice publish 'q2'
        agent-two attach rewind=0
        alice adopt turn-#4
        agent-two adopt turn-#4 lease=2000
        agent adopt turn-#4
        agent start t2 input=#3
        agent-two publish 'a' turn=turn-#4
        agent-two end turn-#4 complete
        agent start t2 input=#3
        ",
        expect![[r#"
            agent < create #3 alice 'q2'
            agent | turn.queue #4 turn-#4 queued input=#3
            alice < create #3 alice 'q2'
            alice | turn.queue #4 turn-#4 queued input=#3
            alice | ack 2 #3
            agent-two < attached #4 anew, has older, turns: t1 active agent input=#1; turn-#4
                  queued input=#3
            agent-two < caught-up #4
            alice < nack 3 forbidden: unable to adopt the turn; the token lacks the operation
                  turn for session s1, it has read, publish, presence, cancel, steer, approve,
                  state, annotate, push
            agent < turn.start #5 turn-#4 active agent-two input=#3
            agent-two < turn.start #5 turn-#4 active agent-two input=#3
            agent-two | ack 1 turn-#4 active agent-two input=#3
            alice < turn.start #5 turn-#4 active agent-two input=#3
            agent < nack 2 not-leader: unable to adopt the turn; turn turn-#4 is agent-two's
            agent < turn.start #6 t2 active agent input=#3
            agent | ack 3 t2 active agent input=#3
            agent-two < turn.start #6 t2 active agent input=#3
            alice < turn.start #6 t2 active agent input=#3
            agent < create #7 agent-two turn=turn-#4 'a'
            agent-two < create #7 agent-two turn=turn-#4 'a'
            agent-two | ack 2 #7
            alice < create #7 agent-two turn=turn-#4 'a'
            agent < turn.end #8 turn-#4 complete agent-two input=#3
            agent-two < turn.end #8 turn-#4 complete agent-two input=#3
            agent-two | ack 3 turn-#4 complete agent-two input=#3
            alice < turn.end #8 turn-#4 complete agent-two input=#3
            agent < ack 4 t2 active agent input=#3 duplicate
        "#]],
    );
}

/// P6.2: an agent that has answered the input otherwise takes what waits of it all the same.
#[test]
fn a_waiting_input_is_taken_once() {
    check(
        "
        admin patch {\"onInput\":\"queue\"}
        agent attach rewind=0
        alice attach rewind=0
        alice publish 'q1'
        agent start t1 input=#1
        ---
        alice publish 'q2'
        agent-two attach rewind=0
        agent start t2 input=#3
        agent start t2 input=#3
        agent-two start t3 input=#3
        agent start t4 input=#3 again
        agent brief turns
        ",
        expect![[r#"
            agent < create #3 alice 'q2'
            agent | turn.queue #4 turn-#4 queued input=#3
            alice < create #3 alice 'q2'
            alice | turn.queue #4 turn-#4 queued input=#3
            alice | ack 2 #3
            agent-two < attached #4 anew, has older, turns: t1 active agent input=#1; turn-#4
                  queued input=#3
            agent-two < caught-up #4
            agent < turn.start #5 turn-#4 active agent input=#3
            agent | ack 2 turn-#4 active agent input=#3
            agent-two < turn.start #5 turn-#4 active agent input=#3
            alice < turn.start #5 turn-#4 active agent input=#3
            agent < ack 3 turn-#4 active agent input=#3 duplicate
            agent < turn.start #6 t3 active agent-two input=#3
            agent-two < turn.start #6 t3 active agent-two input=#3
            agent-two | ack 1 t3 active agent-two input=#3
            alice < turn.start #6 t3 active agent-two input=#3
            agent < turn.start #7 t4 active agent input=#3
            agent | ack 4 t4 active agent input=#3
            agent-two < turn.start #7 t4 active agent input=#3
            alice < turn.start #7 t4 active agent input=#3
            agent = 200 turns: t1 active agent input=#1; turn-#4 active agent input=#3; t3
                  active agent-two input=#3; t4 active agent input=#3
        "#]],
    );
}

/// P10.3: what is no input: an agent's own messages, those of a turn, other roles; `wake` makes
/// an agent's message one.
#[test]
fn what_is_an_input() {
    check(
        "
        admin patch {\"onInput\":\"queue\"}
        agent attach rewind=0
        alice attach rewind=0
        alice publish 'q1'
        agent start t1 input=#1
        ---
        agent publish 'own'
        agent publish 'of the turn' turn=t1
        agent publish 'system' role=system
        supervisor post publish 'by hand'
        agent publish 'wake up' wake
        alice publish 'a' and 'b' streaming
        agent brief turns
        ",
        expect![[r##"
            agent < create #3 agent 'own'
            agent | ack 2 #3
            alice < create #3 agent 'own'
            agent < create #4 agent turn=t1 'of the turn'
            agent | ack 3 #4
            alice < create #4 agent turn=t1 'of the turn'
            agent < create #5 agent role=system 'system'
            agent | ack 4 #5
            alice < create #5 agent role=system 'system'
            agent < create #6 supervisor 'by hand'
            alice < create #6 supervisor 'by hand'
            supervisor = 200 {"ref":1,"result":{"messages":[{"serial":"#6","version":"#6"}]},
                  "type":"ack"}
            agent < create #7 agent 'wake up'
            agent | turn.queue #8 turn-#8 queued input=#7
            agent | ack 5 #7
            alice < create #7 agent 'wake up'
            alice | turn.queue #8 turn-#8 queued input=#7
            agent < create #9 alice 'a'
            agent | turn.queue #10 turn-#10 queued input=#9
            agent | create #11 alice 'b' streaming
            agent | turn.queue #12 turn-#12 queued input=#11
            alice < create #9 alice 'a'
            alice | turn.queue #10 turn-#10 queued input=#9
            alice | create #11 alice 'b' streaming
            alice | turn.queue #12 turn-#12 queued input=#11
            alice | ack 2 #9, #11
            agent = 200 turns: t1 active agent input=#1; turn-#8 queued input=#7; turn-#10
                  queued input=#9; turn-#12 queued input=#11
        "##]],
    );
}

/// P10.3: only an active turn that answers an input holds it up: not one that answers none, not a
/// suspended one.
#[test]
fn what_holds_up() {
    check(
        "
        admin patch {\"onInput\":\"queue\"}
        agent attach rewind=0
        alice attach rewind=0
        alice publish 'q1'
        agent start t0
        ---
        alice publish 'q2'
        agent start t1 input=#1
        agent suspend t1
        alice publish 'q3'
        agent resume t1
        alice publish 'q4'
        agent end t1 complete
        alice publish 'q5'
        agent brief turns
        ",
        expect![[r#"
            agent < create #3 alice 'q2'
            alice < create #3 alice 'q2'
            alice | ack 2 #3
            agent < turn.start #4 t1 active agent input=#1
            agent | ack 2 t1 active agent input=#1
            alice < turn.start #4 t1 active agent input=#1
            agent < turn.suspend #5 t1 suspended agent input=#1
            agent | ack 3 t1 suspended agent input=#1
            alice < turn.suspend #5 t1 suspended agent input=#1
            agent < create #6 alice 'q3'
            alice < create #6 alice 'q3'
            alice | ack 3 #6
            agent < turn.resume #7 t1 active agent input=#1
            agent | ack 4 t1 active agent input=#1
            alice < turn.resume #7 t1 active agent input=#1
            agent < create #8 alice 'q4'
            agent | turn.queue #9 turn-#9 queued input=#8
            alice < create #8 alice 'q4'
            alice | turn.queue #9 turn-#9 queued input=#8
            alice | ack 4 #8
            agent < turn.end #10 t1 complete agent input=#1
            agent | ack 5 t1 complete agent input=#1
            alice < turn.end #10 t1 complete agent input=#1
            agent < create #11 alice 'q5'
            alice < create #11 alice 'q5'
            alice | ack 5 #11
            agent = 200 turns: t0 active agent; turn-#9 queued input=#8
        "#]],
    );
}

/// P13.1: a duplicate does not wait twice.
#[test]
fn a_duplicate_waits_once() {
    check(
        "
        admin patch {\"onInput\":\"queue\"}
        agent attach rewind=0
        alice attach rewind=0
        alice publish 'q1'
        agent start t1 input=#1
        ---
        alice publish 'q2' id=a
        alice publish 'q2' id=a
        alice publish 'q2' id=a and 'q3' id=b
        agent brief turns
        ",
        expect![[r#"
            agent < create #3 alice id=a 'q2'
            agent | turn.queue #4 turn-#4 queued input=#3
            alice < create #3 alice id=a 'q2'
            alice | turn.queue #4 turn-#4 queued input=#3
            alice | ack 2 #3 id="a"
            alice < ack 3 #3 id="a" duplicate
            agent < create #5 alice id=b 'q3'
            agent | turn.queue #6 turn-#6 queued input=#5
            alice < create #5 alice id=b 'q3'
            alice | turn.queue #6 turn-#6 queued input=#5
            alice | ack 4 #3 id="a" duplicate, #5 id="b"
            agent = 200 turns: t1 active agent input=#1; turn-#4 queued input=#3; turn-#6
                  queued input=#5
        "#]],
    );
}

/// P6.5: a waiting input is cancelled at once: as a turn, by its input, with all; nobody needs
/// time to stop.
#[test]
fn waiting_inputs_are_cancelled() {
    check(
        "
        admin patch {\"onInput\":\"queue\"}
        agent attach rewind=0
        alice attach rewind=0
        alice publish 'q1'
        agent start t1 input=#1
        ---
        alice publish 'q2'
        alice publish 'q3'
        alice publish 'q4'
        alice cancel turn=turn-#4
        alice cancel input=#5
        agent start t2 input=#5
        agent adopt turn-#4
        alice cancel all
        agent brief turns
        agent brief turns all
        alarm
        ",
        expect![[r#"
            agent < create #3 alice 'q2'
            agent | turn.queue #4 turn-#4 queued input=#3
            alice < create #3 alice 'q2'
            alice | turn.queue #4 turn-#4 queued input=#3
            alice | ack 2 #3
            agent < create #5 alice 'q3'
            agent | turn.queue #6 turn-#6 queued input=#5
            alice < create #5 alice 'q3'
            alice | turn.queue #6 turn-#6 queued input=#5
            alice | ack 3 #5
            agent < create #7 alice 'q4'
            agent | turn.queue #8 turn-#8 queued input=#7
            alice < create #7 alice 'q4'
            alice | turn.queue #8 turn-#8 queued input=#7
            alice | ack 4 #7
            agent < turn.cancel #9 turn-#4 queued input=#3 cancel=alice
            agent | turn.end #10 turn-#4 cancelled input=#3 cancel=alice
            alice < turn.cancel #9 turn-#4 queued input=#3 cancel=alice
            alice | turn.end #10 turn-#4 cancelled input=#3 cancel=alice
            alice | ack 5 [turn-#4 cancelled input=#3 cancel=alice]
            agent < turn.cancel #11 turn-#6 queued input=#5 cancel=alice
            agent | turn.end #12 turn-#6 cancelled input=#5 cancel=alice
            alice < turn.cancel #11 turn-#6 queued input=#5 cancel=alice
            alice | turn.end #12 turn-#6 cancelled input=#5 cancel=alice
            alice | ack 6 [turn-#6 cancelled input=#5 cancel=alice]
            agent < turn.end #13 t2 cancelled agent input=#5 cancel=alice
            agent | ack 2 t2 cancelled agent input=#5 cancel=alice
            alice < turn.end #13 t2 cancelled agent input=#5 cancel=alice
            agent < nack 3 turn-closed: unable to adopt the turn; turn turn-#4 is cancelled
            agent < turn.cancel #14 t1 active agent input=#1 cancel=alice
            agent | turn.cancel #15 turn-#8 queued input=#7 cancel=alice
            agent | turn.end #16 turn-#8 cancelled input=#7 cancel=alice
            alice < turn.cancel #14 t1 active agent input=#1 cancel=alice
            alice | turn.cancel #15 turn-#8 queued input=#7 cancel=alice
            alice | turn.end #16 turn-#8 cancelled input=#7 cancel=alice
            alice | ack 7 [t1 active agent input=#1 cancel=alice; turn-#8 cancelled input=#7
                  cancel=alice]
            agent = 200 turns: t1 active agent input=#1 cancel=alice
            agent = 200 turns: t2 cancelled agent input=#5 cancel=alice; turn-#8 cancelled
                  input=#7 cancel=alice; turn-#6 cancelled input=#5 cancel=alice; turn-#4
                  cancelled input=#3 cancel=alice; t1 active agent input=#1 cancel=alice
            alarm: Some(5000)
        "#]],
    );
}

/// P6.1: nobody leads it: its end, its output, a heartbeat are no one's.
#[test]
fn nobody_leads_what_waits() {
    check(
        "
        admin patch {\"onInput\":\"queue\"}
        agent attach rewind=0
        alice attach rewind=0
        alice publish 'q1'
        agent start t1 input=#1
        ---
        alice publish 'q2'
        agent publish 'x' turn=turn-#4
        agent end turn-#4 complete
        agent suspend turn-#4
        agent heartbeat turn-#4 attempt=1
        alice steer turn-#4 'faster'
        agent steered turn-#4 #5
        agent start t2 input=#3
        agent steered turn-#4 #5
        agent end turn-#4 complete
        ",
        expect![[r#"
            agent < create #3 alice 'q2'
            agent | turn.queue #4 turn-#4 queued input=#3
            alice < create #3 alice 'q2'
            alice | turn.queue #4 turn-#4 queued input=#3
            alice | ack 2 #3
            agent < nack 2 not-leader: unable to publish; turn turn-#4 is queued, take it with
                  turn.start or turn.adopt
            agent < nack 3 not-leader: unable to end the turn; turn turn-#4 is queued, take it
                  with turn.start or turn.adopt
            agent < nack 4 not-leader: unable to suspend the turn; turn turn-#4 is queued, take
                  it with turn.start or turn.adopt
            agent < nack 5 not-leader: unable to renew the lease; turn turn-#4 is queued, take
                  it with turn.start or turn.adopt
            agent < create #5 alice name=steer turn=turn-#4 'faster' headers={"steer":"waiting"}
            agent | turn.steer #5 turn-#4 queued input=#3 message=#5 'faster'
            alice < create #5 alice name=steer turn=turn-#4 'faster' headers={"steer":"waiting"}
            alice | turn.steer #5 turn-#4 queued input=#3 message=#5 'faster'
            alice | ack 3 #5 in turn-#4 queued input=#3
            agent < nack 6 not-leader: unable to take the steer; turn turn-#4 is queued, take
                  it with turn.start or turn.adopt
            agent < turn.start #6 turn-#4 active agent input=#3
            agent | ack 7 turn-#4 active agent input=#3
            alice < turn.start #6 turn-#4 active agent input=#3
            agent < update #5 v#7 alice name=steer turn=turn-#4 headers={"steer":"taken"}
            agent | ack 8 turn-#4 active agent input=#3
            alice < update #5 v#7 alice name=steer turn=turn-#4 headers={"steer":"taken"}
            agent < turn.end #8 turn-#4 complete agent input=#3
            agent | ack 9 turn-#4 complete agent input=#3
            alice < turn.end #8 turn-#4 complete agent input=#3
        "#]],
    );
}

/// P11.2: retention leaves alone what waits, and what is being answered.
#[test]
fn what_waits_is_kept() {
    check(
        "
        admin patch {\"onInput\":\"queue\",\"retentionMs\":10000}
        agent attach rewind=0
        alice attach rewind=0
        alice publish 'q1'
        agent start t1 input=#1 lease=600000
        alice publish 'q2'
        alice publish 'q3'
        alice cancel turn=turn-#6
        ---
        wait 10000
        eve brief snapshot
        agent end t1 complete
        agent start t2 input=#3
        agent end turn-#4 complete
        eve brief snapshot
        wait 60000
        eve brief snapshot
        ",
        expect![[r#"
            -- 10000 ms
            agent < trim before #6 but #1 #3
            alice < trim before #6 but #1 #3
            eve = 200 turns: t1 active agent input=#1; turn-#4 queued input=#3, approvals: ,
                  calls: , presence: , messages: #1 alice 'q1'; #3 alice 'q2'
            agent < turn.end #9 t1 complete agent input=#1
            agent | ack 2 t1 complete agent input=#1
            alice < turn.end #9 t1 complete agent input=#1
            agent < turn.start #10 turn-#4 active agent input=#3
            agent | ack 3 turn-#4 active agent input=#3
            alice < turn.start #10 turn-#4 active agent input=#3
            agent < turn.end #11 turn-#4 complete agent input=#3
            agent | ack 4 turn-#4 complete agent input=#3
            alice < turn.end #11 turn-#4 complete agent input=#3
            eve = 200 turns: , approvals: , calls: , presence: , messages: #1 alice 'q1'; #3
                  alice 'q2'
            -- 70000 ms
            agent < trim before #6
            alice < trim before #6
            eve = 200 turns: , approvals: , calls: , presence: , messages: 
        "#]],
    );
}
