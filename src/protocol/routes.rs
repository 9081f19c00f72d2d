//! One table of everything that has an address: method, path, resource, operation, and how it is
//! served (P1.1, P12).
//!
//! A read is one line of `reads`: its name, the query that it takes, its path and the operation
//! that it needs. A shorthand for a frame is one line of `others`. The Worker finds the line and
//! lets the request in; the object decodes it, once.

mod serve;

pub use serve::{Decode, Resource, Serve};

use super::annotation;
use super::asking_query;
use super::capability::Operation;
use super::device;
use super::error::{ErrorCode, ErrorInfo};
use super::file;
use super::inbox;
use super::log_query;
use super::news::ItemKind;
use super::query::{self, Pairs, Query};
use super::reads::{Read, with_reads};
use super::request::{self, Request};
use super::revocation;
use super::search;
use super::state;

/// The operation that the token must grant, and the verb of the refusal (P2.5).
pub type Need = (Operation, &'static str);

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// The method.
    pub method: &'static str,
    /// The path, `{…}` for a parameter.
    pub path: &'static str,
    /// Its subject.
    pub resource: Resource,
    /// The operation that the token must grant; if there is none, each frame is checked by itself.
    pub needs: Option<Need>,
    /// The parameters that its query takes, besides `token`.
    pub takes: &'static [&'static str],
    /// How it is served.
    pub serve: Serve,
}

macro_rules! session {
    ($method:literal $path:literal, $needs:expr, $takes:expr, $serve:expr) => {
        Route {
            method: $method,
            path: concat!("/v1/sessions/{session}", $path),
            resource: Resource::Session,
            needs: $needs,
            takes: $takes,
            serve: $serve,
        }
    };
}

macro_rules! frame {
    ($method:literal $path:literal => $kind:literal $(, $field:literal)?) => {
        session!($method $path, None, &[], Serve::Answer(Decode::Session(|parts, limits| {
            request::frame($kind, None $(.or(Some($field)))?, parts, limits)
        })))
    };
}

macro_rules! devices {
    ($method:literal $path:literal, $takes:expr, $read:expr) => {
        Route {
            method: $method,
            path: concat!("/v1/push/devices", $path),
            resource: Resource::Devices,
            needs: None,
            takes: $takes,
            serve: Serve::Answer(Decode::Inbox(|parts, limits| {
                $read(parts, limits).map(inbox::Request::Device)
            })),
        }
    };
}

macro_rules! client {
    ($method:literal $path:literal, $begins:literal) => {
        Route {
            method: $method,
            path: concat!("/v1/clients/{client}", $path),
            resource: Resource::Client,
            needs: None,
            takes: &[],
            serve: Serve::Answer(Decode::Inbox(|_, _| {
                Ok(inbox::Request::Erase { begins: $begins })
            })),
        }
    };
}

