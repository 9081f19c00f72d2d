//! More members than are listed: the others are counted (P7.3).

use std::fmt::Write;

use crate::world::World;
use expect_test::{Expect, expect};
use sessile::protocol::limits::Limits;

/// So many members where three are listed, then a script. Shows what everybody else is sent.
fn check(count: usize, then: &str, expected: Expect) {
    let mut world = World::new(Limits {
        presence_listed: 3,
        ..Limits::default()
    });
    let mut script = String::new();
    for number in 1..=count {
        let _ = writeln!(script, "m{number} attach rewind=0\nm{number} presence");
    }
    world.run(&(script + "wait 1000\n---"));
    world.run(then);
    let is_of_crowd = |line: &&str| {
        let number = line.strip_prefix('m').unwrap_or_default();
        !number.starts_with(|digit: char| digit.is_ascii_digit())
    };
    let shown = world.output.lines().filter(is_of_crowd);
    let shown: String = shown.map(|line| format!("{line}\n")).collect();
    expected.assert_eq(&shown);
    let wrong = world.explore("");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// P7.3: of a crowd everybody is told how many there are, not each one who comes, changes and goes.
#[test]
fn a_crowd_is_counted() {
    check(
        3,
        "
        alice attach
        bob attach
        wait 200
        bob presence data='here'
        wait 200
        bob presence data='still here'
        wait 200
        carol attach
        carol presence
        wait 200
        bob absent
        wait 200
        carol drop
        wait 200
        alice brief presence
        ",
        expect![[r#"
            -- 1000 ms
            alice < attached #0 anew, here: m1-1 user; m2-1 user; m3-1 user
            alice < caught-up #0
            bob < attached #0 anew, here: m1-1 user; m2-1 user; m3-1 user
            bob < caught-up #0
            -- 1200 ms
            alice < presence.count 4
            bob < presence.count 4
            bob | ack 1 bob-1 user 'here'
            -- 1400 ms
            bob < ack 2 bob-1 user 'still here'
            -- 1600 ms
            carol < attached #0 anew, here: m1-1 user; m2-1 user; m3-1 user, 4 in all
            carol < caught-up #0
            alice < presence.count 5
            bob < presence.count 5
            carol < presence.count 5
            carol | ack 1 carol-1 user
            -- 1800 ms
            alice < presence.count 4
            bob < presence.count 4
            bob | ack 3 bob-1 user 'still here'
            carol < presence.count 4
            -- 2000 ms
            alice < presence.count 3
            bob < presence.count 3
            -- 2200 ms
            alice = 200 presence: m1-1 user; m2-1 user; m3-1 user
        "#]],
    );
}

/// P7.3: many at once are one frame.
#[test]
fn many_at_once_are_one_count() {
    check(
        3,
        "
        alice attach
        b1 attach
        b2 attach
        b3 attach
        b1 presence
        + b2 presence
        + b3 presence
        wait 200
        ",
        expect![[r#"
            -- 1000 ms
            alice < attached #0 anew, here: m1-1 user; m2-1 user; m3-1 user
            alice < caught-up #0
            b1 < attached #0 anew, here: m1-1 user; m2-1 user; m3-1 user
            b1 < caught-up #0
            b2 < attached #0 anew, here: m1-1 user; m2-1 user; m3-1 user
            b2 < caught-up #0
            b3 < attached #0 anew, here: m1-1 user; m2-1 user; m3-1 user
            b3 < caught-up #0
            alice < presence.count 4
            b1 < presence.count 4
            b1 | ack 1 b1-1 user
            b2 < presence.count 4
            b3 < presence.count 4
            b2 < ack 1 b2-1 user
            b3 < ack 1 b3-1 user
            -- 1200 ms
            alice < presence.count 6
            b1 < presence.count 6
            b2 < presence.count 6
            b3 < presence.count 6
        "#]],
    );
}

/// P7.3: when one that is listed leaves, another takes its place in the list.
#[test]
fn another_takes_a_place_in_the_list() {
    check(
        4,
        "
        alice attach
        bob attach
        bob presence data=1
        wait 1000
        m1 drop
        wait 200
        m2 absent
        wait 200
        m3 drop
        wait 200
        dave attach
        ",
        expect![[r#"
            -- 1000 ms
            alice < attached #0 anew, here: m1-1 user; m2-1 user; m3-1 user, 4 in all
            alice < caught-up #0
            bob < attached #0 anew, here: m1-1 user; m2-1 user; m3-1 user, 4 in all
            bob < caught-up #0
            alice < presence.count 5
            bob < presence.count 5
            bob | ack 1 bob-1 user 1
            -- 2000 ms
            alice < presence.enter bob-1 user 1
            alice | presence.leave m1-1 user
            alice | presence.count 4
            bob < presence.enter bob-1 user 1
            bob | presence.leave m1-1 user
            bob | presence.count 4
            -- 2200 ms
            alice < presence.leave m2-1 user
            alice | presence.enter m4-1 user
            alice | presence.count 3
            bob < presence.leave m2-1 user
            bob | presence.enter m4-1 user
            bob | presence.count 3
            -- 2400 ms
            alice < presence.leave m3-1 user
            bob < presence.leave m3-1 user
            -- 2600 ms
            dave < attached #0 anew, here: bob-1 user 1; m4-1 user
            dave < caught-up #0
        "#]],
    );
}

/// P7.3: agents and supervisors come first: 20 more of them are listed.
#[test]
fn agents_are_listed_among_many() {
    check(
        4,
        "
        alice attach
        agent attach
        agent presence data='ready'
        wait 200
        agent presence data='busy'
        wait 200
        supervisor attach
        supervisor presence
        wait 200
        agent drop
        wait 200
        m1 drop
        ",
        expect![[r#"
            -- 1000 ms
            alice < attached #0 anew, here: m1-1 user; m2-1 user; m3-1 user, 4 in all
            alice < caught-up #0
            agent < attached #0 anew, here: m1-1 user; m2-1 user; m3-1 user, 4 in all
            agent < caught-up #0
            agent < presence.enter agent-1 agent 'ready'
            agent | presence.count 5
            agent | ack 1 agent-1 agent 'ready'
            alice < presence.enter agent-1 agent 'ready'
            alice | presence.count 5
            -- 1200 ms
            agent < presence.update agent-1 agent 'busy'
            agent | ack 2 agent-1 agent 'busy'
            alice < presence.update agent-1 agent 'busy'
            -- 1400 ms
            supervisor < attached #0 anew, here: agent-1 agent 'busy'; m1-1 user; m2-1 user;
                  m3-1 user, 5 in all
            supervisor < caught-up #0
            agent < presence.enter supervisor-1 supervisor
            agent | presence.count 6
            alice < presence.enter supervisor-1 supervisor
            alice | presence.count 6
            supervisor < presence.enter supervisor-1 supervisor
            supervisor | presence.count 6
            supervisor | ack 1 supervisor-1 supervisor
            -- 1600 ms
            alice < presence.leave agent-1 agent 'busy'
            alice | presence.count 5
            supervisor < presence.leave agent-1 agent 'busy'
            supervisor | presence.count 5
            -- 1800 ms
            alice < presence.leave m1-1 user
            alice | presence.count 4
            supervisor < presence.leave m1-1 user
            supervisor | presence.count 4
        "#]],
    );
}

/// P7.3: it is the same after a sleep: whoever was listed is, whoever was counted is not.
#[test]
fn a_crowd_over_a_sleep() {
    check(
        4,
        "
        alice attach
        bob attach
        bob presence data=1
        wait 1000
        evict
        bob presence data=2
        wait 200
        bob absent
        wait 200
        m1 drop
        wait 200
        dave attach
        ",
        expect![[r#"
            -- 1000 ms
            alice < attached #0 anew, here: m1-1 user; m2-1 user; m3-1 user, 4 in all
            alice < caught-up #0
            bob < attached #0 anew, here: m1-1 user; m2-1 user; m3-1 user, 4 in all
            bob < caught-up #0
            alice < presence.count 5
            bob < presence.count 5
            bob | ack 1 bob-1 user 1
            -- 2000 ms
            bob < ack 2 bob-1 user 2
            -- 2200 ms
            alice < presence.count 4
            bob < presence.count 4
            bob | ack 3 bob-1 user 2
            -- 2400 ms
            alice < presence.leave m1-1 user
            alice | presence.enter m4-1 user
            alice | presence.count 3
            bob < presence.leave m1-1 user
            bob | presence.enter m4-1 user
            bob | presence.count 3
            -- 2600 ms
            dave < attached #0 anew, here: m2-1 user; m3-1 user; m4-1 user
            dave < caught-up #0
        "#]],
    );
}

/// P7.2: who is silent is counted no longer.
#[test]
fn silent_members_of_a_crowd() {
    check(
        3,
        "
        alice attach
        bob attach
        bob presence
        wait 20000
        bob pings
        wait 10000
        alice brief presence
        wait 20001
        alice brief presence
        wait 1000
        ",
        expect![[r#"
            -- 1000 ms
            alice < attached #0 anew, here: m1-1 user; m2-1 user; m3-1 user
            alice < caught-up #0
            bob < attached #0 anew, here: m1-1 user; m2-1 user; m3-1 user
            bob < caught-up #0
            alice < presence.count 4
            bob < presence.count 4
            bob | ack 1 bob-1 user
            -- 31000 ms
            alice < presence.enter bob-1 user
            alice | presence.leave m1-1 user
            alice | presence.leave m2-1 user
            alice | presence.leave m3-1 user
            alice | presence.count 1
            bob < presence.enter bob-1 user
            bob | presence.leave m1-1 user
            bob | presence.leave m2-1 user
            bob | presence.leave m3-1 user
            bob | presence.count 1
            alice = 200 presence: , presenceCount=1
            -- 51001 ms
            alice < presence.leave bob-1 user
            bob < presence.leave bob-1 user
            alice = 200 presence: 
        "#]],
    );
}

/// P7.2: a counted member that was silent for too long is told so, and nobody else: it comes again.
#[test]
fn a_counted_member_that_was_silent_is_told() {
    check(
        3,
        "
        alice attach
        bob attach
        bob presence
        wait 29000
        m1 pings
        m2 pings
        m3 pings
        ---
        wait 1000
        alice brief presence
        bob presence
        wait 200
        ",
        expect![[r#"
            -- 31000 ms
            alice < presence.count 3
            bob < presence.leave bob-1 user
            bob | presence.count 3
            alice = 200 presence: m1-1 user; m2-1 user; m3-1 user
            bob < ack 2 bob-1 user
            -- 31200 ms
            alice < presence.count 4
            bob < presence.count 4
        "#]],
    );
}

/// P2.6: a fresh token may make an agent of whoever was counted.
#[test]
fn a_counted_member_by_another_role() {
    check(
        3,
        "
        alice attach
        bob attach
        bob presence
        wait 1000
        bob renew name=Bobby
        wait 1000
        m1 drop
        wait 200
        ",
        expect![[r#"
            -- 1000 ms
            alice < attached #0 anew, here: m1-1 user; m2-1 user; m3-1 user
            alice < caught-up #0
            bob < attached #0 anew, here: m1-1 user; m2-1 user; m3-1 user
            bob < caught-up #0
            alice < presence.count 4
            bob < presence.count 4
            bob | ack 1 bob-1 user
            -- 2000 ms
            bob < ack 2 {"at":"+2000","expiresAt":"+31536002000"}
            -- 3000 ms
            alice < presence.enter bob-1 user Bobby
            alice | presence.leave m1-1 user
            alice | presence.count 3
            bob < presence.enter bob-1 user Bobby
            bob | presence.leave m1-1 user
            bob | presence.count 3
        "#]],
    );
}
