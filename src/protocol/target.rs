//! Addresses that a session may call (P10.5).
//!
//! The runtime parses an address as browsers do, with `0x7f.1` and full-width digits as numbers
//! and a backslash as a slash. This check accepts only the plain form, in which every parser sees
//! the same host; `tests/targets.rs` compares it with such a parser.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Characters of an address (P10.4): it is a row with each delivery.
pub const TARGET_LENGTH: usize = 2_048;
/// Characters of a host name, by the DNS.
const HOST_LENGTH: usize = 253;
/// Characters of one label of it.
const LABEL_LENGTH: usize = 63;
/// The port of `https`. Of the others only the unprivileged ones are allowed: the rest belong to
/// other protocols.
const PORT: u16 = 443;
const FIRST_FREE_PORT: u16 = 1_024;
/// Suffixes of names that no public server has.
const LOCAL_NAMES: [&str; 4] = ["localhost", "local", "internal", "home.arpa"];

/// Checks that a session may call this address: `https`, and a host that everybody can reach,
/// unless the deployment allows others (`SESSILE_LOCAL_TARGETS`).
///
/// # Errors
/// The reason, to follow the name of the field.
pub fn check(url: &str, allows_local: bool) -> Result<(), &'static str> {
    if TARGET_LENGTH < url.len() {
        return Err("it is longer than 2048 characters");
    }
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && *byte != b'\\';
    if !url.as_bytes().iter().all(is_plain) {
        return Err("it holds a character that must be percent-encoded");
    }
    let (rest, is_https) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (rest, true),
        (_, Some(rest)) => (rest, false),
        _ => return Err("it is no address of https"),
    };
    if !is_https && !allows_local {
        return Err("it is no address of https");
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err("it holds a user");
    }
    let (host, port) = split(authority).ok_or("its host is none")?;
    let port = port.map_or(Ok(PORT), read_port)?;
    let host = Host::read(host).ok_or("its host is none")?;
    if allows_local {
        return Ok(());
    }
    if port != PORT && port < FIRST_FREE_PORT {
        return Err("its port is not 443, nor one from 1024");
    }
    if host.is_public() {
        Ok(())
    } else {
        Err("its host is not public")
    }
}

/// Whether an authority is a host of this machine or of its local network: `localhost`, a name
/// below it or below `local`, or an address that is not public. Any other name may lead here too,
/// by a record of its owner (DNS rebinding).
pub fn is_local(authority: &str) -> bool {
    let host = split(authority).and_then(|(host, _)| Host::read(host));
    host.is_some_and(|host| match &host {
        Host::Name(name) => {
            let last = name.split('.').next_back();
            name == "localhost" || name.contains('.') && matches!(last, Some("localhost" | "local"))
        }
        Host::V4(_) | Host::V6(_) => !host.is_public(),
    })
}

/// The host and the port of an authority.
fn split(authority: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        let host = authority.get(..host.len() + 2)?;
        return match port {
            "" => Some((host, None)),
            _ => Some((host, Some(port.strip_prefix(':')?))),
        };
    }
    match authority.split_once(':') {
        Some((host, port)) => Some((host, Some(port))),
        None => Some((authority, None)),
    }
}

fn read_port(port: &str) -> Result<u16, &'static str> {
    let is_number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let port = is_number.then(|| port.parse().ok()).flatten();
    port.filter(|port| 0 < *port).ok_or("its port is none")
}

/// A host.
enum Host {
    Name(String),
    V4(Ipv4Addr),
    V6(Ipv6Addr),
}

impl Host {
    fn read(host: &str) -> Option<Self> {
        if let Some(inner) = host.strip_prefix('[') {
            return inner.strip_suffix(']')?.parse().ok().map(Self::V6);
        }
        let last = host.rsplit('.').next()?;
        if last.starts_with(|first: char| first.is_ascii_digit()) {
            // No name ends in a number: it must be an address of four decimal numbers.
            return host.parse().ok().map(Self::V4);
        }
        let is_name = host.len() <= HOST_LENGTH && host.split('.').all(is_label);
        is_name.then(|| Self::Name(host.to_ascii_lowercase()))
    }

    fn is_public(&self) -> bool {
        match self {
            Self::Name(name) => is_public_name(name),
            Self::V4(address) => is_public_v4(*address),
            Self::V6(address) => is_public_v6(*address),
        }
    }
}

