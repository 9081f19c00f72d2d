//! The packages that are installed are those that were looked at: every entry of a lock file that
//! comes from a registry says the hash of what it is.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use serde_json::Value;

/// The packages of npm that are not ours and have no hash.
fn open_packages(lock: &str) -> Vec<String> {
    let lock: Value = serde_json::from_str(lock).unwrap();
    let packages = lock["packages"].as_object().unwrap();
    let is_fetched = |path: &str, package: &Value| {
        path.contains("node_modules/") && package["link"] != Value::Bool(true)
    };
    let is_open = |package: &Value| {
        let integrity = package["integrity"].as_str();
        !integrity.is_some_and(|hash| hash.starts_with("sha512-"))
    };
    let open = packages
        .iter()
        .filter(|(path, package)| is_fetched(path, package) && is_open(package));
    open.map(|(path, _)| path.clone()).collect()
}

/// The crates that come from a registry and have no hash, and those that come from elsewhere.
fn open_crates(lock: &str) -> Vec<String> {
    let crates = lock.split("[[package]]").skip(1);
    let is_open = |text: &&str| {
        let source = text.lines().find_map(|line| line.strip_prefix("source = "));
        let has_hash = text.lines().any(|line| line.starts_with("checksum = \""));
        source.is_some_and(|source| !has_hash || !source.starts_with("\"registry+"))
    };
    let name = |text: &str| text.lines().nth(1).unwrap_or_default().to_owned();
    crates.filter(is_open).map(name).collect()
}

#[test]
fn every_package_that_is_installed_has_a_hash() {
    let none: Vec<String> = Vec::new();
    assert_eq!(open_packages(include_str!("../package-lock.json")), none);
    assert_eq!(open_crates(include_str!("../Cargo.lock")), none);
}

#[test]
fn an_entry_without_a_hash_is_found() {
    let lock = r#"{"packages": {"": {"version": "1"}, "sdk": {"version": "1"},
        "node_modules/sessile": {"link": true}, "node_modules/a": {"version": "1"},
        "node_modules/b": {"integrity": "sha1-x"}, "node_modules/c": {"integrity": "sha512-x"}}}"#;
    assert_eq!(open_packages(lock), ["node_modules/a", "node_modules/b"]);
    let lock = r#"
[[package]]
name = "sessile"
version = "0.1.0"

[[package]]
name = "a"
source = "registry+https://index"

[[package]]
name = "b"
source = "git+https://elsewhere"
checksum = "x"

[[package]]
name = "c"
source = "registry+https://index"
checksum = "x"
"#;
    assert_eq!(open_crates(lock), [r#"name = "a""#, r#"name = "b""#]);
}
