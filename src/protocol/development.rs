//! Addresses of a development server alone (docs/deploy.md): tokens for its own pages, and the
//! restart of a session's object.
//!
//! They are there only with `SESSILE_DEV`, and even then only for a request that did not come
//! through Cloudflare and that names a local host, so that neither a deployment by mistake nor a
//! page elsewhere, whose name is made to lead to this machine, can use them.

use super::error::{ErrorCode, ErrorInfo};
use super::ids::check_session_id;
use super::query;
use super::target;

/// How long a token of a development server is valid, in milliseconds: a day at a desk.
pub const TOKEN_MS: i64 = 12 * 60 * 60 * 1000;

/// One of the two things that a development server may be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// `POST /v1/dev/tokens`: a token with these claims.
    Token,
    /// `POST /v1/dev/sessions/{session}/restart`: the end of that object's memory.
    Restart(String),
}

/// The parts of a request that decide whether it may ask.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// Its method.
    pub method: &'a str,
    /// The host and the port of its address.
    pub authority: &'a str,
    /// The path of its address, still encoded.
    pub path: &'a str,
    /// Whether it came through Cloudflare, which says so by `cf-ray`.
    pub is_proxied: bool,
    /// The header `Origin`, which browsers send with each such request.
    pub origin: Option<&'a str>,
    /// The header `Sec-Fetch-Site`, which they add where they trust the host.
    pub site: Option<&'a str>,
}

/// Reads a request for one of these addresses; `None` if this is none, as for everybody to whom
/// there are no such addresses.
///
/// # Errors
/// `forbidden` for a page of another origin, and for a token also where nothing says that a page
/// of this origin asks; `invalid-session`.
pub fn read(asking: Asking<'_>) -> Option<Result<Asked, ErrorInfo>> {
    if asking.is_proxied || asking.method != "POST" || !target::is_local(asking.authority) {
        return None;
    }
    let asked = match asking.path.strip_prefix("/v1/dev/")? {
        "tokens" => Asked::Token,
        path => {
            let session = path.strip_prefix("sessions/")?.strip_suffix("/restart")?;
            Asked::Restart(query::percent_decoded(session))
        }
    };
    Some(check(asked, asking))
}

fn check(asked: Asked, asking: Asking<'_>) -> Result<Asked, ErrorInfo> {
    let refused = |reason| {
        let message = format!("unable to serve a development address; {reason}");
        Err(ErrorInfo::new(ErrorCode::Forbidden, message))
    };
    let host = |origin: &str| origin.split_once("://").map(|(_, host)| host.to_owned());
    let is_own = |origin| host(origin).is_some_and(|host| host == asking.authority);
    if !asking.origin.is_none_or(is_own) || asking.site.is_some_and(|site| site != "same-origin") {
        return refused("a page of another origin asks");
    }
    match &asked {
        // A program that can read the key needs no token from here, and says nothing of the two.
        Asked::Token if asking.origin.or(asking.site).is_none() => {
            refused("there is neither Origin nor Sec-Fetch-Site; only pages of this origin ask")
        }
        Asked::Token => Ok(asked),
        Asked::Restart(session) => check_session_id(session).map(|()| asked),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    const HERE: Asking<'static> = Asking {
        method: "POST",
        authority: "localhost:8787",
        path: "/v1/dev/tokens",
        is_proxied: false,
        origin: Some("http://localhost:8787"),
        site: Some("same-origin"),
    };

    #[test]
    fn a_page_of_this_origin_is_given_a_token_at_any_local_host() {
        for authority in [
            "localhost:8787",
            "localhost",
            "app.localhost:1",
            "ada-laptop.local:8787",
            "127.0.0.1:8787",
            "192.168.178.20:8787",
            "10.0.0.7",
            "100.101.102.103:80",
            "[::1]:8787",
            "[fe80::1]",
        ] {
            let origin = format!("http://{authority}");
            let from = Asking {
                authority,
                origin: Some(&origin),
                ..HERE
            };
            for from in [from, Asking { site: None, ..from }] {
                assert_eq!(read(from), Some(Ok(Asked::Token)), "{authority}");
            }
        }
    }

    #[test]
    fn to_every_other_host_there_is_no_such_address() {
        for authority in [
            "sessile.example.workers.dev",
            "rebound.example:8787",
            "localhost.example",
            "local.example.com",
            "127.0.0.1.nip.io",
            "notlocalhost",
            "mylocal",
            "local",
            "localhost.",
            "intranet",
            "8.8.8.8",
            "[2606:4700::6810:84e5]",
            "2130706433",
            "",
        ] {
            let origin = format!("http://{authority}");
            let from = Asking {
                authority,
                origin: Some(&origin),
                ..HERE
            };
            assert_eq!(read(from), None, "{authority}");
        }
    }

    #[test]
    fn behind_cloudflare_or_by_another_method_there_is_no_such_address() {
        let is_proxied = true;
        assert_eq!(read(Asking { is_proxied, ..HERE }), None);
        for method in ["GET", "PUT", "OPTIONS"] {
            assert_eq!(read(Asking { method, ..HERE }), None, "{method}");
        }
        for path in [
            "/v1/dev/",
            "/v1/dev/tokens/",
            "/v1/sessions/a/restart",
            "/v1/dev/sessions/a",
        ] {
            assert_eq!(read(Asking { path, ..HERE }), None, "{path}");
        }
    }

    #[test]
    fn a_page_of_another_origin_is_refused() {
        let restart = Asking {
            path: "/v1/dev/sessions/a/restart",
            ..HERE
        };
        for (origin, site) in [
            (Some("https://evil.example"), None),
            (Some("null"), None),
            (Some("http://localhost:3000"), Some("same-site")),
            (Some("http://localhost:8787"), Some("cross-site")),
            (None, Some("same-site")),
            (None, Some("none")),
            (Some("http://localhost:8787.evil.example"), None),
        ] {
            for from in [HERE, restart] {
                let from = Asking {
                    origin,
                    site,
                    ..from
                };
                let refused = read(from).unwrap().unwrap_err();
                assert_eq!(refused.code, ErrorCode::Forbidden, "{from:?}");
            }
        }
    }

    #[test]
    fn a_program_may_restart_but_is_given_no_token() {
        let program = Asking {
            origin: None,
            site: None,
            ..HERE
        };
        let refused = read(program).unwrap().unwrap_err();
        assert_eq!(refused.code, ErrorCode::Forbidden);
        for (path, session) in [
            ("/v1/dev/sessions/a/restart", "a"),
            ("/v1/dev/sessions/a%3Ab/restart", "a:b"),
        ] {
            let asked = read(Asking { path, ..program }).unwrap().unwrap();
            assert_eq!(asked, Asked::Restart(session.to_owned()));
        }
        let path = "/v1/dev/sessions/a%00/restart";
        let refused = read(Asking { path, ..program }).unwrap().unwrap_err();
        assert_eq!(refused.code, ErrorCode::InvalidSession);
    }
}
