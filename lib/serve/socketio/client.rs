//! One connected client: who it is, and where it is.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::engine::Session;
use super::mobile::camera::Shown;
use super::packet::{self, MAIN, Malformed, Packet, What};
use super::rooms::{Room, Rooms};
use super::{question, replay};
use crate::access::Person;
use crate::history::Seen;
use crate::http::limits::Place;
use crate::hub::{Interest, Position, Scope, Why};
use crate::operations::{Surface, Visit};
use crate::server::Server;

/// What a client is told whose token is not good; the stock client gives it to `connect_error`.
const REFUSED: &str = "Authentication error";

/// Who opened a session.
pub struct Caller {
    /// Who, if the request said so.
    pub person: Option<Arc<Person>>,
    /// From where.
    pub address: IpAddr,
}

/// The client of one session.
pub struct Client {
    caller: Caller,
    stage: Stage,
    /// An event or acknowledgement whose binary attachments are still to come, and how many.
    awaited: Option<(usize, What)>,
    /// Whether it has heard the last words.
    told: bool,
}

enum Stage {
    /// It has not connected to the namespace, since then.
    Waiting(Instant),
    /// It has.
    Connected(Member),
}

/// Somebody in the namespace.
pub struct Member {
    /// Who.
    pub person: Arc<Person>,
    /// Its entry in the log of connections.
    pub visit: Arc<Visit>,
    /// Its place among the streams of its account.
    _seat: Option<Place<String>>,
    /// Where what is new reaches it.
    pub rooms: Rooms,
    /// The cameras that it is shown.
    pub cameras: HashMap<String, Shown>,
    /// Where it will be once it has been sent what it missed.
    pub pending: BTreeSet<Room>,
    /// The last record it saw before it came, and when it came.
    pub resumes: Option<(Seen, Instant)>,
}

impl Member {
    /// Whether it may have one more subscription, of `most`. The error is for the person.
    pub fn has_room(&self, most: usize) -> Result<(), String> {
        room_for(self.rooms.asked() + self.pending.len() + self.cameras.len(), most)
    }

    /// Whether `room` is among its rooms, or will be.
    pub fn is_in(&self, room: &Room) -> bool {
        self.rooms.contains(room) || self.pending.contains(room)
    }

    /// Becomes the same person with another token: what that does not allow is over.
    pub fn becomes(&mut self, session: &Session, person: Arc<Person>) {
        session.subscription.renew(person.expires);
        session.subscription.wish(self.rooms.wishes(&person), |_, _| Vec::new());
        self.cameras.retain(|camera, _| person.may_see_camera(camera));
        self.person = person;
    }

    /// Leaves a room, or will not enter it.
    pub fn leave(&mut self, session: &Session, room: &Room) {
        self.pending.remove(room);
        self.rooms.leave(room);
        session.subscription.wish(self.rooms.wishes(&self.person), |_, _| Vec::new());
    }
}

impl Client {
    /// The client of a new session.
    pub fn new(caller: Caller) -> Client {
        Client { caller, stage: Stage::Waiting(Instant::now()), awaited: None, told: false }
    }

