//! Random scripts of turns, control and presence. Every strict reader must end with the session's
//! state; `SEED=7` repeats one, `SESSILE_SEEDS=10000` runs that many.

use std::panic::catch_unwind;

use crate::chance::Random;
use crate::world::World;
use sessile::protocol::limits::Limits;

/// Scripts of a usual run.
const SEEDS: u64 = 50;
const ACTORS: [&str; 7] = [
    "alice",
    "bob",
    "carol",
    "agent",
    "agent/two",
    "agent-x",
    "supervisor",
];
const SETTINGS: [&str; 8] = [
    r#"{"title":"as it is"}"#,
    r#"{"onInput":"queue"}"#,
    r#"{"onInput":"interrupt"}"#,
    r#"{"onInput":"reject"}"#,
    r#"{"agent":{"url":"https://agent.example"},"maxAttempts":2}"#,
    r#"{"agent":{"url":"https://agent.example"},"onInput":"queue"}"#,
    r#"{"retentionMs":5000}"#,
    r#"{"presenceTimeoutMs":3000,"cancelGraceMs":500,"suspendMs":4000}"#,
];
const WAITS: [u64; 9] = [0, 1, 30, 100, 199, 200, 900, 2000, 11_000];

#[test]
fn whatever_happens_readers_agree() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SESSILE_SEEDS").unwrap_or(SEEDS),
    };
    for seed in seeds {
        let lines = script(&mut Random::new(seed));
        if goes_wrong(&lines) {
            let script = shrunk(lines).join("\n");
            let mut world = World::new(Limits::default());
            println!("SEED={seed}\n{script}\n");
            let wrong = world.explore(&script);
            panic!("{}\n{wrong:#?}", world.output);
        }
    }
}

fn goes_wrong(lines: &[String]) -> bool {
    let script = lines.join("\n");
    let ran = catch_unwind(|| World::new(Limits::default()).explore(&script));
    ran.map_or(true, |wrong| !wrong.is_empty())
}

/// The same without the lines that it goes wrong without, too.
fn shrunk(mut lines: Vec<String>) -> Vec<String> {
    let mut size = lines.len() / 2;
    while 0 < size {
        let mut from = 0;
        while from < lines.len() {
            let mut fewer = lines.clone();
            fewer.drain(from..(from + size).min(lines.len()));
            // A script may need its lines to be one at all.
            let script = fewer.join("\n");
            let ran = catch_unwind(|| World::new(Limits::default()).explore(&script));
            if ran.is_ok_and(|wrong| !wrong.is_empty()) {
                lines = fewer;
            } else {
                from += size;
            }
        }
        size /= 2;
    }
    lines
}

pub fn script(random: &mut Random) -> Vec<String> {
    let mut lines = vec![format!("admin patch {}", random.pick(&SETTINGS))];
    let mut attached: Vec<&str> = Vec::new();
    let mut known: Vec<&str> = Vec::new();
    for _ in 0..random.between(20, 140) {
        if random.chance(150) {
            lines.push(format!("wait {}", random.pick(&WAITS)));
        } else if random.chance(40) {
            lines.extend(["wait 1000".to_owned(), "evict".to_owned()]);
        } else if random.chance(8) {
            lines.extend(["wait 1000".to_owned(), "crash".to_owned()]);
            attached.clear();
        } else if random.chance(15) {
            lines.push(format!("clock {}", random.pick(&[-4000, -150, 150, 4000])));
        }
        let name = *random.pick(&ACTORS);
        if !attached.contains(&name) {
            let is_back = known.contains(&name) && random.chance(500);
            let since = if is_back { "since" } else { "" };
            let window = random.pick(&[0, 40, 500]);
            let rewind = random.pick(&["", "", "rewind=0", "rewind=2"]);
            lines.push(format!("{name} attach {since} window={window} {rewind}"));
            attached.push(name);
            known.push(name);
            continue;
        }
        let line = if name.starts_with("agent") && random.chance(750) {
            of_agent(random)
        } else {
            of_anybody(random)
        };
        let is_drop = line == "drop";
        attached.retain(|other| !is_drop || *other != name);
        if random.chance(8) && !is_drop && line != "pings" {
            let fate = random.pick(&["before", "after"]);
            lines.extend([format!("dies {fate}"), format!("{name} {line}")]);
            attached.clear();
            continue;
        }
        let sign = if random.chance(200) && !is_drop {
            "+ "
        } else {
            ""
        };
        lines.push(format!("{sign}{name} {line}"));
    }
    lines
}

fn of_agent(random: &mut Random) -> String {
    let (turn, serial) = (random.between(1, 5), random.between(1, 30));
    let attempt = random.pick(&["", "", "", "attempt=1", "attempt=2", "attempt=3"]);
    let id = random.pick(&["", "", "", "", "", "id=f1", "id=f2"]);
    let message = random.pick(&["", "id=m1", "id=m2", "id=m3"]);
    match random.between(0, 16) {
        0 | 1 => format!("start t{turn} lease={}", random.pick(&[1000, 5000, 30_000])),
        2 => format!(
            "start t{turn} input=#{serial} {}",
            random.pick(&["", "again", "parent=#1"])
        ),
        3 => format!("start input=#{serial}"),
        4 => {
            let status = random.pick(&["complete", "failed", "cancelled"]);
            format!("end t{turn} {status} {attempt} {id}")
        }
        5 => format!("suspend t{turn} {attempt} {id}"),
        6 => format!("resume t{turn} {attempt}"),
        7 => format!("heartbeat t{turn} {attempt}"),
        8 => format!("adopt t{turn} {} {id}", random.pick(&["", "keep"])),
        9 => format!("steered t{turn} #{serial} {attempt}"),
        10 => format!("publish 'x' turn=t{turn} {attempt} {message}"),
        11 | 12 => format!("publish 'x' streaming turn=t{turn} {attempt} {message}"),
        _ => format!(
            "append #{serial} 'ab' {attempt} {}",
            random.pick(&["", "", "complete"])
        ),
    }
}

fn of_anybody(random: &mut Random) -> String {
    let (turn, serial) = (random.between(1, 5), random.between(1, 30));
    let id = random.pick(&["", "", "", "", "", "id=f1", "id=f2"]);
    match random.between(0, 20) {
        0..=3 => format!("presence data={}", random.between(0, 9)),
        4 | 5 => "absent".to_owned(),
        6 => "drop".to_owned(),
        7 => "pings".to_owned(),
        8 => format!("cancel turn=t{turn} {id}"),
        9 => format!("cancel input=#{serial}"),
        10 if random.chance(300) => "cancel all".to_owned(),
        11 => format!("steer t{turn} 'go' {id}"),
        12 => format!(
            "publish 'q' interrupt={}",
            random.pick(&["true", "t1", "t2"])
        ),
        13 => format!("publish 'q' parent=#{serial}"),
        14 | 15 => "publish 'q'".to_owned(),
        16 => format!("update #{serial} 'new' {id}"),
        17 => format!("delete #{serial}"),
        18 => format!("renew name={}", random.pick(&ACTORS)),
        _ => "seen 1".to_owned(),
    }
}
