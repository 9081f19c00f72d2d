//! The shared state (P9.1, P9.2, P9.4).

use expect_test::expect;
use sessile::protocol::limits::Limits;

use crate::world::{World, check, check_with};

/// P9.1, P9.2: everybody gets the results, in the order of the log.
#[test]
fn p9_1_everybody_gets_the_results() {
    check(
        r##"
        alice attach rewind=0
        agent attach rewind=0
        ---
        alice state set trip.city 'Oslo'
        agent state increment trip.nights 2
        agent state increment trip.nights 0.5
        alice state increment trip.nights -2.5
        alice state remove trip.city
        agent state set a {"b":[1.50,{}]} then remove x.y
        agent state set '' {"all":true}
        alice state reset
        alice get state
        "##,
        expect![[r##"
            agent < state.change #1 alice [{"op":"set","path":["trip","city"],"value":"Oslo"}]
            alice < state.change #1 alice [{"op":"set","path":["trip","city"],"value":"Oslo"}]
            alice | ack 1 #1
            agent < state.change #2 agent [{"op":"set","path":["trip","nights"],"value":2}]
            agent | ack 1 #2
            alice < state.change #2 agent [{"op":"set","path":["trip","nights"],"value":2}]
            agent < state.change #3 agent [{"op":"set","path":["trip","nights"],"value":2.5}]
            agent | ack 2 #3
            alice < state.change #3 agent [{"op":"set","path":["trip","nights"],"value":2.5}]
            agent < state.change #4 alice [{"op":"set","path":["trip","nights"],"value":0}]
            alice < state.change #4 alice [{"op":"set","path":["trip","nights"],"value":0}]
            alice | ack 2 #4
            agent < state.change #5 alice [{"op":"remove","path":["trip","city"]}]
            alice < state.change #5 alice [{"op":"remove","path":["trip","city"]}]
            alice | ack 3 #5
            agent < state.change #6 agent [{"op":"set","path":["a"],"value":{"b":[1.5,{}]}}]
            agent | ack 3 #6
            alice < state.change #6 agent [{"op":"set","path":["a"],"value":{"b":[1.5,{}]}}]
            agent < state.change #7 agent [{"op":"set","path":[],"value":{"all":true}}]
            agent | ack 4 #7
            alice < state.change #7 agent [{"op":"set","path":[],"value":{"all":true}}]
            agent < state.change #8 alice [{"op":"set","path":[],"value":{}}]
            alice < state.change #8 alice [{"op":"set","path":[],"value":{}}]
            alice | ack 4 #8
            alice = 200 {"value":{},"version":"#8"}
        "##]],
    );
}

/// P9.1: one bad operation, and nothing has changed; the refusal names it.
#[test]
fn p9_1_all_or_none() {
    check(
        r##"
        alice attach rewind=0
        viewer attach rewind=0
        alice state set a.b {"c":1}
        ---
        alice state set a 7 then increment a.b 1
        alice state set n.m 7 then remove a.b then set '' {} then increment '' 1
        alice state reset then remove ''
        alice state increment a.b.c 9007199254740991
        alice state increment a.b.c 1
        alice state set a.b.c 'x'
        alice state increment a.b.c 1
        alice state increment a.b.c.d 1
        viewer state reset
        alice get state
        alice get state path=a.b
        alice get state path=a.x
        "##,
        expect![[r##"
            alice < nack 2 invalid-frame: unable to change the state; ops[1]: "/a" is not an
                  object
            alice < nack 3 invalid-frame: unable to change the state; ops[3]: "" is not a number
            alice < nack 4 invalid-frame: unable to change the state; ops[1]: the root cannot
                  be removed, reset empties it
            alice < state.change #2 alice [{"op":"set","path":["a","b","c"],
                  "value":"+9005399254740992"}]
            alice | ack 5 #2
            viewer < state.change #2 alice [{"op":"set","path":["a","b","c"],
                  "value":"+9005399254740992"}]
            alice < state.change #3 alice [{"op":"set","path":["a","b","c"],
                  "value":"+9005399254740992"}]
            alice | ack 6 #3
            viewer < state.change #3 alice [{"op":"set","path":["a","b","c"],
                  "value":"+9005399254740992"}]
            alice < state.change #4 alice [{"op":"set","path":["a","b","c"],"value":"x"}]
            alice | ack 7 #4
            viewer < state.change #4 alice [{"op":"set","path":["a","b","c"],"value":"x"}]
            alice < nack 8 invalid-frame: unable to change the state; ops[0]: "/a/b/c" is not a
                  number
            alice < nack 9 invalid-frame: unable to change the state; ops[0]: "/a/b/c" is not
                  an object
            viewer < nack 1 forbidden: unable to change the state; the token lacks the
                  operation state for session s1, it has read, presence
            alice = 200 {"value":{"a":{"b":{"c":"x"}}},"version":"#4"}
            alice = 200 {"value":{"c":"x"},"version":"#4"}
            alice = 404 {"error":{"code":"not-found","message":"unable to read the state; there
                  is nothing at \"a/x\"","status":404}}
        "##]],
    );
}

