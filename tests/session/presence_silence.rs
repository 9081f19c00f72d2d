//! Members that are not heard (P7.2).

use crate::world::check;
use expect_test::expect;

/// P7.2: a socket that stays open and says nothing leaves when the session next looks; no alarm
/// runs for it.
#[test]
fn a_silent_member_leaves() {
    check(
        "
        alice attach
        bob attach
        alice presence
        wait 1000
        bob presence
        ---
        alarm
        timer
        wait 28999
        eve brief presence
        wait 1
        alarm
        wait 500
        eve brief presence
        bob seen 1
        wait 499
        bob seen 1
        eve brief presence
        alarm
        ",
        expect![[r#"
            alarm: None
            timer: None
            -- 29999 ms
            eve = 200 presence: alice-1 user; bob-1 user
            alarm: None
            -- 30500 ms
            alice < presence.leave alice-1 user
            bob < presence.leave alice-1 user
            eve = 200 presence: bob-1 user
            bob < ack 2 {}
            -- 30999 ms
            bob < ack 3 {}
            eve = 200 presence: bob-1 user
            alarm: None
        "#]],
    );
}

/// P7.2: a frame or a ping keeps a member; of those who are silent everybody is told.
#[test]
fn a_member_is_heard() {
    check(
        "
        alice attach
        bob attach
        carol attach
        alice presence
        bob presence
        carol presence
        wait 1000
        ---
        wait 20000
        alice pings
        bob seen 1
        wait 15000
        eve brief presence
        wait 14999
        alice pings
        eve brief presence
        wait 1
        eve brief presence
        wait 1000
        alice members
        ",
        expect![[r#"
            -- 21000 ms
            bob < ack 2 {}
            -- 36000 ms
            alice < presence.leave carol-1 user
            bob < presence.leave carol-1 user
            carol < presence.leave carol-1 user
            eve = 200 presence: alice-1 user; bob-1 user
            -- 50999 ms
            eve = 200 presence: alice-1 user; bob-1 user
            -- 51000 ms
            alice < presence.leave bob-1 user
            bob < presence.leave bob-1 user
            carol < presence.leave bob-1 user
            eve = 200 presence: alice-1 user
            alice sees alice-1 user
        "#]],
    );
}

/// P7.2: whoever was found silent is a member no longer, though its socket is open: it enters
/// anew.
#[test]
fn a_silent_member_comes_back() {
    check(
        "
        alice attach
        bob attach
        alice presence data=1
        wait 40000
        ---
        alice seen 1
        alice absent
        wait 1000
        alice presence data=2
        eve get presence
        ",
        expect![[r#"
            -- 40000 ms
            alice < ack 2 {}
            alice | presence.leave alice-1 user 1
            bob < presence.leave alice-1 user 1
            alice < nack 3 not-found: unable to leave presence; this connection is not present,
                  enter with presence.set
            -- 41000 ms
            alice < presence.enter alice-1 user 2
            alice | ack 4 alice-1 user 2
            bob < presence.enter alice-1 user 2
            eve = 200 {"presence":[{"client":"alice","connection":"alice-1","data":2,
                  "role":"user","since":"+41000"}]}
        "#]],
    );
}

/// P7.2: before presence is told to anyone: whoever attaches is not listed the silent.
#[test]
fn a_newcomer_is_not_listed_the_silent() {
    check(
        "
        alice attach
        bob attach
        alice presence
        wait 30000
        ---
        carol attach
        wait 1000
        eve brief snapshot
        ",
        expect![[r#"
            -- 30000 ms
            alice < presence.leave alice-1 user
            bob < presence.leave alice-1 user
            carol < attached #0 anew
            carol < caught-up #0
            -- 31000 ms
            eve = 200 turns: , approvals: , calls: , presence: , messages: 
        "#]],
    );
}

/// P7.2: at each lease alarm the session looks too.
#[test]
fn a_lease_alarm_looks() {
    check(
        "
        agent attach
        alice attach
        agent presence
        alice presence
        agent start t1 lease=31000
        wait 1000
        alice pings
        ---
        wait 29999
        evict
        wait 1
        alice members
        wait 11000
        alice members
        ",
        expect![[r#"
            alice sees agent-1 agent
            alice sees alice-1 user
            -- 41333 ms
            agent < turn.end #2 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            agent | presence.leave agent-1 agent
            agent | presence.leave alice-1 user
            alice < turn.end #2 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            alice | presence.leave agent-1 agent
            alice | presence.leave alice-1 user
        "#]],
    );
}

/// P7.2, P6.8: an agent that died with its socket open: silent, then lost.
#[test]
fn an_agent_that_died() {
    check(
        "
        agent attach
        alice attach
        agent presence
        agent start t1 lease=40000
        agent publish 'a' streaming turn=t1
        wait 1000
        ---
        alice pings
        wait 30000
        alice brief presence
        wait 9000
        alice holds
        ",
        expect![[r#"
            -- 31000 ms
            agent < presence.leave agent-1 agent
            alice < presence.leave agent-1 agent
            alice = 200 presence: 
            -- 40000 ms
            agent < append #2 v#3 @1 '' failed
            agent | turn.end #4 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            alice < append #2 v#3 @1 '' failed
            alice | turn.end #4 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            alice holds #2 "a" failed
        "#]],
    );
}

/// P11.2: `presenceTimeoutMs` says how long, from the moment it is set.
#[test]
fn the_time_to_be_silent() {
    check(
        "
        alice attach
        bob attach
        alice presence
        wait 5000
        ---
        admin patch {\"presenceTimeoutMs\":10000}
        wait 4999
        eve brief presence
        wait 1
        eve brief presence
        alice presence
        admin patch {\"presenceTimeoutMs\":60000}
        wait 59999
        eve brief presence
        wait 1
        eve brief presence
        ",
        expect![[r#"
            -- 5000 ms
            admin = 200 {"settings":{"presenceTimeoutMs":10000}}
            -- 9999 ms
            eve = 200 presence: alice-1 user
            -- 10000 ms
            alice < presence.leave alice-1 user
            bob < presence.leave alice-1 user
            eve = 200 presence: 
            alice < ack 2 alice-1 user
            admin = 200 {"settings":{"presenceTimeoutMs":60000}}
            -- 10200 ms
            alice < presence.enter alice-1 user
            bob < presence.enter alice-1 user
            -- 69999 ms
            eve = 200 presence: alice-1 user
            -- 70000 ms
            alice < presence.leave alice-1 user
            bob < presence.leave alice-1 user
            eve = 200 presence: 
        "#]],
    );
}

/// P7.2: a clock that jumps back makes nobody silent, one that jumps ahead those who were not
/// heard.
#[test]
fn presence_and_clocks() {
    check(
        "
        alice attach
        bob attach
        alice presence
        ---
        clock -3600000
        alice seen 1
        wait 10000
        bob presence
        wait 10000
        eve brief presence
        clock 7200000
        bob pings
        eve brief presence
        ",
        expect![[r#"
            alice < ack 2 {}
            -- 10000 ms
            alice < presence.enter bob-1 user
            bob < presence.enter bob-1 user
            bob | ack 1 bob-1 user
            -- 20000 ms
            eve = 200 presence: alice-1 user; bob-1 user
            alice < presence.leave alice-1 user
            bob < presence.leave alice-1 user
            eve = 200 presence: bob-1 user
        "#]],
    );
}

/// P7.2: a frame with a fresh token is a sign of life, too.
#[test]
fn a_fresh_token_is_heard() {
    check(
        "
        alice attach
        bob attach
        alice presence
        wait 20000
        alice renew
        ---
        wait 29999
        eve brief presence
        wait 1
        eve brief presence
        ",
        expect![[r#"
            -- 49999 ms
            eve = 200 presence: alice-1 user
            -- 50000 ms
            alice < presence.leave alice-1 user
            bob < presence.leave alice-1 user
            eve = 200 presence: 
        "#]],
    );
}
