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
use crate::http::limits::Place;
use crate::hub::{Interest, Position, Scope, Why};
use crate::operations::{Surface, Visit};
use crate::server::Server;

/// What a client is told whose token is not good; the stock client gives it to `connect_error`.
const REFUSED: &str = "Authentication error";

/// Rooms that a client may name when it connects.
const NAMED: usize = 100;

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
    /// An event whose binary attachments are still to come, and how many.
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
    pub resumes: Option<(String, Instant)>,
}

impl Member {
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
            What::Event(..) if packet.attachments > 0 => {
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
        let last = text("lastEventId").filter(|id| id.len() <= 128).map(str::to_owned);
        let (rooms, told) = named_rooms(auth.get("rooms"), &person);
        session.subscription.renew(person.expires);
        let greeting = |id: &str| {
            let name = person.name.as_str();
            let connected = json!({ "message": "connected to park", "id": id, "user": name });
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
            session.send(greeting(&last));
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
fn named_rooms(names: Option<&Value>, person: &Person) -> (Rooms, Vec<(&'static str, Value)>) {
    let (mut rooms, mut told) = (Rooms::new(), Vec::new());
    let names = names.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    for name in names.take(NAMED) {
        told.push(match Room::named(name, None, person).and_then(|room| rooms.join(room)) {
            Ok(()) => ("subscribed", json!({ "room": name })),
            Err(message) => ("error", json!({ "message": message })),
        });
    }
    (rooms, told)
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
