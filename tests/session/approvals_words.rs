//! People who answer in words (P8.7).

use expect_test::expect;

use sessile::protocol::limits::Limits;

use crate::world::{World, check};

/// P8.7: in one array, the message first; the turn goes on when nothing is pending.
#[test]
fn p8_7_an_input_dismisses_what_wishes_so() {
    check(
        "
        agent attach rewind=0
        alice attach rewind=0
        agent start t1
        agent start t2
        agent ask a1 turn=t1 onMessage=dismiss
        agent ask a2 turn=t1 onMessage=dismiss
        agent ask b1 turn=t2 onMessage=dismiss
        agent ask b2 turn=t2
        agent ask c1 onMessage=keep
        ---
        alice publish 'make it one' and 'please'
        alice publish 'hello?'
        alice decide a1 approve
        ",
        expect![[r#"
            agent < create #8 alice 'make it one'
            agent | create #9 alice 'please'
            agent | approval.decide #10 a1 dismissed turn=t1 decidedBy=alice comment=#8 [+0
                  request agent, +0 decide alice]
            agent | approval.decide #11 a2 dismissed turn=t1 decidedBy=alice comment=#8 [+0
                  request agent, +0 decide alice]
            agent | turn.resume #11 t1 active agent
            agent | approval.decide #12 b1 dismissed turn=t2 decidedBy=alice comment=#8 [+0
                  request agent, +0 decide alice]
            alice < create #8 alice 'make it one'
            alice | create #9 alice 'please'
            alice | approval.decide #10 a1 dismissed turn=t1 decidedBy=alice comment=#8 [+0
                  request agent, +0 decide alice]
            alice | approval.decide #11 a2 dismissed turn=t1 decidedBy=alice comment=#8 [+0
                  request agent, +0 decide alice]
            alice | turn.resume #11 t1 active agent
            alice | approval.decide #12 b1 dismissed turn=t2 decidedBy=alice comment=#8 [+0
                  request agent, +0 decide alice]
            alice | ack 1 #8, #9
            agent < create #13 alice 'hello?'
            alice < create #13 alice 'hello?'
            alice | ack 2 #13
            alice < nack 3 already-decided: unable to decide the approval; approval a1 is
                  dismissed (a1 dismissed turn=t1 decidedBy=alice comment=#8 [+0 request agent,
                  +0 decide alice])
        "#]],
    );
}

