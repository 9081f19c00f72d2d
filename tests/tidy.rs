//! The style of the code as a test: sizes, words that have no place, and which room may know
//! which (ARCHITECTURE.md). It reads the files as text and says every breach at once.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "tidy/arrows.rs"]
mod arrows;
#[path = "tidy/features.rs"]
mod features;

use std::fs;
use std::path::{Path, PathBuf};

use arrows::Arrows;
use features::{ARROWS, FRAME};

const ROOMS: [&str; 8] = [
    "src",
    "tests",
    "demo",
    "scripts",
    "bench",
    "examples",
    "sdk/src",
    "sdk/tests",
];
const LANGUAGES: [&str; 4] = ["rs", "ts", "js", "mjs"];
const MOST_LINES: usize = 500;
const MOST_COLUMNS: usize = 100;

/// A word that may not stand in the files of `within`, except in those of `except`.
struct Ban {
    words: &'static [&'static str],
    within: &'static [&'static str],
    except: &'static [&'static str],
    because: &'static str,
}

const BANS: &[Ban] = &[
    Ban {
        words: &["crate::session", "crate::store", "crate::cloudflare"],
        within: &["src/protocol"],
        except: &[],
        because: "protocol is words alone and depends on nothing (invariant 2)",
    },
    Ban {
        words: &["crate::store::sql", "crate::inbox", "crate::cloudflare"],
        within: &["src/session"],
        except: &[],
        because: "session knows the store as Store and Write only (invariant 2)",
    },
    Ban {
        words: &["crate::session", "crate::inbox", "crate::cloudflare"],
        within: &["src/machine"],
        except: &[],
        because: "the contract of a core knows no core (invariant 2)",
    },
    Ban {
        words: &["crate::session", "crate::cloudflare"],
        within: &["src/inbox"],
        except: &[],
        because: "the inbox is a core of its own (invariant 2)",
    },
    Ban {
        words: &[
            "cloudflare::worker",
            "cloudflare::object",
            "cloudflare::call",
            "cloudflare::push",
        ],
        within: &["src/cloudflare/platform"],
        except: &[],
        because: "both programs use the platform, which knows neither",
    },
    Ban {
        words: &[
            "cloudflare::worker",
            "cloudflare::object",
            "cloudflare::call",
        ],
        within: &["src/cloudflare/push"],
        except: &[],
        because: "the transports know the platform alone",
    },
    Ban {
        words: &["cloudflare::object"],
        within: &["src/cloudflare/worker"],
        except: &[],
        because: "the Worker and the objects share src/cloudflare/call.rs alone",
    },
    Ban {
        words: &["cloudflare::worker"],
        within: &["src/cloudflare/object"],
        except: &[],
        because: "the Worker and the objects share src/cloudflare/call.rs alone",
    },
    Ban {
        words: &["crate::session", "crate::cloudflare"],
        within: &["src/store", "src/token"],
        except: &[],
        because: "store and token know the protocol only (invariant 2)",
    },
    Ban {
        words: &["store.write("],
        within: &["src/session"],
        except: &["src/session/engine/step"],
        because: "every write of the session goes through a step",
    },
    Ban {
        words: &["worker::", "wasm_bindgen", "js_sys"],
        within: &["src"],
        except: &["src/cloudflare"],
        because: "the platform lives in src/cloudflare",
    },
    Ban {
        words: &["HashMap", "HashSet"],
        within: &[
            "src/session",
            "src/inbox",
            "src/machine",
            "src/protocol",
            "src/store",
        ],
        except: &[],
        because: "its order is random; use BTreeMap or BTreeSet (invariant 1)",
    },
    Ban {
        words: &[
            "SystemTime",
            "Instant::now",
            "std::time",
            ".await",
            "async fn",
        ],
        within: &[
            "src/session",
            "src/inbox",
            "src/machine",
            "src/protocol",
            "src/store",
            "src/token",
        ],
        except: &[],
        because: "time arrives in Input and nothing waits (invariant 1)",
    },
    Ban {
        words: &[
            "SELECT ",
            "INSERT ",
            "UPDATE ",
            "DELETE FROM",
            "CREATE TABLE",
            "PRAGMA ",
        ],
        within: &["src"],
        except: &["src/store"],
        because: "all SQL is in src/store",
    },
];

#[test]
fn every_file_is_short_enough_to_read() {
    let breaches = sources().into_iter().filter_map(|file| {
        let lines = file.text.lines().count();
        (lines > MOST_LINES).then(|| format!("{}: {lines} lines, at most {MOST_LINES}", file.name))
    });
    refuse(breaches);
}

#[test]
fn every_line_is_short_enough_to_read() {
    let breaches = sources().into_iter().flat_map(|file| {
        lines(&file, |line| line.chars().count() > MOST_COLUMNS)
            .map(|place| format!("{place}: longer than {MOST_COLUMNS} columns"))
            .collect::<Vec<_>>()
    });
    refuse(breaches);
}

#[test]
fn no_promise_is_left_in_the_code() {
    let promises = [
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
        ["X", "XX"].concat(),
    ];
    let breaches = sources().into_iter().flat_map(|file| {
        lines(&file, |line| {
            promises.iter().any(|word| line.contains(word.as_str()))
        })
        .map(|place| format!("{place}: do it, or say why it is as it is"))
        .collect::<Vec<_>>()
    });
    refuse(breaches);
}

