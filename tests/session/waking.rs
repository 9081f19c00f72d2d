//! Waking (P10.3): an input goes to the agent until a turn takes it, in order where that matters.

use expect_test::expect;

use crate::world::check;

/// P10.3: thin, at once, and again under another id where it was accepted and not taken.
#[test]
fn an_input_goes_out_until_a_turn_takes_it() {
    check(
        "
        admin patch {\"agent\":{\"url\":\"https://bot.example/\"}}
        alice attach
        ---
        alice publish 'hi'
        hook !1 answers 202
        wait 59000
        ---
        wait 2000
        hook !1 answers 202
        agent attach rewind=0
        agent start t1 input=#1
        agent end t1 complete
        wait 200000
        alarm
        ",
        expect![[r#"
            -- 60000 ms
            !1 > https://bot.example/ anew
            -- 61000 ms
            agent < attached #1 anew, has older
            agent < caught-up #1
            agent < turn.start #2 t1 active agent input=#1
            agent | ack 1 t1 active agent input=#1
            alice < turn.start #2 t1 active agent input=#1
            agent < turn.end #3 t1 complete agent input=#1
            agent | ack 2 t1 complete agent input=#1
            alice < turn.end #3 t1 complete agent input=#1
            alarm: None
        "#]],
    );
}

/// P10.3: the same id while it fails, whatever happens to the process; the rows of all that.
#[test]
fn a_failing_agent_is_tried_again() {
    check(
        "
        admin patch {\"agent\":{\"url\":\"https://bot.example/\"}}
        alice attach
        rows
        ---
        alice publish 'hi'
        rows
        hook !1 answers 503
        rows
        wait 1000
        crash
        wait 12000
        hook !1 fails
        wait 2000
        rows
        agent attach rewind=0
        rows
        agent start t1 input=#1
        rows
        hook !1 answers 202
        agent end t1 complete
        wait 100000
        ",
        expect![[r##"
            alice < create #1 alice 'hi'
            alice | ack 1 #1
            !1 > https://bot.example/ {"at":"+0","input":"#1","session":"s1","type":"input"}
            rows: 2
            rows: 1
            -- 696 ms
            !1 > https://bot.example/
            -- 14378 ms
            !1 > https://bot.example/
            rows: 1
            -- 15000 ms
            agent < attached #1 anew, has older
            agent < caught-up #1
            rows: 0
            agent < turn.start #2 t1 active agent input=#1
            agent | ack 1 t1 active agent input=#1
            rows: 3
            agent < turn.end #3 t1 complete agent input=#1
            agent | ack 2 t1 complete agent input=#1
        "##]],
    );
}

/// P10.3: one after the other, each when the turn before has ended, whatever waits.
#[test]
fn inputs_that_queue_are_taken_in_order() {
    check(
        "
        admin patch {\"onInput\":\"queue\",\"agent\":{\"url\":\"https://bot.example/\"}}
        alice attach
        agent attach rewind=0
        alice publish 'one'
        alice publish 'two'
        ---
        hook !1 answers 500
        wait 500
        evict
        alice publish 'three'
        wait 1000
        hook !1 answers 202
        agent start t1 input=#1
        alice publish 'four'
        wait 100
        agent end t1 complete
        hook !2 answers 202
        agent start t2 input=#2
        agent end t2 complete
        agent start t3 input=#3
        hook !3 answers 202
        agent end t3 complete
        agent adopt turn-#6
        agent end turn-#6 complete
        wait 100000
        ",
        expect![[r##"
            -- 500 ms
            agent < create #3 alice 'three'
            alice < create #3 alice 'three'
            alice | ack 3 #3
            -- 696 ms
            !1 > https://bot.example/
            -- 1500 ms
            agent < turn.start #4 t1 active agent input=#1
            agent | ack 1 t1 active agent input=#1
            alice < turn.start #4 t1 active agent input=#1
            agent < create #5 alice 'four'
            agent | turn.queue #6 turn-#6 queued input=#5
            alice < create #5 alice 'four'
            alice | turn.queue #6 turn-#6 queued input=#5
            alice | ack 4 #5
            -- 1600 ms
            agent < turn.end #7 t1 complete agent input=#1
            agent | ack 2 t1 complete agent input=#1
            alice < turn.end #7 t1 complete agent input=#1
            !2 > https://bot.example/ {"at":"+0","input":"#2","session":"s1","type":"input"}
            agent < turn.start #8 t2 active agent input=#2
            agent | ack 3 t2 active agent input=#2
            alice < turn.start #8 t2 active agent input=#2
            agent < turn.end #9 t2 complete agent input=#2
            agent | ack 4 t2 complete agent input=#2
            alice < turn.end #9 t2 complete agent input=#2
            !3 > https://bot.example/ {"at":"+500","input":"#3","session":"s1","type":"input"}
            agent < turn.start #10 t3 active agent input=#3
            agent | ack 5 t3 active agent input=#3
            alice < turn.start #10 t3 active agent input=#3
            agent < turn.end #11 t3 complete agent input=#3
            agent | ack 6 t3 complete agent input=#3
            alice < turn.end #11 t3 complete agent input=#3
            !4 > https://bot.example/ {"at":"+1500","attempt":1,"input":"#5","session":"s1",
                  "turn":"turn-#6","type":"input"}
            agent < turn.start #12 turn-#6 active agent input=#5
            agent | ack 7 turn-#6 active agent input=#5
            alice < turn.start #12 turn-#6 active agent input=#5
            agent < turn.end #13 turn-#6 complete agent input=#5
            agent | ack 8 turn-#6 complete agent input=#5
            alice < turn.end #13 turn-#6 complete agent input=#5
        "##]],
    );
}

/// P10.3: by themselves, as many as there are calls at once.
#[test]
fn parallel_inputs_go_out_at_once() {
    check(
        "
        admin patch {\"agent\":{\"url\":\"https://bot.example/\"}}
        alice attach
        ---
        alice publish 'one'
        alice publish 'two'
        alice publish 'three'
        alice publish 'four'
        hook !2 answers 202
        ",
        expect![[r##"
            alice < create #1 alice 'one'
            alice | ack 1 #1
            !1 > https://bot.example/ {"at":"+0","input":"#1","session":"s1","type":"input"}
            alice < create #2 alice 'two'
            alice | ack 2 #2
            !2 > https://bot.example/ {"at":"+0","input":"#2","session":"s1","type":"input"}
            alice < create #3 alice 'three'
            alice | ack 3 #3
            !3 > https://bot.example/ {"at":"+0","input":"#3","session":"s1","type":"input"}
            alice < create #4 alice 'four'
            alice | ack 4 #4
            !4 > https://bot.example/ {"at":"+0","input":"#4","session":"s1","type":"input"}
        "##]],
    );
}

/// P6.8, P10.3: and no more often than maxAttempts.
#[test]
fn a_lost_turn_goes_out_as_its_next_attempt() {
    check(
        "
        admin patch {\"maxAttempts\":2,\"agent\":{\"url\":\"https://bot.example/\"}}
        hook always answers 202
        alice attach
        alice publish 'hi'
        agent attach rewind=0
        agent start t1 input=#1 lease=1000
        agent drop
        ---
        wait 2000
        agent attach rewind=0
        agent start input=#1 lease=1000
        agent drop
        wait 3000
        wait 100000
        alarm
        ",
        expect![[r##"
            -- 1000 ms
            alice < turn.queue #3 t1 queued attempt=2 input=#1
            !2 > https://bot.example/ {"at":"+1000","attempt":2,"input":"#1","session":"s1",
                  "turn":"t1","type":"input"}
            -- 2000 ms
            agent < attached #3 anew, has older, turns: t1 queued attempt=2 input=#1
            agent < caught-up #3
            agent < turn.start #4 t1 active agent attempt=2 input=#1
            agent | ack 2 t1 active agent attempt=2 input=#1
            alice < turn.start #4 t1 active agent attempt=2 input=#1
            -- 3000 ms
            alice < turn.end #5 t1 failed agent attempt=2 input=#1 reason=agent-lost
                  error={"code":"agent-lost","message":"the agent was not heard within its
                  lease"}
            alarm: None
        "##]],
    );
}

/// P8.4, P10.3: the last answer wakes the agent.
#[test]
fn a_turn_that_was_answered_is_woken_for_if_its_agent_is_away() {
    check(
        "
        admin patch {\"agent\":{\"url\":\"https://bot.example/\"}}
        hook always answers 202
        alice attach
        alice publish 'hi'
        agent attach rewind=0
        agent start t1 input=#1
        agent ask a1 turn=t1
        agent drop
        ---
        alice decide a1 approve
        ",
        expect![[r##"
            alice < approval.decide #4 a1 approved turn=t1 decidedBy=alice [+0 request agent,
                  +0 decide alice]
            alice | turn.queue #5 t1 queued attempt=2 input=#1
            alice | ack 2 a1 approved turn=t1 decidedBy=alice [+0 request agent, +0 decide
                  alice]
            !2 > https://bot.example/ {"at":"+0","attempt":2,"input":"#1","session":"s1",
                  "turn":"t1","type":"input"}
        "##]],
    );
}

/// P6.5: a cancel, of it or of all, and a deletion take it back.
#[test]
fn an_input_that_nobody_wants_is_not_owed() {
    check(
        "
        admin patch {\"agent\":{\"url\":\"https://bot.example/\"}}
        alice attach
        alice publish 'one'
        alice publish 'two'
        alice publish 'three'
        hook !1 answers 500
        hook !2 answers 500
        hook !3 answers 500
        rows
        ---
        alice cancel input=#1
        alice delete #2
        rows
        alice cancel all
        rows
        wait 100000
        agent attach rewind=0
        agent start input=#3
        ",
        expect![[r#"
            alice < ack 4 []
            alice < delete #2 v#4
            alice | ack 5 #2 v#4
            rows: 5
            alice < ack 6 []
            rows: 2
            -- 100000 ms
            agent < attached #4 anew, has older
            agent < caught-up #4
            agent < turn.end #5 turn-#5 cancelled agent input=#3 cancel=alice
            agent | ack 1 turn-#5 cancelled agent input=#3 cancel=alice
            alice < turn.end #5 turn-#5 cancelled agent input=#3 cancel=alice
        "#]],
    );
}

/// P8.8: what was owed waits for the return, which says who is woken for.
#[test]
fn nobody_is_woken_while_a_person_leads() {
    check(
        "
        admin patch {\"agent\":{\"url\":\"https://bot.example/\"}}
        alice attach
        supervisor attach rewind=0
        alice publish 'one'
        alice publish 'two'
        hook !1 answers 202
        supervisor lead.take
        ---
        hook !2 answers 500
        wait 100000
        alice publish 'three'
        evict
        supervisor lead.return wake='all'
        supervisor lead.take
        supervisor lead.return wake='none'
        wait 100000
        ",
        expect![[r##"
            -- 100000 ms
            alice < create #4 alice 'three'
            alice | ack 3 #4
            supervisor < create #4 alice 'three'
            alice < {"by":"supervisor","lead":{"client":"supervisor","since":"+0"},
                  "serial":"#5","type":"lead.return","wake":"all"}
            alice | turn.queue #6 turn-#6 queued input=#1
            alice | turn.queue #7 turn-#7 queued input=#2
            alice | turn.queue #8 turn-#8 queued input=#4
            supervisor < {"by":"supervisor","lead":{"client":"supervisor","since":"+0"},
                  "serial":"#5","type":"lead.return","wake":"all"}
            supervisor | turn.queue #6 turn-#6 queued input=#1
            supervisor | turn.queue #7 turn-#7 queued input=#2
            supervisor | turn.queue #8 turn-#8 queued input=#4
            supervisor | ack 2 {"lead":null}
            !3 > https://bot.example/ {"at":"+100000","attempt":1,"input":"#1","session":"s1",
                  "turn":"turn-#6","type":"input"}
            !4 > https://bot.example/ {"at":"+100000","attempt":1,"input":"#2","session":"s1",
                  "turn":"turn-#7","type":"input"}
            !5 > https://bot.example/ {"at":"+100000","attempt":1,"input":"#4","session":"s1",
                  "turn":"turn-#8","type":"input"}
            alice < {"lead":{"client":"supervisor","since":"+100000"},"serial":"#9",
                  "type":"lead.take"}
            supervisor < {"lead":{"client":"supervisor","since":"+100000"},"serial":"#9",
                  "type":"lead.take"}
            supervisor | ack 3 {"lead":{"client":"supervisor","since":"+100000"}}
            alice < {"by":"supervisor","lead":{"client":"supervisor","since":"+100000"},
                  "serial":"#10","type":"lead.return","wake":"none"}
            supervisor < {"by":"supervisor","lead":{"client":"supervisor","since":"+100000"},
                  "serial":"#10","type":"lead.return","wake":"none"}
            supervisor | ack 4 {"lead":null}
        "##]],
    );
}

/// P10.3: and neither does a session without an agent.
#[test]
fn messages_that_are_no_inputs_wake_nobody() {
    check(
        "
        alice attach
        alice publish 'before'
        admin patch {\"agent\":{\"url\":\"https://bot.example/\"}}
        agent attach rewind=0
        ---
        alice publish 'quiet' wake=false
        agent publish 'mine'
        agent publish 'for another' wake=true
        ",
        expect![[r##"
            agent < create #2 alice 'quiet'
            alice < create #2 alice 'quiet'
            alice | ack 2 #2
            agent < create #3 agent 'mine'
            agent | ack 1 #3
            alice < create #3 agent 'mine'
            agent < create #4 agent 'for another'
            agent | ack 2 #4
            alice < create #4 agent 'for another'
            !1 > https://bot.example/ {"at":"+0","input":"#4","session":"s1","type":"input"}
        "##]],
    );
}
