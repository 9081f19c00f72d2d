//! Addresses that a session may call (P10.5), against a reader that reads them as the runtime's
//! `fetch` does: where ours takes one, both must mean the same public host.
#![allow(clippy::unwrap_used)]

use std::net::IpAddr;

use proptest::prelude::*;
use sessile::protocol::target::check;
use url::{Host, Url};

/// Pieces of which every trick is made that hides a host.
fn piece() -> impl Strategy<Value = String> {
    let pieces = [
        "https://",
        "http://",
        "//",
        "/",
        "\\",
        "@",
        ":",
        ":443",
        ":8443",
        ":80",
        "[",
        "]",
        ".",
        "..",
        "-",
        "%2e",
        "%31",
        "?",
        "#",
        "\t",
        "\n",
        " ",
        "１",
        "。",
        "127",
        "0x7f",
        "0177",
        "1",
        "0",
        "127.0.0.1",
        "10.0.0.1",
        "8.8.8.8",
        "2130706433",
        "::1",
        "::ffff:10.0.0.1",
        "2606:4700::1",
        "64:ff9b::1",
        "fe80::1%25eth0",
        "localhost",
        "local",
        "internal",
        "xn--",
        "xn--localhost-",
        "xn--bcher-kva",
        "a",
        "example",
        "com",
        "ß",
        "user:pass@",
    ];
    prop_oneof![
        8 => proptest::sample::select(pieces.to_vec()).prop_map(str::to_owned),
        1 => any::<char>().prop_map(|char| char.to_string()),
    ]
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_unspecified()
        }
        IpAddr::V6(v6) => {
            let inner = v6.to_ipv4().is_some();
            inner || v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    /// P10.5: nobody is reached who was not meant.
    #[test]
    fn both_read_the_same_public_host(
        start in prop_oneof![4 => Just("https://"), 1 => Just("")],
        pieces in proptest::collection::vec(piece(), 1..8),
    ) {
        let text = format!("{start}{}", pieces.concat());
        if check(&text, false).is_ok() {
            // An address that cannot be read is called by nobody.
            let Ok(url) = Url::parse(&text) else { return Ok(()) };
            prop_assert_eq!(url.scheme(), "https");
            prop_assert!(url.username().is_empty() && url.password().is_none());
            let after = text.strip_prefix("https://").unwrap().to_ascii_lowercase();
            match url.host().unwrap() {
                Host::Domain(name) => {
                    prop_assert!(name.contains('.') && after.starts_with(name), "{}", name);
                    let ends = [".localhost", ".local", ".internal"];
                    prop_assert!(!ends.iter().any(|end| name.ends_with(end)), "{}", name);
                }
                Host::Ipv4(v4) => {
                    prop_assert!(after.starts_with(&v4.to_string()), "{}", v4);
                    prop_assert!(!is_private(v4.into()), "{}", v4);
                }
                Host::Ipv6(v6) => prop_assert!(!is_private(v6.into()), "{}", v6),
            }
        }
    }
}
