//! Approvals that are remembered (P8.6).

use expect_test::expect;

use sessile::protocol::limits::{GRANTS, Limits};

use crate::world::{World, check, check_after};

/// A turn of an agent, and somebody who may decide.
const ASKED: &str = "
    agent attach rewind=0
    alice attach rewind=0
    agent start t1";

/// P8.6: later requests with the key are approved in the step in which they come, and suspend
/// nothing.
#[test]
fn p8_6_a_grant_settles_later_requests_at_once() {
    check_after(
        ASKED,
        "
        agent ask a1 turn=t1 grant=bash
        alice decide a1 approve scope=session
        ---
        agent ask a2 turn=t1 grant=bash deadlineMs=1000
        agent ask a2 turn=t1 grant=bash
        agent ask a3 turn=t1 grant=rm
        agent ask a4 turn=t1 grant=bash
        alice decide a2 reject
        wait 2000
        evict
        agent ask a5 grant=bash
        bob attach rewind=0
        ",
        expect![[r#"
            agent < approval.request #4 a2 approved turn=t1 decidedBy=alice grant=bash [+0
                  request agent, +0 decide alice by a1]
            agent | ack 3 a2 approved turn=t1 decidedBy=alice grant=bash [+0 request agent, +0
                  decide alice by a1]
            alice < approval.request #4 a2 approved turn=t1 decidedBy=alice grant=bash [+0
                  request agent, +0 decide alice by a1]
            agent < ack 4 a2 approved turn=t1 decidedBy=alice grant=bash [+0 request agent, +0
                  decide alice by a1] duplicate
            agent < approval.request #5 a3 pending turn=t1 grant=rm [+0 request agent]
            agent | turn.suspend #5 t1 suspended agent reason=approval
            agent | ack 5 a3 pending turn=t1 grant=rm [+0 request agent]
            alice < approval.request #5 a3 pending turn=t1 grant=rm [+0 request agent]
            alice | turn.suspend #5 t1 suspended agent reason=approval
            agent < approval.request #6 a4 approved turn=t1 decidedBy=alice grant=bash [+0
                  request agent, +0 decide alice by a1]
            agent | ack 6 a4 approved turn=t1 decidedBy=alice grant=bash [+0 request agent, +0
                  decide alice by a1]
            alice < approval.request #6 a4 approved turn=t1 decidedBy=alice grant=bash [+0
                  request agent, +0 decide alice by a1]
            alice < nack 2 already-decided: unable to decide the approval; approval a2 is
                  approved (a2 approved turn=t1 decidedBy=alice grant=bash [+0 request agent,
                  +0 decide alice by a1])
            -- 2000 ms
            agent < approval.request #7 a5 approved decidedBy=alice grant=bash [+2000 request
                  agent, +2000 decide alice by a1]
            agent | ack 7 a5 approved decidedBy=alice grant=bash [+2000 request agent, +2000
                  decide alice by a1]
            alice < approval.request #7 a5 approved decidedBy=alice grant=bash [+2000 request
                  agent, +2000 decide alice by a1]
            bob < attached #7 anew, turns: t1 suspended agent reason=approval, asked: a3
                  pending turn=t1 grant=rm [+0 request agent], granted: [bash of agent session
                  by alice in a1]
            bob < caught-up #7
        "#]],
    );
}

