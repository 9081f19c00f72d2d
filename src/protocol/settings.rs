//! What an administrator may set on a session (P11.2).

use serde::{Deserialize, Serialize};

use super::deployment::Outbound;
use super::error::{ErrorCode, ErrorInfo};
use super::hooks::{self, Hook};
use super::words;

/// The longest duration a setting takes: ten years.
const DURATION_MS_MAX: u64 = 10 * 365 * 24 * 60 * 60 * 1000;
/// The shortest life that retention or idle expiry may give, so that a slip of the unit
/// does not empty a session at once.
const LIFE_MS_MIN: u64 = 1_000;
/// Characters of an agent's address.
const ADDRESS_LENGTH: usize = 2_048;
/// Characters of a title: it is listed with others.
const TITLE_LENGTH: usize = 256;

/// The settings of a session; absent ones have their default.
///
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// What people call the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Messages older than this go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_ms: Option<u64>,
    /// The whole session goes after so long without a write.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_expiry_ms: Option<u64>,
    /// How long ids of frames other than messages are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_retention_ms: Option<u64>,
    /// No rollup window is shorter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_rollup_ms: Option<u64>,
    /// The window of storage while nobody reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unwatched_window_ms: Option<u64>,
    /// How long a message outside a turn may stream without an append.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream_idle_ms: Option<u64>,
    /// What an input does while another is answered (P10.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_input: Option<OnInput>,
    /// Who is woken for an input (P10.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<Agent>,
    /// How long a leader has to end a turn that is cancelled (P6.5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancel_grace_ms: Option<u64>,
    /// How long a member may be silent (P7.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence_timeout_ms: Option<u64>,
    /// How long a turn may be suspended (P6.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspend_ms: Option<u64>,
    /// How long an agent that was woken has to take its input (P10.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub take_ms: Option<u64>,
    /// How many agents a turn is given, one after the other (P6.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_attempts: Option<u64>,
    /// The addresses that are told what happens to the session, beside those of the deployment
    /// (P10.4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hooks: Option<Vec<Hook>>,
}

/// What an input does while a turn that answers another is active (P10.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnInput {
    /// Nothing: agents answer it as they like.
    #[default]
    Parallel,
    /// It waits as a queued turn.
    Queue,
    /// Those turns are cancelled first.
    Interrupt,
    /// It is refused.
    Reject,
}

/// An agent that can be woken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// The address of its webhook.
    pub url: String,
}

impl Settings {
    /// `idRetentionMs`, a day by default.
    pub fn id_retention_ms(&self) -> u64 {
        self.id_retention_ms.unwrap_or(24 * 60 * 60 * 1000)
    }

    /// `minRollupMs`, 0 by default.
    pub fn min_rollup_ms(&self) -> u64 {
        self.min_rollup_ms.unwrap_or(0)
    }

    /// `unwatchedWindowMs`, 250 by default.
    pub fn unwatched_window_ms(&self) -> u64 {
        self.unwatched_window_ms.unwrap_or(250)
    }

    /// `streamIdleMs`, five minutes by default.
    pub fn stream_idle_ms(&self) -> u64 {
        self.stream_idle_ms.unwrap_or(300_000)
    }

    /// `onInput`, `parallel` by default.
    pub fn on_input(&self) -> OnInput {
        self.on_input.unwrap_or_default()
    }

    /// `cancelGraceMs`, five seconds by default.
    pub fn cancel_grace_ms(&self) -> u64 {
        self.cancel_grace_ms.unwrap_or(5_000)
    }

    /// `presenceTimeoutMs`, half a minute by default.
    pub fn presence_timeout_ms(&self) -> u64 {
        self.presence_timeout_ms.unwrap_or(30_000)
    }

    /// `suspendMs`, a week by default.
    pub fn suspend_ms(&self) -> u64 {
        self.suspend_ms.unwrap_or(7 * 24 * 60 * 60 * 1000)
    }

    /// How many attempts at a turn are made before it fails: one, unless agents are woken for
    /// another (P6.1). `maxAttempts` is 3 by default.
    pub fn attempts(&self) -> u64 {
        let woken = self.agent.as_ref().map(|_| self.max_attempts.unwrap_or(3));
        woken.unwrap_or(1)
    }

