//! Calls of tools: made, claimed by one device, settled once (P8.9).

use crate::world::check;
use expect_test::expect;

/// P8.9: the device of the client whose message the turn answers runs it, and everybody sees how.
#[test]
fn p8_9_a_device_claims_a_call_and_settles_it() {
    check(
        "
        alice attach
        agent attach rewind=0
        bob attach rewind=0
        alice publish 'where am I?'
        agent start t1 input=#1
        ---
        agent call c1 turn=t1 input={\"precise\":true}
        bob claim c1
        alice claim c1
        alice settle c1 {\"lat\":52.5}
        alice settle c1 {\"lat\":0}
        agent end t1 complete
        alice get call c1
        ",
        expect![[r##"
            agent < tool.call #3 c1 where pending turn=t1 input={"precise":true} to=["alice"]
            agent | ack 2 c1 where pending turn=t1 input={"precise":true} to=["alice"]
            alice < tool.call #3 c1 where pending turn=t1 input={"precise":true} to=["alice"]
            bob < tool.call #3 c1 where pending turn=t1 input={"precise":true} to=["alice"]
            bob < nack 1 forbidden: unable to claim the call; call c1 is for alice, not for bob
            agent < tool.claim #4 c1 where pending turn=t1 input={"precise":true} to=["alice"]
                  [alice-1 until +30000]
            alice < tool.claim #4 c1 where pending turn=t1 input={"precise":true} to=["alice"]
                  [alice-1 until +30000]
            alice | ack 2 c1 where pending turn=t1 input={"precise":true} to=["alice"] [alice-1
                  until +30000]
            bob < tool.claim #4 c1 where pending turn=t1 input={"precise":true} to=["alice"]
                  [alice-1 until +30000]
            agent < tool.result #5 c1 where complete turn=t1 input={"precise":true}
                  to=["alice"] output={"lat":52.5} [alice-1]
            alice < tool.result #5 c1 where complete turn=t1 input={"precise":true}
                  to=["alice"] output={"lat":52.5} [alice-1]
            alice | ack 3 c1 where complete turn=t1 input={"precise":true} to=["alice"]
                  output={"lat":52.5} [alice-1]
            bob < tool.result #5 c1 where complete turn=t1 input={"precise":true} to=["alice"]
                  output={"lat":52.5} [alice-1]
            alice < nack 4 already-settled: unable to settle the call; call c1 is complete (c1
                  where complete turn=t1 input={"precise":true} to=["alice"]
                  output={"lat":52.5} [alice-1])
            agent < turn.end #6 t1 complete agent input=#1
            agent | ack 3 t1 complete agent input=#1
            alice < turn.end #6 t1 complete agent input=#1
            bob < turn.end #6 t1 complete agent input=#1
            alice = 200 {"call":{"claim":{"at":"+0","client":"alice","connection":"alice-1",
                  "leaseMs":30000},"client":"agent","createdAt":"+0","id":"c1",
                  "input":{"precise":true},"name":"where","output":{"lat":52.5},"serial":"#3",
                  "session":"s1","settledAt":"+0","status":"complete","to":["alice"],
                  "turn":"t1","version":"#5"}}
        "##]],
    );
}

/// P8.9: of many one wins; the others are told which connection holds it, and change nothing.
#[test]
fn p8_9_one_claim_wins() {
    check(
        "
        agent attach
        alice attach rewind=0
        alice/2 attach rewind=0
        agent start t1
        agent call c1 turn=t1 to=[\"alice\"]
        ---
        alice/2 claim c1
        alice claim c1
        alice settle c1 'mine'
        alice post claim c1
        alice post settle c1 'mine'
        alice/2 settle c1 error='denied'
        agent take-back c1
        ",
        expect![[r#"
            agent < tool.claim #3 c1 where pending turn=t1 to=["alice"] [alice/2-1 until +30000]
            alice < tool.claim #3 c1 where pending turn=t1 to=["alice"] [alice/2-1 until +30000]
            alice/2 < tool.claim #3 c1 where pending turn=t1 to=["alice"] [alice/2-1 until
                  +30000]
            alice/2 | ack 1 c1 where pending turn=t1 to=["alice"] [alice/2-1 until +30000]
            alice < nack 1 claimed: unable to claim the call; alice holds call c1 over
                  alice/2-1 (alice/2-1)
            alice < nack 2 claimed: unable to settle the call; alice holds call c1 over
                  alice/2-1 (alice/2-1)
            alice = 409 {"error":{"client":"alice","code":"claimed","connection":"alice/2-1",
                  "message":"unable to claim the call; alice holds call c1 over alice/2-1",
                  "status":409},"ref":3,"type":"nack"}
            alice = 409 {"error":{"client":"alice","code":"claimed","connection":"alice/2-1",
                  "message":"unable to settle the call; alice holds call c1 over alice/2-1",
                  "status":409},"ref":4,"type":"nack"}
            agent < tool.result #4 c1 where failed turn=t1 to=["alice"] error="denied"
                  [alice/2-1]
            alice < tool.result #4 c1 where failed turn=t1 to=["alice"] error="denied"
                  [alice/2-1]
            alice/2 < tool.result #4 c1 where failed turn=t1 to=["alice"] error="denied"
                  [alice/2-1]
            alice/2 | ack 2 c1 where failed turn=t1 to=["alice"] error="denied" [alice/2-1]
            agent < nack 3 already-settled: unable to withdraw the call; call c1 is failed (c1
                  where failed turn=t1 to=["alice"] error="denied" [alice/2-1])
        "#]],
    );
}

/// P8.9: clients, roles and connections may be named; without a message that asks, every client.
#[test]
fn p8_9_a_call_is_for_those_it_names() {
    check(
        "
        agent attach
        alice attach rewind=0
        alice/2 attach rewind=0
        supervisor attach rewind=0
        agent start t1
        ---
        agent call c1 turn=t1 to=[\"role:supervisor\"]
        alice claim c1
        supervisor claim c1
        agent call c2 turn=t1 to=[\"alice/2-1\",\"alice/2-1\"]
        alice claim c2
        alice/2 claim c2
        agent call c3 turn=t1
        alice claim c3
        agent call c4 turn=t1 to=[\"role:boss\"]
        viewer attach rewind=0
        viewer claim c3
        ",
        expect![[r#"
            agent < tool.call #2 c1 where pending turn=t1 to=["role:supervisor"]
            agent | ack 2 c1 where pending turn=t1 to=["role:supervisor"]
            alice < tool.call #2 c1 where pending turn=t1 to=["role:supervisor"]
            alice/2 < tool.call #2 c1 where pending turn=t1 to=["role:supervisor"]
            supervisor < tool.call #2 c1 where pending turn=t1 to=["role:supervisor"]
            alice < nack 1 forbidden: unable to claim the call; call c1 is for role:supervisor,
                  not for alice
            agent < tool.claim #3 c1 where pending turn=t1 to=["role:supervisor"] [supervisor-1
                  until +30000]
            alice < tool.claim #3 c1 where pending turn=t1 to=["role:supervisor"] [supervisor-1
                  until +30000]
            alice/2 < tool.claim #3 c1 where pending turn=t1 to=["role:supervisor"]
                  [supervisor-1 until +30000]
            supervisor < tool.claim #3 c1 where pending turn=t1 to=["role:supervisor"]
                  [supervisor-1 until +30000]
            supervisor | ack 1 c1 where pending turn=t1 to=["role:supervisor"] [supervisor-1
                  until +30000]
            agent < tool.call #4 c2 where pending turn=t1 to=["alice/2-1"]
            agent | ack 3 c2 where pending turn=t1 to=["alice/2-1"]
            alice < tool.call #4 c2 where pending turn=t1 to=["alice/2-1"]
            alice/2 < tool.call #4 c2 where pending turn=t1 to=["alice/2-1"]
            supervisor < tool.call #4 c2 where pending turn=t1 to=["alice/2-1"]
            alice < nack 2 forbidden: unable to claim the call; call c2 is for alice/2-1, not
                  for alice
            agent < tool.claim #5 c2 where pending turn=t1 to=["alice/2-1"] [alice/2-1 until
                  +30000]
            alice < tool.claim #5 c2 where pending turn=t1 to=["alice/2-1"] [alice/2-1 until
                  +30000]
            alice/2 < tool.claim #5 c2 where pending turn=t1 to=["alice/2-1"] [alice/2-1 until
                  +30000]
            alice/2 | ack 1 c2 where pending turn=t1 to=["alice/2-1"] [alice/2-1 until +30000]
            supervisor < tool.claim #5 c2 where pending turn=t1 to=["alice/2-1"] [alice/2-1
                  until +30000]
            agent < tool.call #6 c3 where pending turn=t1
            agent | ack 4 c3 where pending turn=t1
            alice < tool.call #6 c3 where pending turn=t1
            alice/2 < tool.call #6 c3 where pending turn=t1
            supervisor < tool.call #6 c3 where pending turn=t1
            agent < tool.claim #7 c3 where pending turn=t1 [alice-1 until +30000]
            alice < tool.claim #7 c3 where pending turn=t1 [alice-1 until +30000]
            alice | ack 3 c3 where pending turn=t1 [alice-1 until +30000]
            alice/2 < tool.claim #7 c3 where pending turn=t1 [alice-1 until +30000]
            supervisor < tool.claim #7 c3 where pending turn=t1 [alice-1 until +30000]
            agent < nack 5 invalid-frame: unable to call the tool; to takes clients of 1 to 128
                  characters, role:user, role:agent and role:supervisor
            viewer < attached #7 anew, turns: t1 active agent, called: c1 where pending turn=t1
                  to=["role:supervisor"] [supervisor-1 until +30000]; c2 where pending turn=t1
                  to=["alice/2-1"] [alice/2-1 until +30000]; c3 where pending turn=t1 [alice-1
                  until +30000]
            viewer < caught-up #7
            viewer < nack 1 forbidden: unable to claim the call; the token lacks the operation
                  publish for session s1, it has read, presence
        "#]],
    );
}

/// P8.9, P6.8: only the leader of an open turn calls, by ids that are its own.
#[test]
fn p8_9_only_the_leader_calls() {
    check(
        "
        agent attach
        agent/2 attach rewind=0
        alice attach rewind=0
        agent start t1
        ---
        agent/2 call c1 turn=t1
        alice call c1 turn=t1
        agent call c1 turn=t2
        agent call call-#9 turn=t1
        agent call c1 turn=t1
        agent/2 call c1 turn=t1 attempt=1
        supervisor post call c1 turn=t1
        agent end t1 complete
        agent call c2 turn=t1
        agent call c1 turn=t1
        alice claim c1
        alice claim c9
        ",
        expect![[r#"
            agent/2 < nack 1 not-leader: unable to call the tool; turn t1 was not taken over
                  this connection, send its current attempt with the frame
            alice < nack 1 forbidden: unable to call the tool; the token lacks the operation
                  turn for session s1, it has read, publish, presence, cancel, steer, approve,
                  state, annotate, push
            agent < nack 2 not-found: unable to call the tool; there is no turn t2
            agent < nack 3 invalid-frame: unable to call the tool; call-#9 is an id that the
                  session gives
            agent < tool.call #2 c1 where pending turn=t1
            agent | ack 4 c1 where pending turn=t1
            agent/2 < tool.call #2 c1 where pending turn=t1
            alice < tool.call #2 c1 where pending turn=t1
            agent/2 < ack 2 c1 where pending turn=t1 duplicate
            supervisor = 409 {"error":{"code":"conflict","message":"unable to call the tool; c1
                  is another call","status":409},"ref":1,"type":"nack"}
            agent < tool.expire #3 c1 where withdrawn turn=t1
            agent | turn.end #4 t1 complete agent
            agent | ack 5 t1 complete agent
            agent/2 < tool.expire #3 c1 where withdrawn turn=t1
            agent/2 | turn.end #4 t1 complete agent
            alice < tool.expire #3 c1 where withdrawn turn=t1
            alice | turn.end #4 t1 complete agent
            agent < nack 6 turn-closed: unable to call the tool; turn t1 is complete
            agent < ack 7 c1 where withdrawn turn=t1 duplicate
            alice < nack 2 already-settled: unable to claim the call; call c1 is withdrawn (c1
                  where withdrawn turn=t1)
            alice < nack 3 not-found: unable to claim the call; there is no call c9
        "#]],
    );
}

/// P8.9: an output that breaks the schema is refused, and the call stays claimed.
#[test]
fn p8_9_an_output_has_to_fit_the_schema() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1
        agent call c0 turn=t1 schema={\"type\":7}
        ---
        agent call c1 turn=t1 schema={\"type\":\"object\",\"required\":[\"lat\"]}
        alice claim c1
        alice settle c1 'north'
        alice settle c1
        alice settle c1 {\"lng\":1}
        alice settle c1 {\"lat\":1}
        agent call c2 turn=t1 schema={\"type\":\"object\"}
        alice claim c2
        alice settle c2 error={\"code\":1}
        ",
        expect![[r#"
            agent < tool.call #2 c1 where pending turn=t1
            agent | ack 3 c1 where pending turn=t1
            alice < tool.call #2 c1 where pending turn=t1
            agent < tool.claim #3 c1 where pending turn=t1 [alice-1 until +30000]
            alice < tool.claim #3 c1 where pending turn=t1 [alice-1 until +30000]
            alice | ack 1 c1 where pending turn=t1 [alice-1 until +30000]
            alice < nack 2 invalid-answer: unable to settle the call; output breaks the schema
                  at ""
            alice < nack 3 invalid-answer: unable to settle the call; output breaks the schema
                  at ""
            alice < nack 4 invalid-answer: unable to settle the call; output breaks the schema
                  at ""
            agent < tool.result #4 c1 where complete turn=t1 output={"lat":1} [alice-1]
            alice < tool.result #4 c1 where complete turn=t1 output={"lat":1} [alice-1]
            alice | ack 5 c1 where complete turn=t1 output={"lat":1} [alice-1]
            agent < tool.call #5 c2 where pending turn=t1
            agent | ack 4 c2 where pending turn=t1
            alice < tool.call #5 c2 where pending turn=t1
            agent < tool.claim #6 c2 where pending turn=t1 [alice-1 until +30000]
            alice < tool.claim #6 c2 where pending turn=t1 [alice-1 until +30000]
            alice | ack 6 c2 where pending turn=t1 [alice-1 until +30000]
            agent < tool.result #7 c2 where failed turn=t1 error={"code":1} [alice-1]
            alice < tool.result #7 c2 where failed turn=t1 error={"code":1} [alice-1]
            alice | ack 7 c2 where failed turn=t1 error={"code":1} [alice-1]
        "#]],
    );
}

/// P8.9: what is sent again changes nothing.
#[test]
fn p13_1_frames_about_a_call_are_safe_to_repeat() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1
        agent call c1 turn=t1
        agent call c2 turn=t1
        alice claim c1
        alice claim c2
        ---
        alice settle c1 'a' id=r1
        alice settle c1 'b' id=r1
        alice settle c2 'a' id=r1
        alice settle c1 'a'
        agent take-back c2 id=w1
        agent take-back c2 id=w1
        agent take-back c2
        agent take-back c1
        ",
        expect![[r#"
            agent < tool.result #6 c1 where complete turn=t1 output="a" [alice-1]
            alice < tool.result #6 c1 where complete turn=t1 output="a" [alice-1]
            alice | ack 3 c1 where complete turn=t1 output="a" [alice-1]
            alice < ack 4 c1 where complete turn=t1 output="a" [alice-1] duplicate
            alice < nack 5 conflict: unable to settle the call; id r1 was used for something
                  else
            alice < ack 6 c1 where complete turn=t1 output="a" [alice-1] duplicate
            agent < tool.expire #7 c2 where withdrawn turn=t1
            agent | ack 4 c2 where withdrawn turn=t1
            alice < tool.expire #7 c2 where withdrawn turn=t1
            agent < ack 5 c2 where withdrawn turn=t1 duplicate
            agent < ack 6 c2 where withdrawn turn=t1 duplicate
            agent < nack 7 already-settled: unable to withdraw the call; call c1 is complete
                  (c1 where complete turn=t1 output="a" [alice-1])
        "#]],
    );
}

/// P8.9, P3.5: they are in attached, the snapshot and the lists, and a resume brings their latest.
#[test]
fn p8_9_calls_are_listed_and_replayed() {
    check(
        "
        agent attach
        alice attach rewind=0
        bob attach rewind=0
        agent start t1
        agent call c1 turn=t1 to=[\"alice\"]
        bob drop
        agent call c2 turn=t1
        alice claim c2
        alice settle c2 'x'
        alice claim c1
        agent call turn=t1
        ---
        bob attach since
        carol attach rewind=0
        alice brief calls
        alice brief calls all
        alice brief calls all limit=1
        alice brief calls all before=#6
        alice get call call-#8
        alice brief snapshot
        ",
        expect![[r#"
            bob < attached #7 resumed, turns: t1 active agent, called: c1 where pending turn=t1
                  to=["alice"] [alice-1 until +30000]; call-#7 where pending turn=t1
            bob < tool.result #5 c2 where complete turn=t1 output="x" [alice-1]
            bob | tool.claim #6 c1 where pending turn=t1 to=["alice"] [alice-1 until +30000]
            bob | tool.call #7 call-#7 where pending turn=t1
            bob < caught-up #7
            carol < attached #7 anew, turns: t1 active agent, called: c1 where pending turn=t1
                  to=["alice"] [alice-1 until +30000]; call-#7 where pending turn=t1
            carol < caught-up #7
            alice = 200 calls: call-#7 where pending turn=t1; c1 where pending turn=t1
                  to=["alice"] [alice-1 until +30000]
            alice = 200 calls: call-#7 where pending turn=t1; c2 where complete turn=t1
                  output="x" [alice-1]; c1 where pending turn=t1 to=["alice"] [alice-1 until
                  +30000]
            alice = 200 calls: call-#7 where pending turn=t1, hasMore=true, next=#7
            alice = 200 calls: c2 where complete turn=t1 output="x" [alice-1]; c1 where pending
                  turn=t1 to=["alice"] [alice-1 until +30000]
            alice = 404 {"error":{"code":"not-found","message":"unable to read; there is no
                  call call-#8","status":404}}
            alice = 200 turns: t1 active agent, approvals: , calls: c1 where pending turn=t1
                  to=["alice"] [alice-1 until +30000]; call-#7 where pending turn=t1, presence:
                  , messages: 
        "#]],
    );
}
