//! park-track: slots and gate events to occupancy, violations and alerts.
