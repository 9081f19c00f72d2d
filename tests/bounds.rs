//! Every bound that a deployment may set has its words: in the protocol (P14), and in the table
//! of what each is for.
#![allow(clippy::unwrap_used)]

/// `frame_bytes` as `SESSILE_LIMITS` has it.
fn camel_case(name: &str) -> String {
    let mut parts = name.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |name, part| {
        let (initial, rest) = part.split_at(1);
        name + &initial.to_uppercase() + rest
    })
}

#[test]
fn every_limit_is_told_of() {
    let source = include_str!("../src/protocol/limits.rs");
    let set = source.split("\nlimits! {").nth(1).unwrap();
    let set = set.split("\n}").next().unwrap().lines();
    let names = set.filter_map(|line| line.trim().split_once(" = "));
    let names: Vec<String> = names.map(|(name, _)| camel_case(name)).collect();
    assert!(names.len() > 20 && names.contains(&"sessionBytes".to_owned()));
    let pages = [
        ("PROTOCOL.md", include_str!("../PROTOCOL.md")),
        ("docs/bounds.md", include_str!("../docs/bounds.md")),
    ];
    for name in &names {
        for (page, text) in pages {
            let mut rows = text.lines().filter(|line| line.starts_with('|'));
            let is_told = rows.any(|row| row.contains(&format!("`{name}`")));
            assert!(is_told, "{name} is in no table of {page}");
        }
    }
}
