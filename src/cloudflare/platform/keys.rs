//! The deployment's keys (P2.7): its own, and those that it fetches.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use worker::{Delay, Env, Fetch, Request};

use super::claims;
use super::env::{not_configured, variable};
use super::http::read_all;
use super::made::MadeKeys;
use super::signatures;
use super::time::{now, within};
use crate::protocol::error::ErrorInfo;
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::Limits;
use crate::token::{
    Claims, Expected, Header, Key, Keys, OWN_KID, check_size, development_claims, unauthorized,
};

/// How long a fetched set of keys is used without another fetch.
const FETCHED_FOR_MS: i64 = 10 * 60 * 1000;
/// The pause between fetches for a key that the set lacked, or after a failed fetch.
const REST_MS: i64 = 60 * 1000;
/// The pause between fetches while no set was ever fetched.
const RETRY_MS: i64 = 5 * 1000;
/// How long a fetch may take.
const FETCH_MS: u64 = 5_000;
/// How often a request checks whether another one's fetch has ended.
const LOOK_MS: u64 = 20;
/// The age of a fetch at which a waiting request begins its own: the request that began it may have
/// left, and then it never ends.
const SLOW_MS: i64 = 1_000;
/// Fetches at once, of which all but one are slow.
const FETCHES_MAX: usize = 4;
/// Bytes of a set of keys, at most.
const SET_BYTES_MAX: usize = 1024 * 1024;

/// All keys, and the state of the fetched ones.
pub(crate) struct KeyRing {
    own: Keys,
    /// The keys of the tokens that the deployment makes itself (P2.8).
    made: MadeKeys,
    /// Whether the platform took each of them.
    are_own_good: Cell<bool>,
    url: Option<String>,
    expected: Expected,
    /// `SESSILE_CLAIMS` (P2.9).
    rules: Option<String>,
    fetched: RefCell<Fetched>,
}

/// The step that a token needs before it can be checked.
enum Need {
    /// Its key is here, or cannot be had.
    Nothing,
    /// The set is to be fetched.
    Fetch,
    /// The set is being fetched for another request.
    Wait,
}

#[derive(Default)]
struct Fetched {
    /// The deployment's own keys and the fetched ones; `None` before the first fetch.
    keys: Option<Keys>,
    /// When they were fetched.
    at: Timestamp,
    /// When a fetch last came to an end, in whatever way.
    tried_at: Option<Timestamp>,
    /// When the unfinished ones began. A fetch whose request went away never ends.
    begun: Vec<Timestamp>,
}

impl KeyRing {
    /// Reads the keys of a deployment.
    ///
    /// # Errors
    /// `not-configured`, naming the setting that is wrong.
    pub(crate) fn read(env: &Env) -> Result<Self, ErrorInfo> {
        let mut own = Keys::new();
        if let Some(key) = variable(env, "SESSILE_SIGNING_KEY") {
            own.add_signing_key(&key)
                .map_err(|reason| not_configured(&reason))?;
        }
        if let Some(set) = variable(env, "SESSILE_KEYS") {
            let named = |reason| not_configured(&format!("SESSILE_KEYS: {reason}"));
            own.add_set(&set).map_err(named)?;
        }
        let text = |name| variable(env, name).filter(|text| !text.is_empty());
        let url = text("SESSILE_JWKS_URL");
        let expected = Expected {
            issuer: text("SESSILE_ISSUER"),
            audience: text("SESSILE_AUDIENCE"),
        };
        let rules = text("SESSILE_CLAIMS");
        rules.as_deref().map_or(Ok(()), claims::check)?;
        Ok(Self {
            own,
            made: MadeKeys::read(env),
            are_own_good: Cell::new(false),
            url,
            expected,
            rules,
            fetched: RefCell::default(),
        })
    }

    /// Whether there is no key and no way to get one.
    pub(crate) fn is_empty(&self) -> bool {
        self.own.is_empty() && self.url.is_none()
    }

    /// Checks a token, and fetches keys first if it needs one that is not here.
    ///
    /// # Errors
    /// `unauthorized`, or `not-configured` if no key can be had or one cannot be used.
    pub(crate) async fn verify(&self, token: &str, limits: &Limits) -> Result<Claims, ErrorInfo> {
        check_size(token, limits)?;
        let header = signatures::header(token)?;
        if header.kid.as_deref() == Some(OWN_KID) {
            let claims = self.made.verify(token, &header).await?;
            return Claims::read_own(&claims, now(), limits);
        }
        self.have(header.kid.as_deref()).await;
        self.try_own().await?;
        let (key, name) = self.find(&header)?;
        let claims = signatures::verify(token, &header, &key, &name).await?;
        let read = match &self.rules {
            Some(rules) => claims::read(rules, &claims, now(), limits)?,
            None => Claims::read(&claims, now(), limits)?,
        };
        self.expected.check(&claims)?;
        Ok(read)
    }

    /// Whether the deployment can make tokens itself (P2.8).
    pub(crate) fn can_issue(&self) -> bool {
        self.made.has_secret()
    }

