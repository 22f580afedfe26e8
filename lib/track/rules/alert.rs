//! Alerts: said when they begin and when they end, under one id.

use std::collections::BTreeMap;

use park_core::record::lot::{Alert, AlertStatus, AlertType, Severity, Violation, ViolationType};
use park_core::record::{Time, derive_id};
use serde::{Deserialize, Serialize};

/// What a person should know right now.
#[derive(Debug, Clone, PartialEq)]
pub struct Cause {
    /// What it is about.
    pub kind: AlertType,
    /// How bad.
    pub severity: Severity,
    /// In words.
    pub message: String,
    /// The contractor, where one is concerned.
    pub contractor: Option<String>,
    /// The camera, where one is concerned.
    pub camera: Option<String>,
    /// The violation, where there is one.
    pub violation: Option<String>,
}

impl Cause {
    /// A lot that is nearly full.
    pub fn nearly_full(lot: &str, occupied: u32, places: u32) -> (String, Cause) {
        let message = format!("{} is nearly full: {occupied} of {places} places are taken", name(lot));
        let cause = Cause::new(AlertType::CapacityWarning, Severity::Medium, message);
        ("capacity_warning".to_owned(), cause)
    }

    /// A camera that gives no frames.
    pub fn camera_offline(camera: &str, why: &str) -> Cause {
        let message = format!("camera {camera} is offline: {why}");
        Cause {
            camera: Some(camera.to_owned()),
            ..Cause::new(AlertType::CameraOffline, Severity::High, message)
        }
    }

    /// A violation in `lot`, by a key that stays the same as long as it does.
    pub fn violation(lot: &str, violation: &Violation) -> (String, Cause) {
        let Violation { allocated_capacity: allocated, actual_occupancy: actual, .. } = violation;
        let lot = name(lot);
        let (kind, severity, message) = match violation.violation_type {
            ViolationType::CapacityBreach => (
                AlertType::CapacityBreach,
                Severity::High,
                format!("{lot} holds more than it should: {actual} vehicles on {allocated} places"),
            ),
            ViolationType::Overparking => {
                let who = violation.contractor_id.as_deref().unwrap_or("?");
                let message = format!(
                    "contractor {who} has {actual} vehicles in {lot}, {allocated} are allocated to it"
                );
                (AlertType::ViolationDetected, Severity::Medium, message)
            }
            ViolationType::UnauthorizedVehicle => {
                let plate = violation.plate.as_deref().unwrap_or("without a number");
                let message = format!("vehicle {plate} is in {lot} and must not be");
                (AlertType::ViolationDetected, Severity::High, message)
            }
        };
        let cause = Cause {
            contractor: violation.contractor_id.clone(),
            violation: Some(violation.violation_id.clone()),
            ..Cause::new(kind, severity, message)
        };
        (format!("violation {}", violation.violation_id), cause)
    }

    fn new(kind: AlertType, severity: Severity, message: String) -> Cause {
        Cause { kind, severity, message, contractor: None, camera: None, violation: None }
    }

    /// The alert that begins with this cause at `now`; it is the `number`th of `scope`, which is a lot or a camera.
    pub fn raise(self, scope: &str, number: u64, now: Time) -> Alert {
        Alert {
            alert_id: derive_id(now, &[b"alert", scope.as_bytes(), &number.to_le_bytes()]),
            alert_type: self.kind,
            severity: self.severity,
            message: self.message,
            status: AlertStatus::Active,
            created_at: now,
            contractor_id: self.contractor,
            camera_id: self.camera,
            violation_id: self.violation,
        }
    }
}

/// The alert as it is said when it is over.
pub fn resolve(alert: Alert) -> Alert {
    Alert { status: AlertStatus::Resolved, ..alert }
}

fn name(lot: &str) -> String {
    if lot.is_empty() { "the lot".to_owned() } else { format!("lot {lot}") }
}

/// The alerts of a lot that are not over.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Board {
    active: BTreeMap<String, Alert>,
    /// How many there have been, so that of two in the same millisecond each has an id of its own.
    raised: u64,
}

impl Board {
    /// Whether the alert of this key is not over.
    pub fn has(&self, key: &str) -> bool {
        self.active.contains_key(key)
    }

    /// How many alerts are not over.
    pub fn len(&self) -> usize {
        self.active.len()
    }

    /// Whether every alert is over.
    pub fn is_empty(&self) -> bool {
        self.active.is_empty()
    }

    /// Brings the board up to date with the `causes` in `lot` at `now`, and returns the alerts that begin or end.
    pub fn update(&mut self, lot: &str, now: Time, causes: BTreeMap<String, Cause>) -> Vec<Alert> {
        let mut changed = Vec::new();
        self.active.retain(|key, alert| {
            let goes_on = causes.contains_key(key);
            if !goes_on {
                changed.push(resolve(alert.clone()));
            }
            goes_on
        });
        for (key, cause) in causes {
            self.active.entry(key).or_insert_with(|| {
                self.raised += 1;
                let alert = cause.raise(lot, self.raised, now);
                changed.push(alert.clone());
                alert
            });
        }
        changed
    }
}