/// P8.6: of the same agent, with the same key, in that turn.
#[test]
fn p8_6_a_grant_covers_what_it_was_given_for() {
    check(
        "
        agent attach rewind=0
        agent2 attach window=0 rewind=0
        alice attach rewind=0
        agent start t1
        agent start t2
        agent2 start t3
        agent ask a1 turn=t1 grant=k
        alice decide a1 approve scope=turn
        ---
        agent ask b1 turn=t2 grant=k
        agent2 ask c1 turn=t3 grant=k
        agent ask d1 grant=k
        agent ask a2 turn=t1
        agent ask a3 turn=t1 grant=k
        agent ask q1 turn=t1 kind=question grant=k
        ",
        expect![[r#"
            agent < approval.request #6 b1 pending turn=t2 grant=k [+0 request agent]
            agent | turn.suspend #6 t2 suspended agent reason=approval
            agent | ack 4 b1 pending turn=t2 grant=k [+0 request agent]
            agent2 < approval.request #6 b1 pending turn=t2 grant=k [+0 request agent]
            agent2 | turn.suspend #6 t2 suspended agent reason=approval
            alice < approval.request #6 b1 pending turn=t2 grant=k [+0 request agent]
            alice | turn.suspend #6 t2 suspended agent reason=approval
            agent < approval.request #7 c1 pending turn=t3 grant=k [+0 request agent2]
            agent | turn.suspend #7 t3 suspended agent2 reason=approval
            agent2 < approval.request #7 c1 pending turn=t3 grant=k [+0 request agent2]
            agent2 | turn.suspend #7 t3 suspended agent2 reason=approval
            agent2 | ack 2 c1 pending turn=t3 grant=k [+0 request agent2]
            alice < approval.request #7 c1 pending turn=t3 grant=k [+0 request agent2]
            alice | turn.suspend #7 t3 suspended agent2 reason=approval
            agent < approval.request #8 d1 pending grant=k [+0 request agent]
            agent | ack 5 d1 pending grant=k [+0 request agent]
            agent2 < approval.request #8 d1 pending grant=k [+0 request agent]
            alice < approval.request #8 d1 pending grant=k [+0 request agent]
            agent < approval.request #9 a2 pending turn=t1 [+0 request agent]
            agent | turn.suspend #9 t1 suspended agent reason=approval
            agent | ack 6 a2 pending turn=t1 [+0 request agent]
            agent2 < approval.request #9 a2 pending turn=t1 [+0 request agent]
            agent2 | turn.suspend #9 t1 suspended agent reason=approval
            alice < approval.request #9 a2 pending turn=t1 [+0 request agent]
            alice | turn.suspend #9 t1 suspended agent reason=approval
            agent < approval.request #10 a3 approved turn=t1 decidedBy=alice grant=k [+0
                  request agent, +0 decide alice by a1]
            agent | ack 7 a3 approved turn=t1 decidedBy=alice grant=k [+0 request agent, +0
                  decide alice by a1]
            agent2 < approval.request #10 a3 approved turn=t1 decidedBy=alice grant=k [+0
                  request agent, +0 decide alice by a1]
            alice < approval.request #10 a3 approved turn=t1 decidedBy=alice grant=k [+0
                  request agent, +0 decide alice by a1]
            agent < nack 8 invalid-frame: unable to ask for approval; grant is for kind approval
        "#]],
    );
}

