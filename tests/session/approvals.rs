//! Approvals: asked, decided once, taken back (P8.1–P8.3).

use crate::world::check;
use expect_test::expect;

/// P8.1, P8.2: everybody is told with the whole approval; whoever comes late is told what
/// stands.
#[test]
fn p8_2_an_approval_is_asked_and_decided_once() {
    check(
        "
        agent attach
        alice attach rewind=0
        bob attach rewind=0
        ---
        agent ask a1
        alice decide a1 approve data={\"seats\":1} comment=fine
        bob decide a1 reject
        bob get approval a1
        bob get approvals
        bob brief approvals all
        ",
        expect![[r##"
            agent < approval.request #1 a1 pending [+0 request agent]
            agent | ack 1 a1 pending [+0 request agent]
            alice < approval.request #1 a1 pending [+0 request agent]
            bob < approval.request #1 a1 pending [+0 request agent]
            agent < approval.decide #2 a1 approved decidedBy=alice comment=fine
                  answer={"seats":1} [+0 request agent, +0 decide alice]
            alice < approval.decide #2 a1 approved decidedBy=alice comment=fine
                  answer={"seats":1} [+0 request agent, +0 decide alice]
            alice | ack 1 a1 approved decidedBy=alice comment=fine answer={"seats":1} [+0
                  request agent, +0 decide alice]
            bob < approval.decide #2 a1 approved decidedBy=alice comment=fine
                  answer={"seats":1} [+0 request agent, +0 decide alice]
            bob < nack 1 already-decided: unable to decide the approval; approval a1 is
                  approved (a1 approved decidedBy=alice comment=fine answer={"seats":1} [+0
                  request agent, +0 decide alice])
            bob = 200 {"approval":{"answer":{"seats":1},"client":"agent","comment":"fine",
                  "createdAt":"+0","decidedBy":"alice","decision":"approve",
                  "history":[{"at":"+0","what":"request","who":"agent"},{"at":"+0",
                  "what":"decide","who":"alice"}],"id":"a1","kind":"approval","serial":"#1",
                  "session":"s1","status":"approved","title":"Buy?","version":"#2"}}
            bob = 200 {"approvals":[],"hasMore":false}
            bob = 200 approvals: a1 approved decidedBy=alice comment=fine answer={"seats":1}
                  [+0 request agent, +0 decide alice]
        "##]],
    );
}

/// P13.1: the id of a request is the approval's; that of another client is taken.
#[test]
fn p13_1_a_request_and_a_decision_that_come_again_change_nothing() {
    check(
        "
        agent attach
        agent2 attach rewind=0
        alice attach rewind=0
        agent ask a1
        ---
        agent ask a1
        agent2 ask a1
        agent ask approval-#9
        alice decide a1 approve id=d1
        alice decide a1 approve id=d1
        agent ask a1
        agent ask a2
        alice decide a2 approve id=d1
        agent ask
        alice attach rewind=0
        ",
        expect![[r#"
            agent < ack 2 a1 pending [+0 request agent] duplicate
            agent2 < nack 1 conflict: unable to ask for approval; a1 is another approval
            agent < nack 3 invalid-frame: unable to ask for approval; approval-#9 is an id that
                  the session gives
            agent < approval.decide #2 a1 approved decidedBy=alice [+0 request agent, +0 decide
                  alice]
            agent2 < approval.decide #2 a1 approved decidedBy=alice [+0 request agent, +0
                  decide alice]
            alice < approval.decide #2 a1 approved decidedBy=alice [+0 request agent, +0 decide
                  alice]
            alice | ack 1 a1 approved decidedBy=alice [+0 request agent, +0 decide alice]
            alice < ack 2 a1 approved decidedBy=alice [+0 request agent, +0 decide alice]
                  duplicate
            agent < ack 4 a1 approved decidedBy=alice [+0 request agent, +0 decide alice]
                  duplicate
            agent < approval.request #3 a2 pending [+0 request agent]
            agent | ack 5 a2 pending [+0 request agent]
            agent2 < approval.request #3 a2 pending [+0 request agent]
            alice < approval.request #3 a2 pending [+0 request agent]
            alice < nack 3 conflict: unable to decide the approval; id d1 was used for
                  something else
            agent < approval.request #4 approval-#4 pending [+0 request agent]
            agent | ack 6 approval-#4 pending [+0 request agent]
            agent2 < approval.request #4 approval-#4 pending [+0 request agent]
            alice < approval.request #4 approval-#4 pending [+0 request agent]
            alice < attached #4 anew, asked: a2 pending [+0 request agent]; approval-#4 pending
                  [+0 request agent]
            alice < caught-up #4
        "#]],
    );
}

/// P8.2: assignees where there are any, by name or by role.
#[test]
fn p8_2_only_those_who_are_asked_decide() {
    check(
        "
        agent attach
        alice attach rewind=0
        admin attach rewind=0
        supervisor attach rewind=0
        viewer attach rewind=0
        agent ask a1 assignees=[\"bob\",\"role:supervisor\"]
        ---
        alice decide a1 approve
        admin decide a1 approve
        viewer decide a1 approve
        agent decide a1 approve
        supervisor decide a1 reject
        ",
        expect![[r#"
            alice < nack 1 forbidden: unable to decide the approval; alice may not decide
                  approval a1, it was asked of bob, role:supervisor
            admin < nack 1 forbidden: unable to decide the approval; admin may not decide
                  approval a1, it was asked of bob, role:supervisor
            viewer < nack 1 forbidden: unable to decide the approval; the token lacks the
                  operation approve for session s1, it has read, presence
            agent < nack 2 forbidden: unable to decide the approval; the token lacks the
                  operation approve for session s1, it has read, publish, presence, turn,
                  cancel, steer, state, annotate
            admin < approval.decide #2 a1 rejected decidedBy=supervisor assignees=["bob",
                  "role:supervisor"] [+0 request agent, +0 decide supervisor]
            agent < approval.decide #2 a1 rejected decidedBy=supervisor assignees=["bob",
                  "role:supervisor"] [+0 request agent, +0 decide supervisor]
            alice < approval.decide #2 a1 rejected decidedBy=supervisor assignees=["bob",
                  "role:supervisor"] [+0 request agent, +0 decide supervisor]
            supervisor < approval.decide #2 a1 rejected decidedBy=supervisor assignees=["bob",
                  "role:supervisor"] [+0 request agent, +0 decide supervisor]
            supervisor | ack 1 a1 rejected decidedBy=supervisor assignees=["bob",
                  "role:supervisor"] [+0 request agent, +0 decide supervisor]
            viewer < approval.decide #2 a1 rejected decidedBy=supervisor assignees=["bob",
                  "role:supervisor"] [+0 request agent, +0 decide supervisor]
        "#]],
    );
}

