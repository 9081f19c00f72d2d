//! The fields of a frame, read one by one so that an error names the field.
//!
//! A frame is cut into its fields once; each is then read as its type. All frames share this
//! reader: a derived one for each would be half of the wasm.

use serde::de::{Deserialize, DeserializeOwned};
use serde_json::value::RawValue;
use std::borrow::Cow;

use super::error::{ErrorCode, ErrorInfo};
use super::json_error;
use super::limits::Limits;
use super::object::{Entries, Name, Object};

/// The largest integer that rows and every client represent exactly.
const NUMBER_MAX: u64 = (1 << 53) - 1;

/// Cuts an object into its entries, of which the last one of a name counts; `None` if it is none.
pub(super) fn entries(text: &str) -> Option<Entries<'_>> {
    serde_json::from_str(text)
        .ok()
        .map(|Object(entries)| entries)
}

/// A frame, or a part of one, that is read from its fields.
pub(super) trait FromFields: Sized {
    /// Reads it; refuses by name the first field that is wrong or beyond a bound.
    fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Self, ErrorInfo>;
}

/// A long frame is boxed, so that every other one, such as an append, is moved as a short one.
impl<T: FromFields> FromFields for Box<T> {
    fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Self, ErrorInfo> {
        T::read(fields, limits).map(Box::new)
    }
}

/// The fields of a frame, or of a part of it.
pub struct Fields<'a> {
    /// The frame's action, as its refusals name it.
    verb: &'a str,
    /// Their path within the frame: empty, or `messages[0]`.
    path: String,
    object: Object<'a>,
}

impl<'a> Fields<'a> {
    /// Cuts an object into its fields.
    ///
    /// # Errors
    /// `invalid-frame` if the text is not an object.
    pub fn read(verb: &'a str, text: &'a str) -> Result<Self, ErrorInfo> {
        Self::part(verb, "", text)
    }