/// P8.7: by somebody who may decide, with an input.
#[test]
fn p8_7_other_messages_dismiss_nothing() {
    check(
        "
        agent attach rewind=0
        alice attach rewind=0
        bob attach rewind=0
        viewer attach as=read,publish rewind=0
        supervisor attach rewind=0
        alice publish 'go' id=m1
        agent start t1 input=#1
        agent ask a1 turn=t1 onMessage=dismiss
        ---
        bob publish 'me too'
        viewer publish 'and me'
        agent publish 'working' turn=t1
        supervisor publish 'no input'
        alice publish 'no input' wake=false
        alice publish 'go' id=m1
        alice steer t1 'faster'
        supervisor publish 'an input' wake=true
        ",
        expect![[r#"
            agent < create #4 bob 'me too'
            alice < create #4 bob 'me too'
            bob < create #4 bob 'me too'
            bob | ack 1 #4
            supervisor < create #4 bob 'me too'
            viewer < create #4 bob 'me too'
            agent < create #5 viewer 'and me'
            alice < create #5 viewer 'and me'
            bob < create #5 viewer 'and me'
            supervisor < create #5 viewer 'and me'
            viewer < create #5 viewer 'and me'
            viewer | ack 1 #5
            agent < create #6 agent turn=t1 'working'
            agent | ack 3 #6
            alice < create #6 agent turn=t1 'working'
            bob < create #6 agent turn=t1 'working'
            supervisor < create #6 agent turn=t1 'working'
            viewer < create #6 agent turn=t1 'working'
            agent < create #7 supervisor 'no input'
            alice < create #7 supervisor 'no input'
            bob < create #7 supervisor 'no input'
            supervisor < create #7 supervisor 'no input'
            supervisor | ack 1 #7
            viewer < create #7 supervisor 'no input'
            agent < create #8 alice 'no input'
            alice < create #8 alice 'no input'
            alice | ack 2 #8
            bob < create #8 alice 'no input'
            supervisor < create #8 alice 'no input'
            viewer < create #8 alice 'no input'
            alice < ack 3 #1 id="m1" duplicate
            agent < create #9 alice name=steer turn=t1 'faster' headers={"steer":"waiting"}
            agent | turn.steer #9 t1 suspended agent input=#1 reason=approval message=#9
                  'faster'
            alice < create #9 alice name=steer turn=t1 'faster' headers={"steer":"waiting"}
            alice | turn.steer #9 t1 suspended agent input=#1 reason=approval message=#9
                  'faster'
            alice | ack 4 #9 in t1 suspended agent input=#1 reason=approval
            bob < create #9 alice name=steer turn=t1 'faster' headers={"steer":"waiting"}
            bob | turn.steer #9 t1 suspended agent input=#1 reason=approval message=#9 'faster'
            supervisor < create #9 alice name=steer turn=t1 'faster' headers={"steer":"waiting"}
            supervisor | turn.steer #9 t1 suspended agent input=#1 reason=approval message=#9
                  'faster'
            viewer < create #9 alice name=steer turn=t1 'faster' headers={"steer":"waiting"}
            viewer | turn.steer #9 t1 suspended agent input=#1 reason=approval message=#9
                  'faster'
            agent < create #10 supervisor 'an input'
            agent | approval.decide #11 a1 dismissed turn=t1 decidedBy=supervisor comment=#10
                  [+0 request agent, +0 decide supervisor]
            agent | turn.resume #11 t1 active agent input=#1
            alice < create #10 supervisor 'an input'
            alice | approval.decide #11 a1 dismissed turn=t1 decidedBy=supervisor comment=#10
                  [+0 request agent, +0 decide supervisor]
            alice | turn.resume #11 t1 active agent input=#1
            bob < create #10 supervisor 'an input'
            bob | approval.decide #11 a1 dismissed turn=t1 decidedBy=supervisor comment=#10 [+0
                  request agent, +0 decide supervisor]
            bob | turn.resume #11 t1 active agent input=#1
            supervisor < create #10 supervisor 'an input'
            supervisor | approval.decide #11 a1 dismissed turn=t1 decidedBy=supervisor
                  comment=#10 [+0 request agent, +0 decide supervisor]
            supervisor | turn.resume #11 t1 active agent input=#1
            supervisor | ack 2 #10
            viewer < create #10 supervisor 'an input'
            viewer | approval.decide #11 a1 dismissed turn=t1 decidedBy=supervisor comment=#10
                  [+0 request agent, +0 decide supervisor]
            viewer | turn.resume #11 t1 active agent input=#1
        "#]],
    );
}

/// P8.7, P10.3: the settings about inputs count as things stood before it: a turn that waits
/// answers nobody.
#[test]
fn p8_7_what_answers_is_not_refused_and_does_not_wait() {
    let output = |on_input: &str| {
        let mut world = World::new(Limits::default());
        world.run(&format!(
            "
            admin patch {{\"onInput\":\"{on_input}\"}}
            agent attach rewind=0
            alice attach rewind=0
            alice publish 'go'
            agent start t1 input=#1
            agent ask a1 turn=t1 onMessage=dismiss
            agent drop
            ---
            alice publish 'make it one'
            "
        ));
        world.output
    };
    let queue = output("queue");
    assert_eq!(queue, output("reject"));
    assert_eq!(queue, output("interrupt"));
    expect![[r#"
        alice < create #4 alice 'make it one'
        alice | approval.decide #5 a1 dismissed turn=t1 decidedBy=alice comment=#4 [+0
              request agent, +0 decide alice]
        alice | turn.queue #6 t1 queued attempt=2 input=#1
        alice | ack 2 #4
    "#]]
    .assert_eq(&queue);
}

/// P8.7, P6.6: an interrupted turn asks nothing any more.
#[test]
fn p8_7_an_interrupt_comes_first() {
    check(
        "
        agent attach rewind=0
        alice attach rewind=0
        agent start t1
        agent start t2
        agent ask a1 turn=t1 onMessage=dismiss
        agent ask b1 turn=t2 onMessage=dismiss
        ---
        alice publish 'stop' interrupt=t1
        ",
        expect![[r#"
            agent < turn.cancel #5 t1 suspended agent cancel=alice reason=approval
            agent | approval.withdraw #6 a1 withdrawn turn=t1 [+0 request agent, +0 withdraw]
            agent | turn.end #7 t1 cancelled agent cancel=alice
            agent | create #8 alice 'stop'
            agent | approval.decide #9 b1 dismissed turn=t2 decidedBy=alice comment=#8 [+0
                  request agent, +0 decide alice]
            agent | turn.resume #9 t2 active agent
            alice < turn.cancel #5 t1 suspended agent cancel=alice reason=approval
            alice | approval.withdraw #6 a1 withdrawn turn=t1 [+0 request agent, +0 withdraw]
            alice | turn.end #7 t1 cancelled agent cancel=alice
            alice | create #8 alice 'stop'
            alice | approval.decide #9 b1 dismissed turn=t2 decidedBy=alice comment=#8 [+0
                  request agent, +0 decide alice]
            alice | turn.resume #9 t2 active agent
            alice | ack 1 #8
        "#]],
    );
}

/// P8.7, P8.4: without its leader the turn is queued in the same step.
#[test]
fn p8_7_without_its_leader_the_turn_waits_for_the_next_process() {
    check(
        "
        agent attach rewind=0
        agent start t1
        agent ask a1 turn=t1 onMessage=dismiss
        agent drop
        alice attach rewind=0
        ---
        alice publish 'make it one' id=m1
        alice publish 'make it one' id=m1
        ",
        expect![[r#"
            alice < create #3 alice id=m1 'make it one'
            alice | approval.decide #4 a1 dismissed turn=t1 decidedBy=alice comment=#3 [+0
                  request agent, +0 decide alice]
            alice | turn.queue #5 t1 queued attempt=2
            alice | ack 1 #3 id="m1"
            alice < ack 2 #3 id="m1" duplicate
        "#]],
    );
}

/// P8.7, P8.8: words to the person who leads are not meant for an agent.
#[test]
fn p8_7_to_a_person_who_leads_words_answer_nothing() {
    check(
        "
        agent attach rewind=0
        alice attach rewind=0
        supervisor attach rewind=0
        agent start t1
        agent ask a1 turn=t1 onMessage=dismiss
        supervisor lead.take
        ---
        alice publish 'hello?'
        supervisor publish 'yes' wake=true
        supervisor lead.return wake=none
        alice publish 'make it one'
        ",
        expect![[r##"
            agent < create #4 alice 'hello?'
            alice < create #4 alice 'hello?'
            alice | ack 1 #4
            supervisor < create #4 alice 'hello?'
            agent < create #5 supervisor 'yes'
            alice < create #5 supervisor 'yes'
            supervisor < create #5 supervisor 'yes'
            supervisor | ack 2 #5
            agent < {"by":"supervisor","lead":{"client":"supervisor","since":"+0"},
                  "serial":"#6","type":"lead.return","wake":"none"}
            alice < {"by":"supervisor","lead":{"client":"supervisor","since":"+0"},
                  "serial":"#6","type":"lead.return","wake":"none"}
            supervisor < {"by":"supervisor","lead":{"client":"supervisor","since":"+0"},
                  "serial":"#6","type":"lead.return","wake":"none"}
            supervisor | ack 3 {"lead":null}
            agent < create #7 alice 'make it one'
            agent | approval.decide #8 a1 dismissed turn=t1 decidedBy=alice comment=#7 [+0
                  request agent, +0 decide alice]
            agent | turn.resume #8 t1 active agent
            alice < create #7 alice 'make it one'
            alice | approval.decide #8 a1 dismissed turn=t1 decidedBy=alice comment=#7 [+0
                  request agent, +0 decide alice]
            alice | turn.resume #8 t1 active agent
            alice | ack 2 #7
            supervisor < create #7 alice 'make it one'
            supervisor | approval.decide #8 a1 dismissed turn=t1 decidedBy=alice comment=#7 [+0
                  request agent, +0 decide alice]
            supervisor | turn.resume #8 t1 active agent
        "##]],
    );
}