/// P8.2: without assignees, the client whose message the turn answers, supervisors and
/// administrators.
#[test]
fn p8_2_a_turn_asks_whoever_it_answers() {
    check(
        "
        alice attach
        alice publish 'go'
        agent attach rewind=0
        bob attach rewind=0
        supervisor attach rewind=0
        admin attach rewind=0
        agent start t1 input=#1
        agent ask a1 turn=t1
        agent ask a2 turn=t1
        agent ask a3 turn=t1
        ---
        bob decide a1 approve
        alice decide a1 approve
        supervisor decide a2 approve
        admin decide a3 reject
        ",
        expect![[r#"
            bob < nack 1 forbidden: unable to decide the approval; bob may not decide approval
                  a1, alice, supervisors and administrators may
            admin < approval.decide #6 a1 approved turn=t1 decidedBy=alice [+0 request agent,
                  +0 decide alice]
            agent < approval.decide #6 a1 approved turn=t1 decidedBy=alice [+0 request agent,
                  +0 decide alice]
            alice < approval.decide #6 a1 approved turn=t1 decidedBy=alice [+0 request agent,
                  +0 decide alice]
            alice | ack 2 a1 approved turn=t1 decidedBy=alice [+0 request agent, +0 decide
                  alice]
            bob < approval.decide #6 a1 approved turn=t1 decidedBy=alice [+0 request agent, +0
                  decide alice]
            supervisor < approval.decide #6 a1 approved turn=t1 decidedBy=alice [+0 request
                  agent, +0 decide alice]
            admin < approval.decide #7 a2 approved turn=t1 decidedBy=supervisor [+0 request
                  agent, +0 decide supervisor]
            agent < approval.decide #7 a2 approved turn=t1 decidedBy=supervisor [+0 request
                  agent, +0 decide supervisor]
            alice < approval.decide #7 a2 approved turn=t1 decidedBy=supervisor [+0 request
                  agent, +0 decide supervisor]
            bob < approval.decide #7 a2 approved turn=t1 decidedBy=supervisor [+0 request agent,
                   +0 decide supervisor]
            supervisor < approval.decide #7 a2 approved turn=t1 decidedBy=supervisor [+0
                  request agent, +0 decide supervisor]
            supervisor | ack 1 a2 approved turn=t1 decidedBy=supervisor [+0 request agent, +0
                  decide supervisor]
            admin < approval.decide #8 a3 rejected turn=t1 decidedBy=admin [+0 request agent,
                  +0 decide admin]
            admin | turn.resume #8 t1 active agent input=#1
            admin | ack 1 a3 rejected turn=t1 decidedBy=admin [+0 request agent, +0 decide
                  admin]
            agent < approval.decide #8 a3 rejected turn=t1 decidedBy=admin [+0 request agent,
                  +0 decide admin]
            agent | turn.resume #8 t1 active agent input=#1
            alice < approval.decide #8 a3 rejected turn=t1 decidedBy=admin [+0 request agent,
                  +0 decide admin]
            alice | turn.resume #8 t1 active agent input=#1
            bob < approval.decide #8 a3 rejected turn=t1 decidedBy=admin [+0 request agent, +0
                  decide admin]
            bob | turn.resume #8 t1 active agent input=#1
            supervisor < approval.decide #8 a3 rejected turn=t1 decidedBy=admin [+0 request
                  agent, +0 decide admin]
            supervisor | turn.resume #8 t1 active agent input=#1
        "#]],
    );
}

