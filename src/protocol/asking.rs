//! Fields that requests to people and to devices share: whom they ask, how long they wait (P8.1,
//! P8.9).

use super::capability::Role;
use super::error::{ErrorCode, ErrorInfo};
use super::fields::Fields;
use super::limits::{ADDRESSEES, Limits, WAIT_MS};

/// The refusal of a field's content.
pub(super) fn refused(fields: &Fields<'_>, reason: &str) -> ErrorInfo {
    let message = format!("unable to {}; {reason}", fields.verb());
    ErrorInfo::new(ErrorCode::InvalidFrame, message)
}

/// Text of at most so many characters; an empty one counts as absent.
pub(super) fn text(
    fields: &Fields<'_>,
    name: &str,
    most: usize,
) -> Result<Option<String>, ErrorInfo> {
    let text: Option<String> = fields.get(name)?;
    let text = text.filter(|text| !text.is_empty());
    match text.as_ref().map_or(0, |text| text.chars().count()) {
        length if most < length => {
            let (verb, place) = (fields.verb(), fields.at(name));
            let message =
                format!("unable to {verb}; {place} has {length} characters, the limit is {most}");
            Err(ErrorInfo::new(ErrorCode::TooLarge, message))
        }
        _ => Ok(text),
    }
}

/// A time to wait, in milliseconds.
pub(super) fn wait(fields: &Fields<'_>, name: &str) -> Result<Option<u64>, ErrorInfo> {
    let wait = fields.count(name)?;
    let (least, most) = (WAIT_MS.start(), WAIT_MS.end());
    if wait.is_none_or(|wait| WAIT_MS.contains(&wait)) {
        return Ok(wait);
    }
    let place = fields.at(name);
    Err(refused(
        fields,
        &format!("{place} is not between {least} and {most}"),
    ))
}

/// The items of a list that may be absent, of which there are 1 to `most` otherwise.
pub(super) fn count(
    fields: &Fields<'_>,
    name: &str,
    items: usize,
    most: usize,
) -> Result<(), ErrorInfo> {
    if (1..=most).contains(&items) {
        return Ok(());
    }
    let place = fields.at(name);
    Err(refused(
        fields,
        &format!("{place} has {items} items, it takes 1 to {most}"),
    ))
}

/// Whether a field is given.
pub(super) fn is_there(fields: &Fields<'_>, name: &str) -> bool {
    fields.raw(name).is_some_and(|raw| raw.get() != "null")
}

/// The clients and roles that are asked; none where the field is absent.
pub(super) fn addressees(
    fields: &Fields<'_>,
    name: &str,
    limits: &Limits,
) -> Result<Vec<String>, ErrorInfo> {
    let Some(named) = fields.get::<Vec<String>>(name)? else {
        return Ok(Vec::new());
    };
    count(fields, name, named.len(), ADDRESSEES)?;
    let most = limits.name_length();
    let mut kept: Vec<String> = Vec::with_capacity(named.len());
    for word in named {
        let is_name = !word.is_empty() && word.chars().count() <= most;
        let role = word.strip_prefix("role:");
        if !is_name || role.is_some_and(|role| Role::parse(role).is_none()) {
            let place = fields.at(name);
            let reason = format!(
                "{place} takes clients of 1 to {most} characters, role:user, role:agent and \
                 role:supervisor"
            );
            return Err(refused(fields, &reason));
        }
        if !kept.contains(&word) {
            kept.push(word);
        }
    }
    Ok(kept)
}
