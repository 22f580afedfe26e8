//! Rooms, and what is heard in them. Pure.

use std::collections::BTreeSet;

use park_core::record::Payload;
use park_core::record::lot::{CapacityUpdate, ParkingUpdate};
use park_core::record::people::{
    BookingUpdated, LiveStats, Notification, PaymentUpdated, SystemAnnouncement,
};

use super::{booking, mobile};
use crate::access::Person;
use crate::hub::{Form, Interest, Scope, View, Wish};

/// The longest name of a room.
const LONGEST: usize = 160;

/// A room.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Room {
    /// `parking_lot:<id>`: one lot.
    Lot(String),
    /// `parking_updates`: every lot.
    Lots,
    /// `admin`: every booking and payment, and the numbers of [`LiveStats`].
    Admin,
    /// `user:<name>`: what belongs to the user; everybody is in their own from the start.
    Own,
    /// The mobile app's: the levels of one lot.
    Levels(String),
    /// The mobile app's: one lot of which no levels are known.
    Whole(String),
}

impl Room {
    /// The room that `person` calls `name`; `kind` says what a name without a prefix is. The error is for the person.
    pub fn named(name: &str, kind: Option<&str>, person: &Person) -> Result<Room, String> {
        if name.is_empty() || name.len() > LONGEST {
            return Err("a room has a name of 1 to 160 bytes".into());
        }
        let (prefix, rest) = match name.split_once(':') {
            Some((prefix, rest)) => (prefix, rest),
            None => (kind.unwrap_or_default(), name),
        };
        match (name, prefix) {
            ("parking_updates", _) => Ok(Room::Lots),
            ("admin", _) if person.may_administer() => Ok(Room::Admin),
            ("admin", _) => Err("only administrators join admin".into()),
            (_, "parking_lot") if !rest.is_empty() => Ok(Room::Lot(rest.to_owned())),
            (_, "user") if rest == person.name => Ok(Room::Own),
            (_, "user") => Err("this room belongs to somebody else".into()),
            _ if name == person.name => Ok(Room::Own),
            _ => Err(format!("there is no room {name:?}")),
        }
    }
}

/// The rooms of one client.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rooms(BTreeSet<Room>);

impl Rooms {
    /// The rooms of one who has just come.
    pub fn new() -> Rooms {
        Rooms::of([Room::Own])
    }

    /// These rooms.
    pub fn of(rooms: impl IntoIterator<Item = Room>) -> Rooms {
        Rooms(rooms.into_iter().collect())
    }

    /// Each room.
    pub fn iter(&self) -> impl Iterator<Item = &Room> {
        self.0.iter()
    }

    /// How many were asked for: all but the own one, which everybody has.
    pub fn asked(&self) -> usize {
        self.0.iter().filter(|room| **room != Room::Own).count()
    }

    /// Adds a room.
    pub fn join(&mut self, room: Room) {
        self.0.insert(room);
    }

    /// Takes a room away.
    pub fn leave(&mut self, room: &Room) {
        self.0.remove(room);
    }

    /// Whether `room` is among them.
    pub fn contains(&self, room: &Room) -> bool {
        self.0.contains(room)
    }

    /// What `person` hears in these rooms, and everybody hears anywhere.
    pub fn wishes(&self, person: &Person) -> Vec<Wish> {
        let wish = |form: &'static Form, scope: Scope, types: &[&str], view: View| Wish {
            form,
            interest: Interest { scope, types: types.iter().map(|kind| (*kind).to_owned()).collect(), view },
        };
        let (booking, mobile) = (&booking::FORM, &mobile::FORM);
        let (whole, levels) = (CapacityUpdate::TYPE, ParkingUpdate::TYPE);
        let mut wishes = vec![wish(booking, Scope::Everything, &[SystemAnnouncement::TYPE], person.view())];
        if self.0.contains(&Room::Own) {
            let own = [BookingUpdated::TYPE, PaymentUpdated::TYPE, Notification::TYPE];
            wishes.push(wish(booking, Scope::Everything, &own, View::User(person.name.clone())));
        }
        if self.0.contains(&Room::Admin) && person.may_administer() {
            let all = [BookingUpdated::TYPE, PaymentUpdated::TYPE, LiveStats::TYPE];
            wishes.push(wish(booking, Scope::Everything, &all, person.view()));
        }
        if self.0.contains(&Room::Lots) {
            wishes.push(wish(booking, Scope::Everything, &[whole], person.view()));
        }
        let mut lots = |form, types: &[&str], of: fn(&Room) -> Option<&String>| {
            let lots: Vec<String> = self.0.iter().filter_map(of).cloned().collect();
            if !lots.is_empty() {
                wishes.push(wish(form, Scope::Lots(lots), types, person.view()));
            }
        };
        lots(booking, &[whole], |room| if let Room::Lot(lot) = room { Some(lot) } else { None });
        lots(mobile, &[levels], |room| if let Room::Levels(lot) = room { Some(lot) } else { None });
        lots(mobile, &[whole, levels], |room| if let Room::Whole(lot) = room { Some(lot) } else { None });
        wishes
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::access::Role;
    use crate::hub::Event;
    use park_core::record::Envelope;

