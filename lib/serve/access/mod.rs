//! Who comes, and what they may do.
//!
//! * [`person`]: roles and their rights, asked at every door.

pub mod person;

use std::sync::Arc;

use hyper::header::HeaderMap;

pub use person::{Person, Role};

/// Who may come in.
#[derive(Debug, Default)]
pub struct Access {}

/// Why somebody is not let in. What was wrong is for the log; the answer is the same for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused(pub String);

impl Access {
    /// Access without names: whoever reaches the server is its administrator.
    pub fn open() -> Access {
        Access {}
    }

    /// Whether anybody comes in without a name.
    pub fn is_open(&self) -> bool {
        true
    }

    /// Who sends a request with these headers, `now` in seconds since 1970.
    pub fn who(&self, _headers: &HeaderMap, _query: Option<&str>, _now: u64) -> Result<Arc<Person>, Refused> {
        Ok(Arc::new(Person::anyone()))
    }

    /// Whose token this is, `now` in seconds since 1970.
    pub fn of_token(&self, _token: &str, _now: u64) -> Result<Arc<Person>, Refused> {
        Ok(Arc::new(Person::anyone()))
    }
}
