//! The prose of code and documents as a test: a sentence names its subject first, so none begins
//! with a relative word (CONTRIBUTING), except a question. Paths in the maps of the code exist.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

const ROOMS: [&str; 8] = [
    "src", "tests", "pages", "scripts", "bench", "examples", "sdk", "docs",
];
const LANGUAGES: [&str; 5] = ["rs", "ts", "js", "mjs", "tsx"];
const MADE: [&str; 4] = ["node_modules", "dist", "fixtures", "sdk/docs"];
const RELATIVES: [&str; 5] = ["What", "Who", "Whatever", "Whoever", "Whose"];

#[test]
fn no_sentence_begins_with_a_relative_word() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut breaches = Vec::new();
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|it| it == "md") {
            read(root, &path, &mut breaches);
        }
    }
    for room in ROOMS {
        walk(root, &root.join(room), &mut breaches);
    }
    breaches.sort();
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

fn walk(root: &Path, directory: &Path, breaches: &mut Vec<String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !MADE.iter().any(|made| path.ends_with(made)) {
                walk(root, &path, breaches);
            }
        } else if path
            .extension()
            .is_some_and(|it| it == "md" || LANGUAGES.iter().any(|known| it == *known))
        {
            read(root, &path, breaches);
        }
    }
}

fn read(root: &Path, path: &Path, breaches: &mut Vec<String>) {
    let text = fs::read_to_string(path).unwrap();
    let is_page = path.extension().is_some_and(|it| it == "md");
    let (mut is_sample, mut goes_on) = (false, false);
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        is_sample ^= is_page && line.starts_with("```");
        let prose = if is_page { line } else { comment(line) };
        if !is_sample && begins_badly(prose, goes_on) {
            let name = path.strip_prefix(root).unwrap().display();
            breaches.push(format!("{name}:{}: name the thing, then the verb", at + 1));
        }
        // A page has one sentence a line; a comment's sentence goes on over the end of its line.
        goes_on = !is_page && !prose.is_empty() && !prose.ends_with(['.', '!', '?', ':']);
    }
}

#[test]
fn bad_beginnings_are_found() {
    for (prose, goes_on, is_bad) in [
        ("What follows reads it.", false, true),
        (
            "Rows hold places. Whoever reads them adds the epoch.",
            false,
            true,
        ),
        ("## What works now", false, true),
        ("- **What changed**, not all of it", false, true),
        ("What is a tide?", false, false),
        ("What follows reads it.", true, false),
        ("The reads after it see it.", false, false),
    ] {
        assert_eq!(begins_badly(prose, goes_on), is_bad, "{prose}");
    }
}

/// The text of a comment's line; nothing for code.
fn comment(line: &str) -> &str {
    let marks = ["///", "//!", "//", "/**", "* "];
    let text = marks.iter().find_map(|mark| line.strip_prefix(mark));
    text.unwrap_or_default().trim_end_matches("*/").trim()
}

fn begins_badly(prose: &str, goes_on: bool) -> bool {
    let later = prose.match_indices(". ").map(|(at, _)| at + 2);
    later.chain((!goes_on).then_some(0)).any(|at| {
        let rest = prose.get(at..).unwrap_or_default();
        let sentence = rest.split(". ").next().unwrap_or_default();
        let sentence = sentence.trim_start_matches(['-', '*', '#', '|', ' ']);
        let word = sentence.split([' ', '\'', ',']).next().unwrap_or_default();
        RELATIVES.contains(&word) && !sentence.contains('?')
    })
}

/// A map names files by their path from the root, or in a table by the folder in its header.
/// `sdk/docs/` is made by `npm run docs`.
#[test]
fn every_path_in_the_maps_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut missing = Vec::new();
    for page in ["ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = fs::read_to_string(root.join(page)).unwrap();
        let gone = missing_paths(&text, &|path| root.join(path).exists());
        missing.extend(gone.iter().map(|path| format!("{page}: {path}")));
    }
    assert!(missing.is_empty(), "\n{}\n", missing.join("\n"));
}

#[test]
fn missing_paths_are_found() {
    let map = "see `src/a.rs` and `sdk/b/`\n\n| `src/c/` | |\n| `d.rs`, `e.rs` | `f.rs` |\n";
    let is_there = |path: &str| ["sdk/b/", "src/c/", "src/c/d.rs"].contains(&path);
    assert_eq!(missing_paths(map, &is_there), ["src/a.rs", "e.rs"]);
}

fn missing_paths(text: &str, is_there: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut missing = Vec::new();
    let (mut folders, mut was_table) = (Vec::new(), false);
    for line in text.lines() {
        let cell = line.split('|').nth(1).unwrap_or_default();
        let is_header = !was_table;
        was_table = line.starts_with('|');
        if is_header {
            folders = spans(cell).filter(|it| it.ends_with('/')).collect();
        }
        let rooted = spans(line).filter(|it| it.starts_with("src/") || it.starts_with("sdk/"));
        let rooted = rooted.filter(|it| *it != "sdk/docs/" && !is_there(it));
        missing.extend(rooted.map(String::from));
        let below = |name: &&str| {
            let candidates = folders.iter().map(|folder| format!("{folder}{name}"));
            let beside = std::iter::once(format!("src/{name}"));
            !candidates.chain(beside).any(|path| is_there(&path))
        };
        if !is_header && !folders.is_empty() {
            missing.extend(spans(cell).filter(below).map(String::from));
        }
    }
    missing
}

/// The code spans of a line.
fn spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}
