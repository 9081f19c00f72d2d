//! A connection resumes after a position (P3.5–P3.7).

use crate::world::check;
use expect_test::expect;

/// P3.5: a message newer than `since` comes whole, in one frame.
#[test]
fn what_was_created_meanwhile_comes_whole() {
    check(
        "
        agent attach
        alice attach
        agent publish 'first'
        alice drop
        agent publish '' streaming
        agent append #2 'a'
        wait 300
        agent append #2 'b'
        wait 300
        agent append #2 'c' complete
        ---
        alice attach since
        ",
        expect![[r#"
            alice < attached #5 resumed, has older
            alice < create #2 v#5 agent 'abc' complete
            alice < caught-up #5
        "#]],
    );
}

/// P3.5: a stream comes as exactly its missing end.
#[test]
fn a_stream_comes_as_its_missing_end() {
    check(
        "
        agent attach
        alice attach window=0
        agent publish '👍🏽' streaming
        agent append #1 'ab'
        alice drop
        agent append #1 'é'
        wait 300
        agent append #1 'd'
        wait 300
        ---
        alice attach since
        agent append #1 'e'
        wait 300
        alice holds
        ",
        expect![[r#"
            -- 600 ms
            alice < attached #4 resumed, has older
            alice < append #1 v#4 @6 'éd'
            alice < caught-up #4
            agent < ack 5 #1 v#5
            alice < append #1 v#5 @8 'e'
            alice holds #1 "👍🏽abéde" streaming
        "#]],
    );
}

/// P3.5: and with its status, if it ended.
#[test]
fn an_ended_stream_comes_as_its_end() {
    check(
        "
        agent attach
        alice attach window=0
        agent publish 'a' streaming
        alice drop
        agent append #1 'b'
        wait 300
        agent append #1 '' failed
        ---
        alice attach since
        alice holds
        ",
        expect![[r#"
            alice < attached #3 resumed, has older
            alice < append #1 v#3 @1 'b' failed
            alice < caught-up #3
            alice holds #1 "ab" failed
        "#]],
    );
}

/// P3.5: one that was only closed comes as an append of nothing.
#[test]
fn a_closed_stream_comes_without_text() {
    check(
        "
        agent attach
        alice attach window=0
        agent publish 'a' streaming
        agent append #1 'b'
        wait 300
        alice drop
        agent append #1 '' complete
        ---
        alice attach since
        ",
        expect![[r#"
            alice < attached #3 resumed, has older
            alice < append #1 v#3 @2 '' complete
            alice < caught-up #3
        "#]],
    );
}

/// P3.5: what changed otherwise comes whole, what was deleted as its deletion; each once.
#[test]
fn every_message_comes_once() {
    check(
        "
        agent attach
        alice attach
        agent publish 'a' and 'b' and 'c' and 'd'
        agent publish '' streaming
        alice drop
        agent update #1 'A'
        agent update #1 'AA'
        agent update #2 headers={\"k\":\"v\"}
        agent update #3 'C'
        agent delete #3
        agent append #5 'x'
        wait 300
        agent update #5 'xy'
        agent append #5 'z'
        wait 300
        agent publish 'e' and 'f'
        agent update #13 'E'
        ---
        alice attach since
        alice holds
        ",
        expect![[r#"
            alice < attached #15 resumed, has older
            alice < update #1 v#7 agent 'AA'
            alice | update #2 v#8 agent 'b' headers={"k":"v"}
            alice | delete #3 v#10
            alice | update #5 v#13 agent 'xyz' streaming
            alice | create #14 agent 'e'
            alice | create #15 agent 'f'
            alice < caught-up #15
            alice holds #1 "AA"
            alice holds #2 "b"
            alice holds #3 null deleted
            alice holds #4 "d"
            alice holds #5 "xyz" streaming
            alice holds #14 "e"
            alice holds #15 "f"
        "#]],
    );
}

/// P3.5: nothing missed, nothing sent.
#[test]
fn nothing_missed_nothing_sent() {
    check(
        "
        agent attach
        alice attach
        agent publish 'a'
        alice drop
        ---
        alice attach since
        ",
        expect![[r#"
            alice < attached #1 resumed, has older
            alice < caught-up #1
        "#]],
    );
}

/// P3.6: a position that is not of this log begins anew.
#[test]
fn an_unknown_position_begins_anew() {
    check(
        "
        agent attach
        agent publish 'a' and 'b'
        ---
        alice attach since=zzzz00000001
        bob attach since=#3 rewind=1
        carol attach since=nonsense rewind=0
        dave attach since=#2
        erin attach since=#1
        ",
        expect![[r#"
            alice < attached #2 anew (unable to resume; b#1 is not of this log)
            alice < create #1 agent 'a'
            alice | create #2 agent 'b'
            alice < caught-up #2
            bob < attached #2 anew, has older (unable to resume; b#3 is not of this log)
            bob < create #2 agent 'b'
            bob < caught-up #2
            carol < attached #2 anew, has older (unable to resume; since is "nonsense", which
                  is no serial)
            carol < caught-up #2
            dave < attached #2 anew (unable to resume; b#2 is not of this log)
            dave < create #1 agent 'a'
            dave | create #2 agent 'b'
            dave < caught-up #2
            erin < attached #2 anew (unable to resume; b#1 is not of this log)
            erin < create #1 agent 'a'
            erin | create #2 agent 'b'
            erin < caught-up #2
        "#]],
    );
}

/// P3.6: with more than 1000 messages missed the reader begins anew.
#[test]
fn too_many_missed_begins_anew() {
    check(
        "
        agent attach
        alice attach
        agent publish 'first'
        alice drop
        agent repeats 101 publish 'x' and 'x' and 'x' and 'x' and 'x' and 'x' and 'x' and 'x' \
        and 'x' and 'x'
        ---
        alice attach since rewind=1
        ",
        expect![[r#"
            alice < attached #1011 anew, has older (unable to resume; more was missed than a
                  replay may bring)
            alice < create #1011 agent 'x'
            alice < caught-up #1011
        "#]],
    );
}

/// P3.6: a position that retention has passed begins anew.
#[test]
fn a_position_before_what_is_kept_begins_anew() {
    check(
        "
        admin patch {\"retentionMs\":10000}
        agent attach
        agent publish 'a' and 'b'
        alice attach since=#1
        alice drop
        wait 10000
        agent publish 'c'
        ---
        alice attach since=#1
        bob attach since=#2
        ",
        expect![[r#"
            alice < attached #3 anew (unable to resume; what came after #1 is no longer kept)
            alice < create #3 agent 'c'
            alice < caught-up #3
            bob < attached #3 resumed
            bob < trim before #3
            bob | create #3 agent 'c'
            bob < caught-up #3
        "#]],
    );
}

/// P3.7: acks do not move a position; one's own appends come back at a resume.
#[test]
fn ones_own_appends_come_back_at_a_resume() {
    check(
        "
        agent attach
        agent publish 'a' streaming
        agent append #1 'b'
        wait 300
        agent drop
        ---
        agent attach since
        ",
        expect![[r#"
            -- 300 ms
            agent < attached #2 resumed, has older
            agent < append #1 v#2 @1 'b'
            agent < caught-up #2
        "#]],
    );
}

/// P3.7: the position stays where it was during a replay that breaks off.
#[test]
fn a_replay_that_breaks_off_is_made_again() {
    check(
        "
        agent attach
        agent publish 'a' and 'b'
        alice attach
        alice drop
        agent publish 'c'
        agent update #1 'A'
        ---
        alice attach since=#2
        alice drop
        alice attach since=#2
        ",
        expect![[r#"
            alice < attached #4 resumed, has older
            alice < update #1 v#4 agent 'A'
            alice | create #3 agent 'c'
            alice < caught-up #4
            alice < attached #4 resumed, has older
            alice < update #1 v#4 agent 'A'
            alice | create #3 agent 'c'
            alice < caught-up #4
        "#]],
    );
}
