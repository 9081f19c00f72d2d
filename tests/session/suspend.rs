//! A turn that waits for something outside (P6.1, P6.3).

use crate::world::check;
use expect_test::expect;

/// P6.1: suspended, the turn has no lease; its reason is told, and gone when it goes on.
#[test]
fn a_turn_waits_for_something() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1 lease=1000
        ---
        agent suspend t1 reason=tool
        alarm
        wait 3600000
        agent resume t1
        agent suspend t1
        agent end t1 complete
        ",
        expect![[r#"
            agent < turn.suspend #2 t1 suspended agent reason=tool
            agent | ack 2 t1 suspended agent reason=tool
            alice < turn.suspend #2 t1 suspended agent reason=tool
            alarm: Some(1000)
            -- 3600000 ms
            agent < turn.resume #3 t1 active agent
            agent | ack 3 t1 active agent
            alice < turn.resume #3 t1 active agent
            agent < turn.suspend #4 t1 suspended agent
            agent | ack 4 t1 suspended agent
            alice < turn.suspend #4 t1 suspended agent
            agent < turn.end #5 t1 complete agent
            agent | ack 5 t1 complete agent
            alice < turn.end #5 t1 complete agent
        "#]],
    );
}

/// P6.1: a suspended turn is driven on: output, its end, by its leader.
#[test]
fn a_suspended_turn_still_speaks() {
    check(
        "
        agent attach
        agent start t1
        agent suspend t1
        ---
        agent publish 'waiting for the tool' turn=t1
        agent suspend t1 reason=again
        agent end t1 complete
        ",
        expect![[r#"
            agent < create #3 agent turn=t1 'waiting for the tool'
            agent | ack 3 #3
            agent < ack 4 t1 suspended agent
            agent < turn.end #4 t1 complete agent
            agent | ack 5 t1 complete agent
        "#]],
    );
}

/// P6.1: a turn suspended for `suspendMs` fails as abandoned, with nobody there.
#[test]
fn a_suspended_turn_is_abandoned() {
    check(
        "
        admin patch {\"suspendMs\":10000}
        agent attach
        agent start t1
        agent publish 'a' streaming turn=t1
        agent suspend t1
        agent drop
        evict
        wait 9999
        alice attach
        ---
        wait 1
        alice get turn t1
        alarm
        ",
        expect![[r#"
            -- 10000 ms
            alice < append #2 v#4 @1 '' failed
            alice | turn.end #5 t1 failed agent reason=abandoned error={"code":"abandoned",
                  "message":"the turn was suspended for too long"}
            alice = 200 {"turn":{"agent":"agent","attempt":1,"createdAt":"+0",
                  "endedAt":"+10000","error":{"code":"abandoned","message":"the turn was
                  suspended for too long"},"id":"t1","reason":"abandoned","startedAt":"+0",
                  "status":"failed"}}
            alarm: None
        "#]],
    );
}

/// P6.1: by default that is a week, and counts anew from each time.
#[test]
fn the_time_to_be_abandoned_begins_anew() {
    check(
        "
        admin patch {\"suspendMs\":10000}
        agent attach
        agent start t1
        agent suspend t1
        wait 9000
        agent resume t1
        agent suspend t1
        ---
        alarm
        wait 9999
        agent brief turns
        wait 1
        ",
        expect![[r#"
            alarm: Some(1000)
            -- 18999 ms
            agent = 200 turns: t1 suspended agent
            -- 19000 ms
            agent < turn.end #5 t1 failed agent reason=abandoned error={"code":"abandoned",
                  "message":"the turn was suspended for too long"}
        "#]],
    );
}

/// P6.1: what the table does not have, changes nothing: resumed while active, suspended while
/// suspended.
#[test]
fn edges_that_are_none() {
    check(
        "
        agent attach
        agent start t1
        ---
        agent resume t1
        agent suspend t1
        agent suspend t1 reason=other
        agent resume t1
        agent resume t1
        agent brief turns
        ",
        expect![[r#"
            agent < ack 2 t1 active agent
            agent < turn.suspend #2 t1 suspended agent
            agent | ack 3 t1 suspended agent
            agent < ack 4 t1 suspended agent
            agent < turn.resume #3 t1 active agent
            agent | ack 5 t1 active agent
            agent < ack 6 t1 active agent
            agent = 200 turns: t1 active agent
        "#]],
    );
}