    /// Since when it has not connected; nothing if it has.
    pub fn waits_since(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Waiting(since) => Some(*since),
            Stage::Connected(_) => None,
        }
    }

    /// Who it is in the namespace, if it has connected.
    pub fn member(&mut self) -> Option<&mut Member> {
        match &mut self.stage {
            Stage::Waiting(_) => None,
            Stage::Connected(member) => Some(member),
        }
    }

    /// Takes a message of the client.
    pub fn message(session: &Arc<Session>, server: &Arc<Server>, text: &str) -> Result<(), Malformed> {
        let packet = Packet::read(text)?;
        let mut client = session.client();
        let connected = client.member().is_some();
        match packet.what {
            // Its attachments must come first.
            _ if client.awaited.is_some() => Err(Malformed),
            What::Connect(_) if packet.namespace != MAIN => {
                session.send([packet::refused_frame(packet.namespace, "Invalid namespace")]);
                Ok(())
            }
            What::Connect(auth) if !connected => {
                client.connect(session, server, &auth);
                Ok(())
            }
            _ if !connected || packet.namespace != MAIN => Err(Malformed),
            What::Connect(_) => Err(Malformed),
            What::Disconnect => {
                client.stage = Stage::Waiting(Instant::now());
                session.subscription.change(Interest { scope: Scope::Nothing, ..Interest::default() });
                session.subscription.renew(None);
                Ok(())
            }
            What::Event(..) | What::Ack if packet.attachments > 0 => {
                client.awaited = Some((packet.attachments, packet.what));
                Ok(())
            }
            What::Event(name, arguments, id) => {
                drop(client);
                question::ask(session, server, &name, arguments, id);
                Ok(())
            }
            What::Ack => Ok(()),
        }
    }

    /// Takes a binary attachment. Nothing that is asked here is binary: it is counted, and a placeholder stands for it.
    pub fn attachment(session: &Arc<Session>, server: &Arc<Server>) -> Result<(), Malformed> {
        let mut client = session.client();
        let (left, event) = client.awaited.take().ok_or(Malformed)?;
        if left > 1 {
            client.awaited = Some((left - 1, event));
            return Ok(());
        }
        drop(client);
        if let What::Event(name, arguments, id) = event {
            question::ask(session, server, &name, arguments, id);
        }
        Ok(())
    }

    fn connect(&mut self, session: &Arc<Session>, server: &Arc<Server>, auth: &Map<String, Value>) {
        let text = |name: &str| auth.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let person = match text("token") {
            Some(token) => server.access.of_token(token, server.seconds()).ok(),
            None => self.caller.person.clone(),
        };
        let (Some(person), Some(sid)) = (person, super::engine::secret()) else {
            return session.send([packet::refused_frame(MAIN, REFUSED)]);
        };
        let seat = match person.expires {
            None => None,
            Some(_) => match server.limits.stream(&person) {
                None => return session.send([packet::refused_frame(MAIN, "too many connections")]),
                seat => seat,
            },
        };
        let last = Seen::named(auth);
        let (rooms, told) = named_rooms(auth.get("rooms"), &person, server.limits.subscriptions);
        session.subscription.renew(person.expires);
        let greeting = |id: &str| {
            let name = person.name.as_str();
            let epoch = server.history.epoch();
            let connected = json!({ "message": "connected to park", "id": id, "epoch": epoch, "user": name });
            [packet::connected_frame(&sid), packet::event_frame("connected", &connected)]
                .into_iter()
                .chain(told.iter().map(|(name, data)| packet::event_frame(name, data)))
                .collect::<Vec<Bytes>>()
        };
        let mut member = Member {
            person: Arc::clone(&person),
            visit: Arc::new(server.opened(&person, Surface::SocketIo, self.caller.address)),
            _seat: seat,
            rooms: Rooms::default(),
            cameras: HashMap::new(),
            pending: BTreeSet::new(),
            resumes: None,
        };
        if let Some(last) = last {
            // Until something is sent, a client that is cut off must resume from where it does now.
            session.send(greeting(&last.id));
            let missing: BTreeSet<Room> = rooms.iter().cloned().collect();
            member.pending.clone_from(&missing);
            member.resumes = Some((last.clone(), Instant::now()));
            self.stage = Stage::Connected(member);
            replay::begin(session, server, missing, last);
        } else {
            let greet = |position: &Position| greeting(&position.id);
            session.subscription.wish(rooms.wishes(&person), |position, _| greet(position));
            member.rooms = rooms;
            self.stage = Stage::Connected(member);
        }
    }
}

/// The rooms that a client names when it connects, and what it is told of each.
fn named_rooms(names: Option<&Value>, person: &Person, most: usize) -> (Rooms, Vec<(&'static str, Value)>) {
    let (mut rooms, mut told) = (Rooms::new(), Vec::new());
    let names = names.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    // The one that is too many is told so; nothing is said of those after it.
    for name in names.take(most + 1) {
        let room = Room::named(name, None, person);
        let room = room.and_then(|room| match rooms.contains(&room) {
            true => Ok(room),
            false => room_for(rooms.asked(), most).map(|()| room),
        });
        told.push(match room {
            Ok(room) => {
                rooms.join(room);
                ("subscribed", json!({ "room": name }))
            }
            Err(message) => ("error", json!({ "message": message })),
        });
    }
    (rooms, told)
}

/// Whether one who has `taken` subscriptions may have one more, of `most`.
fn room_for(taken: usize, most: usize) -> Result<(), String> {
    match taken < most {
        true => Ok(()),
        false => Err(format!("{most} subscriptions are the most")),
    }
}

/// What a client is told last, once, if it is in the namespace.
pub fn last_words(why: Why, client: &mut Client) -> Vec<Bytes> {
    let (reason, message) = match why {
        Why::Slow => ("slow", "too slow: connect again, and resume from the last id"),
        Why::Stopping => ("stopping", "the server stops: connect again"),
        Why::Expired => ("expired", "the token has expired"),
        Why::Replaced | Why::Silent => return Vec::new(),
    };
    if client.member().is_none() || std::mem::replace(&mut client.told, true) {
        return Vec::new();
    }
    let mut words = vec![packet::event_frame("closing", &json!({ "reason": reason, "message": message }))];
    // The stock client comes back by itself unless it is told that the server wants it no more.
    if why == Why::Expired {
        words.push(packet::disconnect_frame());
    }
    words
}
