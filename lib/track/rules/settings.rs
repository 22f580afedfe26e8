//! What the user says of delays and bounds.

use std::time::Duration;

/// The delays and bounds of all rules. Every span is counted in event time.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The lot of records that name none.
    pub lot: Option<String>,
    /// How many vehicles the lot holds (every lot if `lot` is not set), before what the site says.
    pub capacity: Option<u32>,
    /// How long a slot must be seen occupied before that counts.
    pub occupied_after: Duration,
    /// How long a slot must be seen free before that counts.
    pub free_after: Duration,
    /// How long a slot must be unknown before that counts.
    pub unknown_after: Duration,
    /// Whether a slot's first state must be confirmed like a change.
    pub confirm_first: bool,
    /// The share of places taken above which a warning is raised, 0 to 1.
    pub warn_at: f64,
    /// How long a camera may be silent.
    pub camera_timeout: Duration,
    /// How many vehicles the counts by slots and by gates may differ by.
    pub drift_tolerance: u32,
    /// How long they may differ by more.
    pub drift_after: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            lot: None,
            capacity: None,
            // What passes before a slot hides or fills it for up to some 4 s.
            occupied_after: Duration::from_secs(5),
            free_after: Duration::from_secs(5),
            unknown_after: Duration::from_secs(30),
            confirm_first: false,
            warn_at: 0.9,
            camera_timeout: Duration::from_secs(300),
            drift_tolerance: 2,
            drift_after: Duration::from_secs(300),
        }
    }
}
