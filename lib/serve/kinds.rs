//! Which types of record come in, and from whom.

/// What sensors and rules say of the site, and more.
macro_rules! of_the_site {
    ($($more:literal),* $(,)?) => {
        &[
            "camera_status",
            "image_captured",
            "plates",
            "slots",
            "plate_detected",
            "card_detected",
            "access_decision",
            "gate_status",
            "hardware_status",
            "system_status",
            "parking_entry",
            "parking_exit",
            "slot_changed",
            "capacity_update",
            "parking_update",
            "occupancy_drift",
            "violation",
            "alert",
            "error",
            $($more),*
        ]
    };
}

/// What the command reads: everything that is logged and passed to clients, and frames, which are only passed on.
pub const READS: &[&str] = of_the_site!(
    "frame",
    "booking_updated",
    "payment_updated",
    "notification",
    "system_announcement",
    "live_stats",
    "gate_control_response",
);

/// What a detection back end of our own may send, besides frames. Commands are not among it.
pub const OF_BACK_ENDS: &[&str] = of_the_site!("tick");
