//! The vehicle at the gate: a plate and a card that come close together are one.

use std::time::Duration;

use park_core::record::Time;

/// A number and the record that told it.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The number, in normal form.
    pub number: String,
    /// How likely it is right, where that is known, 0 to 1.
    pub confidence: Option<f64>,
    /// The id of the record.
    pub id: Option<String>,
}

/// What is known of a vehicle.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Vehicle {
    /// Its plate.
    pub plate: Option<Seen>,
    /// Its card.
    pub card: Option<Seen>,
}

impl Vehicle {
    /// Its plate's number.
    pub fn plate(&self) -> Option<&str> {
        self.plate.as_ref().map(|seen| seen.number.as_str())
    }

    /// Its card's number.
    pub fn card(&self) -> Option<&str> {
        self.card.as_ref().map(|seen| seen.number.as_str())
    }

    /// Its numbers, the plate first.
    pub fn numbers(&self) -> impl Iterator<Item = &str> {
        self.plate().into_iter().chain(self.card())
    }
}

/// What was learnt.
#[derive(Debug, Clone, PartialEq)]
pub enum Sign {
    /// A plate was read.
    Plate(Seen),
    /// A card was shown.
    Card(Seen),
}

/// The vehicle that is at the gate now.
#[derive(Debug, Clone)]
pub struct Approach {
    window: Duration,
    vehicle: Vehicle,
    last: Option<Time>,
}

impl Approach {
    /// Nobody yet. A plate and a card belong to one vehicle if they come within `window` of each other.
    pub fn new(window: Duration) -> Self {
        Approach { window, vehicle: Vehicle::default(), last: None }
    }

    /// Takes what was learnt at `now`; returns the vehicle it belongs to and whether that was known by its other number.
    pub fn learn(&mut self, sign: Sign, now: Time) -> (Vehicle, bool) {
        let in_time =
            self.last.is_some_and(|last| now.since(last) <= self.window && last.since(now) <= self.window);
        let joins = in_time
            && match &sign {
                Sign::Plate(_) => self.vehicle.plate.is_none(),
                Sign::Card(_) => self.vehicle.card.is_none(),
            };
        if !joins {
            self.vehicle = Vehicle::default();
        }
        match sign {
            Sign::Plate(seen) => self.vehicle.plate = Some(seen),
            Sign::Card(seen) => self.vehicle.card = Some(seen),
        }
        self.last = Some(now);
        (self.vehicle.clone(), joins)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(number: &str) -> Seen {
        Seen { number: number.to_owned(), confidence: None, id: None }
    }

    fn at(seconds: i64) -> Time {
        Time::from_millis(seconds * 1000)
    }

    #[test]
    fn plate_and_card_close_together_are_one_vehicle() {
        let mut approach = Approach::new(Duration::from_secs(5));
        assert!(!approach.learn(Sign::Card(seen("C1")), at(0)).1);
        let (vehicle, joined) = approach.learn(Sign::Plate(seen("P1")), at(5));
        assert!(joined);
        assert_eq!((vehicle.plate(), vehicle.card()), (Some("P1"), Some("C1")));
    }

    #[test]
    fn a_second_plate_or_a_late_card_is_another_vehicle() {
        let mut approach = Approach::new(Duration::from_secs(5));
        approach.learn(Sign::Plate(seen("P1")), at(0));
        let (vehicle, joined) = approach.learn(Sign::Plate(seen("P2")), at(1));
        assert_eq!((vehicle.plate(), joined), (Some("P2"), false));
        let (vehicle, joined) = approach.learn(Sign::Card(seen("C1")), at(7));
        assert_eq!((vehicle.plate(), vehicle.card(), joined), (None, Some("C1"), false));
    }
}
