//! The configuration of a deployment, for all of its sessions.

use std::rc::Rc;

use super::agent::{Agent, Bindings, Reach};
use super::device::Services;
use super::hooks::{self, Hook};
use super::limits::Limits;
use super::schema::{Judge, Unjudged};

/// The prefix of a signing secret, and the characters of base64 after it: Standard Webhooks ask
/// for 24 to 64 bytes.
const SECRET_PREFIX: &str = "whsec_";
const SECRET_LENGTH: std::ops::RangeInclusive<usize> = 32..=88;
/// Concurrent signing secrets: a rotation needs two.
const SECRETS_MAX: usize = 4;

/// The configuration of a deployment.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// The bounds that hold (P14).
    pub limits: Limits,
    /// Its rules for calls that leave a session.
    pub outbound: Outbound,
    /// The judge of values by their schemas (P8.1, P9.4).
    pub judge: Rc<dyn Judge>,
}

impl From<Limits> for Deployment {
    fn from(limits: Limits) -> Self {
        Self {
            limits,
            outbound: Outbound::default(),
            judge: Rc::new(Unjudged),
        }
    }
}

/// Rules for calls that leave a session (P10.4, P10.5).
#[derive(Clone, Debug, Default)]
pub struct Outbound {
    /// The hooks of every session.
    pub hooks: Vec<Hook>,
    /// Whether targets may use `http` and hosts that are not public.
    pub allows_local: bool,
    /// Whether there is a signing secret.
    pub has_secret: bool,
    /// Whether it has inboxes, which sessions tell of themselves (P15).
    pub has_inboxes: bool,
    /// Whether it can make tokens for its own sessions (P2.8).
    pub has_keys: bool,
    /// The agent of every session that sets none (P10.3).
    pub agent: Option<Agent>,
    /// The names of bindings that agents may be reached by.
    pub bindings: Bindings,
    /// The push services that it has (P10.1).
    pub push: Services,
    /// Whether its owner is told of milestones (P11.8).
    pub is_watched: bool,
}

impl Outbound {
    /// Reads `SESSILE_HOOKS`, `SESSILE_LOCAL_TARGETS` and `SESSILE_WEBHOOK_SECRETS`.
    ///
    /// # Errors
    /// The reason, naming the variable and no secret.
    pub fn read(
        hooks: Option<&str>,
        allows_local: Option<&str>,
        secrets: Option<&str>,
    ) -> Result<Self, String> {
        let allows_local = match allows_local {
            None | Some("" | "0") => false,
            Some("1") => true,
            Some(_) => return Err("SESSILE_LOCAL_TARGETS is not 1".to_owned()),
        };
        let has_secret = secrets.is_some();
        if let Some(secrets) = secrets {
            check_secrets(secrets)?;
        }
        let hooks = hooks.filter(|json| !json.is_empty());
        let hooks = hooks.map_or(Ok(Vec::new()), |json| read_hooks(json, allows_local))?;
        if !hooks.is_empty() && !has_secret {
            return Err("SESSILE_HOOKS needs SESSILE_WEBHOOK_SECRETS to sign with".to_owned());
        }
        Ok(Self {
            hooks,
            allows_local,
            has_secret,
            ..Self::default()
        })
    }

    /// Its means to reach agents.
    pub fn reach(&self) -> Reach<'_> {
        Reach {
            allows_local: self.allows_local,
            has_secret: self.has_secret,
            has_keys: self.has_keys,
            has_inboxes: self.has_inboxes,
            bindings: &self.bindings,
        }
    }

    /// The same with the agent that `SESSILE_AGENT` names, once everything else is known.
    ///
    /// # Errors
    /// The reason, naming the variable.
    pub fn with_agent(self, json: Option<&str>) -> Result<Self, String> {
        let Some(json) = json.filter(|json| !json.is_empty()) else {
            return Ok(self);
        };
        let named = |reason: String| format!("SESSILE_AGENT: {reason}");
        let agent: Agent = serde_json::from_str(json)
            .map_err(|error| named(super::json_error::of_text(&error)))?;
        agent.check(self.reach()).map_err(named)?;
        Ok(Self {
            agent: Some(agent),
            ..self
        })
    }
}

fn read_hooks(json: &str, allows_local: bool) -> Result<Vec<Hook>, String> {
    let named = |reason: String| format!("SESSILE_HOOKS: {reason}");
    let hooks: Vec<Hook> =
        serde_json::from_str(json).map_err(|error| named(super::json_error::of_text(&error)))?;
    hooks::check(&hooks, allows_local).map_err(named)?;
    Ok(hooks)
}

fn check_secrets(secrets: &str) -> Result<(), String> {
    let named = |reason| Err(format!("SESSILE_WEBHOOK_SECRETS {reason}"));
    if SECRETS_MAX < secrets.split(' ').count() {
        return named("has more than 4 secrets");
    }
    let is_secret = |secret: &str| {
        let text = secret.strip_prefix(SECRET_PREFIX)?;
        let is_of = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
        let bare = text.trim_end_matches('=');
        let is_whole = text.len().is_multiple_of(4) && text.len() - bare.len() <= 2;
        (is_whole && bare.bytes().all(is_of) && SECRET_LENGTH.contains(&text.len())).then_some(())
    };
    if secrets.split(' ').all(|secret| is_secret(secret).is_some()) {
        return Ok(());
    }
    named("is not whsec_ and 24 to 64 bytes as base64, several with one space between them")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Outbound;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    #[test]
    fn a_deployment_says_nothing_of_calls_by_default() {
        let outbound = Outbound::read(None, None, None).unwrap();
        assert!(outbound.hooks.is_empty() && !outbound.allows_local && !outbound.has_secret);
    }

    #[test]
    fn hooks_need_a_secret() {
        let hooks = r#"[{"url":"https://a.example/"}]"#;
        let refused = Outbound::read(Some(hooks), None, None).unwrap_err();
        assert_eq!(
            refused,
            "SESSILE_HOOKS needs SESSILE_WEBHOOK_SECRETS to sign with"
        );
        let two = format!("{SECRET} {SECRET}");
        assert_eq!(
            Outbound::read(Some(hooks), None, Some(&two))
                .unwrap()
                .hooks
                .len(),
            1
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        let refused = |hooks: &str, local: &str| {
            Outbound::read(Some(hooks), Some(local), Some(SECRET)).unwrap_err()
        };
        assert_eq!(refused("[]", "yes"), "SESSILE_LOCAL_TARGETS is not 1");
        let local = r#"[{"url":"http://localhost/"}]"#;
        let reason = "SESSILE_HOOKS: hooks[0].url: it is no address of https";
        assert_eq!(refused(local, "0"), reason);
        assert_eq!(
            Outbound::read(Some(local), Some("1"), Some(SECRET))
                .unwrap()
                .hooks
                .len(),
            1
        );
        assert!(refused("{}", "").starts_with("SESSILE_HOOKS: it is an object, not a list"));
    }

    #[test]
    fn a_secret_that_is_none_is_not_shown() {
        for secrets in [
            "",
            "secret",
            "whsec_",
            "whsec_c2hvcnQ=",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!",
        ] {
            let refused = Outbound::read(None, None, Some(secrets)).unwrap_err();
            assert!(
                refused.starts_with("SESSILE_WEBHOOK_SECRETS is not whsec_"),
                "{refused}"
            );
        }
        let many = [SECRET; 5].join(" ");
        let refused = Outbound::read(None, None, Some(&many)).unwrap_err();
        assert_eq!(refused, "SESSILE_WEBHOOK_SECRETS has more than 4 secrets");
    }
}
