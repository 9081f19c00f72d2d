//! How presence is told: changes put together, five times a second (P7.3).

use crate::world::check;
use expect_test::expect;

/// P7.3: at most five times a second; the first change goes at once, what follows is put
/// together, member by member.
#[test]
fn five_times_a_second() {
    check(
        "
        alice attach
        bob attach
        carol attach
        ---
        alice presence data=1
        timer
        wait 50
        bob presence data=1
        timer
        wait 50
        bob presence data=2
        alice presence data=2
        wait 50
        alice presence data=3
        carol presence
        wait 50
        timer
        wait 500
        alice presence data=4
        ",
        expect![[r#"
            alice < presence.enter alice-1 user 1
            alice | ack 1 alice-1 user 1
            bob < presence.enter alice-1 user 1
            carol < presence.enter alice-1 user 1
            timer: None
            -- 50 ms
            bob < ack 1 bob-1 user 1
            timer: Some(150)
            -- 100 ms
            bob < ack 2 bob-1 user 2
            alice < ack 2 alice-1 user 2
            -- 150 ms
            alice < ack 3 alice-1 user 3
            carol < ack 1 carol-1 user
            -- 200 ms
            alice < presence.update alice-1 user 3
            alice | presence.enter bob-1 user 2
            alice | presence.enter carol-1 user
            bob < presence.update alice-1 user 3
            bob | presence.enter bob-1 user 2
            bob | presence.enter carol-1 user
            carol < presence.update alice-1 user 3
            carol | presence.enter bob-1 user 2
            carol | presence.enter carol-1 user
            timer: None
            -- 700 ms
            alice < presence.update alice-1 user 4
            alice | ack 4 alice-1 user 4
            bob < presence.update alice-1 user 4
            carol < presence.update alice-1 user 4
        "#]],
    );
}

/// P7.3: what came and went within that time was never there; what left and came again is an
/// update.
#[test]
fn changes_put_together() {
    check(
        "
        alice attach
        bob attach
        carol attach
        bob presence data=1
        ---
        carol presence
        carol absent
        bob absent
        bob presence data=2
        timer
        wait 200
        timer
        ",
        expect![[r#"
            carol < ack 1 carol-1 user
            carol < ack 2 carol-1 user
            bob < ack 2 bob-1 user 1
            bob < ack 3 bob-1 user 2
            timer: Some(200)
            -- 200 ms
            alice < presence.update bob-1 user 2
            bob < presence.update bob-1 user 2
            carol < presence.update bob-1 user 2
            timer: None
        "#]],
    );
}

/// P7.3: so is a connection that came, entered and closed.
#[test]
fn a_short_visit() {
    check(
        "
        alice attach
        alice presence
        bob attach
        bob presence
        bob drop
        ---
        wait 200
        alice brief presence
        ",
        expect![[r#"
            -- 200 ms
            alice = 200 presence: alice-1 user
        "#]],
    );
}

/// P3.4, P7.3: whoever attaches while something is still to be told has it in `attached`, and is
/// not told again.
#[test]
fn a_newcomer_is_told_once() {
    check(
        "
        alice attach
        alice presence data=1
        wait 50
        bob attach
        bob presence
        ---
        wait 50
        carol attach
        wait 1000
        carol members
        ",
        expect![[r#"
            -- 100 ms
            carol < attached #0 anew, here: alice-1 user 1; bob-1 user
            carol < caught-up #0
            -- 200 ms
            alice < presence.enter bob-1 user
            bob < presence.enter bob-1 user
            carol sees alice-1 user 1
            carol sees bob-1 user
        "#]],
    );
}

/// P7.3: a newcomer was listed somebody who leaves before the others are told of it.
#[test]
fn a_newcomer_saw_who_was_never_there() {
    check(
        "
        alice attach
        alice presence
        bob attach
        bob presence
        carol attach
        ---
        bob absent
        wait 1000
        alice members
        carol members
        ",
        expect![[r#"
            bob < ack 2 bob-1 user
            -- 200 ms
            carol < presence.leave bob-1 user
            alice sees alice-1 user
            carol sees alice-1 user
        "#]],
    );
}

/// P7.3: a newcomer was listed somebody who changes before the others are told of it.
#[test]
fn a_newcomer_saw_who_was_not_told() {
    check(
        "
        alice attach
        alice presence
        bob attach
        bob presence data=1
        carol attach
        ---
        bob presence data=2
        wait 1000
        alice members
        carol members
        ",
        expect![[r#"
            bob < ack 2 bob-1 user 2
            -- 200 ms
            alice < presence.enter bob-1 user 2
            bob < presence.enter bob-1 user 2
            carol < presence.update bob-1 user 2
            alice sees alice-1 user
            alice sees bob-1 user 2
            carol sees alice-1 user
            carol sees bob-1 user 2
        "#]],
    );
}

/// P7.3: a newcomer was not listed somebody who comes again before the others know it left.
#[test]
fn a_newcomer_saw_who_had_left() {
    check(
        "
        alice attach
        bob attach
        bob presence data=1
        bob absent
        carol attach
        dave attach
        dave presence
        ---
        bob presence data=2
        bob drop
        eve attach
        wait 1000
        alice members
        carol members
        ",
        expect![[r#"
            bob < ack 3 bob-1 user 2
            eve < attached #0 anew, here: dave-1 user
            eve < caught-up #0
            -- 200 ms
            alice < presence.leave bob-1 user 2
            alice | presence.enter dave-1 user
            carol < presence.enter dave-1 user
            dave < presence.enter dave-1 user
            alice sees dave-1 user
            carol sees dave-1 user
        "#]],
    );
}

/// P7.3: a newcomer was not listed somebody who had left, and that somebody comes again.
#[test]
fn a_newcomer_saw_who_comes_again() {
    check(
        "
        alice attach
        bob attach
        bob presence data=1
        bob absent
        carol attach
        ---
        bob presence data=2
        wait 1000
        carol members
        ",
        expect![[r#"
            bob < ack 3 bob-1 user 2
            -- 200 ms
            alice < presence.update bob-1 user 2
            bob < presence.update bob-1 user 2
            carol < presence.enter bob-1 user 2
            carol sees bob-1 user 2
        "#]],
    );
}

/// P7.3: a flood of changes of many members is one telling.
#[test]
fn many_changes() {
    check(
        "
        alice attach
        bob attach
        alice presence data=0
        ---
        alice repeats 5 presence data=1 noref
        bob repeats 3 presence data=2 noref
        alice presence data=9 noref
        wait 199
        timer
        wait 1
        wait 1000
        timer
        ",
        expect![[r#"
            timer: Some(1)
            -- 200 ms
            alice < presence.update alice-1 user 9
            alice | presence.enter bob-1 user 2
            bob < presence.update alice-1 user 9
            bob | presence.enter bob-1 user 2
            timer: None
        "#]],
    );
}

/// P5.4: what is told of presence waits for no rollup window, and no window for it.
#[test]
fn presence_and_text() {
    check(
        "
        agent attach rewind=0
        alice attach window=500
        alice presence data=0
        agent publish 'a' streaming
        agent append #1 'b'
        ---
        agent append #1 'c'
        agent presence
        wait 200
        alice absent
        wait 400
        ",
        expect![[r#"
            -- 200 ms
            agent < presence.enter agent-1 agent
            alice < presence.enter agent-1 agent
            alice < ack 2 alice-1 user 0
            -- 400 ms
            agent < presence.leave alice-1 user 0
            alice < presence.leave alice-1 user 0
            -- 500 ms
            agent < ack 3 #1 v#3
            agent | ack 4 agent-1 agent
            alice < append #1 v#3 @2 'c'
        "#]],
    );
}

/// P7.3: a clock that jumps back holds nothing back for longer.
#[test]
fn a_clock_that_jumps_back() {
    check(
        "
        alice attach
        bob attach
        alice presence data=1
        ---
        clock -3600000
        alice presence data=2
        wait 100
        alice presence data=3
        wait 100
        ",
        expect![[r#"
            alice < presence.update alice-1 user 2
            alice | ack 2 alice-1 user 2
            bob < presence.update alice-1 user 2
            -- 100 ms
            alice < ack 3 alice-1 user 3
            -- 200 ms
            alice < presence.update alice-1 user 3
            bob < presence.update alice-1 user 3
        "#]],
    );
}

/// P7.3: nothing is told of presence while the session is being deleted.
#[test]
fn presence_of_a_deleted_session() {
    check(
        "
        alice attach
        alice presence data=1
        bob attach
        bob presence
        ---
        admin erase
        wait 1000
        carol attach
        ",
        expect![[r#"
            alice x 4410 the session was deleted
            bob x 4410 the session was deleted
            erased
            admin = 200 {}
            -- 1000 ms
            carol < attached b#0 anew
            carol < caught-up b#0
        "#]],
    );
}

/// P7.3: the same when its connection is gone.
#[test]
fn a_newcomer_saw_who_is_gone() {
    check(
        "
        alice attach
        alice presence
        bob attach
        bob presence
        carol attach
        ---
        bob drop
        wait 1000
        alice members
        carol members
        ",
        expect![[r#"
            -- 200 ms
            carol < presence.leave bob-1 user
            alice sees alice-1 user
            carol sees alice-1 user
        "#]],
    );
}
