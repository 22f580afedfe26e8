//! Who comes, and what they may do.
//!
//! * [`person`]: roles and their rights, asked at every door.
//! * [`token`]: signed tokens against persons (RFC 7519).
//! * [`keys`]: flags, and the keys they name.
//! * [`credential`]: where in a request a token or a ticket stands.
//! * [`ticket`]: one-use tickets for what can send no token.
//! * [`session`]: `/api/session` and `/api/ticket`.
//! * [`issue`]: `park-serve token`.

pub mod credential;
pub mod issue;
pub mod keys;
pub mod person;
pub mod session;
pub mod ticket;
pub mod token;

use std::sync::{Arc, PoisonError, RwLock};

use hyper::header::HeaderMap;
use park_core::Result as CoreResult;
use park_core::cli::Context;

use credential::Credential;
pub use keys::AccessArgs;
pub use person::{Person, Role};
use ticket::Tickets;
use token::Verifier;

/// Who may come in.
#[derive(Debug, Default)]
pub struct Access {
    args: AccessArgs,
    /// What tells a good token; without it nobody has to show one.
    verifier: Option<RwLock<Verifier>>,
    tickets: Tickets,
}

/// Why somebody is not let in. What was wrong is for the log; the answer is the same for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused(pub String);

impl Access {
    /// Access without names: whoever reaches the server is its administrator.
    pub fn open() -> Access {
        Access::default()
    }

    /// Access for those whose tokens the key that `args` names has signed; open if they name none. An error if a key
    /// cannot be read or is too weak.
    pub fn load(args: &AccessArgs, context: &Context) -> CoreResult<Access> {
        let verifier = args.verifier(context)?.map(RwLock::new);
        Ok(Access { args: args.clone(), verifier, tickets: Tickets::default() })
    }

    /// Reads the key again: from now on it is what new tokens must be signed with. Who has come in stays until their token
    /// ends. If the file is wrong the old key stays.
    pub fn reload(&self, context: &Context) -> CoreResult<()> {
        if let (Some(old), Some(new)) = (&self.verifier, self.args.verifier(context)?) {
            *old.write().unwrap_or_else(PoisonError::into_inner) = new;
        }
        Ok(())
    }

    /// Whether anybody comes in without a name.
    pub fn is_open(&self) -> bool {
        self.verifier.is_none()
    }

    /// Who sends a request with these headers, `now` in seconds since 1970. A cookie counts as well as a token in a
    /// header: whoever asks takes away the cookies of pages that may not use them. A ticket in the query is used up.
    pub fn who(
        &self,
        headers: &HeaderMap,
        query: Option<&str>,
        now: u64,
    ) -> std::result::Result<Arc<Person>, Refused> {
        if self.is_open() {
            return Ok(Arc::new(Person::anyone()));
        }
        match Credential::of(headers, query) {
            None => Err(Refused("no token".into())),
            Some(Credential::Token(token)) => self.of_token(token, now),
            Some(Credential::Ticket(ticket)) => {
                let unknown = || Refused("the ticket is unknown, used or too old".into());
                self.tickets.redeem(ticket, now).ok_or_else(unknown)
            }
        }
    }

    /// Whose token this is, `now` in seconds since 1970.
    pub fn of_token(&self, token: &str, now: u64) -> std::result::Result<Arc<Person>, Refused> {
        match &self.verifier {
            None => Ok(Arc::new(Person::anyone())),
            Some(verifier) => {
                verifier.read().unwrap_or_else(PoisonError::into_inner).person(token, now).map(Arc::new)
            }
        }
    }

    /// A ticket that lets `person` in once within [`ticket::LIFE`] seconds; nothing if they hold too many.
    pub fn ticket(&self, person: &Arc<Person>, now: u64) -> Option<String> {
        self.tickets.issue(person, now)
    }
}
