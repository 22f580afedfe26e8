//! What stands around every payload, read from one line without copying.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Visitor};
use serde_json::value::RawValue;

use super::{Payload, Time};
use crate::error::{Error, Kind, Result};

/// A record as it stands on its line. Unknown fields are ignored.
#[derive(Debug, Clone, Deserialize)]
pub struct Envelope<'a> {
    /// The type, such as `plates`.
    #[serde(rename = "type", borrow)]
    pub kind: Text<'a>,
    /// The version of the vocabulary.
    #[serde(default = "first_version")]
    pub v: u32,
    /// The id; records of other makers may lack it.
    #[serde(borrow, default)]
    pub id: Option<Text<'a>>,
    /// Event time.
    #[serde(default)]
    pub timestamp: Option<Time>,
    /// What the record comes from: a camera, a gate, a lot.
    #[serde(borrow, default)]
    pub source: Option<Text<'a>>,
    /// The gate it concerns.
    #[serde(borrow, default)]
    pub gate_id: Option<Text<'a>>,
    /// The lot it concerns.
    #[serde(borrow, default)]
    pub lot_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    payload: Option<&'a RawValue>,
    #[serde(skip)]
    line: &'a str,
}

fn first_version() -> u32 {
    1
}

impl<'a> Envelope<'a> {
    /// Reads the envelope of one line; the payload is left as it is.
    pub fn parse(line: &'a [u8]) -> Result<Self> {
        let text = std::str::from_utf8(line).map_err(|error| {
            Error::new(Kind::BadInput, format!("invalid UTF-8 at byte {}", error.valid_up_to()))
        })?;
        let mut envelope: Envelope<'a> = serde_json::from_str(text).map_err(|error| {
            let what = match error.classify() {
                serde_json::error::Category::Data => "not a record",
                _ => "not JSON",
            };
            Error::new(Kind::BadInput, what).because(error)
        })?;
        if !is_object(text) {
            return Err(Error::new(Kind::BadInput, "not a record: it is no object"));
        }
        if envelope.kind.is_empty() {
            return Err(Error::new(Kind::BadInput, "not a record: the type is empty"));
        }
        if envelope.v != 1 {
            return Err(Error::new(
                Kind::BadInput,
                format!("version {} of the records is not known here", envelope.v),
            ));
        }
        envelope.line = text;
        Ok(envelope)
    }

    /// The whole line that was read, as it came.
    pub fn line(&self) -> &'a str {
        self.line
    }

    /// The payload as `P`. An error names the type and the field that does not fit.
    pub fn payload<P: Payload>(&self) -> Result<P> {
        let raw = self.payload_json();
        let wrong = || Error::new(Kind::BadInput, format!("wrong payload for {}", P::TYPE));
        if !is_object(raw) {
            return Err(wrong().because("it is no object"));
        }
        serde_json::from_str(raw).map_err(|error| wrong().because(error))
    }

    /// The payload's JSON text; `{}` when there is none.
    pub fn payload_json(&self) -> &'a str {
        self.payload.map_or("{}", RawValue::get)
    }

    /// Whether this is a record of type `P`.
    pub fn is<P: Payload>(&self) -> bool {
        self.kind == P::TYPE
    }
}

/// Whether this JSON text is an object. Serde takes an array too for a structure: its fields in their order.
pub fn is_object(json: &str) -> bool {
    json.trim_ascii_start().starts_with('{')
}

/// A string of a line: borrowed where JSON's escapes allow it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<'a>(Cow<'a, str>);

impl Text<'_> {
    /// The string.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::ops::Deref for Text<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        *self.0 == *other
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        *self.0 == **other
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// serde's own `Option<Cow<str>>` always copies.
impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> std::result::Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> std::result::Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}