    fn person(role: Role) -> Person {
        Person { name: "anna".into(), role, ..Person::anyone() }
    }

    fn event(kind: &str, lot: &str, user: &str) -> Event {
        let line =
            format!(r#"{{"type":"{kind}","id":"x","lot_id":"{lot}","payload":{{"user_id":"{user}"}}}}"#);
        Event::new(&Envelope::parse(line.as_bytes()).unwrap(), Default::default())
    }

    fn heard(rooms: &[Room], person: &Person, event: &Event) -> usize {
        let mut all = Rooms::new();
        rooms.iter().for_each(|room| all.join(room.clone()));
        all.wishes(person).iter().filter(|wish| wish.interest.wants(event)).count()
    }

    #[test]
    fn rooms_have_names_and_owners() {
        let (anna, admin) = (person(Role::User), person(Role::Admin));
        let named = |name, kind, person| Room::named(name, kind, person).ok();
        assert_eq!(named("parking_lot:7", None, &anna), Some(Room::Lot("7".into())));
        assert_eq!(named("7", Some("parking_lot"), &anna), Some(Room::Lot("7".into())));
        assert_eq!(named("parking_updates", Some("parking"), &anna), Some(Room::Lots));
        assert_eq!(named("user:anna", None, &anna), Some(Room::Own));
        assert_eq!(named("anna", None, &anna), Some(Room::Own));
        assert_eq!(named("admin", None, &admin), Some(Room::Admin));
        for (name, kind) in
            [("admin", None), ("user:otto", None), ("otto", Some("user")), ("", None), ("x", None)]
        {
            assert_eq!(named(name, kind, &anna), None, "{name}");
        }
        assert_eq!(named("parking_lot:", None, &anna), None);
        assert_eq!(named(&"x".repeat(161), Some("parking_lot"), &anna), None);
    }

    #[test]
    fn each_room_has_its_own_records() {
        let (anna, admin) = (person(Role::User), person(Role::Admin));
        let capacity = event("capacity_update", "7", "");
        assert_eq!(heard(&[], &anna, &capacity), 0);
        assert_eq!(heard(&[Room::Lot("7".into())], &anna, &capacity), 1);
        assert_eq!(heard(&[Room::Lot("8".into())], &anna, &capacity), 0);
        assert_eq!(heard(&[Room::Lots], &anna, &capacity), 1);
        assert_eq!(heard(&[Room::Levels("7".into())], &anna, &capacity), 0);
        assert_eq!(heard(&[Room::Whole("7".into())], &anna, &capacity), 1);
        assert_eq!(heard(&[Room::Levels("7".into())], &anna, &event("parking_update", "7", "")), 1);
        let (own, other) = (event("booking_updated", "", "anna"), event("booking_updated", "", "otto"));
        assert_eq!((heard(&[], &anna, &own), heard(&[], &anna, &other)), (1, 0));
        assert_eq!((heard(&[Room::Admin], &anna, &other), heard(&[Room::Admin], &admin, &other)), (0, 1));
        // Open access makes everybody an administrator: that alone is no room.
        assert_eq!(heard(&[], &admin, &other), 0);
        assert_eq!(heard(&[], &anna, &event("system_announcement", "", "")), 1);
        assert_eq!(heard(&[Room::Lots, Room::Admin], &admin, &event("parking_entry", "7", "")), 0);
    }

    #[test]
    fn the_own_room_was_not_asked_for() {
        let mut rooms = Rooms::new();
        assert_eq!(rooms.asked(), 0);
        for room in [Room::Own, Room::Lots, Room::Lots, Room::Lot("7".into())] {
            rooms.join(room);
        }
        assert_eq!(rooms.asked(), 2);
        rooms.leave(&Room::Lots);
        assert_eq!(rooms.asked(), 1);
    }
}