macro_rules! routes {
    (
        reads { $($(#[$doc:meta])* $name:ident($query:ty) = $path:literal, $needs:ident;)* }
        others { $($route:expr;)* }
    ) => {
        /// Every address.
        pub static ROUTES: &[Route] = &[
            $(session!(
                "GET" $path,
                Some((Operation::$needs, "read")),
                <$query as Query>::NAMES,
                Serve::Answer(Decode::Session(|parts, _| {
                    <$query as Query>::read(parts).map(Read::$name).map(Request::Read)
                }))
            ),)*
            $($route,)*
        ];
    };
}

with_reads! {
    routes
    others {
        session!(
            "GET" "/connect", Some((Operation::Read, "connect")), query::ATTACH, Serve::Socket
        );
        session!(
            "GET" "/events", Some((Operation::Read, "read events")), query::ATTACH, Serve::Events
        );
        session!("POST" "/frames", None, &[], Serve::Lines(Decode::Session(request::frames)));
        session!(
            "POST" "/messages", None, query::STREAM, Serve::Body(Decode::Session(request::publish))
        );
        frame!("PATCH" "/messages/{serial}" => "update", "serial");
        session!(
            "DELETE" "/messages/{serial}", None, &["ifVersion"],
            Serve::Answer(Decode::Session(request::delete))
        );
        frame!("POST" "/messages/{serial}/annotations" => "annotate", "serial");
        frame!("POST" "/turns" => "turn.start");
        frame!("POST" "/turns/{turn}/end" => "turn.end", "turn");
        frame!("POST" "/turns/{turn}/cancel" => "cancel", "turn");
        frame!("POST" "/approvals" => "approval.request");
        frame!("POST" "/approvals/{approval}/decide" => "approval.decide", "approval");
        frame!("POST" "/approvals/{approval}/withdraw" => "approval.withdraw", "approval");
        frame!("POST" "/grants/{key}/revoke" => "grant.revoke", "key");
        frame!("POST" "/calls" => "tool.call");
        frame!("POST" "/calls/{call}/claim" => "tool.claim", "call");
        frame!("POST" "/calls/{call}/result" => "tool.result", "call");
        frame!("POST" "/calls/{call}/withdraw" => "tool.withdraw", "call");
        session!("PATCH" "/state", None, &[], Serve::Answer(Decode::Session(request::state)));
        frame!("POST" "/lead" => "lead.take");
        frame!("POST" "/lead/return" => "lead.return");
        session!(
            "POST" "/wake", Some((Operation::Admin, "wake the agent")), &[],
            Serve::Answer(Decode::Session(request::wake))
        );
        session!(
            "PATCH" "", Some((Operation::Admin, "change the settings")), &[],
            Serve::Answer(Decode::Session(request::settings))
        );
        session!(
            "DELETE" "", Some((Operation::Admin, "delete the session")), &[],
            Serve::Answer(Decode::Session(|_, _| Ok(Request::Erase)))
        );
        session!(
            "POST" "/files", Some((Operation::Publish, "upload")), file::UPLOAD,
            Serve::File("upload")
        );
        session!(
            "GET" "/files/{file}", Some((Operation::Read, "read")), &[], Serve::File("download")
        );
        session!(
            "DELETE" "/files/{file}", None, &[],
            Serve::Answer(Decode::Session(|parts, _| {
                Ok(Request::DeleteFile(parts.named().to_owned()))
            }))
        );
        session!(
            "GET" "/files/{file}/url", Some((Operation::Read, "read")), &[], Serve::File("sign")
        );
        session!(
            "GET" "/export", Some((Operation::Admin, "export the session")), &[],
            Serve::Transfer(Decode::Session(request::export))
        );
        session!(
            "PUT" "/import", Some((Operation::Admin, "import the session")), &[],
            Serve::Transfer(Decode::Session(request::import))
        );
        session!(
            "POST" "/fork", Some((Operation::Read, "fork the session")), &[],
            Serve::Transfer(Decode::Session(request::import))
        );
        session!(
            "GET" "/diagnostics", Some((Operation::Admin, "read the diagnostics")), &[],
            Serve::Report
        );
        Route {
            method: "GET",
            path: "/v1/inbox",
            resource: Resource::Inbox,
            needs: None,
            takes: inbox::OWNER,
            serve: Serve::Answer(Decode::Inbox(|_, _| Ok(inbox::Request::Read))),
        };
        Route {
            method: "GET",
            path: "/v1/sessions",
            resource: Resource::Inbox,
            needs: None,
            takes: inbox::SESSIONS,
            serve: Serve::Answer(Decode::Inbox(|parts, _| {
                inbox::Page::read(ItemKind::Session, parts.pairs).map(inbox::Request::Page)
            })),
        };
        Route {
            method: "GET",
            path: "/v1/approvals",
            resource: Resource::Inbox,
            needs: None,
            takes: inbox::APPROVALS,
            serve: Serve::Answer(Decode::Inbox(|parts, _| {
                inbox::Page::read(ItemKind::Approval, parts.pairs).map(inbox::Request::Page)
            })),
        };
        Route {
            method: "GET",
            path: "/v1/inbox/connect",
            resource: Resource::Inbox,
            needs: None,
            takes: inbox::ATTACH,
            serve: Serve::Socket,
        };
        Route {
            method: "GET",
            path: "/v1/push/key",
            resource: Resource::Inbox,
            needs: None,
            takes: &[],
            serve: Serve::PushKey,
        };
        Route {
            method: "POST",
            path: "/v1/revocations",
            resource: Resource::Revocations,
            needs: None,
            takes: &[],
            serve: Serve::Answer(Decode::Inbox(|parts, _| inbox::revoke(parts))),
        };
        Route {
            method: "GET",
            path: "/v1/revocations",
            resource: Resource::Revocations,
            needs: None,
            takes: revocation::LIST,
            serve: Serve::Answer(Decode::Inbox(|parts, _| inbox::revocations(parts))),
        };
        client!("DELETE" "", true);
        client!("GET" "/erasure", false);
        devices!("GET" "", &[device::CLIENT], device::list);
        devices!("PUT" "/{device}", &[], device::put);
        devices!("GET" "/{device}", &[], device::get);
        devices!("DELETE" "/{device}", &[], device::delete);
    }
}

/// The words of an agent for an inbox (P10.2). It is no address: only sessions say them.
pub static SAID: Route = Route {
    method: "",
    path: "/v1/inbox/notices",
    resource: Resource::Inbox,
    needs: None,
    takes: &[],
    serve: Serve::Answer(Decode::Inbox(|parts, _| inbox::said(parts))),
};

/// The read at the end of a streamed body (P5.5). It is no address: only the Worker makes it.
pub static WRITTEN: Route = session!(
    "" "/messages/{serial}", None, &[],
    Serve::Answer(Decode::Session(|parts, _| Ok(Request::Written(parts.serial()))))
);

/// The beginning of an upload (P11.7). It is no address: only the Worker makes it.
pub static UPLOADING: Route = session!(
    "" "/files", None, &[],
    Serve::Answer(Decode::Session(|parts, _| request::upload(parts)))
);

/// The end of an upload (P11.7). It is no address: only the Worker makes it.
pub static UPLOADED: Route = session!(
    "" "/files/{file}/end", None, &[],
    Serve::Answer(Decode::Session(|parts, _| request::arrived(parts)))
);

/// The place of a file's bytes (P11.7). It is no address: only the Worker makes it.
pub static LOCATED: Route = session!(
    "" "/files/{file}", None, &[],
    Serve::Answer(Decode::Session(|parts, _| Ok(Request::File(parts.named().to_owned()))))
);

/// The news of a session for an inbox (P15). It is no address: only sessions tell it.
pub static TOLD: Route = Route {
    method: "",
    path: "/v1/inbox/news",
    resource: Resource::Inbox,
    needs: None,
    takes: &[],
    serve: Serve::Answer(Decode::Inbox(|parts, _| inbox::told(parts))),
};

/// A page of an export for a fork (P11.6). It is no address: a fork asks for it.
pub static PAGE: Route = session!(
    "" "/export", None, &[], Serve::Transfer(Decode::Session(request::page))
);

/// Lines for a fork, after the cursor of the next ones (P11.6). It is no address, as above.
pub static FORK: Route = session!(
    "" "/import", None, &[], Serve::Transfer(Decode::Session(request::import))
);

/// A revocation for an inbox (P11.5). It is no address: only the object that keeps them tells it.
pub static REVOKED: Route = Route {
    path: "/v1/inbox/revoked",
    serve: Serve::Answer(Decode::Inbox(|parts, _| inbox::revoked(parts))),
    ..TOLD
};

/// The same for a session. It is no address either: the client's inbox tells it, too.
pub static REVOKED_HERE: Route = session!(
    "" "/revoked", None, &[],
    Serve::Answer(Decode::Session(|parts, _| request::revoked(parts)))
);

/// A contact of a client, for its inbox (P11.5). It is no address: only sessions tell it.
pub static CONTACT: Route = Route {
    path: "/v1/inbox/contact",
    serve: Serve::Answer(Decode::Inbox(|parts, _| inbox::contact(parts))),
    ..TOLD
};

/// A restart that a development server is asked for. It is no address of a deployment
/// ([`super::development`]).
pub static RESTART: Route = session!("" "/restart", None, &[], Serve::Restart);

/// The lines that are no addresses.
static OWN: [&Route; 12] = [
    &WRITTEN,
    &TOLD,
    &SAID,
    &RESTART,
    &UPLOADING,
    &UPLOADED,
    &LOCATED,
    &PAGE,
    &FORK,
    &REVOKED,
    &REVOKED_HERE,
    &CONTACT,
];

/// A request found nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Missed {
    /// The refusal.
    pub error: ErrorInfo,
    /// The methods that the address takes, if it is one.
    pub allow: Option<String>,
}

impl Missed {
    /// The refusal of an address that stands for nothing.
    pub fn nowhere() -> Self {
        let error = ErrorInfo::new(ErrorCode::NotFound, addresses());
        Self { error, allow: None }
    }
}

/// A line of the table, and the values of its address's parameters, decoded but not checked.
pub type Found = (&'static Route, Vec<String>);

/// Finds the line for a method and a path that is still encoded.
///
/// # Errors
/// `not-found`, or `method-not-allowed` naming the methods that the address takes.
pub fn find(method: &str, path: &str) -> Result<Found, Missed> {
    let mut methods = Vec::new();
    for route in ROUTES {
        let Some(params) = matches(route.path, path) else {
            continue;
        };
        if route.method == method {
            return Ok((route, params));
        }
        methods.push(route.method);
    }
    if methods.is_empty() {
        return Err(Missed::nowhere());
    }
    let shown: String = method.chars().take(10).collect();
    let allow = methods.join(", ");
    let message = format!("unable to {shown} this address; it takes {allow}");
    let error = ErrorInfo::new(ErrorCode::MethodNotAllowed, message);
    let allow = Some(allow);
    Err(Missed { error, allow })
}

/// Finds a line again by its method and its path as the table has it.
pub fn named(method: &str, path: &str) -> Option<&'static Route> {
    let mut lines = ROUTES.iter().chain(OWN);
    lines.find(|route| route.method == method && route.path == path)
}

impl Route {
    /// Refuses a parameter that other addresses take and this one does not, which would be
    /// ignored like one that nobody knows (P1.4).
    ///
    /// # Errors
    /// `invalid-frame`, naming it and those that the address takes.
    pub fn check(&self, pairs: &Pairs) -> Result<(), ErrorInfo> {
        let is_known = |name: &str| ROUTES.iter().any(|route| route.takes.contains(&name));
        let is_stray =
            |name: &str| name != "token" && !self.takes.contains(&name) && is_known(name);
        let Some((stray, _)) = pairs.iter().find(|(name, _)| is_stray(name)) else {
            return Ok(());
        };
        let takes = match self.takes {
            [] => "none".to_owned(),
            takes => takes.join(", "),
        };
        let message = format!(
            "unable to read the query; {} {} takes no {stray}, its parameters are {takes}",
            self.method, self.path
        );
        Err(ErrorInfo::new(ErrorCode::InvalidFrame, message))
    }
}

/// The parameters of a path, if it is of this form. Only a session's place may be empty, which is
/// refused for what it is (P1.1).
fn matches(form: &str, path: &str) -> Option<Vec<String>> {
    let mut params = Vec::new();
    let mut segments = path.split('/');
    for expected in form.split('/') {
        let segment = segments.next()?;
        if expected.starts_with('{') {
            if segment.is_empty() && expected != "{session}" {
                return None;
            }
            params.push(query::percent_decoded(segment));
        } else if expected != segment {
            return None;
        }
    }
    segments.next().is_none().then_some(params)
}

/// The addresses there are, once each, as a refusal says them.
fn addresses() -> String {
    let (mut below, mut beside): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for route in ROUTES {
        let (list, path) = match route.path.strip_prefix("/v1/sessions/{session}") {
            Some(path) => (&mut below, path.trim_start_matches('/')),
            None => (&mut beside, route.path),
        };
        if !path.is_empty() && !list.contains(&path) {
            list.push(path);
        }
    }
    let (below, beside) = (below.join(", "), beside.join(" and "));
    format!(
        "unable to find this address; a session is at /v1/sessions/ID, and below it are {below}; \
         beside it are {beside}"
    )
}

#[cfg(test)]
mod tests;