fn is_label(label: &str) -> bool {
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let is_bare = !label.starts_with('-') && !label.ends_with('-');
    let is_size = (1..=LABEL_LENGTH).contains(&label.len());
    is_size && is_bare && label.bytes().all(is_of_name)
}

/// A name of one label is resolved within the local network.
fn is_public_name(name: &str) -> bool {
    let is_below = |end: &&str| {
        let rest = name.strip_suffix(*end);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    name.contains('.') && !LOCAL_NAMES.iter().any(is_below)
}

/// Every address that IANA's table of special ones leaves.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let is_special = match address.octets() {
        [0 | 10 | 127, ..] | [169, 254, ..] | [192, 168, ..] => true,
        [100, second, ..] => (64..128).contains(&second),
        [172, second, ..] => (16..32).contains(&second),
        [192, 0, 0 | 2, _] | [192, 88, 99, _] => true,
        [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => true,
        [first, ..] => 224 <= first,
    };
    !is_special
}

/// Global unicast addresses, without those that embed an IPv4 address or are reserved.
fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        [0x2001, 0..0x200, ..] | [0x2001, 0xdb8, ..] | [0x2002, ..] => false,
        [0x3fff, 0..0x1000, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn public_addresses_of_https_are_taken() {
        for url in [
            "https://api.example.com",
            "https://api.example.com/hooks?key=1",
            "https://API.Example.com:8443/",
            "https://xn--bcher-kva.example/",
            "https://93.184.215.14/",
            "https://[2606:4700::6810:84e5]:443/",
        ] {
            assert_eq!(check(url, false), Ok(()), "{url}");
        }
    }

    #[test]
    fn private_hosts_are_refused_in_every_form() {
        for host in [
            "localhost",
            "LOCALHOST",
            "app.localhost",
            "printer.local",
            "metadata.google.internal",
            "router.home.arpa",
            "intranet",
            "127.0.0.1",
            "127.1.2.3",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "192.0.0.192",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "[::1]",
            "[::]",
            "[fe80::1]",
            "[fc00::1]",
            "[fd12::1]",
            "[ff02::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:8.8.8.8]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[2001:0:7f00:1::]",
            "[2001:db8::1]",
            "[3fff::1]",
        ] {
            let refused = Err("its host is not public");
            assert_eq!(check(&format!("https://{host}/"), false), refused, "{host}");
            assert_eq!(
                check(&format!("http://{host}:8080/"), true),
                Ok(()),
                "{host}"
            );
        }
    }

    #[test]
    fn hosts_that_can_be_read_in_two_ways_are_none() {
        for host in [
            "",
            ".",
            "a..b",
            "example.com.",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "127.0.0.01",
            "1.2.3.4.5",
            "example.0x7f",
            "-a.example",
            "a-.example",
            "%31%32%37.0.0.1",
            "[::1",
            "[fe80::1%25eth0]",
            "[::1]x",
            "xn--localhost-",
        ] {
            for allows_local in [false, true] {
                let url = format!("https://{host}/");
                assert_eq!(check(&url, allows_local), Err("its host is none"), "{url}");
            }
        }
    }

    #[test]
    fn everything_else_is_refused_by_name() {
        let long = format!("https://a.example/{}", "x".repeat(2_048));
        for (url, reason) in [
            ("http://api.example.com/", "it is no address of https"),
            ("HTTPS://api.example.com/", "it is no address of https"),
            ("file:///etc/passwd", "it is no address of https"),
            ("//api.example.com/", "it is no address of https"),
            ("https://me:secret@a.example/", "it holds a user"),
            ("https://a.example@127.0.0.1/", "it holds a user"),
            (
                "https://a.example:22/",
                "its port is not 443, nor one from 1024",
            ),
            ("https://a.example:0/", "its port is none"),
            ("https://a.example:/", "its port is none"),
            ("https://a.example:99999/", "its port is none"),
            ("https://a.example:+443/", "its port is none"),
            (long.as_str(), "it is longer than 2048 characters"),
        ] {
            assert_eq!(check(url, false), Err(reason), "{url}");
        }
        let written = "it holds a character that must be percent-encoded";
        for url in [
            "https://a.example\\@127.0.0.1/",
            "https://a.example/\n",
            "https://a\t.example/",
            "https://１２７.0.0.1/",
            "https://bücher.example/",
            " https://a.example/",
        ] {
            assert_eq!(check(url, false), Err(written), "{url}");
        }
    }
}