/// P8.2: an option, data or both; yes and no are for approvals.
#[test]
fn p8_2_a_question_has_an_answer() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent ask q1 kind=question options=[{\"id\":\"a\",\"label\":\"A\"}]
        agent ask q2 kind=question
        agent ask a1
        ---
        alice decide q1 approve
        alice decide q1 answer
        alice decide q1 answer option=b
        alice decide q1 dismiss data={}
        alice decide a1 answer option=b
        alice decide a1 approve option=b
        alice decide q1 answer option=a
        alice decide q2 answer data=blue
        alice decide a1 dismiss comment='let us talk'
        ",
        expect![[r#"
            alice < nack 1 invalid-frame: unable to decide the approval; a question takes
                  answer or dismiss
            alice < nack 2 invalid-answer: unable to decide the approval; an answer has option,
                  data or both
            alice < nack 3 invalid-answer: unable to decide the approval; "b" is none of its
                  options
            alice < nack 4 invalid-frame: unable to decide the approval; data does not go with
                  dismiss
            alice < nack 5 invalid-frame: unable to decide the approval; an approval takes
                  approve, reject or dismiss
            alice < nack 6 invalid-frame: unable to decide the approval; option goes with answer
            agent < approval.decide #4 q1 answered question decidedBy=alice option=a [+0
                  request agent, +0 decide alice]
            alice < approval.decide #4 q1 answered question decidedBy=alice option=a [+0
                  request agent, +0 decide alice]
            alice | ack 7 q1 answered question decidedBy=alice option=a [+0 request agent, +0
                  decide alice]
            agent < approval.decide #5 q2 answered question decidedBy=alice answer="blue" [+0
                  request agent, +0 decide alice]
            alice < approval.decide #5 q2 answered question decidedBy=alice answer="blue" [+0
                  request agent, +0 decide alice]
            alice | ack 8 q2 answered question decidedBy=alice answer="blue" [+0 request agent,
                  +0 decide alice]
            agent < approval.decide #6 a1 dismissed decidedBy=alice comment=let us talk [+0
                  request agent, +0 decide alice]
            alice < approval.decide #6 a1 dismissed decidedBy=alice comment=let us talk [+0
                  request agent, +0 decide alice]
            alice | ack 9 a1 dismissed decidedBy=alice comment=let us talk [+0 request agent,
                  +0 decide alice]
        "#]],
    );
}