/// P9.1: what no operation may be is refused before anything is looked at.
#[test]
fn p9_1_what_is_no_operation() {
    check(
        r##"
        alice attach rewind=0
        ---
        alice state ops=[]
        alice state ops=[{"op":"move","path":["a"]}]
        alice state set a.__proto__ 1
        alice state set a {"b":{"constructor":1}}
        alice state set a
        alice state set '' 7
        alice state increment a 1e300
        alice state increment a 'x'
        alice raw {"type":"state","ref":9,"ops":[{"op":"set","path":["a"],"value":1e999}]}
        alice raw {"type":"state","ref":9,"ops":[{"op":"set","path":[""],"value":1}]}
        tables
        "##,
        expect![[r#"
            alice < nack 1 invalid-frame: unable to change the state; ops: it has 0 operations,
                  it takes 1 to 1000
            alice < nack 2 invalid-frame: unable to change the state; ops[0].op: it is not one
                  of set, remove, increment, reset
            alice < nack 3 invalid-frame: unable to change the state; ops[0].path: __proto__ is
                  no key
            alice < nack 4 invalid-frame: unable to change the state; ops[0].value: constructor
                  is no key
            alice < state.change #1 alice [{"op":"set","path":["a"],"value":null}]
            alice | ack 5 #1
            alice < nack 6 invalid-frame: unable to change the state; ops[0].value: the root is
                  an object
            alice < nack 7 invalid-frame: unable to change the state; ops[0].by: it is not a
                  number within ±2^53
            alice < nack 8 invalid-frame: unable to change the state; ops[0].by: it is the text
                  "x", not a number
            alice < nack 9 invalid-frame: unable to change the state; ops[0].value: number out
                  of range
            alice < nack 9 invalid-frame: unable to change the state; ops[0].path: a key is not
                  1 to 128 characters
            tables: 6
        "#]],
    );
}

/// P9.1: a version that is not the latest, and a repeat.
#[test]
fn p9_1_conditional_and_safe_to_repeat() {
    check(
        r##"
        alice attach rewind=0
        ---
        alice state set a 1 if=#0
        alice state set a 2 if=#0
        alice state increment a 1 if=#1 id=once
        alice state increment a 1 if=#1 id=once
        evict
        alice state increment a 1 if=#1 id=once
        alice shorthand state increment a 1 id=twice
        alice shorthand state increment a 1 id=twice
        alice get state
        "##,
        expect![[r##"
            alice < state.change #1 alice [{"op":"set","path":["a"],"value":1}]
            alice | ack 1 #1
            alice < nack 2 conflict: unable to change the state; it has version #1, not #0
            alice < state.change #2 alice [{"op":"set","path":["a"],"value":2}]
            alice | ack 3 #2
            alice < ack 4 #2 duplicate
            alice < ack 5 #2 duplicate
            alice < state.change #3 alice [{"op":"set","path":["a"],"value":3}]
            alice = 200 {"serial":"#3","version":"#3"}
            alice = 200 {"duplicate":true,"serial":"#3","version":"#3"}
            alice = 200 {"value":{"a":3},"version":"#3"}
        "##]],
    );
}

/// P9.2, P3.5: a client that missed changes gets them as one, or the tree where that is smaller.
#[test]
fn p9_2_what_was_missed() {
    check(
        r##"
        alice attach rewind=0
        bob attach rewind=0
        alice state set long 'a text that is longer than what happens to it, by far and by more'
        bob drop
        alice state increment n 1
        alice state increment n 1
        ---
        bob attach since
        bob drop
        bob attach since
        evict
        carol attach rewind=0
        carol drop
        alice state set long 'b'
        alice state set other 'a text that is longer than all that remains of the tree'
        alice state remove other
        carol attach since
        dave attach rewind=0
        alice brief snapshot
        "##,
        expect![[r#"
            bob < attached #3 resumed
            bob < state.change #3 alice [{"op":"set","path":["n"],"value":1},{"op":"set",
                  "path":["n"],"value":2}]
            bob < caught-up #3
            bob < attached #3 resumed
            bob < caught-up #3
            carol < attached #3 anew, state: {"long":"a text that is longer than what happens
                  to it, by far and by more","n":2} v#3
            carol < caught-up #3
            alice < state.change #4 alice [{"op":"set","path":["long"],"value":"b"}]
            alice | ack 4 #4
            bob < state.change #4 alice [{"op":"set","path":["long"],"value":"b"}]
            alice < state.change #5 alice [{"op":"set","path":["other"],"value":"a text that is
                  longer than all that remains of the tree"}]
            alice | ack 5 #5
            bob < state.change #5 alice [{"op":"set","path":["other"],"value":"a text that is
                  longer than all that remains of the tree"}]
            alice < state.change #6 alice [{"op":"remove","path":["other"]}]
            alice | ack 6 #6
            bob < state.change #6 alice [{"op":"remove","path":["other"]}]
            carol < attached #6 resumed
            carol < state.change #6 alice [{"op":"set","path":[],"value":{"long":"b","n":2}}]
            carol < caught-up #6
            dave < attached #6 anew, state: {"long":"b","n":2} v#6
            dave < caught-up #6
            alice = 200 turns: , approvals: , calls: , presence: , messages: 
        "#]],
    );
}

/// P9.2: a tree that is too long for `attached` comes first in the replay, also after a sleep.
#[test]
fn p9_2_a_large_tree() {
    check(
        r##"
        alice attach rewind=0
        alice floods 70000 state set big.text '…'
        alice publish 'm'
        ---
        bob attach
        evict
        carol attach rewind=0
        "##,
        expect![[r#"
            bob < attached #2 anew
            bob < state.change #1 alice [{"op":"set","path":[],
                  "value":{"big":{"text":"xxxxxxxxxxxx…' (70000)"}}}]
            bob < create #2 alice 'm'
            bob < caught-up #2
            carol < attached #2 anew, has older
            carol < state.change #1 alice [{"op":"set","path":[],
                  "value":{"big":{"text":"xxxxxxxxxxxx…' (70000)"}}}]
            carol < caught-up #2
        "#]],
    );
}

/// P9.1, P14: the tree is no larger than it may be, and shrinks again.
#[test]
fn p14_the_size_of_the_tree() {
    check_with(
        Limits {
            state_bytes: 40,
            ..Limits::default()
        },
        "
        alice attach rewind=0
        ---
        alice state set a '0123456789012345678901234567890'
        alice state set a '01234567890123456789012345678901'
        alice state set b 1
        alice state remove a
        alice state set b '01234567890123456789012345678901'
        ",
        expect![[r#"
            alice < state.change #1 alice [{"op":"set","path":["a"],
                  "value":"0123456789012345678901234567890"}]
            alice | ack 1 #1
            alice < state.change #2 alice [{"op":"set","path":["a"],
                  "value":"01234567890123456789012345678901"}]
            alice | ack 2 #2
            alice < nack 3 too-large: unable to change the state; 46 bytes of UTF-8 exceed the
                  limit of 40
            alice < state.change #3 alice [{"op":"remove","path":["a"]}]
            alice | ack 4 #3
            alice < state.change #4 alice [{"op":"set","path":["b"],
                  "value":"01234567890123456789012345678901"}]
            alice | ack 5 #4
        "#]],
    );
}