/// P8.6: who could not decide a request has not decided it before either.
#[test]
fn p8_6_a_grant_reaches_as_far_as_the_right_to_decide() {
    check(
        "
        agent attach rewind=0
        alice attach rewind=0
        bob attach rewind=0
        supervisor attach rewind=0
        alice publish 'one'
        bob publish 'two'
        agent start t1 input=#1
        agent start t2 input=#2
        agent ask a1 turn=t1 grant=k
        alice decide a1 approve scope=session
        ---
        agent ask a2 turn=t2 grant=k
        agent ask a3 turn=t1 grant=k assignees=[\"role:supervisor\"]
        supervisor decide a3 approve scope=session
        agent ask a4 turn=t1 grant=k assignees=[\"role:supervisor\"]
        agent ask a5 turn=t2 grant=k assignees=[\"carol\"]
        ",
        expect![[r#"
            agent < approval.request #7 a2 pending turn=t2 grant=k [+0 request agent]
            agent | turn.suspend #7 t2 suspended agent input=#2 reason=approval
            agent | ack 4 a2 pending turn=t2 grant=k [+0 request agent]
            alice < approval.request #7 a2 pending turn=t2 grant=k [+0 request agent]
            alice | turn.suspend #7 t2 suspended agent input=#2 reason=approval
            bob < approval.request #7 a2 pending turn=t2 grant=k [+0 request agent]
            bob | turn.suspend #7 t2 suspended agent input=#2 reason=approval
            supervisor < approval.request #7 a2 pending turn=t2 grant=k [+0 request agent]
            supervisor | turn.suspend #7 t2 suspended agent input=#2 reason=approval
            agent < approval.request #8 a3 pending turn=t1 grant=k
                  assignees=["role:supervisor"] [+0 request agent]
            agent | turn.suspend #8 t1 suspended agent input=#1 reason=approval
            agent | ack 5 a3 pending turn=t1 grant=k assignees=["role:supervisor"] [+0 request
                  agent]
            alice < approval.request #8 a3 pending turn=t1 grant=k
                  assignees=["role:supervisor"] [+0 request agent]
            alice | turn.suspend #8 t1 suspended agent input=#1 reason=approval
            bob < approval.request #8 a3 pending turn=t1 grant=k assignees=["role:supervisor"]
                  [+0 request agent]
            bob | turn.suspend #8 t1 suspended agent input=#1 reason=approval
            supervisor < approval.request #8 a3 pending turn=t1 grant=k
                  assignees=["role:supervisor"] [+0 request agent]
            supervisor | turn.suspend #8 t1 suspended agent input=#1 reason=approval
            agent < approval.decide #9 a3 approved turn=t1 decidedBy=supervisor grant=k
                  scope=session assignees=["role:supervisor"] [+0 request agent, +0 decide
                  supervisor]
            agent | turn.resume #9 t1 active agent input=#1
            alice < approval.decide #9 a3 approved turn=t1 decidedBy=supervisor grant=k
                  scope=session assignees=["role:supervisor"] [+0 request agent, +0 decide
                  supervisor]
            alice | turn.resume #9 t1 active agent input=#1
            bob < approval.decide #9 a3 approved turn=t1 decidedBy=supervisor grant=k
                  scope=session assignees=["role:supervisor"] [+0 request agent, +0 decide
                  supervisor]
            bob | turn.resume #9 t1 active agent input=#1
            supervisor < approval.decide #9 a3 approved turn=t1 decidedBy=supervisor grant=k
                  scope=session assignees=["role:supervisor"] [+0 request agent, +0 decide
                  supervisor]
            supervisor | turn.resume #9 t1 active agent input=#1
            supervisor | ack 1 a3 approved turn=t1 decidedBy=supervisor grant=k scope=session
                  assignees=["role:supervisor"] [+0 request agent, +0 decide supervisor]
            agent < approval.request #10 a4 approved turn=t1 decidedBy=supervisor grant=k
                  assignees=["role:supervisor"] [+0 request agent, +0 decide supervisor by a3]
            agent | ack 6 a4 approved turn=t1 decidedBy=supervisor grant=k
                  assignees=["role:supervisor"] [+0 request agent, +0 decide supervisor by a3]
            alice < approval.request #10 a4 approved turn=t1 decidedBy=supervisor grant=k
                  assignees=["role:supervisor"] [+0 request agent, +0 decide supervisor by a3]
            bob < approval.request #10 a4 approved turn=t1 decidedBy=supervisor grant=k
                  assignees=["role:supervisor"] [+0 request agent, +0 decide supervisor by a3]
            supervisor < approval.request #10 a4 approved turn=t1 decidedBy=supervisor grant=k
                  assignees=["role:supervisor"] [+0 request agent, +0 decide supervisor by a3]
            agent < approval.request #11 a5 pending turn=t2 grant=k assignees=["carol"] [+0
                  request agent]
            agent | ack 7 a5 pending turn=t2 grant=k assignees=["carol"] [+0 request agent]
            alice < approval.request #11 a5 pending turn=t2 grant=k assignees=["carol"] [+0
                  request agent]
            bob < approval.request #11 a5 pending turn=t2 grant=k assignees=["carol"] [+0
                  request agent]
            supervisor < approval.request #11 a5 pending turn=t2 grant=k assignees=["carol"]
                  [+0 request agent]
        "#]],
    );
}

/// P8.6: by the granter or an administrator; nobody else, and nothing changes then.
#[test]
fn p8_6_a_grant_is_revoked() {
    check(
        "
        agent attach rewind=0
        alice attach rewind=0
        bob attach rewind=0
        admin attach rewind=0
        agent ask a1 grant=k
        agent ask a2 grant=k
        agent ask a3 grant=other
        alice decide a1 approve scope=session
        bob decide a2 approve scope=session
        bob decide a3 approve scope=session
        ---
        alice revoke none
        alice revoke other
        agent revoke k
        alice revoke k id=r1
        alice revoke k id=r1
        alice revoke k
        agent ask b1 grant=k
        admin revoke k
        agent ask b2 grant=k
        alice drop
        crash
        alice attach since=#1
        ",
        expect![[r#"
            alice < nack 2 not-found: unable to revoke the grant; nothing is granted for "none"
            alice < nack 3 forbidden: unable to revoke the grant; bob gave it for "other"
            agent < nack 4 forbidden: unable to revoke the grant; the token lacks the operation
                  approve for session s1, it has read, publish, presence, turn, cancel, steer,
                  state, annotate
            admin < grant.revoke #7 k by alice, granted: [k of agent session by bob in a2;
                  other of agent session by bob in a3]
            agent < grant.revoke #7 k by alice, granted: [k of agent session by bob in a2;
                  other of agent session by bob in a3]
            alice < grant.revoke #7 k by alice, granted: [k of agent session by bob in a2;
                  other of agent session by bob in a3]
            alice | ack 4 granted: [k of agent session by bob in a2; other of agent session by
                  bob in a3]
            bob < grant.revoke #7 k by alice, granted: [k of agent session by bob in a2; other
                  of agent session by bob in a3]
            alice < ack 5 granted: [k of agent session by bob in a2; other of agent session by
                  bob in a3] duplicate
            alice < nack 6 forbidden: unable to revoke the grant; bob gave it for "k"
            admin < approval.request #8 b1 approved decidedBy=bob grant=k [+0 request agent, +0
                  decide bob by a2]
            agent < approval.request #8 b1 approved decidedBy=bob grant=k [+0 request agent, +0
                  decide bob by a2]
            agent | ack 5 b1 approved decidedBy=bob grant=k [+0 request agent, +0 decide bob by
                  a2]
            alice < approval.request #8 b1 approved decidedBy=bob grant=k [+0 request agent, +0
                  decide bob by a2]
            bob < approval.request #8 b1 approved decidedBy=bob grant=k [+0 request agent, +0
                  decide bob by a2]
            admin < grant.revoke #9 k by admin, granted: [other of agent session by bob in a3]
            admin | ack 1 granted: [other of agent session by bob in a3]
            agent < grant.revoke #9 k by admin, granted: [other of agent session by bob in a3]
            alice < grant.revoke #9 k by admin, granted: [other of agent session by bob in a3]
            bob < grant.revoke #9 k by admin, granted: [other of agent session by bob in a3]
            admin < approval.request #10 b2 pending grant=k [+0 request agent]
            agent < approval.request #10 b2 pending grant=k [+0 request agent]
            agent | ack 6 b2 pending grant=k [+0 request agent]
            alice < approval.request #10 b2 pending grant=k [+0 request agent]
            bob < approval.request #10 b2 pending grant=k [+0 request agent]
            alice < attached #10 resumed, asked: b2 pending grant=k [+0 request agent],
                  granted: [other of agent session by bob in a3]
            alice < approval.decide #4 a1 approved decidedBy=alice grant=k scope=session [+0
                  request agent, +0 decide alice]
            alice | approval.decide #5 a2 approved decidedBy=bob grant=k scope=session [+0
                  request agent, +0 decide bob]
            alice | approval.decide #6 a3 approved decidedBy=bob grant=other scope=session [+0
                  request agent, +0 decide bob]
            alice | approval.request #8 b1 approved decidedBy=bob grant=k [+0 request agent, +0
                  decide bob by a2]
            alice | approval.request #10 b2 pending grant=k [+0 request agent]
            alice < caught-up #10
        "#]],
    );
}

