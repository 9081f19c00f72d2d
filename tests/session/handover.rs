//! A person speaks in the place of the agents (P8.8).

use expect_test::expect;

use crate::world::{World, check};
use sessile::protocol::limits::Limits;

/// P8.8: everybody is told, `attached` and the snapshot say who leads; a turn that was left goes
/// on, and nothing else of agents is taken.
#[test]
fn a_person_leads() {
    check(
        "
        agent attach rewind=0
        alice attach rewind=0
        supervisor attach rewind=0 name=Sue
        alice publish 'q'
        agent start t1 input=#1
        agent publish 'loose' role=assistant streaming
        ---
        supervisor lead.take note='let me'
        agent start t2 input=#1 again
        agent publish 'mine' role=assistant
        agent publish 'note'
        agent append #3 'more' seq=1
        agent append #3 '' complete
        agent publish 'in the turn' role=assistant turn=t1
        agent end t1 complete
        supervisor publish 'I am a person' role=assistant
        bob attach rewind=0
        alice brief snapshot rewind=1
        ",
        expect![[r##"
            agent < {"lead":{"client":"supervisor","name":"Sue","note":"let me","since":"+0"},
                  "serial":"#4","type":"lead.take"}
            alice < {"lead":{"client":"supervisor","name":"Sue","note":"let me","since":"+0"},
                  "serial":"#4","type":"lead.take"}
            supervisor < {"lead":{"client":"supervisor","name":"Sue","note":"let me",
                  "since":"+0"},"serial":"#4","type":"lead.take"}
            supervisor | ack 1 {"lead":{"client":"supervisor","name":"Sue","note":"let me",
                  "since":"+0"}}
            agent < nack 3 led-by-person: unable to start the turn; supervisor leads the
                  session, wait for lead.return
            agent < nack 4 led-by-person: unable to publish; supervisor leads the session, wait
                  for lead.return
            agent < nack 5 led-by-person: unable to publish; supervisor leads the session, wait
                  for lead.return
            agent < nack 6 led-by-person: unable to append; supervisor leads the session, wait
                  for lead.return
            agent < ack 7 #3 v#5
            alice < append #3 v#5 @5 '' complete
            supervisor < append #3 v#5 @5 '' complete
            agent < create #6 agent role=assistant turn=t1 'in the turn'
            agent | ack 8 #6
            alice < create #6 agent role=assistant turn=t1 'in the turn'
            supervisor < create #6 agent role=assistant turn=t1 'in the turn'
            agent < turn.end #7 t1 complete agent input=#1
            agent | ack 9 t1 complete agent input=#1
            alice < turn.end #7 t1 complete agent input=#1
            supervisor < turn.end #7 t1 complete agent input=#1
            agent < create #8 supervisor role=assistant 'I am a person'
            alice < create #8 supervisor role=assistant 'I am a person'
            supervisor < create #8 supervisor role=assistant 'I am a person'
            supervisor | ack 2 #8
            bob < attached #8 anew, has older
            bob < caught-up #8
            alice = 200 turns: , approvals: , calls: , presence: , messages: #8 supervisor
                  role=assistant 'I am a person'
        "##]],
    );
}

/// P8.8: inputs wait for the return, the last of them is queued by default.
#[test]
fn inputs_wait_for_the_return() {
    for wake in ["last", "all", "none"] {
        let expected = match wake {
            "last" => expect![[r##"
                agent < {"by":"supervisor","lead":{"client":"supervisor","since":"+0"},
                      "note":"done","serial":"#6","type":"lead.return","wake":"last"}
                agent | turn.queue #7 turn-#7 queued input=#3
                alice < {"by":"supervisor","lead":{"client":"supervisor","since":"+0"},
                      "note":"done","serial":"#6","type":"lead.return","wake":"last"}
                alice | turn.queue #7 turn-#7 queued input=#3
                supervisor < {"by":"supervisor","lead":{"client":"supervisor","since":"+0"},
                      "note":"done","serial":"#6","type":"lead.return","wake":"last"}
                supervisor | turn.queue #7 turn-#7 queued input=#3
                supervisor | ack 3 {"lead":null}
                agent < turn.start #8 turn-#7 active agent input=#3
                agent | ack 2 turn-#7 active agent input=#3
                alice < turn.start #8 turn-#7 active agent input=#3
                supervisor < turn.start #8 turn-#7 active agent input=#3
            "##]],
            "all" => expect![[r##"
                agent < {"by":"supervisor","lead":{"client":"supervisor","since":"+0"},
                      "note":"done","serial":"#6","type":"lead.return","wake":"all"}
                agent | turn.queue #7 turn-#7 queued input=#2
                agent | turn.queue #8 turn-#8 queued input=#3
                alice < {"by":"supervisor","lead":{"client":"supervisor","since":"+0"},
                      "note":"done","serial":"#6","type":"lead.return","wake":"all"}
                alice | turn.queue #7 turn-#7 queued input=#2
                alice | turn.queue #8 turn-#8 queued input=#3
                supervisor < {"by":"supervisor","lead":{"client":"supervisor","since":"+0"},
                      "note":"done","serial":"#6","type":"lead.return","wake":"all"}
                supervisor | turn.queue #7 turn-#7 queued input=#2
                supervisor | turn.queue #8 turn-#8 queued input=#3
                supervisor | ack 3 {"lead":null}
                agent < turn.start #9 turn-#8 active agent input=#3
                agent | ack 2 turn-#8 active agent input=#3
                alice < turn.start #9 turn-#8 active agent input=#3
                supervisor < turn.start #9 turn-#8 active agent input=#3
            "##]],
            _ => expect![[r##"
                agent < {"by":"supervisor","lead":{"client":"supervisor","since":"+0"},
                      "note":"done","serial":"#6","type":"lead.return","wake":"none"}
                alice < {"by":"supervisor","lead":{"client":"supervisor","since":"+0"},
                      "note":"done","serial":"#6","type":"lead.return","wake":"none"}
                supervisor < {"by":"supervisor","lead":{"client":"supervisor","since":"+0"},
                      "note":"done","serial":"#6","type":"lead.return","wake":"none"}
                supervisor | ack 3 {"lead":null}
                agent < turn.start #7 t1 active agent input=#3
                agent | ack 2 t1 active agent input=#3
                alice < turn.start #7 t1 active agent input=#3
                supervisor < turn.start #7 t1 active agent input=#3
            "##]],
        };
        check(
            &format!(
                "
                agent attach rewind=0
                alice attach rewind=0
                supervisor attach rewind=0
                supervisor lead.take
                alice publish 'one'
                alice publish 'two'
                alice publish 'three'
                alice cancel input=#4
                supervisor publish 'an answer' role=assistant
                agent start t1 input=#3
                ---
                evict
                supervisor lead.return wake={wake} note=done
                agent start t1 input=#3
                ",
            ),
            expected,
        );
    }
}

/// P8.8: inputs are taken whatever `onInput` says.
#[test]
fn an_input_is_never_refused_for_a_turn_that_was_left() {
    check(
        r#"
        admin patch {"onInput":"reject"}
        agent attach rewind=0
        alice attach rewind=0
        supervisor attach rewind=0
        alice publish 'q'
        agent start t1 input=#1
        alice publish 'too early'
        supervisor lead.take
        ---
        alice publish 'now'
        "#,
        expect![[r#"
            agent < create #4 alice 'now'
            alice < create #4 alice 'now'
            alice | ack 3 #4
            supervisor < create #4 alice 'now'
        "#]],
    );
}

/// P8.8: any number of inputs is taken; the newest of them may be queued.
#[test]
fn many_inputs_wait() {
    check(
        "
        supervisor attach rewind=0
        supervisor lead.take
        alice repeats 25 post publish 'x'
        ---
        supervisor lead.return wake=all
        ",
        expect![[r##"
            supervisor < {"by":"supervisor","lead":{"client":"supervisor","since":"+0"},
                  "serial":"#27","type":"lead.return","wake":"all"}
            supervisor | turn.queue #28 turn-#28 queued input=#7
            supervisor | turn.queue #29 turn-#29 queued input=#8
            supervisor | turn.queue #30 turn-#30 queued input=#9
            supervisor | turn.queue #31 turn-#31 queued input=#10
            supervisor | turn.queue #32 turn-#32 queued input=#11
            supervisor | turn.queue #33 turn-#33 queued input=#12
            supervisor | turn.queue #34 turn-#34 queued input=#13
            supervisor | turn.queue #35 turn-#35 queued input=#14
            supervisor | turn.queue #36 turn-#36 queued input=#15
            supervisor | turn.queue #37 turn-#37 queued input=#16
            supervisor | turn.queue #38 turn-#38 queued input=#17
            supervisor | turn.queue #39 turn-#39 queued input=#18
            supervisor | turn.queue #40 turn-#40 queued input=#19
            supervisor | turn.queue #41 turn-#41 queued input=#20
            supervisor | turn.queue #42 turn-#42 queued input=#21
            supervisor | turn.queue #43 turn-#43 queued input=#22
            supervisor | turn.queue #44 turn-#44 queued input=#23
            supervisor | turn.queue #45 turn-#45 queued input=#24
            supervisor | turn.queue #46 turn-#46 queued input=#25
            supervisor | turn.queue #47 turn-#47 queued input=#26
            supervisor | ack 2 {"lead":null}
        "##]],
    );
}

/// P8.8: `turns: cancel` cancels turns that an agent has begun; a queued one waits.
#[test]
fn turns_are_cancelled() {
    check(
        r#"
        admin patch {"onInput":"queue"}
        agent attach rewind=0
        alice attach rewind=0
        supervisor attach rewind=0
        alice publish 'q'
        agent start t1 input=#1
        alice publish 'second'
        agent start t2
        agent suspend t2
        ---
        supervisor lead.take turns=cancel note=stop
        agent end t1 cancelled
        agent start t3 input=#3
        agent adopt turn-#4
        wait 6000
        supervisor lead.return
        agent start t3 input=#3
        "#,
        expect![[r##"
            agent < {"lead":{"client":"supervisor","note":"stop","since":"+0"},"serial":"#7",
                  "type":"lead.take"}
            agent | turn.cancel #8 t1 active agent input=#1 cancel=supervisor 'stop'
            agent | turn.cancel #9 t2 suspended agent cancel=supervisor 'stop'
            agent | turn.end #10 t2 cancelled agent cancel=supervisor 'stop'
            alice < {"lead":{"client":"supervisor","note":"stop","since":"+0"},"serial":"#7",
                  "type":"lead.take"}
            alice | turn.cancel #8 t1 active agent input=#1 cancel=supervisor 'stop'
            alice | turn.cancel #9 t2 suspended agent cancel=supervisor 'stop'
            alice | turn.end #10 t2 cancelled agent cancel=supervisor 'stop'
            supervisor < {"lead":{"client":"supervisor","note":"stop","since":"+0"},
                  "serial":"#7","type":"lead.take"}
            supervisor | turn.cancel #8 t1 active agent input=#1 cancel=supervisor 'stop'
            supervisor | turn.cancel #9 t2 suspended agent cancel=supervisor 'stop'
            supervisor | turn.end #10 t2 cancelled agent cancel=supervisor 'stop'
            supervisor | ack 1 {"lead":{"client":"supervisor","note":"stop","since":"+0"}}
            agent < turn.end #11 t1 cancelled agent input=#1 cancel=supervisor 'stop'
            agent | ack 4 t1 cancelled agent input=#1 cancel=supervisor 'stop'
            alice < turn.end #11 t1 cancelled agent input=#1 cancel=supervisor 'stop'
            supervisor < turn.end #11 t1 cancelled agent input=#1 cancel=supervisor 'stop'
            agent < nack 5 led-by-person: unable to start the turn; supervisor leads the
                  session, wait for lead.return
            agent < nack 6 led-by-person: unable to adopt the turn; supervisor leads the
                  session, wait for lead.return
            -- 6000 ms
            agent < {"by":"supervisor","lead":{"client":"supervisor","note":"stop",
                  "since":"+0"},"serial":"#12","type":"lead.return","wake":"last"}
            agent | turn.queue #13 turn-#4 queued input=#3
            alice < {"by":"supervisor","lead":{"client":"supervisor","note":"stop",
                  "since":"+0"},"serial":"#12","type":"lead.return","wake":"last"}
            alice | turn.queue #13 turn-#4 queued input=#3
            supervisor < {"by":"supervisor","lead":{"client":"supervisor","note":"stop",
                  "since":"+0"},"serial":"#12","type":"lead.return","wake":"last"}
            supervisor | turn.queue #13 turn-#4 queued input=#3
            supervisor | ack 2 {"lead":null}
            agent < turn.start #14 turn-#4 active agent input=#3
            agent | ack 7 turn-#4 active agent input=#3
            alice < turn.start #14 turn-#4 active agent input=#3
            supervisor < turn.start #14 turn-#4 active agent input=#3
        "##]],
    );
}

/// P8.8: another person takes over, and only who leads, or an administrator, returns.
#[test]
fn another_person_takes_over() {
    check(
        "
        supervisor attach rewind=0
        supervisor-two attach rewind=0
        alice attach rewind=0
        supervisor lead.take id=a
        supervisor lead.take id=a
        supervisor-two lead.return
        supervisor-two lead.take
        supervisor lead.return
        alice lead.take
        alice lead.return
        admin shorthand lead.return id=b
        admin shorthand lead.return id=b
        supervisor lead.return
        supervisor lead.take wake=last turns=some
        ",
        expect![[r##"
            supervisor < attached #0 anew
            supervisor < caught-up #0
            supervisor-two < attached #0 anew
            supervisor-two < caught-up #0
            alice < attached #0 anew
            alice < caught-up #0
            alice < {"lead":{"client":"supervisor","since":"+0"},"serial":"#1",
                  "type":"lead.take"}
            supervisor < {"lead":{"client":"supervisor","since":"+0"},"serial":"#1",
                  "type":"lead.take"}
            supervisor | ack 1 {"lead":{"client":"supervisor","since":"+0"}}
            supervisor-two < {"lead":{"client":"supervisor","since":"+0"},"serial":"#1",
                  "type":"lead.take"}
            supervisor < ack 2 {"duplicate":true,"lead":{"client":"supervisor","since":"+0"}}
            supervisor-two < nack 1 led-by-person: unable to return the lead; supervisor leads
                  the session, wait for lead.return
            alice < {"lead":{"client":"supervisor-two","since":"+0"},"replaced":"supervisor",
                  "serial":"#2","type":"lead.take"}
            supervisor < {"lead":{"client":"supervisor-two","since":"+0"},
                  "replaced":"supervisor","serial":"#2","type":"lead.take"}
            supervisor-two < {"lead":{"client":"supervisor-two","since":"+0"},
                  "replaced":"supervisor","serial":"#2","type":"lead.take"}
            supervisor-two | ack 2 {"lead":{"client":"supervisor-two","since":"+0"}}
            supervisor < nack 3 led-by-person: unable to return the lead; supervisor-two leads
                  the session, wait for lead.return
            alice < nack 1 forbidden: unable to take the lead; the token lacks the operation
                  lead for session s1, it has read, publish, presence, cancel, steer, approve,
                  state, annotate, push
            alice < nack 2 forbidden: unable to return the lead; the token lacks the operation
                  lead for session s1, it has read, publish, presence, cancel, steer, approve,
                  state, annotate, push
            alice < {"by":"admin","lead":{"client":"supervisor-two","since":"+0"},"serial":"#3",
                  "type":"lead.return","wake":"last"}
            supervisor < {"by":"admin","lead":{"client":"supervisor-two","since":"+0"},
                  "serial":"#3","type":"lead.return","wake":"last"}
            supervisor-two < {"by":"admin","lead":{"client":"supervisor-two","since":"+0"},
                  "serial":"#3","type":"lead.return","wake":"last"}
            admin = 200 {"lead":null}
            admin = 200 {"duplicate":true,"lead":null}
            supervisor < nack 4 not-found: unable to return the lead; nobody leads session s1
            supervisor < nack 5 invalid-frame: unable to take the lead; turns: it is `some`,
                  not one of `finish` or `cancel`
        "##]],
    );
}

/// P8.8: who is not heard for `leadMs` has returned, by the alarm; pings are heard.
#[test]
fn a_person_who_is_lost_has_returned() {
    check(
        r#"
        admin patch {"leadMs":60000}
        alice attach rewind=0
        supervisor attach rewind=0
        supervisor lead.take
        alice publish 'hello'
        ---
        wait 50000
        supervisor pings
        wait 50000
        evict
        supervisor pings
        wait 50000
        supervisor drop
        wait 55000
        evict
        wait 30000
        "#,
        expect![[r##"
            -- 170000 ms
            alice < {"lead":{"client":"supervisor","since":"+0"},"reason":"lost","serial":"#3",
                  "type":"lead.return","wake":"last"}
            alice | turn.queue #4 turn-#4 queued input=#2
        "##]],
    );
}

/// P8.8, P3.5: a reader that was away is told the latest of it.
#[test]
fn a_reader_that_was_away_is_told() {
    check(
        "
        alice attach rewind=0
        alice publish 'hello'
        alice drop
        supervisor attach rewind=0
        supervisor lead.take
        ---
        alice attach since
        alice drop
        supervisor lead.return
        alice attach since
        ",
        expect![[r##"
            alice < attached #2 resumed, has older
            alice < {"lead":{"client":"supervisor","since":"+0"},"serial":"#2",
                  "type":"lead.take"}
            alice < caught-up #2
            supervisor < {"by":"supervisor","lead":{"client":"supervisor","since":"+0"},
                  "serial":"#3","type":"lead.return","wake":"last"}
            supervisor | ack 2 {"lead":null}
            alice < attached #3 resumed, has older
            alice < {"by":"supervisor","lead":{"client":"supervisor","since":"+0"},
                  "serial":"#3","type":"lead.return","wake":"last"}
            alice < caught-up #3
        "##]],
    );
}

/// P8.8: an agent that was refused a queued turn is told again that it waits.
#[test]
fn a_queued_turn_is_told_again_on_return() {
    for (wake, is_told) in [("last", true), ("all", true), ("none", false)] {
        let mut world = World::new(Limits::default());
        world.run(&format!(
            "
            admin patch {{\"onInput\":\"queue\"}}
            agent attach rewind=0
            supervisor attach rewind=0
            alice attach rewind=0
            alice publish 'one'
            agent start t1 input=#1
            alice publish 'two'
            agent end t1 complete
            supervisor lead.take
            ---
            agent start input=#3
            supervisor lead.return wake={wake}
            agent start input=#3
            "
        ));
        let output = &world.output;
        assert!(output.contains("led-by-person"), "{output}");
        assert_eq!(output.contains("agent | turn.queue"), is_told, "{output}");
        assert!(output.contains("turn.start"), "{output}");
    }
}
