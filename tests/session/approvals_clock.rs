//! Deadlines and escalations (P8.3).

use crate::world::check;
use expect_test::expect;

/// P8.3: with nobody there, in order.
#[test]
fn p8_3_a_deadline_and_escalations_come_on_time() {
    check(
        "
        agent attach
        agent ask a1 assignees=[\"alice\"] deadlineMs=3000 onDeadline=reject \
            escalate=[{\"afterMs\":2000,\"assignees\":[\"bob\"]},{\"afterMs\":1000,\
             \"assignees\":[\"role:supervisor\",\"alice\"]}]
        agent drop
        evict
        alarm
        ---
        wait 1000
        bob attach
        bob decide a1 approve
        wait 1000
        wait 1000
        bob decide a1 approve
        alarm
        ",
        expect![[r#"
            -- 1000 ms
            bob < attached #2 anew, asked: a1 pending assignees=["alice","role:supervisor"]
                  onDeadline="reject" [+0 request agent, +1000 escalate]
            bob < caught-up #2
            bob < nack 1 forbidden: unable to decide the approval; bob may not decide approval
                  a1, it was asked of alice, role:supervisor
            -- 2000 ms
            bob < approval.escalate #3 a1 pending assignees=["alice","role:supervisor","bob"]
                  onDeadline="reject" [+0 request agent, +1000 escalate, +2000 escalate]
            -- 3000 ms
            bob < approval.expire #4 a1 rejected assignees=["alice","role:supervisor","bob"]
                  onDeadline="reject" [+0 request agent, +1000 escalate, +2000 escalate, +3000
                  expire]
            bob < nack 2 already-decided: unable to decide the approval; approval a1 is
                  rejected (a1 rejected assignees=["alice","role:supervisor","bob"]
                  onDeadline="reject" [+0 request agent, +1000 escalate, +2000 escalate, +3000
                  expire])
            alarm: None
        "#]],
    );
}

/// P8.3: past all of them at once; a decision that comes then finds it expired.
#[test]
fn p8_3_a_jump_of_the_clock_gives_the_same_history() {
    check(
        "
        agent attach
        agent ask a1 assignees=[\"alice\"] deadlineMs=3000 onDeadline=approve \
            escalate=[{\"afterMs\":2000,\"assignees\":[\"bob\"]},{\"afterMs\":1000,\
             \"assignees\":[\"role:supervisor\"]}]
        agent ask a2 deadlineMs=1500
        alice attach
        ---
        clock 86400000
        alice decide a1 reject
        alice decide a2 approve
        ",
        expect![[r#"
            agent < approval.escalate #3 a1 pending assignees=["alice","role:supervisor"]
                  onDeadline="approve" [+0 request agent, +1000 escalate]
            agent | approval.expire #4 a2 expired [+0 request agent, +1500 expire]
            agent | approval.escalate #5 a1 pending assignees=["alice","role:supervisor","bob"]
                  onDeadline="approve" [+0 request agent, +1000 escalate, +2000 escalate]
            agent | approval.expire #6 a1 approved assignees=["alice","role:supervisor","bob"]
                  onDeadline="approve" [+0 request agent, +1000 escalate, +2000 escalate, +3000
                  expire]
            alice < approval.escalate #3 a1 pending assignees=["alice","role:supervisor"]
                  onDeadline="approve" [+0 request agent, +1000 escalate]
            alice | approval.expire #4 a2 expired [+0 request agent, +1500 expire]
            alice | approval.escalate #5 a1 pending assignees=["alice","role:supervisor","bob"]
                  onDeadline="approve" [+0 request agent, +1000 escalate, +2000 escalate]
            alice | approval.expire #6 a1 approved assignees=["alice","role:supervisor","bob"]
                  onDeadline="approve" [+0 request agent, +1000 escalate, +2000 escalate, +3000
                  expire]
            alice < nack 1 already-decided: unable to decide the approval; approval a1 is
                  approved (a1 approved assignees=["alice","role:supervisor","bob"]
                  onDeadline="approve" [+0 request agent, +1000 escalate, +2000 escalate, +3000
                  expire])
            alice < nack 2 already-decided: unable to decide the approval; approval a2 is
                  expired (a2 expired [+0 request agent, +1500 expire])
        "#]],
    );
}

/// P8.1: with an option; an escalation after it never comes.
#[test]
fn p8_3_the_deadline_may_answer() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1
        agent ask q1 turn=t1 kind=question options=[{\"id\":\"a\",\"label\":\"A\"}] \
            deadlineMs=3000 onDeadline={\"option\":\"a\"} escalate=[{\"afterMs\":3000,\
             \"assignees\":[\"bob\"]}]
        ---
        wait 3000
        alarm
        ",
        expect![[r#"
            -- 3000 ms
            agent < approval.expire #3 q1 answered question turn=t1 option=a
                  onDeadline={"option":"a"} [+0 request agent, +3000 expire]
            agent | turn.resume #3 t1 active agent
            alice < approval.expire #3 q1 answered question turn=t1 option=a
                  onDeadline={"option":"a"} [+0 request agent, +3000 expire]
            alice | turn.resume #3 t1 active agent
            alarm: Some(30000)
        "#]],
    );
}

/// P8.1: an escalation adds people, and takes the right from nobody.
#[test]
fn p8_3_who_could_decide_still_may_after_an_escalation() {
    check(
        "
        agent attach
        alice attach rewind=0
        carol attach rewind=0
        alice publish 'go'
        agent start t1 input=#1
        agent ask a1 turn=t1 escalate=[{\"afterMs\":1000,\"assignees\":[\"bob\"]}]
        wait 1000
        ---
        carol decide a1 approve
        alice decide a1 approve
        ",
        expect![[r#"
            carol < nack 1 forbidden: unable to decide the approval; carol may not decide
                  approval a1, alice, supervisors and administrators may, and it was asked of
                  bob
            agent < approval.decide #5 a1 approved turn=t1 decidedBy=alice assignees=["bob"]
                  [+0 request agent, +1000 escalate, +1000 decide alice]
            agent | turn.resume #5 t1 active agent input=#1
            alice < approval.decide #5 a1 approved turn=t1 decidedBy=alice assignees=["bob"]
                  [+0 request agent, +1000 escalate, +1000 decide alice]
            alice | turn.resume #5 t1 active agent input=#1
            alice | ack 2 a1 approved turn=t1 decidedBy=alice assignees=["bob"] [+0 request
                  agent, +1000 escalate, +1000 decide alice]
            carol < approval.decide #5 a1 approved turn=t1 decidedBy=alice assignees=["bob"]
                  [+0 request agent, +1000 escalate, +1000 decide alice]
            carol | turn.resume #5 t1 active agent input=#1
        "#]],
    );
}

/// P6.1, P8.4: the end of the turn that was due first comes first, however late the alarm.
#[test]
fn p8_3_an_abandoned_turn_withdraws_what_it_asked() {
    check(
        "
        admin patch {\"suspendMs\":10000}
        agent attach
        agent start t1
        agent ask a1 turn=t1 deadlineMs=5000
        agent ask a2 turn=t1 deadlineMs=20000
        alice attach rewind=0
        agent drop
        ---
        clock 864000000
        alice brief approvals all
        alice brief turns all
        ",
        expect![[r#"
            alice < approval.expire #4 a1 expired turn=t1 [+0 request agent, +5000 expire]
            alice | approval.withdraw #5 a2 withdrawn turn=t1 [+0 request agent, +864000000
                  withdraw]
            alice | turn.end #6 t1 failed agent reason=abandoned error={"code":"abandoned",
                  "message":"the turn was suspended for too long"}
            alice = 200 approvals: a2 withdrawn turn=t1 [+0 request agent, +864000000
                  withdraw]; a1 expired turn=t1 [+0 request agent, +5000 expire]
            alice = 200 turns: t1 failed agent reason=abandoned error={"code":"abandoned",
                  "message":"the turn was suspended for too long"}
        "#]],
    );
}
