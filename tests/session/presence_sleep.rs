//! Presence over sleep and crashes (P7.2, P7.3).

use crate::world::check;
use expect_test::expect;

/// P7.3: presence is kept over the session's sleep, with what members told of themselves, and
/// nothing is told of it.
#[test]
fn presence_over_a_sleep() {
    check(
        "
        alice attach
        bob attach
        alice presence data={\"mood\":\"good\"}
        wait 1000
        ---
        evict
        bob brief presence
        evict
        alice presence data={\"mood\":\"better\"}
        wait 1000
        evict
        alice drop
        wait 1000
        bob members
        ",
        expect![[r#"
            -- 1000 ms
            bob = 200 presence: alice-1 user {"mood":"good"}
            alice < presence.update alice-1 user {"mood":"better"}
            alice | ack 2 alice-1 user {"mood":"better"}
            bob < presence.update alice-1 user {"mood":"better"}
            -- 2000 ms
            bob < presence.leave alice-1 user {"mood":"better"}
        "#]],
    );
}

/// P7.3: a crash takes the connections, and with them all presence; whoever comes back enters
/// anew.
#[test]
fn presence_over_a_crash() {
    check(
        "
        alice attach
        bob attach
        alice presence
        crash
        ---
        bob attach since
        bob brief presence
        alice attach since
        alice presence
        ",
        expect![[r#"
            bob < attached b#0 anew (unable to resume; #0 is not of this log)
            bob < caught-up b#0
            bob = 200 presence: 
            alice < attached b#0 anew (unable to resume; #0 is not of this log)
            alice < caught-up b#0
            alice < presence.enter alice-2 user
            alice | ack 2 alice-2 user
            bob < presence.enter alice-2 user
        "#]],
    );
}

/// P7.2: pings are answered without waking the session, and count when it does wake.
#[test]
fn pings_asleep() {
    check(
        "
        alice attach
        bob attach
        alice presence
        bob presence
        wait 1000
        evict
        ---
        wait 20000
        alice pings
        wait 20000
        alice pings
        evict
        wait 20000
        eve brief presence
        wait 29999
        eve brief presence
        ",
        expect![[r#"
            -- 61000 ms
            alice < presence.leave bob-1 user
            bob < presence.leave bob-1 user
            eve = 200 presence: alice-1 user
            -- 90999 ms
            alice < presence.leave alice-1 user
            bob < presence.leave alice-1 user
            eve = 200 presence: 
        "#]],
    );
}

/// P7.2: asleep a member may be believed to be there for a third longer, not for less: a frame is
/// kept with its connection only now and then.
#[test]
fn heard_before_a_sleep() {
    check(
        "
        alice attach
        bob attach
        alice presence
        wait 9000
        alice seen 1
        evict
        ---
        wait 29999
        eve brief presence
        wait 1001
        eve brief presence
        ",
        expect![[r#"
            -- 38999 ms
            eve = 200 presence: alice-1 user
            -- 40000 ms
            alice < presence.leave alice-1 user
            bob < presence.leave alice-1 user
            eve = 200 presence: 
        "#]],
    );
}

/// P7.2: a close that wakes the session leaves at once, and is told to everybody else; so do two.
#[test]
fn closes_that_wake() {
    check(
        "
        alice attach
        alice/phone attach
        bob attach
        alice presence
        alice/phone presence
        wait 1000
        evict
        ---
        alice drop
        + alice/phone drop
        wait 1000
        bob members
        ",
        expect![[r#"
            -- 1000 ms
            alice/phone < presence.leave alice-1 user
            bob < presence.leave alice-1 user
            -- 1200 ms
            bob < presence.leave alice/phone-1 user
        "#]],
    );
}

/// P6.8: a ping before a close that wakes the session counts.
#[test]
fn a_ping_before_a_close_that_wakes() {
    check(
        "
        agent attach
        alice attach
        agent start t1 lease=3000
        evict
        wait 2500
        agent pings
        wait 400
        agent drop
        ---
        wait 2599
        alice brief turns
        wait 1
        ",
        expect![[r#"
            -- 5499 ms
            alice = 200 turns: t1 active agent
            -- 5500 ms
            alice < turn.end #2 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
        "#]],
    );
}

/// P7.3: whoever left before a sleep is not there after it, by its own word or for its silence.
#[test]
fn a_leave_over_a_sleep() {
    check(
        "
        alice attach
        bob attach
        carol attach
        alice presence
        wait 1000
        bob presence
        wait 1000
        alice absent
        wait 28999
        eve brief presence
        wait 1000
        eve brief presence
        ---
        evict
        eve brief presence
        bob pings
        evict
        eve brief presence
        carol members
        ",
        expect![[r#"
            eve = 200 presence: 
            eve = 200 presence: 
        "#]],
    );
}

/// P7.2: who was heard for long before a sleep, and not just when it entered, is there after it.
#[test]
fn heard_long_before_a_sleep() {
    check(
        "
        alice attach
        bob attach
        alice presence
        wait 9000
        alice seen 1
        wait 9000
        alice seen 2
        wait 9000
        alice seen 3
        wait 9000
        alice seen 4
        evict
        ---
        wait 29999
        eve brief presence
        wait 10001
        eve brief presence
        ",
        expect![[r#"
            -- 65999 ms
            eve = 200 presence: alice-1 user
            -- 76000 ms
            alice < presence.leave alice-1 user
            bob < presence.leave alice-1 user
            eve = 200 presence: 
        "#]],
    );
}
