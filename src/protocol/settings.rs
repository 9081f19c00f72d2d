//! What an administrator may set on a session (P11.2).

use serde::{Deserialize, Serialize};

use super::error::{ErrorCode, ErrorInfo};

/// The longest duration a setting takes: ten years.
const DURATION_MS_MAX: u64 = 10 * 365 * 24 * 60 * 60 * 1000;
/// The shortest life that retention or idle expiry may give, so that a slip of the unit
/// does not empty a session at once.
const LIFE_MS_MIN: u64 = 1_000;
/// Characters of a title: it is listed with others.
const TITLE_LENGTH: usize = 256;

/// The settings of a session; absent ones have their default.
///
/// `agent`, `onInput` and the times of turns, presence and waking join with their features.
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

    /// These settings with a patch laid over them: `null` takes a setting back to its default.
    ///
    /// # Errors
    /// `invalid-frame` naming the setting that is not what it must be.
    pub fn patched(&self, patch: &serde_json::Value) -> Result<Self, ErrorInfo> {
        let Some(patch) = patch.as_object() else {
            return Err(refused("settings is not an object"));
        };
        let mut merged = serde_json::to_value(self).unwrap_or_default();
        if let Some(merged) = merged.as_object_mut() {
            merged.extend(
                patch
                    .iter()
                    .map(|(key, value)| (key.clone(), value.clone())),
            );
        }
        let settings: Self = serde_path_to_error::deserialize(merged)
            .map_err(|error| refused(&format!("{}: {}", error.path(), error.inner())))?;
        settings.check()?;
        Ok(settings)
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
        let bounds = [
            (
                "retentionMs",
                self.retention_ms,
                LIFE_MS_MIN,
                DURATION_MS_MAX,
            ),
            (
                "idleExpiryMs",
                self.idle_expiry_ms,
                LIFE_MS_MIN,
                DURATION_MS_MAX,
            ),
            (
                "idRetentionMs",
                self.id_retention_ms,
                LIFE_MS_MIN,
                DURATION_MS_MAX,
            ),
            (
                "minRollupMs",
                self.min_rollup_ms,
                0,
                super::limits::WINDOW_MS_MAX,
            ),
            (
                "unwatchedWindowMs",
                self.unwatched_window_ms,
                0,
                super::limits::WINDOW_MS_MAX,
            ),
            (
                "streamIdleMs",
                self.stream_idle_ms,
                LIFE_MS_MIN,
                DURATION_MS_MAX,
            ),
        ];
        for (name, value, least, most) in bounds {
            if value.is_some_and(|value| value < least || most < value) {
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