    /// These settings with a patch laid over them: `null` takes a setting back to its default.
    /// The deployment says what may leave the session.
    ///
    /// # Errors
    /// `invalid-frame` naming the setting that is not what it must be.
    pub fn patched(
        &self,
        patch: &serde_json::Value,
        outbound: &Outbound,
    ) -> Result<Self, ErrorInfo> {
        let Some(patch) = patch.as_object() else {
            return Err(refused("settings is not an object"));
        };
        let mut merged = serde_json::to_value(self).unwrap_or_default();
        for (key, value) in patch {
            // One by one, so that the one that is wrong is named.
            let alone = serde_json::json!({ key: value });
            if let Err(error) = serde_json::from_value::<Self>(alone) {
                return Err(refused(&format!("{key}: {}", words::of_part(&error))));
            }
            if let Some(merged) = merged.as_object_mut() {
                merged.insert(key.clone(), value.clone());
            }
        }
        let settings: Self = serde_json::from_value(merged).unwrap_or_default();
        settings.check()?;
        // The deployment may have changed its mind since; the rest can be set none the less.
        if settings.hooks != self.hooks {
            settings.check_hooks(outbound)?;
        }
        Ok(settings)
    }

    fn check_hooks(&self, outbound: &Outbound) -> Result<(), ErrorInfo> {
        let hooks = self.hooks.as_deref().unwrap_or_default();
        if !hooks.is_empty() && !outbound.has_secret {
            let reason = "hooks needs SESSILE_WEBHOOK_SECRETS, which the deployment does not have";
            return Err(refused(reason));
        }
        hooks::check(hooks, outbound.allows_local).map_err(|reason| refused(&reason))
    }

    fn check(&self) -> Result<(), ErrorInfo> {
        if self
            .title
            .as_ref()
            .is_some_and(|title| TITLE_LENGTH < title.chars().count())
        {
            return Err(refused(&format!(
                "title is longer than {TITLE_LENGTH} characters"
            )));
        }
        let is_address = |url: &str| url.starts_with("https://") || url.starts_with("http://");
        let agent = self.agent.as_ref().map(|agent| agent.url.as_str());
        if agent.is_some_and(|url| !is_address(url) || ADDRESS_LENGTH < url.len()) {
            return Err(refused(&format!(
                "agent.url is no address of http or https with at most {ADDRESS_LENGTH} characters"
            )));
        }
        if self
            .max_attempts
            .is_some_and(|most| !(1..=100).contains(&most))
        {
            return Err(refused("maxAttempts is not between 1 and 100"));
        }
        let windows = 0..=super::limits::WINDOW_MS_MAX;
        let lives = LIFE_MS_MIN..=DURATION_MS_MAX;
        let bounds = [
            ("retentionMs", self.retention_ms, &lives),
            ("idleExpiryMs", self.idle_expiry_ms, &lives),
            ("idRetentionMs", self.id_retention_ms, &lives),
            ("minRollupMs", self.min_rollup_ms, &windows),
            ("unwatchedWindowMs", self.unwatched_window_ms, &windows),
            ("streamIdleMs", self.stream_idle_ms, &lives),
            (
                "cancelGraceMs",
                self.cancel_grace_ms,
                &(0..=DURATION_MS_MAX),
            ),
            ("presenceTimeoutMs", self.presence_timeout_ms, &lives),
            ("suspendMs", self.suspend_ms, &lives),
            ("takeMs", self.take_ms, &lives),
        ];
        for (name, value, range) in bounds {
            if value.is_some_and(|value| !range.contains(&value)) {
                let (least, most) = (range.start(), range.end());
                return Err(refused(&format!(
                    "{name} is not between {least} and {most} ms"
                )));
            }
        }
        Ok(())
    }
}

fn refused(reason: &str) -> ErrorInfo {
    ErrorInfo::new(
        ErrorCode::InvalidFrame,
        format!("unable to change the settings; {reason}"),
    )
}
