//! Messages that retention has to leave behind, and how many (P11.2).

use crate::world::World;
use expect_test::expect;
use sessile::protocol::limits::Limits;

/// P11.2: every message that stays is listed; where more than 1 000 would have to, retention goes
/// no further.
#[test]
fn all_that_stays_is_listed() {
    let mut world = World::new(Limits {
        messages_burst: 1_000_000,
        frames_burst: 1_000_000,
        ..Limits::default()
    });
    world.run(
        "
        admin patch {\"retentionMs\":100000}
        agent attach names=none
        alice attach
        agent start t1 lease=600000
        alice post publish 'first'
        agent repeats 1000 publish 'a' turn=t1
        alice post publish 'second'
        agent publish 'a' turn=t1
        alice post publish 'third'
        ---
        wait 200000
        ",
    );
    let trims = world.output.split(" trim before ").skip(1);
    let kept: Vec<usize> = trims.map(|trim| trim.matches('#').count() - 1).collect();
    assert_eq!(kept, [1000, 1000], "messages that each reader keeps");
    world.run("---\neve brief messages after=#1000");
    expect![[r#"
        -- 200000 ms
        eve = 200 turns: t1 active agent, messages: #1001 agent turn=t1 'a'; #1002 agent
              turn=t1 'a'; #1004 agent turn=t1 'a'; #1005 alice 'third'
    "#]]
    .assert_eq(&world.output);
}
