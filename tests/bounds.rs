//! Every bound that a deployment may set has its words: in the protocol (P14), and in the table
//! of what each is for.
#![allow(clippy::unwrap_used)]

use sessile::protocol::limits::Limits;

#[test]
fn every_limit_is_told_of() {
    let limits = serde_json::to_value(Limits::default()).unwrap();
    let names = limits.as_object().unwrap().keys();
    let pages = [
        ("PROTOCOL.md", include_str!("../PROTOCOL.md")),
        ("docs/bounds.md", include_str!("../docs/bounds.md")),
    ];
    for name in names {
        for (page, text) in pages {
            let rows = text.lines().filter(|line| line.starts_with('|'));
            let told = rows
                .filter(|row| row.contains(&format!("`{name}`")))
                .count();
            assert!(0 < told, "{name} is in no table of {page}");
        }
    }
}