    /// The same for a part of something larger, which `path` names.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn part(verb: &'a str, path: &str, text: &'a str) -> Result<Self, ErrorInfo> {
        let object = serde_json::from_str(text);
        let object = object.map_err(|error| refusal(verb, path, &json_error::of_text(&error)))?;
        let path = path.to_owned();
        Ok(Self { verb, path, object })
    }

    /// The same with another field, which stands for any of its name that came.
    pub(super) fn with(mut self, name: &'a str, raw: &'a RawValue) -> Self {
        self.object.0.push((Cow::Borrowed(name), raw));
        self
    }

    /// The same fields, with the frame's own action.
    pub(super) fn of(self, verb: &'a str) -> Self {
        Self { verb, ..self }
    }

    /// The frame's action.
    pub(super) fn verb(&self) -> &str {
        self.verb
    }

    /// A field, unparsed; `None` if absent.
    pub(crate) fn raw(&self, name: &str) -> Option<&'a RawValue> {
        self.object.raw(name)
    }

    /// An optional field; `null` counts as absent.
    pub(crate) fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, ErrorInfo> {
        match self.raw(name) {
            Some(raw) if raw.get() != "null" => self.read_as(name, raw).map(Some),
            Some(_) | None => Ok(None),
        }
    }

    /// An optional field for which `null` is a value.
    pub(super) fn present<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, ErrorInfo> {
        let raw = self.raw(name);
        raw.map(|raw| self.read_as(name, raw)).transpose()
    }

    /// A required field.
    pub(crate) fn need<T: DeserializeOwned>(&self, name: &str) -> Result<T, ErrorInfo> {
        match self.present(name)? {
            Some(value) => Ok(value),
            None => Err(self.missing(name)),
        }
    }

    /// A required text, borrowed.
    pub(super) fn word(&self, name: &str) -> Result<Cow<'a, str>, ErrorInfo> {
        let raw = self.raw(name).ok_or_else(|| self.missing(name))?;
        self.read_as(name, raw).map(|Name(text)| text)
    }

    /// Whether a field is `true`; absent is `false`.
    pub(super) fn flag(&self, name: &str) -> Result<bool, ErrorInfo> {
        Ok(self.get(name)?.unwrap_or(false))
    }

    /// An optional name of 1 to `nameLength` characters (P14).
    pub(super) fn name(&self, name: &str, limits: &Limits) -> Result<Option<String>, ErrorInfo> {
        let value: Option<String> = self.get(name)?;
        if let Some(value) = &value {
            self.check_name(name, value, limits)?;
        }
        Ok(value)
    }

    /// The same, required.
    pub(super) fn need_name(&self, name: &str, limits: &Limits) -> Result<String, ErrorInfo> {
        let value: String = self.need(name)?;
        self.check_name(name, &value, limits)?;
        Ok(value)
    }

    fn check_name(&self, name: &str, value: &str, limits: &Limits) -> Result<(), ErrorInfo> {
        let most = limits.name_length();
        if !value.is_empty() && value.chars().count() <= most {
            return Ok(());
        }
        let (verb, place) = (self.verb, self.at(name));
        let message = format!("unable to {verb}; {place} is not 1 to {most} characters");
        Err(ErrorInfo::new(ErrorCode::InvalidFrame, message))
    }

    /// An optional count, up to 2^53 − 1.
    pub(super) fn count(&self, name: &str) -> Result<Option<u64>, ErrorInfo> {
        let number: Option<u64> = self.get(name)?;
        match number {
            Some(number) if NUMBER_MAX < number => {
                let reason = format!("it is {number}, the limit is {NUMBER_MAX}");
                Err(self.refused(&self.at(name), &reason))
            }
            counted => Ok(counted),
        }
    }

    /// The same, from 1: a 0 would pass for a repeat, and its data would be lost.
    pub(super) fn count_from_one(&self, name: &str) -> Result<Option<u64>, ErrorInfo> {
        match self.count(name)? {
            Some(0) => Err(self.refused(&self.at(name), "it is 0, the first is 1")),
            counted => Ok(counted),
        }
    }

    /// The names of the fields.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.object.0.iter().map(|(name, _)| name.as_ref())
    }

    /// The fields of an optional inner object; `null` counts as absent.
    pub(crate) fn object(&self, name: &str) -> Result<Option<Fields<'a>>, ErrorInfo> {
        let raw = self.raw(name).filter(|raw| raw.get() != "null");
        raw.map(|raw| self.inner(self.at(name), raw)).transpose()
    }

    /// The items of a required list, unparsed.
    pub(crate) fn raw_list(&self, name: &str) -> Result<Vec<&'a RawValue>, ErrorInfo> {
        match self.raw(name) {
            Some(raw) => self.read_as(name, raw),
            None => Err(self.missing(name)),
        }
    }

    /// The objects of a required list.
    pub(super) fn list(&self, name: &str) -> Result<Vec<Fields<'a>>, ErrorInfo> {
        let parts = self.raw_list(name)?.into_iter().enumerate();
        let fields = parts.map(|(index, raw)| {
            let path = format!("{}[{index}]", self.at(name));
            self.inner(path, raw)
        });
        fields.collect()
    }

    fn inner(&self, path: String, raw: &'a RawValue) -> Result<Fields<'a>, ErrorInfo> {
        let object = serde_json::from_str(raw.get());
        let object = object.map_err(|error| self.refused(&path, &json_error::of_part(&error)))?;
        let verb = self.verb;
        Ok(Fields { verb, path, object })
    }

    fn missing(&self, name: &str) -> ErrorInfo {
        self.refused(&self.path, &format!("{name} is missing"))
    }

    fn read_as<T: Deserialize<'a>>(&self, name: &str, raw: &'a RawValue) -> Result<T, ErrorInfo> {
        serde_json::from_str(raw.get())
            .map_err(|error| self.refused(&self.at(name), &json_error::of_part(&error)))
    }

    /// The path of a field within the frame.
    pub(super) fn at(&self, name: &str) -> String {
        let separator = if self.path.is_empty() { "" } else { "." };
        format!("{}{separator}{name}", self.path)
    }

    fn refused(&self, path: &str, reason: &str) -> ErrorInfo {
        refusal(self.verb, path, reason)
    }
}

fn refusal(verb: &str, path: &str, reason: &str) -> ErrorInfo {
    let separator = if path.is_empty() { "" } else { ": " };
    let message = format!("unable to {verb}; {path}{separator}{reason}");
    ErrorInfo::new(ErrorCode::InvalidFrame, message)
}

/// Reads JSON.
///
/// # Errors
/// `invalid-frame`, reading "unable to {verb}; {reason}".
pub fn parse<'a, T: Deserialize<'a>>(verb: &str, text: &'a str) -> Result<T, ErrorInfo> {
    serde_json::from_str(text).map_err(|error| {
        let message = format!("unable to {verb}; {}", json_error::of_text(&error));
        ErrorInfo::new(ErrorCode::InvalidFrame, message)
    })
}
