//! Usage: amounts that turns and sessions have used, by names of the application's choice (P6.12).

use serde::Serialize;
use serde::de::{Deserialize, Deserializer, Error};

use super::amount::Amount;
use super::error::{Details, ErrorCode, ErrorInfo};
use super::fields::{Fields, FromFields};
use super::json_error;
use super::limits::{Limits, USAGE_MOST, USAGE_NAMES};
use super::object::Object;
use super::tree::check_key;
use crate::ordered::Map;

/// `turn.usage` (P6.12).
#[derive(Debug)]
pub struct ReportUsage {
    /// The turn.
    pub turn: String,
    /// The attempt at it (P6.8).
    pub attempt: Option<u64>,
    /// The amounts that are added.
    pub usage: Usage,
    /// Makes a resend safe (P13.1).
    pub id: Option<String>,
}

/// Amounts by name: those of a report, sums, or limits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Usage(Map<String, Amount>);

impl<'de> Deserialize<'de> for Usage {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let Object(entries) = Object::deserialize(source)?;
        let mut usage = Map::new();
        for (name, raw) in entries {
            check_key(&name).map_err(D::Error::custom)?;
            let number: f64 = serde_json::from_str(raw.get())
                .map_err(|error| in_place(&name, &json_error::of_part(&error)))?;
            if !(0.0..=USAGE_MOST).contains(&number) {
                return Err(in_place(&name, "it is not a number from 0 to 2^53"));
            }
            // Without the sign of a zero.
            usage.insert(name.into_owned(), Amount(number.abs()));
        }
        Ok(Self(usage))
    }
}

fn in_place<E: Error>(name: &str, reason: &str) -> E {
    E::custom(format!("{name}: {reason}"))
}

/// A budget that is spent: a sum beyond its limit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OverBudget {
    /// The name.
    name: String,
    /// Its limit.
    limit: Amount,
    /// The session's sum.
    used: Amount,
}

impl OverBudget {
    /// The refusal of what would use more.
    pub fn refusal(self, verb: &str) -> ErrorInfo {
        let Self { name, limit, used } = self;
        let message = format!(
            "unable to {verb}; the budget is spent: {name} is {}, the limit is {}",
            used.0, limit.0
        );
        ErrorInfo {
            details: Some(Details::Budget { name, limit, used }),
            ..ErrorInfo::new(ErrorCode::OverBudget, message)
        }
    }
}

impl Usage {
    /// Whether it has no name.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Its names.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The number of names with those of another.
    pub fn len_with(&self, more: &Self) -> usize {
        let is_new = |name: &&String| !self.0.contains_key(*name);
        self.len() + more.0.keys().filter(is_new).count()
    }

    /// Adds amounts; a sum stays at 2^53.
    pub fn add(&mut self, more: &Self) {
        for (name, amount) in &more.0 {
            match self.0.get_mut(name) {
                Some(sum) => sum.0 = (sum.0 + amount.0).min(USAGE_MOST),
                None => {
                    self.0.insert(name.clone(), *amount);
                }
            }
        }
    }

    /// The amounts of those names that another has.
    pub fn of(&self, others: &Self) -> Self {
        let named = others.0.keys().filter_map(|name| {
            let amount = self.0.get(name)?;
            Some((name.clone(), *amount))
        });
        Self(named.collect())
    }

    /// The first sum that is beyond its limit.
    pub fn beyond(&self, budget: &Self) -> Option<OverBudget> {
        let mut sums = budget.0.iter().filter_map(|(name, limit)| {
            let used = self.0.get(name).copied().unwrap_or_default();
            (limit.0 < used.0).then(|| OverBudget {
                name: name.clone(),
                limit: *limit,
                used,
            })
        });
        sums.next()
    }
}

/// Reads the amounts of a report.
pub(super) fn read_usage(fields: &Fields<'_>) -> Result<Option<Usage>, ErrorInfo> {
    let usage: Option<Usage> = fields.get("usage")?;
    match &usage {
        Some(usage) if USAGE_NAMES < usage.len() => {
            let (verb, names) = (fields.verb(), usage.len());
            let message =
                format!("unable to {verb}; usage has {names} names, the limit is {USAGE_NAMES}");
            Err(ErrorInfo::new(ErrorCode::OverLimit, message))
        }
        _ => Ok(usage),
    }
}

impl FromFields for ReportUsage {
    fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Self, ErrorInfo> {
        let usage = read_usage(fields)?;
        Ok(Self {
            turn: fields.need_name("turn", limits)?,
            attempt: fields.count("attempt")?,
            usage: match usage {
                Some(usage) => usage,
                None => fields.need("usage")?,
            },
            id: fields.name("id", limits)?,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn usage(json: &str) -> Usage {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn p6_12_whole_numbers_stay_whole_and_sums_stay_exact() {
        let mut sums = usage(r#"{"b":9007199254740990,"a":0.5}"#);
        sums.add(&usage(r#"{"c":-0.0,"b":1,"a":0.25}"#));
        let json = serde_json::to_string(&sums).unwrap();
        assert_eq!(json, r#"{"a":0.75,"b":9007199254740991,"c":0}"#);
        sums.add(&usage(r#"{"b":9007199254740992}"#));
        assert_eq!(sums, usage(r#"{"a":0.75,"b":9007199254740992,"c":0}"#));
        assert_eq!(serde_json::from_str::<Usage>(&json).unwrap().len(), 3);
    }

    #[test]
    fn p6_12_what_is_no_amount_is_refused_by_name() {
        for (json, reason) in [
            ("[1]", "invalid type: sequence, expected an object"),
            (r#"{"a":-1}"#, "a: it is not a number from 0 to 2^53"),
            (r#"{"a":1e16}"#, "a: it is not a number from 0 to 2^53"),
            (r#"{"a":1e400}"#, "a: number out of range"),
            (r#"{"a":"1"}"#, "a: it is the text \"1\", not a number"),
            (r#"{"a":null}"#, "a: it is null, not a number"),
            (r#"{"":1}"#, "a key is not 1 to 128 characters"),
            (r#"{"__proto__":1}"#, "__proto__ is no key"),
        ] {
            let error = serde_json::from_str::<Usage>(json).unwrap_err();
            assert!(error.to_string().starts_with(reason), "{json}: {error}");
        }
    }

    #[test]
    fn p6_12_a_budget_is_spent_beyond_its_limit_and_not_at_it() {
        let sums = usage(r#"{"a":3,"b":2}"#);
        assert_eq!(sums.beyond(&usage(r#"{"a":3,"b":2,"c":0}"#)), None);
        let over = sums.beyond(&usage(r#"{"a":3,"b":1.5}"#)).unwrap();
        let json = serde_json::to_string(&over).unwrap();
        assert_eq!(json, r#"{"name":"b","limit":1.5,"used":2}"#);
    }
}