/// P8.6: whatever ends it, also while the session sleeps.
#[test]
fn p8_6_a_grant_of_a_turn_ends_with_it() {
    check_after(
        ASKED,
        "
        agent ask a1 turn=t1 grant=k
        alice decide a1 approve scope=turn
        agent ask a2 turn=t1 grant=k
        ---
        crash
        alice attach
        agent attach
        agent adopt t1
        agent ask a3 turn=t1 grant=k
        alice cancel turn=t1
        agent end t1 complete
        carol attach rewind=0
        ",
        expect![[r#"
            alice < attached #4 anew, turns: t1 active agent, granted: [k of agent turn turn=t1
                  by alice in a1]
            alice < caught-up #4
            agent < attached #4 anew, turns: t1 active agent, granted: [k of agent turn turn=t1
                  by alice in a1]
            agent < caught-up #4
            agent < turn.adopt #5 t1 active agent attempt=2
            agent | ack 4 t1 active agent attempt=2
            alice < turn.adopt #5 t1 active agent attempt=2
            agent < approval.request #6 a3 approved turn=t1 decidedBy=alice grant=k [+0 request
                  agent, +0 decide alice by a1]
            agent | ack 5 a3 approved turn=t1 decidedBy=alice grant=k [+0 request agent, +0
                  decide alice by a1]
            alice < approval.request #6 a3 approved turn=t1 decidedBy=alice grant=k [+0 request
                  agent, +0 decide alice by a1]
            agent < turn.cancel #7 t1 active agent attempt=2 cancel=alice
            alice < turn.cancel #7 t1 active agent attempt=2 cancel=alice
            alice | ack 2 [t1 active agent attempt=2 cancel=alice]
            agent < turn.end #8 t1 cancelled agent attempt=2 cancel=alice
            agent | ack 6 t1 cancelled agent attempt=2 cancel=alice
            alice < turn.end #8 t1 cancelled agent attempt=2 cancel=alice
            carol < attached #8 anew
            carol < caught-up #8
        "#]],
    );
}

