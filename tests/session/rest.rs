//! A session at rest expires, and one with an open turn never is (P11.2).

use crate::world::check;
use expect_test::expect;

/// P11.2: the last turn that is open waits, so no lease rings: its end sets the alarm.
#[test]
fn a_session_comes_to_rest_with_a_turn_that_waited() {
    check(
        "
        admin patch {\"onInput\":\"queue\",\"idleExpiryMs\":60000}
        agent attach
        alice attach
        alice publish 'q'
        agent start t1 input=#1
        alice publish 'later'
        agent end t1 complete
        wait 100000
        evict
        alarm
        ---
        alice cancel all
        alarm
        wait 60000
        tables
        ",
        expect![[r#"
            -- 100000 ms
            agent < turn.cancel #6 turn-#4 queued input=#3 cancel=alice
            agent | turn.end #7 turn-#4 cancelled input=#3 cancel=alice
            alice < turn.cancel #6 turn-#4 queued input=#3 cancel=alice
            alice | turn.end #7 turn-#4 cancelled input=#3 cancel=alice
            alice | ack 3 [turn-#4 cancelled input=#3 cancel=alice]
            alarm: Some(60000)
            -- 160000 ms
            agent x 4410 the session was deleted
            alice x 4410 the session was deleted
            erased
            tables: 0
        "#]],
    );
}
