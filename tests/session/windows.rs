//! How long a window is, and what keeps a timer (P5.4).

use crate::world::{World, check};
use expect_test::expect;
use sessile::protocol::limits::Limits;

/// P5.4: while nobody else reads, the window is `unwatchedWindowMs`.
#[test]
fn nobody_watches() {
    check(
        "
        agent attach window=0
        agent publish '' streaming
        agent append #1 'a'
        ---
        wait 100
        agent append #1 'b'
        timer
        wait 150
        wait 250
        admin patch {\"unwatchedWindowMs\":10}
        agent append #1 'c'
        + agent append #1 'd'
        wait 9
        agent append #1 'e'
        timer
        ",
        expect![[r#"
            timer: Some(150)
            -- 250 ms
            agent < ack 3 #1 v#3
            -- 500 ms
            admin = 200 {"settings":{"unwatchedWindowMs":10}}
            agent < ack 4 #1 v#4
            agent | ack 5 #1 v#4
            timer: Some(1)
        "#]],
    );
}

/// P5.4: the connection that leads a turn is no reader of it, whatever carries its text.
#[test]
fn who_leads_does_not_watch() {
    check(
        "
        agent attach window=0
        agent start t1
        agent/body attach body
        agent/body publish '' streaming turn=t1 attempt=1
        agent/body append #2 'a' attempt=1
        wait 0
        ---
        wait 100
        agent/body append #2 'b' attempt=1
        timer
        wait 150
        alice attach window=20 rewind=0
        agent/body append #2 'c' attempt=1
        timer
        ",
        expect![[r#"
            timer: Some(150)
            -- 250 ms
            agent < append #2 v#4 @1 'b'
            agent/body < ack 3 #2 v#4
            alice < attached #4 anew, has older, turns: t1 active agent
            alice < create #2 v#4 agent turn=t1 'ab' streaming
            alice < caught-up #4
            timer: Some(20)
        "#]],
    );
}

/// P5.4: a reader who follows other names does not watch.
#[test]
fn readers_of_other_names_do_not_count() {
    check(
        "
        agent attach
        alice attach window=0 names=progress
        agent publish '' streaming name=answer
        agent append #1 'a'
        ---
        wait 100
        agent append #1 'b'
        timer
        ",
        expect![[r#"
            timer: Some(150)
        "#]],
    );
}

/// P5.4: a reader who comes shortens the window, and has what was pending.
#[test]
fn a_reader_who_comes_shortens_the_window() {
    check(
        "
        agent attach
        agent publish '' streaming
        agent append #1 'a'
        wait 10
        agent append #1 'b'
        ---
        alice attach window=0
        agent append #1 'c'
        + timer
        wait 1
        ",
        expect![[r#"
            -- 10 ms
            alice < attached #2 anew
            alice < create #1 v#2 agent 'a' streaming
            alice < caught-up #2
            agent < ack 3 #1 v#3
            alice < append #1 v#3 @1 'b'
            timer: Some(0)
            agent < ack 4 #1 v#4
            alice < append #1 v#4 @2 'c'
        "#]],
    );
}

/// P5.4: a window is raised to `minRollupMs`.
#[test]
fn a_session_may_set_the_shortest_window() {
    check(
        "
        admin patch {\"minRollupMs\":100}
        agent attach
        alice attach window=0
        agent publish '' streaming
        agent append #1 'a'
        ---
        wait 10
        agent append #1 'b'
        timer
        wait 90
        ",
        expect![[r#"
            timer: Some(90)
            -- 100 ms
            agent < ack 3 #1 v#3
            alice < append #1 v#3 @1 'b'
        "#]],
    );
}

/// P5.4: `minRollupMs` raises windows, it never lowers one.
#[test]
fn a_longer_window_stays() {
    check(
        "
        admin patch {\"minRollupMs\":100}
        agent attach
        alice attach window=300
        agent publish '' streaming
        agent append #1 'a'
        ---
        wait 100
        agent append #1 'b'
        wait 200
        ",
        expect![[r#"
            -- 300 ms
            agent < ack 3 #1 v#3
            alice < append #1 v#3 @1 'b'
        "#]],
    );
}

/// P3.7: a window that holds nothing for anybody keeps no timer.
#[test]
fn a_timer_runs_only_while_something_waits() {
    check(
        "
        agent attach
        alice attach window=40
        timer
        agent publish '' streaming
        timer
        agent append #1 'a'
        wait 10
        agent append #1 'b'
        timer
        wait 30
        timer
        ",
        expect![[r#"
            agent < attached #0 anew
            agent < caught-up #0
            alice < attached #0 anew
            alice < caught-up #0
            timer: None
            agent < create #1 agent '' streaming
            agent | ack 1 #1
            alice < create #1 agent '' streaming
            timer: None
            agent < ack 2 #1 v#2
            alice < append #1 v#2 @0 'a'
            timer: Some(30)
            -- 40 ms
            agent < ack 3 #1 v#3
            alice < append #1 v#3 @1 'b'
            timer: None
        "#]],
    );
}

/// P5.4: a clock that jumps back holds nothing back for longer than a window.
#[test]
fn a_clock_that_jumps_back_holds_nothing_back() {
    check(
        "
        agent attach
        alice attach window=40
        agent publish '' streaming
        agent append #1 'a'
        ---
        clock -3600000
        agent append #1 'b'
        wait 500
        agent append #1 'c'
        wait 40
        ",
        expect![[r#"
            -- 500 ms
            agent < ack 3 #1 v#3
            alice < append #1 v#3 @1 'b'
            -- 540 ms
            agent < ack 4 #1 v#4
            alice < append #1 v#4 @2 'c'
        "#]],
    );
}

/// P5.4: a clock that jumps back in the middle of a window does not either.
#[test]
fn a_clock_that_jumps_back_within_a_window() {
    check(
        "
        agent attach
        alice attach window=40
        agent publish '' streaming
        agent append #1 'a'
        wait 10
        agent append #1 'b'
        ---
        clock -3600000
        wait 500
        ",
        expect![[r#"
            -- 40 ms
            agent < ack 3 #1 v#3
            alice < append #1 v#3 @1 'b'
        "#]],
    );
}

/// P5.4: a reader who leaves with text held for it leaves no timer.
#[test]
fn a_reader_who_leaves_takes_its_window_along() {
    check(
        "
        agent attach
        alice attach window=500
        bob attach window=0
        agent publish '' streaming
        agent append #1 'a'
        wait 10
        agent append #1 'b'
        wait 1
        timer
        alice drop
        timer
        ",
        expect![[r#"
            agent < attached #0 anew
            agent < caught-up #0
            alice < attached #0 anew
            alice < caught-up #0
            bob < attached #0 anew
            bob < caught-up #0
            agent < create #1 agent '' streaming
            agent | ack 1 #1
            alice < create #1 agent '' streaming
            bob < create #1 agent '' streaming
            agent < ack 2 #1 v#2
            alice < append #1 v#2 @0 'a'
            bob < append #1 v#2 @0 'a'
            -- 10 ms
            agent < ack 3 #1 v#3
            bob < append #1 v#3 @1 'b'
            timer: Some(489)
            timer: None
        "#]],
    );
}

/// P5.4: a window is raised by one millisecond for every 25 readers.
#[test]
fn a_crowd_raises_every_window() {
    let crowd: String = (0..50)
        .map(|index| format!("reader{index} attach window=0\n"))
        .collect();
    let script = format!(
        "
        agent attach
        {crowd}
        agent publish '' streaming
        agent append #1 'a'
        ---
        agent append #1 'b'
        + timer
        "
    );
    check(
        &script,
        expect![[r#"
        timer: Some(2)
    "#]],
    );
}

/// P5.4: 150 tokens a second for four seconds, at windows 0, 40 and 500: so many frames each.
#[test]
fn windows_bound_the_frames_of_a_stream() {
    let mut world = World::new(Limits::default());
    world.run(
        "
        agent attach
        zero attach window=0
        forty attach window=40
        half attach window=500
        agent publish '' streaming
        ---
        ",
    );
    for token in 0..600 {
        let rest = if token % 3 == 0 { 6 } else { 7 };
        world.run(&format!(
            "agent append #1 't{token} ' seq={}\nwait {rest}",
            token + 1
        ));
    }
    let count = |name: &str| {
        let start = format!("{name} < append");
        world
            .output
            .lines()
            .filter(|line| line.starts_with(&start))
            .count()
    };
    let counts = format!("{} {} {}", count("zero"), count("forty"), count("half"));
    expect!["600 101 9"].assert_eq(&counts);
}