    /// A token of the deployment itself with these claims, as JSON (P2.8).
    ///
    /// # Errors
    /// `not-configured`, where the deployment has no secret to sign with.
    pub(crate) async fn issue(&self, claims: &str) -> Result<String, ErrorInfo> {
        self.made.issue(claims).await
    }

    /// A token that a development server makes for a page, which asks by this body.
    ///
    /// # Errors
    /// `invalid-frame`, or `not-configured` without `SESSILE_SIGNING_KEY`.
    pub(crate) async fn develop(
        &self,
        body: &str,
        expires_at: Timestamp,
        limits: &Limits,
    ) -> Result<String, ErrorInfo> {
        let missing = || not_configured("such a token needs SESSILE_SIGNING_KEY");
        let key = self.own.signing_key().ok_or_else(missing)?;
        let claims = development_claims(body, &self.expected, now(), expires_at, limits)?;
        signatures::sign(&claims, "", key).await
    }

    /// Makes sure, once, that every key of the deployment is one that the platform takes.
    async fn try_own(&self) -> Result<(), ErrorInfo> {
        if self.are_own_good.get() {
            return Ok(());
        }
        for (key, name) in self.own.all() {
            signatures::try_key(key, &name).await?;
        }
        self.are_own_good.set(true);
        Ok(())
    }

    fn find(&self, header: &Header) -> Result<(Key, String), ErrorInfo> {
        let fetched = self.fetched.borrow();
        let kid = header.kid.as_deref();
        let keys = match &fetched.keys {
            Some(keys) => keys,
            None if self.url.is_some() && (self.own.is_empty() || is_missing(&self.own, kid)) => {
                return Err(not_configured(
                    "the keys at SESSILE_JWKS_URL could not be fetched",
                ));
            }
            None => &self.own,
        };
        let (key, name) = keys.find(header).map_err(|wrong| unauthorized(&wrong))?;
        Ok((key.clone(), name))
    }

    /// Makes sure that the keys for this `kid` are here. One request fetches them, and those that
    /// arrive meanwhile wait for it.
    async fn have(&self, kid: Option<&str>) {
        let until = now() + FETCH_MS as i64;
        loop {
            match self.need(kid, now()) {
                Need::Nothing => return,
                Need::Fetch => return self.fetch().await,
                Need::Wait if until <= now() => return,
                // A request cannot await the fetch of another request.
                Need::Wait => Delay::from(Duration::from_millis(LOOK_MS)).await,
            }
        }
    }

    fn need(&self, kid: Option<&str>, now: Timestamp) -> Need {
        if self.url.is_none() {
            return Need::Nothing;
        }
        let mut fetched = self.fetched.borrow_mut();
        fetched
            .begun
            .retain(|begun| now < begun + 2 * FETCH_MS as i64);
        let missing = is_missing(fetched.keys.as_ref().unwrap_or(&self.own), kid);
        let is_needed = missing || fetched.keys.is_none() && self.own.is_empty();
        let rest = if fetched.keys.is_none() {
            RETRY_MS
        } else {
            REST_MS
        };
        let is_rested = fetched.tried_at.is_none_or(|tried| tried + rest <= now);
        // Meanwhile the old set serves all other requests.
        let is_old = fetched.keys.is_some() && fetched.at + FETCHED_FOR_MS <= now;
        if !is_rested || !is_needed && !is_old {
            return Need::Nothing;
        }
        match fetched.begun.iter().max() {
            None => Need::Fetch,
            Some(_) if !is_needed => Need::Nothing,
            Some(last) if last + SLOW_MS <= now && fetched.begun.len() < FETCHES_MAX => Need::Fetch,
            Some(_) => Need::Wait,
        }
    }

    /// Fetches the set anew. If that fails, the old one stays.
    async fn fetch(&self) {
        let Some(url) = &self.url else { return };
        let begun = now();
        self.fetched.borrow_mut().begun.push(begun);
        let set = within(Duration::from_millis(FETCH_MS), fetch_text(url))
            .await
            .flatten();
        let mut fetched = self.fetched.borrow_mut();
        fetched.tried_at = Some(now());
        if let Some(index) = fetched.begun.iter().position(|other| *other == begun) {
            fetched.begun.swap_remove(index);
        }
        let mut keys = self.own.clone();
        if set.is_some_and(|set| keys.add_fetched_set(&set).is_ok()) {
            fetched.at = now();
            fetched.keys = Some(keys);
        }
    }
}

/// Whether a token names an unknown key. A fetched set may have it: its issuer may have rotated
/// keys.
fn is_missing(keys: &Keys, kid: Option<&str>) -> bool {
    kid.is_some_and(|kid| !keys.has(kid))
}

async fn fetch_text(url: &str) -> Option<String> {
    let request = Request::new(url, worker::Method::Get).ok()?;
    let response = Fetch::Request(request).send().await.ok()?;
    if response.status_code() != 200 {
        return None;
    }
    let response = worker::web_sys::Response::from(response);
    read_all(response.body(), SET_BYTES_MAX).await.ok()
}
