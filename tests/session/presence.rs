//! Presence: who is there, as everybody is told (P7).

use crate::world::check;
use expect_test::expect;

/// P7.1, P7.3: whoever enters is seen by everybody, itself too, before its ack; then what changes
/// of it, then that it left. It has no serial: nothing of it is in the log.
#[test]
fn members_come_and_go() {
    check(
        "
        alice attach
        bob attach
        wait 1000
        ---
        alice presence data={\"typing\":false}
        alice brief presence
        wait 1000
        alice presence data={\"typing\":true}
        wait 1000
        alice presence
        wait 1000
        alice absent
        bob members
        wait 1000
        alice absent
        alice get presence
        alice get snapshot
        tables
        ",
        expect![[r##"
            -- 1000 ms
            alice < presence.enter alice-1 user {"typing":false}
            alice | ack 1 alice-1 user {"typing":false}
            bob < presence.enter alice-1 user {"typing":false}
            alice = 200 presence: alice-1 user {"typing":false}
            -- 2000 ms
            alice < presence.update alice-1 user {"typing":true}
            alice | ack 2 alice-1 user {"typing":true}
            bob < presence.update alice-1 user {"typing":true}
            -- 3000 ms
            alice < presence.update alice-1 user
            alice | ack 3 alice-1 user
            bob < presence.update alice-1 user
            -- 4000 ms
            alice < presence.leave alice-1 user
            alice | ack 4 alice-1 user
            bob < presence.leave alice-1 user
            -- 5000 ms
            alice < nack 5 not-found: unable to leave presence; this connection is not present,
                  enter with presence.set
            alice = 200 {"presence":[]}
            alice = 200 {"approvals":[],"calls":[],"grants":[],"hasOlder":false,"messages":[],
                  "presence":[],"serial":"#0","session":"s1","settings":{},"turns":[]}
            tables: 0
        "##]],
    );
}

/// P7.1: what a member is, in full: its role is what its token says, its name if there is one, and
/// since when it is there, which an update leaves as it was.
#[test]
fn what_a_member_is() {
    check(
        "
        agent attach name=Agnes
        supervisor attach
        alice attach
        ---
        agent presence data='at work'
        wait 1000
        supervisor presence
        wait 1000
        agent presence data=[\"at\",\"rest\"]
        wait 1000
        alice get presence
        ",
        expect![[r#"
            agent < presence.enter agent-1 agent Agnes 'at work'
            agent | ack 1 agent-1 agent Agnes 'at work'
            alice < presence.enter agent-1 agent Agnes 'at work'
            supervisor < presence.enter agent-1 agent Agnes 'at work'
            -- 1000 ms
            agent < presence.enter supervisor-1 supervisor
            alice < presence.enter supervisor-1 supervisor
            supervisor < presence.enter supervisor-1 supervisor
            supervisor | ack 1 supervisor-1 supervisor
            -- 2000 ms
            agent < presence.update agent-1 agent Agnes ["at","rest"]
            agent | ack 2 agent-1 agent Agnes ["at","rest"]
            alice < presence.update agent-1 agent Agnes ["at","rest"]
            supervisor < presence.update agent-1 agent Agnes ["at","rest"]
            -- 3000 ms
            alice = 200 {"presence":[{"client":"agent","connection":"agent-1","data":["at",
                  "rest"],"name":"Agnes","role":"agent","since":"+0"},{"client":"supervisor",
                  "connection":"supervisor-1","role":"supervisor","since":"+1000"}]}
        "#]],
    );
}

/// P7.1: a member is a connection: two devices of a client are two.
#[test]
fn two_devices() {
    check(
        "
        alice attach
        alice/phone attach
        bob attach
        alice presence data='desk'
        wait 1000
        ---
        alice/phone presence data='phone'
        wait 1000
        bob brief presence
        alice drop
        wait 1000
        bob brief presence
        ",
        expect![[r#"
            -- 1000 ms
            alice < presence.enter alice/phone-1 user 'phone'
            alice/phone < presence.enter alice/phone-1 user 'phone'
            alice/phone | ack 1 alice/phone-1 user 'phone'
            bob < presence.enter alice/phone-1 user 'phone'
            -- 2000 ms
            bob = 200 presence: alice-1 user 'desk'; alice/phone-1 user 'phone'
            alice/phone < presence.leave alice-1 user 'desk'
            bob < presence.leave alice-1 user 'desk'
            -- 3000 ms
            bob = 200 presence: alice/phone-1 user 'phone'
        "#]],
    );
}

/// P7.2: a connection that closes leaves at once, whatever it was: a person, an agent whose turn
/// goes on.
#[test]
fn a_close_leaves_at_once() {
    check(
        "
        agent attach
        alice attach
        bob attach
        agent start t1
        agent presence
        wait 1000
        alice presence
        wait 1000
        ---
        agent drop
        wait 1000
        alice drop
        bob brief turns
        bob members
        ",
        expect![[r#"
            -- 2000 ms
            alice < presence.leave agent-1 agent
            bob < presence.leave agent-1 agent
            -- 3000 ms
            bob < presence.leave alice-1 user
            bob = 200 turns: t1 active agent
        "#]],
    );
}

/// P7.2: whoever is closed by the session has left as well: an expired token.
#[test]
fn a_member_whose_token_expires() {
    check(
        "
        alice attach expires=60000
        bob attach
        alice presence
        ---
        wait 60000
        bob pings
        alice publish 'late'
        bob brief presence
        ",
        expect![[r#"
            -- 60000 ms
            alice x 4401 the token expired
            bob < presence.leave alice-1 user
            bob = 200 presence: 
        "#]],
    );
}

/// P3.4: `attached` lists who is there, to a resuming reader too; the snapshot and `GET …/presence`
/// do.
#[test]
fn lists_of_members() {
    check(
        "
        agent attach
        alice attach
        agent presence
        wait 1000
        alice presence data=1
        wait 1000
        ---
        bob attach rewind=0
        bob attach since
        bob brief snapshot
        bob get presence
        eve get presence as=publish
        eve get presence as=viewer
        ",
        expect![[r#"
            -- 2000 ms
            bob < attached #0 anew, here: agent-1 agent; alice-1 user 1
            bob < caught-up #0
            bob < attached #0 resumed, here: agent-1 agent; alice-1 user 1
            bob < caught-up #0
            bob = 200 turns: , approvals: , calls: , presence: agent-1 agent; alice-1 user 1,
                  messages: 
            bob = 200 {"presence":[{"client":"agent","connection":"agent-1","role":"agent",
                  "since":"+0"},{"client":"alice","connection":"alice-1","data":1,"role":"user",
                  "since":"+1000"}]}
            eve = 403 {"error":{"code":"forbidden","message":"unable to read; the token lacks
                  the operation read for session s1, it has publish","status":403}}
            eve = 200 {"presence":[{"client":"agent","connection":"agent-1","role":"agent",
                  "since":"+0"},{"client":"alice","connection":"alice-1","data":1,"role":"user",
                  "since":"+1000"}]}
        "#]],
    );
}

/// P7.4: an agent asks before it spends anything, by HTTP, with nobody there or somebody.
#[test]
fn an_agent_asks() {
    check(
        "
        agent get presence
        alice attach
        agent brief presence
        alice presence
        agent brief presence
        tables
        ",
        expect![[r#"
            agent = 200 {"presence":[]}
            alice < attached #0 anew
            alice < caught-up #0
            agent = 200 presence: 
            alice < presence.enter alice-1 user
            alice | ack 1 alice-1 user
            agent = 200 presence: alice-1 user
            tables: 0
        "#]],
    );
}

/// P2.6: a renewed token may say another name and role: members are told as what they are now.
#[test]
fn a_member_by_another_name() {
    check(
        "
        alice attach name=Alice
        bob attach
        alice presence
        wait 1000
        ---
        alice renew name=Alicia
        wait 1000
        bob get presence
        ",
        expect![[r#"
            -- 1000 ms
            alice < ack 2 {"at":"+1000","expiresAt":"+31536001000"}
            alice | presence.update alice-1 user Alicia
            bob < presence.update alice-1 user Alicia
            -- 2000 ms
            bob = 200 {"presence":[{"client":"alice","connection":"alice-1","name":"Alicia",
                  "role":"user","since":"+0"}]}
        "#]],
    );
}

/// P2.3: presence needs the operation.
#[test]
fn presence_needs_the_operation() {
    check(
        "
        alice attach as=read,publish
        ---
        alice presence
        alice absent
        bob attach as=viewer
        bob presence
        ",
        expect![[r#"
            alice < nack 1 forbidden: unable to set presence; the token lacks the operation
                  presence for session s1, it has read, publish
            alice < nack 2 forbidden: unable to leave presence; the token lacks the operation
                  presence for session s1, it has read, publish
            bob < attached #0 anew
            bob < caught-up #0
            alice < presence.enter bob-1 user
            bob < presence.enter bob-1 user
            bob | ack 1 bob-1 user
        "#]],
    );
}

/// P12.1: presence is of connections: not by HTTP, nor over the lines of a body.
#[test]
fn presence_is_of_connections() {
    check(
        "
        alice attach rewind=0
        agent/lines attach lines
        ---
        alice post presence data=1
        alice post absent
        agent/lines presence
        agent/lines absent
        alice brief presence
        ",
        expect![[r#"
            alice = 400 {"error":{"code":"unknown-frame","message":"unable to take
                  presence.set; it is only valid on a WebSocket","status":400},"ref":1,
                  "type":"nack"}
            alice = 400 {"error":{"code":"unknown-frame","message":"unable to take
                  presence.leave; it is only valid on a WebSocket","status":400},"ref":2,
                  "type":"nack"}
            agent/lines < nack 1 unknown-frame: unable to take presence.set; it is only valid
                  on a WebSocket
            agent/lines < nack 2 unknown-frame: unable to take presence.leave; it is only valid
                  on a WebSocket
            alice = 200 presence: 
        "#]],
    );
}

/// P3.8: an event stream sees who is there, and is nobody.
#[test]
fn an_event_stream_sees() {
    check(
        "
        alice attach events
        bob attach
        ---
        bob presence data=1
        wait 1000
        bob drop
        ",
        expect![[r#"
            alice < presence.enter bob-1 user 1
            bob < presence.enter bob-1 user 1
            bob | ack 1 bob-1 user 1
            -- 1000 ms
            alice < presence.leave bob-1 user 1
        "#]],
    );
}

/// P3.3: presence is for every reader, whatever names it follows; not for those who only write.
#[test]
fn everybody_is_told() {
    check(
        "
        alice attach names=progress
        agent/lines attach lines
        bob attach
        ---
        bob presence
        ",
        expect![[r#"
            alice < presence.enter bob-1 user
            bob < presence.enter bob-1 user
            bob | ack 1 bob-1 user
        "#]],
    );
}

/// P13.1: what is no presence.
#[test]
fn what_is_no_presence() {
    check(
        "
        alice attach
        ---
        alice raw {\"type\":\"presence.set\",\"ref\":1,\"data\":null}
        alice raw {\"type\":\"presence.leave\"}
        alice raw {\"type\":\"presence.leave\"}
        alice raw {\"type\":\"presence.enter\",\"ref\":2}
        ",
        expect![[r#"
            alice < presence.enter alice-1 user
            alice | ack 1 alice-1 user
            alice < nack null not-found: unable to leave presence; this connection is not
                  present, enter with presence.set
            alice < nack 2 unknown-frame: unable to read the frame; there is no type
                  "presence.enter", only append, publish, update, delete, signal, turn.start,
                  turn.end, turn.suspend, turn.resume, turn.heartbeat, turn.usage, turn.adopt,
                  turn.steered, cancel, steer, approval.request, approval.decide,
                  approval.withdraw, grant.revoke, tool.call, tool.claim, tool.result,
                  tool.withdraw, notify, lead.take, lead.return, state, annotate, unannotate,
                  read, presence.set, presence.leave, auth, seen
        "#]],
    );
}
