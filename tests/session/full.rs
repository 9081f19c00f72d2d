//! A log whose serials are used up (P3.1).

use std::rc::Rc;

use crate::show::START;
use crate::world::World;
use expect_test::expect;
use sessile::protocol::limits::Limits;
use sessile::protocol::serial::{Epoch, PLACE_MAX};
use sessile::protocol::settings::Settings;
use sessile::store::{Beginning, MetaWrite, Store};

/// P3.1: a log whose serials are used up takes nothing more, and says so.
#[test]
fn a_full_log_takes_nothing_more() {
    let mut world = World::new(Limits::default());
    let beginning = Beginning {
        epoch: Epoch::parse("full").unwrap(),
        created_at: START,
        floor: PLACE_MAX - 100_001,
        trimmed_at: None,
        settings: Settings::default(),
    };
    let store = Store::new(Rc::new(world.host.disk.clone()));
    store.write(&[MetaWrite::Begin(beginning).into()]).unwrap();
    world.run(
        "
        alice attach
        ---
        alice publish 'the last'
        alice publish 'one more'
        alice update #4294867295 'the very last'
        alice get messages
        ",
    );
    expect![[r##"
        alice < create #4294867295 alice 'the last'
        alice | ack 1 #4294867295
        alice < nack 2 over-limit: unable to publish; the log of session s1 is full
        alice < nack 3 over-limit: unable to update; the log of session s1 is full
        alice = 200 {"hasMore":false,"messages":[{"client":"alice","connection":"alice-1",
              "createdAt":"+0","data":"the last","name":"message","role":"user",
              "serial":"#4294867295","updatedAt":"+0","version":"#4294867295"}]}
    "##]]
    .assert_eq(&world.output);
}