/// P8.6: `scope` stands for something that there is to remember.
#[test]
fn p8_6_a_scope_needs_a_grant() {
    check(
        "
        agent attach rewind=0
        alice attach rewind=0
        agent ask a1
        agent ask a2 grant=k
        ---
        alice decide a1 approve scope=session
        alice decide a2 reject scope=session
        alice decide a2 approve scope=turn
        alice decide a2 approve scope=always
        alice decide a2 approve scope=session id=d1
        alice decide a2 approve scope=session id=d1
        alice brief snapshot rewind=0
        ",
        expect![[r#"
            alice < nack 1 invalid-frame: unable to decide the approval; scope goes with
                  approve, of a request with grant
            alice < nack 2 invalid-frame: unable to decide the approval; scope goes with
                  approve, of a request with grant
            alice < nack 3 invalid-frame: unable to decide the approval; it belongs to no turn,
                  scope is session
            alice < nack 4 invalid-frame: unable to decide the approval; scope: it is `always`,
                  not one of `turn` or `session`
            agent < approval.decide #3 a2 approved decidedBy=alice grant=k scope=session [+0
                  request agent, +0 decide alice]
            alice < approval.decide #3 a2 approved decidedBy=alice grant=k scope=session [+0
                  request agent, +0 decide alice]
            alice | ack 5 a2 approved decidedBy=alice grant=k scope=session [+0 request agent,
                  +0 decide alice]
            alice < ack 6 a2 approved decidedBy=alice grant=k scope=session [+0 request agent,
                  +0 decide alice] duplicate
            alice = 200 turns: , approvals: a1 pending [+0 request agent], calls: , presence: ,
                  messages: 
        "#]],
    );
}

/// P8.6: one grant too many is refused, and the approval stays pending.
#[test]
fn p8_6_grants_are_bounded() {
    let mut world = World::new(Limits::default());
    world.run("agent attach rewind=0\nalice attach rewind=0");
    for index in 0..GRANTS {
        world.run(&format!(
            "agent ask a{index} grant=k{index}\nalice decide a{index} approve scope=session"
        ));
    }
    world.run("agent ask last grant=k0\n---\nalice decide last approve scope=session");
    // A grant of its key settled it at once.
    assert!(world.output.contains("already-decided"), "{}", world.output);
    world.run("agent ask more grant=more\n---\nalice decide more approve scope=session");
    let refused = "over-limit: unable to decide the approval; the grants of a session";
    assert!(world.output.contains(refused), "{}", world.output);
    world.run("alice revoke k0\n---\nalice decide more approve scope=session");
    assert!(
        world.output.contains("more approved decidedBy=alice"),
        "{}",
        world.output
    );
    let long = "é".repeat(128);
    world.run("alice revoke k1");
    world.run(&format!("agent ask {long} grant={long}"));
    world.run("---");
    world.run(&format!("alice decide {long} approve scope=session"));
    assert!(world.output.contains("ack"), "{}", world.output);
}

/// P8.6: their bytes are bounded as well, since every reader gets all of them.
#[test]
fn p8_6_the_bytes_of_grants_are_bounded() {
    let mut world = World::new(Limits::default());
    world.run("agent attach rewind=0\nalice attach rewind=0");
    let key = "é".repeat(120);
    for index in 0..GRANTS {
        let ask = format!("agent ask {key}{index} grant={key}{index}");
        let decide = format!("alice decide {key}{index} approve scope=session");
        world.run(&format!("{ask}\n---\n{decide}"));
        if world.output.contains("over-limit") {
            assert!(20 < index, "{index} grants");
            world.run(&format!("---\nalice decide {key}{index} approve"));
            assert!(world.output.contains("approved"), "{}", world.output);
            return;
        }
    }
    panic!("no bound on bytes");
}
