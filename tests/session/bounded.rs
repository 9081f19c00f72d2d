//! The amount that one input may make the session read (P13.4).

use crate::world::{World, check_with};
use expect_test::expect;
use sessile::protocol::limits::Limits;
use sessile::store::sql::Sql;

fn unhurried() -> Limits {
    Limits {
        messages_per_second: 1_000_000,
        messages_burst: 1_000_000,
        frames_per_second: 1_000_000,
        frames_burst: 1_000_000,
        ..Limits::default()
    }
}

/// P3.6: who was away for more entries than a replay looks at begins anew, be they all of one
/// message.
#[test]
fn many_entries_are_too_many_to_resume_over() {
    check_with(
        unhurried(),
        "
        alice attach
        alice publish 'x'
        alice repeats 4000 update #1 'y'
        ---
        bob attach since=#1
        bob drop
        alice update #1 'z'
        bob attach since=#1
        ",
        expect![[r#"
            bob < attached #4001 resumed, has older
            bob < update #1 v#4001 alice 'y'
            bob < caught-up #4001
            alice < update #1 v#4002 alice 'z'
            alice | ack 4002 #1 v#4002
            bob < attached #4002 anew (unable to resume; more was missed than a replay may
                  bring)
            bob < create #1 v#4002 alice 'z'
            bob < caught-up #4002
        "#]],
    );
}

/// P3.6: whether a reader may resume is known before what it missed is read.
#[test]
fn what_is_not_sent_is_not_read() {
    let mut world = World::new(unhurried());
    let steps = |world: &World| world.host.disk.0.steps();
    world.run(
        "
        alice attach window=0
        alice publish 'x'
        alice repeats 1100 publish 'y'
        ",
    );
    let rows = world.host.disk.0.rows_read();
    let before = steps(&world);
    world.run("bob attach since=#1 rewind=0");
    assert!(world.output.contains("bob < attached #1101 anew"));
    let rows = world.host.disk.0.rows_read() - rows;
    assert!(rows < 20, "{rows} rows were given to the session");
    let few = steps(&world) - before;
    world.run("alice repeats 5000 publish 'y'");
    let before = steps(&world);
    world.run("bob attach since=#1 rewind=0");
    let many = steps(&world) - before;
    assert!(many <= few + few / 50 + 10, "{few} steps, then {many}");
}

/// P3.6: so is how many messages changed, and how long those are that would come whole.
#[test]
fn changes_that_are_not_sent_are_not_read() {
    let mut world = World::new(unhurried());
    world.run(
        "
        alice attach window=0 names=none
        alice repeats 600 publish 'x'
        alice repeats 600 publish 'y'
        ",
    );
    for place in 1..=600 {
        world.run(&format!("alice update #{place} 'X'"));
    }
    let rows = world.host.disk.0.rows_read();
    world.run("bob attach since=#600 rewind=0");
    assert!(world.output.contains("bob < attached #1800 anew"));
    let rows = world.host.disk.0.rows_read() - rows;
    assert!(rows < 620, "{rows} rows were given to the session");
    for place in 1..=20 {
        let text = "z".repeat(250_000);
        world.run(&format!("wait 200\nalice update #{place} '{text}'"));
    }
    let reads = world.host.disk.0.reads();
    world.run("bob drop\n---\nbob attach since=#1800 rewind=0");
    assert!(world.output.contains("bob < attached #1820 anew"));
    let reads = world.host.disk.0.reads() - reads;
    assert!(reads < 20, "{reads} statements read");
}

/// P6.8: a turn that said more than one step may take back is adopted with all of it, or not.
#[test]
fn a_turn_that_said_very_much_is_adopted_with_keep() {
    check_with(
        unhurried(),
        "
        agent attach rewind=0
        agent start t1
        agent repeats 1001 publish 'x' turn=t1
        ---
        agent/2 attach rewind=0
        agent/2 adopt t1
        agent/2 adopt t1 keep
        ",
        expect![[r#"
            agent/2 < attached #1002 anew, has older, turns: t1 active agent
            agent/2 < caught-up #1002
            agent/2 < nack 1 over-limit: unable to adopt the turn; turn t1 has more than 1000
                  messages, which are too many to take back: adopt it with keep
            agent < turn.adopt #1003 t1 active agent attempt=2
            agent/2 < turn.adopt #1003 t1 active agent attempt=2
            agent/2 | ack 2 t1 active agent attempt=2
        "#]],
    );
}
