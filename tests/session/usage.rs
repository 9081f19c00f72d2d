//! Usage that turns report, and the sums of the session (P6.12).

use expect_test::expect;

use crate::world::check;

/// P6.12: reports add up in the turn and in the session; a report is no entry, and everybody sees
/// it.
#[test]
fn reports_add_up() {
    check(
        "
        agent attach rewind=0
        alice attach rewind=0
        agent start t1
        agent start t2
        ---
        agent usage t1 usage={\"inputTokens\":10,\"outputTokens\":1}
        agent usage t1 usage={\"outputTokens\":2}; usage t2 usage={\"outputTokens\":40}
        agent usage t2 usage={}
        agent end t1 complete usage={\"outputTokens\":3,\"costMicros\":0.5}
        bob attach rewind=0
        alice brief turns all
        alice brief snapshot rewind=0
        ",
        expect![[r#"
            agent < turn.usage #3 t1 active agent used={"inputTokens":10,"outputTokens":1}
            agent | usage {"inputTokens":10,"outputTokens":1}
            agent | ack 3 t1 active agent used={"inputTokens":10,"outputTokens":1}
            alice < turn.usage #3 t1 active agent used={"inputTokens":10,"outputTokens":1}
            alice | usage {"inputTokens":10,"outputTokens":1}
            agent < turn.usage #4 t1 active agent used={"inputTokens":10,"outputTokens":3}
            agent | usage {"outputTokens":3}
            agent | ack 4 t1 active agent used={"inputTokens":10,"outputTokens":3}
            agent | turn.usage #5 t2 active agent used={"outputTokens":40}
            agent | usage {"outputTokens":43}
            agent | ack 5 t2 active agent used={"outputTokens":40}
            alice < turn.usage #4 t1 active agent used={"inputTokens":10,"outputTokens":3}
            alice | usage {"outputTokens":3}
            alice | turn.usage #5 t2 active agent used={"outputTokens":40}
            alice | usage {"outputTokens":43}
            agent < ack 6 t2 active agent used={"outputTokens":40}
            agent < turn.end #6 t1 complete agent used={"costMicros":0.5,"inputTokens":10,
                  "outputTokens":6}
            agent | usage {"costMicros":0.5,"outputTokens":46}
            agent | ack 7 t1 complete agent used={"costMicros":0.5,"inputTokens":10,
                  "outputTokens":6}
            alice < turn.end #6 t1 complete agent used={"costMicros":0.5,"inputTokens":10,
                  "outputTokens":6}
            alice | usage {"costMicros":0.5,"outputTokens":46}
            bob < attached #6 anew, turns: t2 active agent used={"outputTokens":40}, used:
                  {"costMicros":0.5,"inputTokens":10,"outputTokens":46}
            bob < caught-up #6
            alice = 200 turns: t2 active agent used={"outputTokens":40}; t1 complete agent
                  used={"costMicros":0.5,"inputTokens":10,"outputTokens":6}
            alice = 200 turns: t2 active agent used={"outputTokens":40}, approvals: , calls: ,
                  presence: , messages: , usage={costMicros:0.5,inputTokens:10,outputTokens:46}
        "#]],
    );
}

/// P6.12, P6.8: a report is the leader's, of an open turn, and renews its lease.
#[test]
fn a_report_is_the_leaders() {
    check(
        "
        agent attach rewind=0
        agent start t1 lease=1000
        wait 900
        agent usage t1 usage={\"tokens\":1}
        wait 900
        agent brief turns
        ---
        agent usage t1 its-attempt=2 usage={\"tokens\":1}
        agent-2 attach rewind=0
        agent-2 usage t1 usage={\"tokens\":1}
        alice attach rewind=0
        alice usage t1 usage={\"tokens\":1}
        agent usage t9 usage={\"tokens\":1}
        agent suspend t1
        agent usage t1 usage={\"tokens\":1}
        agent end t1 complete
        agent usage t1 usage={\"tokens\":1}
        agent end t1 complete usage={\"tokens\":1}
        ",
        expect![[r#"
            agent < nack 3 not-leader: unable to report usage; turn t1 is at attempt 1, not 2
            agent-2 < attached #2 anew, turns: t1 active agent used={"tokens":1}, used:
                  {"tokens":1}
            agent-2 < caught-up #2
            agent-2 < nack 1 not-leader: unable to report usage; turn t1 is agent's
            alice < attached #2 anew, turns: t1 active agent used={"tokens":1}, used:
                  {"tokens":1}
            alice < caught-up #2
            alice < nack 1 forbidden: unable to report usage; the token lacks the operation
                  turn for session s1, it has read, publish, presence, cancel, steer, approve,
                  state, annotate, push
            agent < nack 4 not-found: unable to report usage; there is no turn t9
            agent < turn.suspend #3 t1 suspended agent used={"tokens":1}
            agent | ack 5 t1 suspended agent used={"tokens":1}
            agent-2 < turn.suspend #3 t1 suspended agent used={"tokens":1}
            alice < turn.suspend #3 t1 suspended agent used={"tokens":1}
            agent < turn.usage #4 t1 suspended agent used={"tokens":2}
            agent | usage {"tokens":2}
            agent | ack 6 t1 suspended agent used={"tokens":2}
            agent-2 < turn.usage #4 t1 suspended agent used={"tokens":2}
            agent-2 | usage {"tokens":2}
            alice < turn.usage #4 t1 suspended agent used={"tokens":2}
            alice | usage {"tokens":2}
            agent < turn.end #5 t1 complete agent used={"tokens":2}
            agent | ack 7 t1 complete agent used={"tokens":2}
            agent-2 < turn.end #5 t1 complete agent used={"tokens":2}
            alice < turn.end #5 t1 complete agent used={"tokens":2}
            agent < nack 8 turn-closed: unable to report usage; turn t1 is complete
            agent < nack 9 turn-closed: unable to end the turn; turn t1 is complete
        "#]],
    );
}

/// P13.1: a report that is sent again counts once, and so does an end.
#[test]
fn a_repeat_adds_nothing() {
    check(
        "
        agent attach rewind=0
        agent start t1
        ---
        agent usage t1 id=u1 usage={\"tokens\":5}
        evict
        agent usage t1 id=u1 usage={\"tokens\":5}
        agent end t1 complete id=e1 usage={\"tokens\":7}
        evict
        agent end t1 complete id=e1 usage={\"tokens\":7}
        agent start t2
        agent usage t2 id=u1 usage={\"tokens\":5}
        agent brief snapshot rewind=0
        ",
        expect![[r#"
            agent < turn.usage #2 t1 active agent used={"tokens":5}
            agent | usage {"tokens":5}
            agent | ack 2 t1 active agent used={"tokens":5}
            agent < ack 3 t1 active agent used={"tokens":5} duplicate
            agent < turn.end #3 t1 complete agent used={"tokens":12}
            agent | usage {"tokens":12}
            agent | ack 4 t1 complete agent used={"tokens":12}
            agent < ack 5 t1 complete agent used={"tokens":12} duplicate
            agent < turn.start #4 t2 active agent
            agent | ack 6 t2 active agent
            agent < nack 7 conflict: unable to report usage; id u1 was used for something else
            agent = 200 turns: t2 active agent, approvals: , calls: , presence: , messages: ,
                  usage={tokens:12}
        "#]],
    );
}

/// P6.12: amounts are bounded, and refused by name.
#[test]
fn what_is_no_usage_is_refused() {
    check(
        "
        agent attach rewind=0
        agent start t1
        agent usage t1 usage={\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1}
        ---
        agent usage t1
        agent usage t1 usage=[1]
        agent usage t1 usage={\"tokens\":-1}
        agent usage t1 usage={\"tokens\":1e300}
        agent usage t1 usage={\"tokens\":null}
        agent usage t1 usage={\"\":1}
        agent usage t1 usage={\"constructor\":1}
        agent usage t1 usage={\"1\":1,\"2\":1,\"3\":1,\"4\":1,\"5\":1,\"6\":1,\"7\":1,\"8\":1,\
        \"9\":1}
        agent end t1 complete usage={\"tokens\":-1}
        agent brief snapshot rewind=0
        ",
        expect![[r#"
            agent < nack 3 invalid-frame: unable to report usage; usage is missing
            agent < nack 4 invalid-frame: unable to report usage; usage: it is a list, not an
                  object
            agent < nack 5 invalid-frame: unable to report usage; usage: tokens: it is not a
                  number from 0 to 2^53
            agent < nack 6 invalid-frame: unable to report usage; usage: tokens: it is not a
                  number from 0 to 2^53
            agent < nack 7 invalid-frame: unable to report usage; usage: tokens: it is null,
                  not a number
            agent < nack 8 invalid-frame: unable to report usage; usage: a key is not 1 to 128
                  characters
            agent < nack 9 invalid-frame: unable to report usage; usage: constructor is no key
            agent < nack 10 over-limit: unable to report usage; turn t1 would have usage of
                  more than 16 names
            agent < nack 11 invalid-frame: unable to end the turn; usage: tokens: it is not a
                  number from 0 to 2^53
            agent = 200 turns: t1 active agent used={"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,
                  "h":1}, approvals: , calls: , presence: , messages: , usage={a:1,b:1,c:1,d:1,
                  e:1,f:1,g:1,h:1}
        "#]],
    );
}

/// P14: a session has 64 names, however many turns it has.
#[test]
fn a_session_has_so_many_names() {
    let turns = (0..4).map(|turn| {
        let names = (0..16).map(|name| format!("\"{turn}-{name}\":1"));
        let names = names.collect::<Vec<_>>().join(",");
        format!("agent start t{turn}\nagent end t{turn} complete usage={{{names}}}\n")
    });
    let script = format!(
        "agent attach rewind=0\n{}agent start t9\n---\nagent usage t9 usage={{\"x\":1}}\n\
         agent end t9 complete usage={{\"x\":1}}\nagent usage t9 usage={{\"0-0\":1}}\n",
        turns.collect::<String>()
    );
    check(
        &script,
        expect![[r#"
            agent < nack 10 over-limit: unable to report usage; session s1 would have usage of
                  more than 64 names
            agent < nack 11 over-limit: unable to end the turn; session s1 would have usage of
                  more than 64 names
            agent < turn.usage #10 t9 active agent used={"0-0":1}
            agent | usage {"0-0":2}
            agent | ack 12 t9 active agent used={"0-0":1}
        "#]],
    );
}

/// P6.12: sums outlive evictions, crashes, the retention of their turns; not the session.
#[test]
fn sums_stay() {
    check(
        "
        admin patch {\"retentionMs\":1000}
        agent attach rewind=0
        agent publish 'goes'
        agent start t1
        agent usage t1 usage={\"tokens\":5}
        evict
        agent usage t1 usage={\"tokens\":6}
        crash
        agent attach rewind=0
        agent adopt t1
        agent end t1 complete usage={\"tokens\":7}
        ---
        wait 120000
        agent brief turns all
        crash
        agent brief snapshot rewind=0
        admin erase
        alice brief snapshot rewind=0
        agent attach rewind=0
        agent start t1
        agent usage t1 usage={\"tokens\":1}
        ",
        expect![[r#"
            -- 1000 ms
            agent < trim before #2
            -- 120000 ms
            agent = 200 turns: t1 complete agent attempt=2 used={"tokens":18}
            agent = 200 turns: , approvals: , calls: , presence: , messages: , usage={tokens:18}
            erased
            admin = 200 {}
            alice = 200 turns: , approvals: , calls: , presence: , messages: 
            agent < attached b#0 anew
            agent < caught-up b#0
            agent < turn.start b#1 t1 active agent
            agent | ack 7 t1 active agent
            agent < turn.usage b#2 t1 active agent used={"tokens":1}
            agent | usage {"tokens":1}
            agent | ack 8 t1 active agent used={"tokens":1}
        "#]],
    );
}

/// P3.5: a reader that resumes has the sums, and the turns as they stand.
#[test]
fn a_resumed_reader_misses_nothing() {
    check(
        "
        agent attach rewind=0
        alice attach rewind=0
        agent start t1
        agent start t2
        alice drop
        agent usage t1 usage={\"tokens\":5}
        agent end t2 complete usage={\"tokens\":6}
        ---
        alice attach since
        ",
        expect![[r#"
            alice < attached #4 resumed, turns: t1 active agent used={"tokens":5}, used:
                  {"tokens":11}
            alice < turn.usage #3 t1 active agent used={"tokens":5}
            alice | turn.end #4 t2 complete agent used={"tokens":6}
            alice < caught-up #4
        "#]],
    );
}

/// P6.12: a report costs three rows, beside the text that waits; in an end it costs one.
#[test]
fn a_report_is_cheap() {
    check(
        "
        agent attach rewind=0
        alice attach rewind=0 window=200
        agent start t1
        agent publish 'a' turn=t1 role=assistant streaming
        agent usage t1 usage={\"tokens\":1}
        agent append #2 'b'
        wait 300
        agent append #2 'c'
        agent append #2 'd'
        rows
        ---
        agent usage t1 usage={\"tokens\":1}
        rows
        agent usage t1 usage={\"tokens\":1,\"more\":1}
        rows
        wait 300
        agent end t1 complete
        rows
        agent start t2
        rows
        agent end t2 complete usage={\"tokens\":1}
        rows
        ",
        expect![[r#"
            agent < ack 6 #2 v#6
            agent | turn.usage #7 t1 active agent used={"tokens":2}
            agent | usage {"tokens":2}
            agent | ack 7 t1 active agent used={"tokens":2}
            alice < append #2 v#6 @3 'd'
            alice | turn.usage #7 t1 active agent used={"tokens":2}
            alice | usage {"tokens":2}
            rows: 4
            agent < turn.usage #8 t1 active agent used={"more":1,"tokens":3}
            agent | usage {"more":1,"tokens":3}
            agent | ack 8 t1 active agent used={"more":1,"tokens":3}
            alice < turn.usage #8 t1 active agent used={"more":1,"tokens":3}
            alice | usage {"more":1,"tokens":3}
            rows: 3
            -- 600 ms
            agent < append #2 v#9 @4 '' complete
            agent | turn.end #10 t1 complete agent used={"more":1,"tokens":3}
            agent | ack 9 t1 complete agent used={"more":1,"tokens":3}
            alice < append #2 v#9 @4 '' complete
            alice | turn.end #10 t1 complete agent used={"more":1,"tokens":3}
            rows: 4
            agent < turn.start #11 t2 active agent
            agent | ack 10 t2 active agent
            alice < turn.start #11 t2 active agent
            rows: 2
            agent < turn.end #12 t2 complete agent used={"tokens":1}
            agent | usage {"tokens":4}
            agent | ack 11 t2 complete agent used={"tokens":1}
            alice < turn.end #12 t2 complete agent used={"tokens":1}
            alice | usage {"tokens":4}
            rows: 3
        "#]],
    );
}

/// P14: a report for which there is no room is refused, and counts nowhere.
#[test]
fn a_full_disk_counts_nothing() {
    check(
        "
        agent attach rewind=0
        agent start t1
        agent usage t1 usage={\"tokens\":5}
        ---
        admin full
        agent usage t1 usage={\"tokens\":6}
        agent brief snapshot rewind=0
        admin roomy
        agent usage t1 usage={\"tokens\":7}
        ",
        expect![[r#"
            agent < nack 3 over-limit: unable to write; the database of session s1 has no room
                  left
            agent = 200 turns: t1 active agent used={"tokens":5}, approvals: , calls: ,
                  presence: , messages: , usage={tokens:5}
            agent < turn.usage #3 t1 active agent used={"tokens":12}
            agent | usage {"tokens":12}
            agent | ack 4 t1 active agent used={"tokens":12}
        "#]],
    );
}
