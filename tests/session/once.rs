//! An `id` that comes again: on the frame that it stands for, and on another target (P13.1).

use crate::world::check;
use expect_test::expect;

/// P13.1: an `id` that comes again on another message is refused, and nothing is hidden: the
/// text that it brought would be nowhere.
#[test]
fn an_id_on_another_message() {
    check(
        "
        alice attach window=0
        alice publish 'a' streaming and 'b' streaming
        alice publish 'c' and 'd'
        alice append #1 'A' id=x
        alice update #3 'C' id=x
        alice delete #3 id=x
        ---
        alice append #2 'B' id=x
        alice update #4 'D' id=x
        alice delete #4 id=x
        bob brief messages
        alice append #1 'A' id=x
        alice update #3 'C' id=x
        alice delete #3 id=x
        ",
        expect![[r#"
            alice < nack 6 conflict: unable to append; id x was used for something else
            alice < nack 7 conflict: unable to update; id x was used for something else
            alice < nack 8 conflict: unable to delete; id x was used for something else
            bob = 200 messages: #4 alice 'd'; #3 v#7 alice deleted; #2 alice 'b' streaming; #1
                  v#5 alice 'aA' streaming
            alice < ack 9 #1 v#5 duplicate
            alice < ack 10 #3 v#7 duplicate
            alice < ack 11 #3 v#7 duplicate
        "#]],
    );
}

/// P13.1: a message that there is not is not there, whatever the `id` stands for.
#[test]
fn an_id_on_no_message() {
    check(
        "
        alice attach window=0
        alice publish 'a' and 'b'
        alice delete #1 id=x
        ---
        alice delete #9 id=x
        alice update #9 'B' id=x
        alice delete #1 id=x
        ",
        expect![[r#"
            alice < nack 3 not-found: unable to delete; there is no message #9
            alice < nack 4 not-found: unable to update; there is no message #9
            alice < ack 5 #1 v#3 duplicate
        "#]],
    );
}

/// P13.1: an `id` gives nobody a right, and its repeat is answered after the end of the message.
#[test]
fn an_id_gives_no_right() {
    check(
        "
        alice attach window=0
        bob attach window=0
        alice publish 'a' and 'b' streaming
        alice update #1 'A' id=x
        alice append #2 'B' id=y
        alice append #2 'B' complete
        bob publish 'mine'
        ---
        bob update #1 'C' id=x
        alice append #2 'B' id=y
        ",
        expect![[r#"
            bob < nack 2 forbidden: unable to update; the token lacks the operation edit for
                  session s1, it has read, publish, presence, cancel, steer, approve, state,
                  annotate, push
            alice < ack 5 #2 v#5 duplicate
        "#]],
    );
}

/// P13.1: an `id` on another turn is refused too: that turn has not ended, nor is it suspended.
#[test]
fn an_id_on_another_turn() {
    check(
        "
        agent attach window=0
        agent start t1
        agent start t2
        agent suspend t1 reason=r id=x
        agent resume t1 id=x
        agent heartbeat t1 id=x
        agent adopt t1 id=x keep
        agent end t1 complete id=x
        ---
        agent suspend t2 reason=r id=x
        agent resume t2 id=x
        agent heartbeat t2 id=x
        agent adopt t2 id=x keep
        agent end t2 complete id=x
        agent end t1 complete id=x
        alice brief turns all
        ",
        expect![[r#"
            agent < nack 8 conflict: unable to suspend the turn; id x was used for something
                  else
            agent < nack 9 conflict: unable to resume the turn; id x was used for something else
            agent < nack 10 conflict: unable to renew the lease; id x was used for something
                  else
            agent < nack 11 conflict: unable to adopt the turn; id x was used for something else
            agent < nack 12 conflict: unable to end the turn; id x was used for something else
            agent < ack 13 t1 complete agent attempt=2 duplicate
            alice = 200 turns: t2 active agent; t1 complete agent attempt=2
        "#]],
    );
}

/// P13.1: one of a cancel that names something else cancels nothing, and says so.
#[test]
fn an_id_of_a_cancel_on_another_target() {
    check(
        "
        agent attach window=0
        alice attach window=0 names=none
        alice publish 'a'
        agent start t1 input=#1
        agent start t2
        alice cancel turn=t1 id=x
        alice cancel all id=y
        agent start t3
        ---
        alice cancel turn=t3 id=x
        alice cancel all id=x
        alice cancel input=#1 id=x
        alice cancel turn=t3 id=y
        alice cancel turn=t1 id=x
        alice cancel all id=y
        alice brief turns
        ",
        expect![[r#"
            alice < nack 4 conflict: unable to cancel; id x was used for something else
            alice < nack 5 conflict: unable to cancel; id x was used for something else
            alice < nack 6 conflict: unable to cancel; id x was used for something else
            alice < nack 7 conflict: unable to cancel; id y was used for something else
            alice < ack 8 [t1 active agent input=#1 cancel=alice] duplicate
            alice < ack 9 [t1 active agent input=#1 cancel=alice; t2 active agent cancel=alice;
                  t3 active agent] duplicate
            alice = 200 turns: t1 active agent input=#1 cancel=alice; t2 active agent
                  cancel=alice; t3 active agent
        "#]],
    );
}

/// P13.1: nor does one of another instruction hide it.
#[test]
fn an_id_of_another_instruction() {
    check(
        "
        agent attach window=0
        alice attach window=0
        agent start t1
        agent start t2
        alice steer t1 'faster' id=x
        alice steer t1 'louder'
        agent steered t1 #3 id=y
        ---
        alice steer t2 'faster' id=x
        agent steered t1 #4 id=y
        alice steer t1 'faster' id=x
        agent steered t1 #3 id=y
        alice holds
        ",
        expect![[r#"
            alice < nack 3 conflict: unable to steer; id x was used for something else
            agent < nack 4 conflict: unable to take the steer; id y was used for something else
            alice < ack 4 #3 in t1 active agent duplicate
            agent < ack 5 t1 active agent duplicate
            alice holds #3 "faster" taken
            alice holds #4 "louder" waiting
        "#]],
    );
}

/// P13.1: an `id` is its client's own, and a frame's: another type of frame may have it too.
#[test]
fn ids_are_each_clients_own() {
    check(
        "
        alice attach window=0
        bob attach window=0
        alice publish 'a'
        bob publish 'b'
        alice update #1 'A' id=x
        bob update #2 'B' id=x
        ---
        alice update #1 'A' id=x
        bob update #2 'B' id=x
        alice delete #1 id=x
        ",
        expect![[r#"
            alice < ack 3 #1 v#3 duplicate
            bob < ack 3 #2 v#4 duplicate
            alice < delete #1 v#5
            alice | ack 4 #1 v#5
            bob < delete #1 v#5
        "#]],
    );
}