/// P8.2: by nobody else, and not after it was decided.
#[test]
fn p8_2_an_approval_is_withdrawn_by_its_requester() {
    check(
        "
        agent attach
        agent2 attach rewind=0
        alice attach rewind=0
        agent ask a1
        ---
        agent2 withdraw a1
        agent withdraw nothing
        agent withdraw a1
        agent withdraw a1
        alice decide a1 approve
        ",
        expect![[r#"
            agent2 < nack 1 forbidden: unable to withdraw the approval; agent asked for
                  approval a1
            agent < nack 2 not-found: unable to withdraw the approval; there is no approval
                  nothing
            agent < approval.withdraw #2 a1 withdrawn [+0 request agent, +0 withdraw agent]
            agent | ack 3 a1 withdrawn [+0 request agent, +0 withdraw agent]
            agent2 < approval.withdraw #2 a1 withdrawn [+0 request agent, +0 withdraw agent]
            alice < approval.withdraw #2 a1 withdrawn [+0 request agent, +0 withdraw agent]
            agent < nack 4 already-decided: unable to withdraw the approval; approval a1 is
                  withdrawn (a1 withdrawn [+0 request agent, +0 withdraw agent])
            alice < nack 1 already-decided: unable to decide the approval; approval a1 is
                  withdrawn (a1 withdrawn [+0 request agent, +0 withdraw agent])
        "#]],
    );
}

/// P8.3: eviction, a crash, nobody there; a reader that resumes gets its latest frame.
#[test]
fn p8_3_a_pending_approval_outlives_everything() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent ask a1
        agent ask a2
        alice drop
        agent drop
        evict
        crash
        wait 864000000
        ---
        supervisor attach
        supervisor brief snapshot
        supervisor decide a1 approve
        alice attach since
        supervisor drop
        alice drop
        crash
        supervisor attach since
        supervisor brief approvals limit=1
        supervisor brief approvals all limit=1
        supervisor brief approvals all limit=1 before=#2
        ",
        expect![[r#"
            -- 864000000 ms
            supervisor < attached #2 anew, asked: a1 pending [+0 request agent]; a2 pending [+0
                  request agent]
            supervisor < caught-up #2
            supervisor = 200 turns: , approvals: a1 pending [+0 request agent]; a2 pending [+0
                  request agent], calls: , presence: , messages: 
            supervisor < approval.decide #3 a1 approved decidedBy=supervisor [+0 request agent,
                  +864000000 decide supervisor]
            supervisor | ack 1 a1 approved decidedBy=supervisor [+0 request agent, +864000000
                  decide supervisor]
            alice < attached #3 resumed, asked: a2 pending [+0 request agent]
            alice < approval.decide #3 a1 approved decidedBy=supervisor [+0 request agent,
                  +864000000 decide supervisor]
            alice < caught-up #3
            supervisor < attached #3 resumed, asked: a2 pending [+0 request agent]
            supervisor < caught-up #3
            supervisor = 200 approvals: a2 pending [+0 request agent]
            supervisor = 200 approvals: a2 pending [+0 request agent], hasMore=true, next=#2
            supervisor = 200 approvals: a1 approved decidedBy=supervisor [+0 request agent,
                  +864000000 decide supervisor]
        "#]],
    );
}

/// P12.2: the shorthands, and 201 for what is new.
#[test]
fn p8_1_by_http() {
    check(
        "
        agent shorthand ask a1
        agent shorthand ask a1
        alice shorthand decide a1 approve
        alice shorthand decide a1 approve
        alice get approval nothing
        ",
        expect![[r##"
            agent = 201 {"approval":{"client":"agent","createdAt":"+0","history":[{"at":"+0",
                  "what":"request","who":"agent"}],"id":"a1","kind":"approval","serial":"#1",
                  "session":"s1","status":"pending","title":"Buy?","version":"#1"}}
            agent = 200 {"approval":{"client":"agent","createdAt":"+0","history":[{"at":"+0",
                  "what":"request","who":"agent"}],"id":"a1","kind":"approval","serial":"#1",
                  "session":"s1","status":"pending","title":"Buy?","version":"#1"},
                  "duplicate":true}
            alice = 200 {"approval":{"client":"agent","createdAt":"+0","decidedBy":"alice",
                  "decision":"approve","history":[{"at":"+0","what":"request","who":"agent"},
                  {"at":"+0","what":"decide","who":"alice"}],"id":"a1","kind":"approval",
                  "serial":"#1","session":"s1","status":"approved","title":"Buy?",
                  "version":"#2"}}
            alice = 409 {"error":{"approval":{"client":"agent","createdAt":"+0",
                  "decidedBy":"alice","decision":"approve","history":[{"at":"+0",
                  "what":"request","who":"agent"},{"at":"+0","what":"decide","who":"alice"}],
                  "id":"a1","kind":"approval","serial":"#1","session":"s1","status":"approved",
                  "title":"Buy?","version":"#2"},"code":"already-decided","message":"unable to
                  decide the approval; approval a1 is approved","status":409}}
            alice = 404 {"error":{"code":"not-found","message":"unable to read; there is no
                  approval nothing","status":404}}
        "##]],
    );
}

/// P8.3: rows of a request and its decision.
#[test]
fn p8_3_rows() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1
        agent ask a0 turn=t1
        alice decide a0 approve
        rows
        ---
        agent ask a1 turn=t1
        rows
        alice decide a1 approve
        rows
        ",
        expect![[r#"
            agent < approval.request #4 a1 pending turn=t1 [+0 request agent]
            agent | turn.suspend #4 t1 suspended agent reason=approval
            agent | ack 3 a1 pending turn=t1 [+0 request agent]
            alice < approval.request #4 a1 pending turn=t1 [+0 request agent]
            alice | turn.suspend #4 t1 suspended agent reason=approval
            rows: 1
            agent < approval.decide #5 a1 approved turn=t1 decidedBy=alice [+0 request agent,
                  +0 decide alice]
            agent | turn.resume #5 t1 active agent
            alice < approval.decide #5 a1 approved turn=t1 decidedBy=alice [+0 request agent,
                  +0 decide alice]
            alice | turn.resume #5 t1 active agent
            alice | ack 2 a1 approved turn=t1 decidedBy=alice [+0 request agent, +0 decide
                  alice]
            rows: 3
        "#]],
    );
}
