//! Which records a subscriber wants.

use super::Event;

/// What a subscriber wants to hear: records of its scope, and of its types if it names any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interest {
    /// Where the records must come from.
    pub scope: Scope,
    /// The types wanted; empty means all but the readings of single frames (`plates`, `slots`).
    pub types: Vec<String>,
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

impl Interest {
    /// Whether it wants this record.
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
    }
}
