//! What can go wrong in detection, by kind.

use std::fmt;

/// The result of a detection step.
pub type Result<T> = std::result::Result<T, Error>;

/// Which part of the work failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A network could not be loaded or run.
    Model,
    /// A picture could not be used.
    Image,
}

/// A failed detection step: its kind, what was being done, and why it failed.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    doing: &'static str,
    why: String,
}

impl Error {
    /// A failure of a network while `doing` (a phrase such as "loading the plate reader").
    pub fn model(doing: &'static str, why: impl fmt::Display) -> Self {
        Self { kind: Kind::Model, doing, why: why.to_string() }
    }

    /// A failure on a picture while `doing`.
    pub fn image(doing: &'static str, why: impl fmt::Display) -> Self {
        Self { kind: Kind::Image, doing, why: why.to_string() }
    }

    /// Which part of the work failed.
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.doing, self.why)
    }
}

impl std::error::Error for Error {}
