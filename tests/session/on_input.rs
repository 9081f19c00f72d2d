//! Inputs that come while another is answered (P10.3), by the setting `onInput`.

use crate::world::{check, check_with};
use expect_test::expect;
use sessile::protocol::limits::Limits;

/// P6.6, P10.3: what an input interrupts itself does not stand in its way.
#[test]
fn an_interrupting_input_is_not_rejected() {
    check(
        "
        admin patch {\"onInput\":\"reject\"}
        agent attach
        alice attach
        alice publish 'one'
        agent start t1 input=#1
        ---
        alice publish 'two'
        alice publish 'two' interrupt=t1
        alice publish 'three' interrupt=true
        ",
        expect![[r#"
            alice < nack 2 busy: unable to publish; session s1 answers another input
            agent < turn.cancel #3 t1 active agent input=#1 cancel=alice
            agent | create #4 alice 'two'
            alice < turn.cancel #3 t1 active agent input=#1 cancel=alice
            alice | create #4 alice 'two'
            alice | ack 3 #4
            agent < create #5 alice 'three'
            alice < create #5 alice 'three'
            alice | ack 4 #5
        "#]],
    );
}

/// P14: inputs that wait are open turns, also those of one publish.
#[test]
fn open_turns_are_counted_in_one_publish() {
    let limits = Limits {
        open_turns: 2,
        ..Limits::default()
    };
    check_with(
        limits,
        "
        admin patch {\"onInput\":\"queue\"}
        agent attach
        alice attach
        alice publish 'one'
        agent start t1 input=#1
        ---
        alice publish 'two' and 'three'
        alice publish 'two'
        ",
        expect![[r#"
            alice < nack 2 over-limit: unable to publish; 2 turns are open already
            agent < create #3 alice 'two'
            agent | turn.queue #4 turn-#4 queued input=#3
            alice < create #3 alice 'two'
            alice | turn.queue #4 turn-#4 queued input=#3
            alice | ack 3 #3
        "#]],
    );
}
