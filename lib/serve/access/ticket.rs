//! One-use tickets: a browser can put no token into the request of an `EventSource`, a WebSocket or an `<img>`, and a
//! token in an address would stand in logs and histories. A ticket there is worth nothing once it was used.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::Person;
use crate::random;

/// Seconds for which a ticket is good.
pub const LIFE: u64 = 60;

/// Tickets that may be out at once.
const MOST: usize = 100_000;

/// Tickets of one account that may be out at once.
const MOST_OF_ONE: usize = 1000;

/// The tickets that are out.
#[derive(Default)]
pub struct Tickets {
    out: Mutex<HashMap<String, (Arc<Person>, u64)>>,
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tickets").finish_non_exhaustive()
    }
}

impl Tickets {
    /// A new ticket for `person`, `now` in seconds since 1970; nothing if too many are out, or the system has no
    /// randomness.
    pub fn issue(&self, person: &Arc<Person>, now: u64) -> Option<String> {
        let ticket = random::hex::<16>().ok()?;
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        out.retain(|_, (_, until)| *until > now);
        let own = out.values().filter(|(other, _)| other.name == person.name).count();
        if out.len() >= MOST || own >= MOST_OF_ONE {
            return None;
        }
        out.insert(ticket.clone(), (Arc::clone(person), now + LIFE));
        Some(ticket)
    }

    /// Whose ticket this is; it is worth nothing afterwards.
    pub fn redeem(&self, ticket: &str, now: u64) -> Option<Arc<Person>> {
        let (person, until) = self.out.lock().unwrap_or_else(PoisonError::into_inner).remove(ticket)?;
        let lives = person.expires.is_none_or(|expires| expires > now);
        (until > now && lives).then_some(person)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_good_once_and_for_a_minute() {
        let (tickets, person) = (Tickets::default(), Arc::new(Person::anyone()));
        let [first, second] = [100, 100].map(|now| tickets.issue(&person, now).unwrap());
        assert!(first != second && first.len() == 32);
        assert_eq!(tickets.redeem(&first, 159), Some(Arc::clone(&person)));
        assert_eq!(tickets.redeem(&first, 159), None);
        assert_eq!(tickets.redeem(&second, 160), None);
        assert_eq!(tickets.redeem("", 160), None);
    }

    #[test]
    fn a_ticket_does_not_outlive_its_token_and_nobody_hoards_them() {
        let tickets = Tickets::default();
        let brief = Arc::new(Person { expires: Some(110), ..Person::anyone() });
        let ticket = tickets.issue(&brief, 100).unwrap();
        assert_eq!(tickets.redeem(&ticket, 110), None);
        assert_eq!((0..2000).filter_map(|_| tickets.issue(&brief, 100)).count(), MOST_OF_ONE);
        let other = Arc::new(Person { name: "another".into(), ..Person::anyone() });
        assert!(tickets.issue(&other, 100).is_some());
        assert!(tickets.issue(&brief, 160).is_some());
    }
}
