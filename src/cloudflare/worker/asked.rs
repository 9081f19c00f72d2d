//! An admitted request, and its calls to the object.

use serde_json::value::RawValue;
use worker::Env;
use worker::web_sys::{Request, Response};

use super::admit::{Admitted, Place};
use super::make;
use super::refuse::Shape;
use crate::cloudflare::call::{Ask, Call, Opening, Question};
use crate::cloudflare::platform::config::Config;
use crate::machine::Carrier;
use crate::protocol::device::ORIGIN;
use crate::protocol::error::ErrorInfo;
use crate::protocol::query;
use crate::protocol::routes::{Resource, Route};
use crate::protocol::traceparent::{self, TRACEPARENT};

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
        self.call(question.into(), body).await
    }

    /// The question of the address.
    fn asked_question(&self) -> Question {
        let mut pairs = self.pairs.to_vec();
        pairs.retain(|(name, _)| name != "token" && name != TRACEPARENT);
        if self.route.method == "POST" {
            let header = self.request.headers().get(TRACEPARENT).ok().flatten();
            // A malformed one is ignored, as W3C has it.
            if let Some(value) = header.filter(|value| traceparent::read(value).is_some()) {
                pairs.push((TRACEPARENT.to_owned(), value));
            }
        }
        if self.route.resource == Resource::Devices {
            // A notice has the address at which its client reaches the session (P10.2).
            pairs.retain(|(name, _)| name != ORIGIN);
            pairs.push((ORIGIN.to_owned(), origin(&self.request.url()).to_owned()));
        }
        Question {
            method: self.route.method.to_owned(),
            path: self.route.path.to_owned(),
            params: self.params.to_vec(),
            pairs,
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
        self.call(question.into(), body).await
    }

    /// Opens a connection to the object.
    ///
    /// # Errors
    /// `internal`, when the object fails.
    pub(super) async fn open(
        &self,
        carrier: Carrier,
        attach: Box<RawValue>,
    ) -> Result<Response, ErrorInfo> {
        let opening = self.opening(carrier, attach);
        self.call(opening.into(), None).await
    }

    /// Makes the call of the address to another object of the same class.
    ///
    /// # Errors
    /// `internal`, when the object fails.
    pub(super) async fn ask_another(&self, name: &str) -> Result<Response, ErrorInfo> {
        let question = self.asked_question();
        self.call_another(name, question.into()).await
    }

    /// Opens a connection to another object of the same class.
    ///
    /// # Errors
    /// `internal`, when the object fails.
    pub(super) async fn open_another(
        &self,
        name: &str,
        carrier: Carrier,
        attach: Box<RawValue>,
    ) -> Result<Response, ErrorInfo> {
        let opening = self.opening(carrier, attach);
        self.call_another(name, opening.into()).await
    }

    fn opening(&self, carrier: Carrier, attach: Box<RawValue>) -> Opening {
        let has_protocol = matches!(self.shape, Shape::Socket { has_protocol: true });
        Opening {
            carrier,
            has_protocol,
            attach,
        }
    }

    async fn call_another(&self, name: &str, ask: Ask) -> Result<Response, ErrorInfo> {
        let Admitted { place, grant, .. } = &self.admitted;
        let place = Place {
            name: name.to_owned(),
            ..*place
        };
        let grant = grant.clone();
        make::make(self.env, &place, &Call { grant, ask }, None).await
    }

    async fn call(&self, ask: Ask, body: Option<&str>) -> Result<Response, ErrorInfo> {
        let Admitted { place, grant, .. } = &self.admitted;
        let grant = grant.clone();
        make::make(self.env, place, &Call { grant, ask }, body).await
    }
}

/// The origin of an address: its scheme and its authority.
fn origin(url: &str) -> &str {
    let behind_scheme = url.find("://").map_or(0, |at| at + 3);
    let rest = url.get(behind_scheme..).unwrap_or_default();
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    url.get(..behind_scheme + end).unwrap_or_default()
}
