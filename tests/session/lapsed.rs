//! Whoever has a token that expired is obeyed in nothing (P2.6), though nobody tells it.

use crate::world::check;
use expect_test::expect;

/// P2.6, P6.8, P7.2: its pings, which the platform answers, keep no turn and nobody's presence.
#[test]
fn pings_after_the_token_expired_are_no_signs_of_life() {
    check(
        "
        alice attach rewind=0
        agent attach rewind=0 expires=20000
        agent presence
        agent start t1 lease=15000
        evict
        wait 14000
        agent pings
        wait 10000
        agent pings
        ---
        wait 10000
        alice brief turns
        wait 10000
        alice get presence
        ",
        expect![[r#"
            -- 29000 ms
            agent x 4401 the token expired
            alice < turn.end #2 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            alice < presence.leave agent-1 agent
            -- 34000 ms
            alice = 200 turns: 
            -- 44000 ms
            alice = 200 {"presence":[]}
        "#]],
    );
}
