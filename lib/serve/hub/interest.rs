//! Which records a subscriber wants, and which it may see.

use super::{Event, Form};

/// Something a subscriber wants to hear, and the dialect in which it does.
#[derive(Clone)]
pub struct Wish {
    /// The dialect.
    pub form: &'static Form,
    /// The records.
    pub interest: Interest,
}

impl PartialEq for Wish {
    fn eq(&self, other: &Wish) -> bool {
        std::ptr::eq(self.form, other.form) && self.interest == other.interest
    }
}

/// What a subscriber wants to hear: records of its scope, and of its types if it names any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interest {
    /// Where the records must come from.
    pub scope: Scope,
    /// The types wanted; empty means all but the readings of single frames (`plates`, `slots`).
    pub types: Vec<String>,
    /// What it may see of that.
    pub view: View,
}

/// Where records come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Scope {
    /// Anywhere.
    #[default]
    Everything,
    /// Nowhere: a connection that is only spoken to directly.
    Nothing,
    /// Any gate.
    AnyGate,
    /// One gate.
    Gate(String),
    /// These lots.
    Lots(Vec<String>),
}

/// What somebody may see, whatever they want. Decided once, at the door; see [`crate::access::Person::view`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum View {
    /// All there is.
    #[default]
    Everything,
    /// The site at work: gates, lots, cameras; not what belongs to single users.
    Site,
    /// What the public may know of lots, and what belongs to this user.
    User(String),
}

/// What anybody with an account may know.
const PUBLIC: &[&str] = &["slot_changed", "parking_update", "capacity_update", "system_announcement"];

/// What belongs to one user.
pub(super) const PERSONAL: &[&str] = &["booking_updated", "payment_updated", "notification"];

impl View {
    /// Whether this record may be shown.
    pub fn shows(&self, event: &Event) -> bool {
        let kind = event.kind.as_str();
        match self {
            View::Everything => true,
            View::Site => kind != "live_stats" && !PERSONAL.contains(&kind),
            View::User(user) if PERSONAL.contains(&kind) => event.user_id.as_deref() == Some(user),
            View::User(_) => PUBLIC.contains(&kind),
        }
    }
}

impl Interest {
    /// Whether it wants this record and may see it.
    pub fn wants(&self, event: &Event) -> bool {
        let place = match &self.scope {
            Scope::Everything => true,
            Scope::Nothing => false,
            Scope::AnyGate => event.gate_id.is_some(),
            Scope::Gate(gate) => event.gate_id.as_deref() == Some(gate),
            Scope::Lots(lots) => event.lot_id.as_ref().is_some_and(|lot| lots.contains(lot)),
        };
        place
            && match self.types.is_empty() {
                true => !matches!(event.kind.as_str(), "plates" | "slots"),
                false => self.types.contains(&event.kind),
            }
            && self.view.shows(event)
    }
}
