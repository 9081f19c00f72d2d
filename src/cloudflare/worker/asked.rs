//! An admitted request, and its calls to the object.

use serde::Serialize;
use worker::Env;
use worker::web_sys::{Request, Response};

use super::admit::Admitted;
use super::make;
use super::refuse::Shape;
use crate::cloudflare::call::{Ask, Call, Opening, Question};
use crate::cloudflare::platform::config::Config;
use crate::machine::Carrier;
use crate::protocol::error::ErrorInfo;
use crate::protocol::query;
use crate::protocol::routes::Route;

/// An admitted request.
pub(super) struct Asked<'a> {
    pub(super) request: &'a Request,
    pub(super) env: &'a Env,
    pub(super) config: &'a Config,
    pub(super) route: &'static Route,
    pub(super) params: &'a [String],
    pub(super) pairs: &'a query::Pairs,
    pub(super) admitted: Admitted,
    pub(super) shape: Shape,
}

impl Asked<'_> {
    /// Whether the body is of this type.
    pub(super) fn is_type(&self, wanted: &str) -> bool {
        let header = self.request.headers().get("content-type").ok().flatten();
        let header = header.unwrap_or_default();
        let kind = header.split(';').next().unwrap_or_default();
        kind.trim().eq_ignore_ascii_case(wanted)
    }

    /// Makes the call of the address, with the body if it takes one.
    ///
    /// # Errors
    /// `internal`, when the object fails.
    pub(super) async fn ask(&self, body: Option<&str>) -> Result<Response, ErrorInfo> {
        let pairs = self.pairs.iter().filter(|(name, _)| name != "token");
        let pairs = pairs.cloned().collect();
        self.question(self.route, self.params.to_vec(), pairs, body)
            .await
    }

    /// Makes another call to the object.
    ///
    /// # Errors
    /// `internal`, when the object fails.
    pub(super) async fn question(
        &self,
        route: &Route,
        params: Vec<String>,
        pairs: Vec<(String, String)>,
        body: Option<&str>,
    ) -> Result<Response, ErrorInfo> {
        let question = Question {
            method: route.method.to_owned(),
            path: route.path.to_owned(),
            params,
            pairs,
        };
        self.call::<()>(Ask::Answer(question), body).await
    }

    /// Opens a connection to the object.
    ///
    /// # Errors
    /// `internal`, when the object fails.
    pub(super) async fn open<A: Serialize>(
        &self,
        carrier: Carrier,
        attach: A,
    ) -> Result<Response, ErrorInfo> {
        let has_protocol = matches!(self.shape, Shape::Socket { has_protocol: true });
        let opening = Opening {
            carrier,
            has_protocol,
            attach,
        };
        self.call(Ask::Open(opening), None).await
    }

    async fn call<A: Serialize>(
        &self,
        ask: Ask<A>,
        body: Option<&str>,
    ) -> Result<Response, ErrorInfo> {
        let Admitted { place, grant, .. } = &self.admitted;
        make::make(self.env, place, &Call { grant, ask }, body).await
    }
}
