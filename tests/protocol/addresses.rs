//! The table of addresses in docs/http.md is the table of routes.

use std::collections::BTreeSet;

use sessile::protocol::routes::ROUTES;

const PAGE: &str = include_str!("../../docs/http.md");

/// P12.2: a person who reads the page finds every address, and none that is not there.
#[test]
fn p12_2_the_page_has_every_address() {
    let (_, table) = PAGE.split_once("\n## Addresses\n").unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let said = rows.flat_map(|row| {
        let (addresses, _) = row.trim_start_matches("| ").split_once(" | ").unwrap();
        addresses
            .split(", ")
            .map(|it| it.trim_matches('`').to_owned())
    });
    let said: BTreeSet<String> = said.collect();
    let routes = ROUTES.iter().map(|route| {
        let path = route.path.replace("/v1/sessions/{session}", "…");
        format!("{} {path}", route.method)
    });
    let routes: BTreeSet<String> = routes.collect();
    let unknown: Vec<_> = said.difference(&routes).collect();
    let lacking: Vec<_> = routes.difference(&said).collect();
    assert!(
        unknown.is_empty() && lacking.is_empty(),
        "the page has {unknown:?}, which are no addresses, and lacks {lacking:?}"
    );
}