#[test]
fn every_room_knows_only_the_rooms_below_it() {
    let files = sources();
    let breaches = BANS.iter().flat_map(|ban| {
        let bound = files
            .iter()
            .filter(|file| is_in(file, ban.within) && !is_in(file, ban.except));
        bound.flat_map(|file| {
            lines(file, |line| {
                is_code(line) && ban.words.iter().any(|word| line.contains(word))
            })
            .map(|place| format!("{place}: {}", ban.because))
            .collect::<Vec<_>>()
        })
    });
    refuse(breaches);
}

#[test]
fn no_feature_reaches_into_the_engine_or_into_another() {
    let files = sources();
    let arrows = arrows_of(&files);
    let breaches = arrows.all().filter_map(|(from, to)| breach(from, to));
    refuse(breaches);
}

/// Why an arrow may not be, if it may not.
fn breach(from: &str, to: &str) -> Option<String> {
    let room = |path: &str| {
        Some(
            path.strip_prefix("session::")?
                .split("::")
                .next()?
                .to_owned(),
        )
    };
    let (from_room, to_room) = (room(from), room(to)?);
    let is_inside = to.starts_with("session::engine::");
    let because = match from_room.as_deref() {
        Some("engine") if to_room != "engine" => "the engine knows no feature",
        Some("engine") => return None,
        _ if is_inside => "the engine is used as engine/mod.rs names it",
        Some(from) if !FRAME.contains(&from) && !FRAME.contains(&to_room.as_str()) => {
            let is_listed = |arrow: &(&str, &str, &str)| (arrow.0, arrow.1) == (from, &to_room);
            if from == to_room || ARROWS.iter().any(is_listed) {
                return None;
            }
            "a feature knows another only as ARROWS says, with a reason"
        }
        _ => return None,
    };
    Some(format!("{from} → {to}: {because}"))
}

#[test]
fn no_module_leads_back_to_itself() {
    let files = sources();
    refuse(arrows_of(&files).circles().into_iter());
}

/// The rules above find what they are for.
#[test]
fn forbidden_arrows_are_found() {
    let files = [
        (
            "src/session/mod.rs",
            "mod engine;\nmod turns;\nmod presence;",
        ),
        (
            "src/session/engine/mod.rs",
            "mod log;\npub(crate) use log::Log;",
        ),
        (
            "src/session/engine/log.rs",
            "use super::super::turns::lease;",
        ),
        ("src/session/turns/mod.rs", "pub mod lease;"),
        (
            "src/session/turns/lease.rs",
            "use crate::session::{engine::{Log, log::a}, presence::{\n  tell::{self}, list,\n};",
        ),
        (
            "src/session/presence/mod.rs",
            "pub mod list;\npub mod tell;",
        ),
        ("src/session/presence/list.rs", ""),
        (
            "src/session/presence/tell.rs",
            "fn f() { crate::session::turns::lease::f() }",
        ),
    ];
    let arrows = Arrows::read(files.into_iter());
    let breaches: Vec<String> = arrows
        .all()
        .filter_map(|(from, to)| breach(from, to))
        .collect();
    let expected = [
        "session::engine::log → session::turns::lease: the engine knows no feature",
        "session::presence::tell → session::turns::lease: a feature knows another only as \
         ARROWS says, with a reason",
        "session::turns::lease → session::engine::log: the engine is used as engine/mod.rs \
         names it",
        "session::turns::lease → session::presence::list: a feature knows another only as \
         ARROWS says, with a reason",
        "session::turns::lease → session::presence::tell: a feature knows another only as \
         ARROWS says, with a reason",
    ];
    assert_eq!(breaches, expected);
    let circles = arrows.circles();
    assert_eq!(circles.len(), 2, "{circles:?}");
}

fn arrows_of(files: &[Source]) -> Arrows {
    let own = files.iter().filter(|file| is_in(file, &["src"]));
    Arrows::read(own.map(|file| (file.name.as_str(), file.text.as_str())))
}

/// A file of the repository: its name from the root, and what is in it.
struct Source {
    name: String,
    text: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    for room in ROOMS {
        collect(&root.join(room), &mut paths);
    }
    paths.sort();
    let read = |path: PathBuf| {
        let name = path
            .strip_prefix(root)
            .unwrap()
            .to_string_lossy()
            .replace('\\', "/");
        Source {
            name,
            text: fs::read_to_string(&path).unwrap(),
        }
    };
    let found: Vec<_> = paths.into_iter().map(read).collect();
    assert!(
        found.len() > 20,
        "the sources of the repository are not where they should be"
    );
    found
}

fn collect(directory: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            // Installed or built files have no author here.
            let is_made = |name| path.ends_with(name);
            if !["node_modules", "dist"].into_iter().any(is_made) {
                collect(&path, paths);
            }
        } else if path
            .extension()
            .is_some_and(|it| LANGUAGES.iter().any(|known| it == *known))
        {
            paths.push(path);
        }
    }
}

/// The places of the lines of which something is true.
fn lines(file: &Source, is_bad: impl Fn(&str) -> bool) -> impl Iterator<Item = String> {
    let numbered = file.text.lines().enumerate();
    numbered
        .filter(move |(_, line)| is_bad(line))
        .map(|(at, _)| format!("{}:{}", file.name, at + 1))
}

/// Comments may speak of what code may not use.
fn is_code(line: &str) -> bool {
    !line.trim_start().starts_with("//")
}

/// Whether a file is one of the rooms, or lies in one: `src/token` is `src/token.rs` too.
fn is_in(file: &Source, rooms: &[&str]) -> bool {
    rooms.iter().any(|room| {
        let rest = file.name.strip_prefix(room);
        rest.is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
    })
}

fn refuse(breaches: impl Iterator<Item = String>) {
    let breaches: Vec<_> = breaches.collect();
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}
