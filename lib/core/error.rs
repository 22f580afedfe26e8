//! Errors by kind, with the one table that maps a kind to an exit code.

use std::fmt;

/// The meaning of an error to whoever has to act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The command ran and the answer is no: nothing matched, a check failed.
    No,
    /// The command line is wrong.
    Usage,
    /// Input records were bad: not JSON, wrong shape, too long.
    BadInput,
    /// A device, camera or peer is gone or never came.
    Unavailable,
    /// Reading or writing failed.
    Io,
    /// It may work later: a lock is held, records wait in a queue.
    TryAgain,
    /// A configuration, list, map or model file is wrong.
    Config,
}

impl Kind {
    /// Every kind, in the order of exit codes.
    pub const ALL: [Kind; 7] =
        [Kind::No, Kind::Usage, Kind::BadInput, Kind::Unavailable, Kind::Io, Kind::TryAgain, Kind::Config];

    /// The exit code of a command that ends with an error of this kind (`sysexits.h` from 64 on).
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::No => 1,
            Kind::Usage => 2,
            Kind::BadInput => 65,
            Kind::Unavailable => 69,
            Kind::Io => 74,
            Kind::TryAgain => 75,
            Kind::Config => 78,
        }
    }

    /// One line for the man pages.
    pub fn meaning(self) -> &'static str {
        match self {
            Kind::No => "it ran, and the answer is no",
            Kind::Usage => "the command line is wrong",
            Kind::BadInput => "some input records were bad; each was reported and the others were processed",
            Kind::Unavailable => "a device, camera or peer is gone",
            Kind::Io => "reading or writing failed",
            Kind::TryAgain => "not now: try again later",
            Kind::Config => "a configuration, list, map or model file is wrong",
        }
    }
}

/// An error: its kind, what was being done to which input, and the cause beneath.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The result of what can fail with an [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of `kind`; the message says what was being done and to which input, lower case, no full stop.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Error { kind, message: message.into(), source: None }
    }

    /// The same error, resting on `source`.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// An I/O error met while doing what `doing` says, such as `"opening allow.txt"`.
    pub fn io(doing: impl Into<String>, source: std::io::Error) -> Self {
        Error::new(Kind::Io, doing).because(source)
    }

    /// What the error means to whoever has to act on it.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether a closed pipe lies anywhere beneath: the reader has had enough, which is no failure.
    pub fn is_broken_pipe(&self) -> bool {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(self);
        while let Some(error) = cause {
            if let Some(io) = error.downcast_ref::<std::io::Error>() {
                return io.kind() == std::io::ErrorKind::BrokenPipe;
            }
            cause = error.source();
        }
        false
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            // A cause that is one of ours prints its own chain.
            write!(f, ": {error}")?;
            cause = if error.is::<Error>() { None } else { error.source() };
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_names_the_whole_chain() {
        let io = std::io::Error::from(std::io::ErrorKind::NotFound);
        let error = Error::new(Kind::Config, "reading the lists").because(Error::io("opening allow.txt", io));
        assert_eq!(error.to_string(), "reading the lists: opening allow.txt: entity not found");
        assert_eq!(error.kind().exit_code(), 78);
    }

    #[test]
    fn a_broken_pipe_is_seen_beneath_other_errors() {
        let io = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        let error = Error::new(Kind::Io, "outer").because(Error::io("writing to stdout", io));
        assert!(error.is_broken_pipe());
        assert!(!Error::new(Kind::Io, "full").is_broken_pipe());
    }
}
