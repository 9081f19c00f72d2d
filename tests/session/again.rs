//! Many answers to one input (P6.2, P14).

use std::fmt::Write;

use crate::world::World;
use expect_test::expect;
use sessile::protocol::limits::Limits;

/// So many answers to the first message by another agent, one after the other.
fn answers(count: usize) -> String {
    let mut script = String::new();
    for number in 1..=count {
        let _ = writeln!(
            script,
            "agent-two start t{number} input=#1 again\nagent-two end t{number} complete"
        );
    }
    script
}

fn unhurried() -> World {
    World::new(Limits {
        messages_burst: 1_000_000,
        frames_burst: 1_000_000,
        ..Limits::default()
    })
}

/// P6.2: an agent that has answered an input is told so, however many others have since.
#[test]
fn a_hundred_answers_hide_none() {
    let mut world = unhurried();
    world.run(&format!(
        "
        agent attach names=none
        agent-two attach names=none
        alice post publish 'q'
        agent start mine input=#1
        agent end mine complete
        {}
        ---
        agent post start another input=#1
        ",
        answers(101)
    ));
    expect![[r##"
        agent = 200 {"ref":3,"result":{"duplicate":true,"turn":{"agent":"agent","attempt":1,
              "createdAt":"+0","endedAt":"+0","id":"mine","input":"#1","startedAt":"+0",
              "status":"complete"}},"type":"ack"}
    "##]]
    .assert_eq(&world.output);
}

/// P14: of one input there are 1 000 answers at most.
#[test]
fn answers_to_one_input_have_a_bound() {
    let mut world = unhurried();
    world.run(&format!(
        "
        agent-two attach names=none
        alice post publish 'q' and 'r'
        {}
        ---
        agent-two post start more input=#1 again
        agent post start mine input=#1
        agent post start other input=#2
        ",
        answers(1000)
    ));
    expect![[r##"
        agent-two = 429 {"error":{"code":"over-limit","message":"unable to start the turn;
              its input has 1000 answers","status":429},"ref":2001,"type":"nack"}
        agent = 429 {"error":{"code":"over-limit","message":"unable to start the turn; its
              input has 1000 answers","status":429},"ref":1,"type":"nack"}
        agent-two < turn.start #2003 other active agent input=#2
        agent = 200 {"ref":2,"result":{"turn":{"agent":"agent","attempt":1,"createdAt":"+0",
              "id":"other","input":"#2","leaseMs":30000,"leaseUntil":"+30000",
              "startedAt":"+0","status":"active"}},"type":"ack"}
    "##]]
    .assert_eq(&world.output);
}
