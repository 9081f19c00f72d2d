//! Calls between objects: lines of a fork (P11.6), revocations and contacts (P11.5).

use super::*;

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
