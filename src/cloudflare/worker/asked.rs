//! An admitted request, and its calls to the object.

use serde::Serialize;
use worker::Env;
use worker::web_sys::{Request, Response};

use super::admit::{Admitted, Place};
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
        let question = self.asked_question();
        self.call::<()>(Ask::Answer(question), body).await
    }

    /// The question of the address.
    fn asked_question(&self) -> Question {
        let pairs = self.pairs.iter().filter(|(name, _)| name != "token");
        Question {
            method: self.route.method.to_owned(),
            path: self.route.path.to_owned(),
            params: self.params.to_vec(),
            pairs: pairs.cloned().collect(),
        }
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
        let opening = self.opening(carrier, attach);
        self.call(Ask::Open(opening), None).await
    }

    /// Makes the call of the address to another object of the same class.
    ///
    /// # Errors
    /// `internal`, when the object fails.
    pub(super) async fn ask_another(&self, name: &str) -> Result<Response, ErrorInfo> {
        let question = self.asked_question();
        self.call_another::<()>(name, Ask::Answer(question)).await
    }

    /// Opens a connection to another object of the same class.
    ///
    /// # Errors
    /// `internal`, when the object fails.
    pub(super) async fn open_another<A: Serialize>(
        &self,
        name: &str,
        carrier: Carrier,
        attach: A,
    ) -> Result<Response, ErrorInfo> {
        let opening = self.opening(carrier, attach);
        self.call_another(name, Ask::Open(opening)).await
    }

    fn opening<A>(&self, carrier: Carrier, attach: A) -> Opening<A> {
        let has_protocol = matches!(self.shape, Shape::Socket { has_protocol: true });
        Opening {
            carrier,
            has_protocol,
            attach,
        }
    }

    async fn call_another<A: Serialize>(
        &self,
        name: &str,
        ask: Ask<A>,
    ) -> Result<Response, ErrorInfo> {
        let Admitted { place, grant, .. } = &self.admitted;
        let place = Place {
            name: name.to_owned(),
            ..*place
        };
        make::make(self.env, &place, &Call { grant, ask }, None).await
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