/// P9.4: the schema is kept, by changes and by itself.
#[test]
fn p9_4_the_schema() {
    check(
        r##"
        alice attach rewind=0
        alice state set n 1
        ---
        admin patch {"stateSchema":{"type":"nothing"}}
        admin patch {"stateSchema":{"required":["m"]}}
        admin patch {"stateSchema":{"properties":{"n":{"type":"number","maximum":4}}}}
        alice state set n 'x'
        alice state increment n 4
        alice state set n 4
        evict
        alice state increment n 1
        admin patch {"stateSchema":null}
        alice state increment n 1
        "##,
        expect![[r#"
            admin = 400 {"error":{"code":"invalid-frame","message":"unable to change the
                  settings; stateSchema cannot be used at \"/type\": it is no type of JSON
                  Schema","status":400}}
            admin = 400 {"error":{"breaches":[{"path":"","reason":"\"m\" is a required
                  property"}],"code":"invalid-state","message":"unable to change the settings;
                  the state would break stateSchema at \"\": \"m\" is a required property",
                  "status":400}}
            admin = 200 {"settings":{"stateSchema":{"properties":{"n":{"maximum":4,
                  "type":"number"}}}}}
            alice < nack 2 invalid-state: unable to change the state; the state would break
                  stateSchema at "/n": "x" is not of type "number"
            alice < nack 3 invalid-state: unable to change the state; the state would break
                  stateSchema at "/n": 5 is greater than the maximum of 4
            alice < state.change #2 alice [{"op":"set","path":["n"],"value":4}]
            alice | ack 4 #2
            alice < nack 5 invalid-state: unable to change the state; the state would break
                  stateSchema at "/n": 5 is greater than the maximum of 4
            admin = 200 {"settings":{}}
            alice < state.change #3 alice [{"op":"set","path":["n"],"value":5}]
            alice | ack 6 #3
        "#]],
    );
}

/// P9.1: a change costs one row, whatever the size of the tree, and outlives any sleep.
#[test]
fn p9_1_a_change_costs_a_row() {
    let mut world = World::new(Limits::default());
    world.run("agent attach rewind=0");
    for index in 0..8 {
        world.run(&format!("agent floods 100000 state set big.b{index} '…'"));
    }
    for big in [true, false] {
        if !big {
            // The rows of the large tree's changes go with it.
            world.run("agent state remove big");
            world.run(&"agent state increment n 1\n".repeat(200));
        }
        world.run("wait 60000");
        let before = world.host.disk.0.rows_written();
        for round in 0..1_000 {
            world.run("agent state increment n 1");
            if round % 100 == 99 {
                world.run("wait 3000\nevict");
            }
        }
        let rows = world.host.disk.0.rows_written() - before;
        // The tree is stored anew now and then.
        assert!(rows <= 1_050, "{rows} rows for a thousand changes");
    }
    world.output.clear();
    world.run("agent get state");
    assert!(world.output.contains("\"n\":2200"), "{}", world.output);
}
