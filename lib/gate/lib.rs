//! park-gate: plates and cards to decisions, the barrier, entries and exits.
