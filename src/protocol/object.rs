//! JSON objects, and words for the variants of an enum, all read by one reader.
//!
//! A derived `Deserialize` is compiled anew for each type: two to seven kilobytes of wasm for a
//! struct, one for an enum. `read_fields!` and `words!` take a tenth of that: an object is cut into
//! its fields once, and each field is then read as its type.

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The entries of an object, their values not parsed yet.
pub(super) type Entries<'a> = Vec<(Cow<'a, str>, &'a RawValue)>;

/// An object whose values are not parsed yet. Of duplicate fields the last one counts.
pub struct Object<'a>(pub(super) Entries<'a>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Object<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::with_capacity(8);
                while let Some(Name(name)) = map.next_key()? {
                    entries.push((name, map.next_value()?));
                }
                Ok(Object(entries))
            }
        }
        source.deserialize_map(InOrder)
    }
}

impl<'a> Object<'a> {
    /// Cuts an object into its fields; `None` if it is none.
    pub fn read(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// A field, unparsed; `None` if absent.
    pub fn raw(&self, name: &str) -> Option<&'a RawValue> {
        let mut entries = self.0.iter().rev();
        entries.find(|(key, _)| key == name).map(|(_, raw)| *raw)
    }

    /// A field; an absent one is `None` for an option, else an error.
    #[inline(never)]
    pub fn field<T: Deserialize<'a>>(&self, name: &'static str) -> Result<T, serde_json::Error> {
        let raw = self.raw(name);
        serde_json::from_str(raw.map_or("null", RawValue::get)).map_err(|error| match raw {
            Some(_) => error,
            None => Error::missing_field(name),
        })
    }

    /// The same; an absent one has its type's default.
    pub fn or_default<T: DeserializeOwned + Default>(
        &self,
        name: &'static str,
    ) -> Result<T, serde_json::Error> {
        match self.raw(name) {
            Some(_) => self.field(name),
            None => Ok(T::default()),
        }
    }

    /// A field that is text, borrowed; `None` if it is not.
    pub fn word(&self, name: &'static str) -> Option<Cow<'a, str>> {
        self.field(name).ok().map(|Name(text)| text)
    }
}

/// Text, borrowed where it has no escapes.
pub(super) struct Name<'a>(pub(super) Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }
        source.deserialize_str(Text)
    }
}

/// A type that is read from the fields of an object (`read_fields!`).
pub trait FromObject: Sized {
    /// Reads it; the error is that of the first field that is wrong.
    fn from_object(object: &Object<'_>) -> Result<Self, serde_json::Error>;
}

/// Reads an object.
pub fn read_object<'de, T: FromObject, D: Deserializer<'de>>(source: D) -> Result<T, D::Error> {
    let object = Object::deserialize(source)?;
    T::from_object(&object).map_err(D::Error::custom)
}

/// An enum whose variants are words (`words!`).
pub trait Word: Copy + 'static {
    /// Every variant.
    const ALL: &'static [Self];
    /// Their words, in the same order.
    const WORDS: &'static [&'static str];
}

/// Reads a word.
pub fn read_word<'de, T: Word, D: Deserializer<'de>>(source: D) -> Result<T, D::Error> {
    let Name(text) = Name::deserialize(source)?;
    let place = T::WORDS.iter().position(|word| *word == text);
    let found = place.and_then(|place| T::ALL.get(place));
    found
        .copied()
        .ok_or_else(|| D::Error::unknown_variant(&text, T::WORDS))
}

/// `Deserialize` for a struct, whose fields all stand here: `name`, `name as "wireName"`, and
/// `name: or_default` for one that may be absent without being an option.
macro_rules! read_fields {
    ($type:ident { $($field:ident $(as $name:literal)? $(: $how:ident)?),* $(,)? }) => {
        impl $crate::protocol::object::FromObject for $type {
            fn from_object(
                object: &$crate::protocol::object::Object<'_>,
            ) -> Result<Self, serde_json::Error> {
                use $crate::protocol::object::read_fields;
                Ok(Self {$(
                    $field: read_fields!(
                        @read object, read_fields!(@name $field $($name)?), $($how)?
                    )?,
                )*})
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
                $crate::protocol::object::read_object(source)
            }
        }
    };
    (@read $object:ident, $name:expr,) => { $object.field($name) };
    (@read $object:ident, $name:expr, $how:ident) => { $object.$how($name) };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $name:literal) => { $name };
}

/// `Serialize`, `Deserialize` and `as_str` for an enum whose variants are words.
macro_rules! words {
    ($type:ident { $($variant:ident = $word:literal),* $(,)? }) => {
        impl $crate::protocol::object::Word for $type {
            const ALL: &'static [Self] = &[$(Self::$variant),*];
            const WORDS: &'static [&'static str] = &[$($word),*];
        }

        impl $type {
            /// The word on the wire and in rows.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
                $crate::protocol::object::read_word(source)
            }
        }
    };
}

pub(crate) use {read_fields, words};
