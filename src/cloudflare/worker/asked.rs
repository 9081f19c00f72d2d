//! A request that was let in.

use worker::Env;
use worker::web_sys::Request;

use super::refuse::Shape;
use crate::cloudflare::platform::config::Config;
use crate::protocol::capability::Operation;
use crate::protocol::error::ErrorInfo;
use crate::protocol::query;
use crate::token::Grant;

/// A request that was let in.
pub(super) struct Asked<'a> {
    pub(super) request: &'a Request,
    pub(super) env: &'a Env,
    pub(super) config: &'a Config,
    pub(super) session: &'a str,
    pub(super) pairs: &'a query::Pairs,
    pub(super) grant: Grant,
    pub(super) shape: Shape,
}

impl Asked<'_> {
    /// Refuses what the token does not grant (P2.5).
    pub(super) fn must(&self, operation: Operation, verb: &str) -> Result<(), ErrorInfo> {
        let operations = self.grant.operations;
        operations.require(operation, verb, self.session)
    }

    /// Whether the body is of this type.
    pub(super) fn is_type(&self, wanted: &str) -> bool {
        let header = self.request.headers().get("content-type").ok().flatten();
        let header = header.unwrap_or_default();
        let kind = header.split(';').next().unwrap_or_default();
        kind.trim().eq_ignore_ascii_case(wanted)
    }
}
