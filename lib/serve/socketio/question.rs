//! What a client asks, and where the answer goes: to its acknowledgement if it wants one, else as an event.

use std::sync::Arc;

use serde_json::{Value, json};

use super::engine::Session;
use super::packet::{ack_frame, event_frame};
use super::{booking, mobile};
use crate::server::Server;

/// An event of a client, to be answered.
pub struct Question {
    /// Who asks.
    pub session: Arc<Session>,
    /// The first argument.
    pub argument: Value,
    /// The number of the acknowledgement that is wanted.
    pub id: Option<u64>,
}

impl Question {
    /// A text of the argument; also the argument itself, if it is nothing but a text.
    pub fn text(&self, names: &[&str]) -> Option<&str> {
        let field = names.iter().find_map(|name| self.argument.get(name));
        field.or(Some(&self.argument)).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// The same where a number will do, too; missing, it is an error for the person.
    pub fn id_of(&self, name: &str) -> Result<String, String> {
        let number = || self.argument.get(name).and_then(Value::as_u64).map(|number| number.to_string());
        let id = self.text(&[name]).map(str::to_owned).or_else(number);
        id.filter(|id| id.len() <= 128).ok_or_else(|| format!("{name} is missing"))
    }

    /// Answers: with `data` to an acknowledgement, else with an event.
    pub fn answer(&self, event: &str, data: Value) {
        match self.id {
            Some(_) => self.acknowledge(data),
            None => self.session.send([event_frame(event, &data)]),
        }
    }

    /// Answers to the acknowledgement, if one is wanted.
    pub fn acknowledge(&self, mut data: Value) {
        if let Some(id) = self.id {
            if let Some(fields) = data.as_object_mut() {
                fields.insert("success".into(), true.into());
            }
            self.session.send([ack_frame(id, &data)]);
        }
    }

    /// Says what is wrong.
    pub fn fail(&self, message: &str) {
        match self.id {
            Some(id) => self.session.send([ack_frame(id, &json!({ "success": false, "error": message }))]),
            None => self.session.send([event_frame("error", &json!({ "message": message }))]),
        }
    }
}

/// Answers an event of a client that is in the namespace.
pub fn ask(session: &Arc<Session>, server: &Arc<Server>, name: &str, arguments: Vec<Value>, id: Option<u64>) {
    let argument = arguments.into_iter().next().unwrap_or(Value::Null);
    let question = Question { session: Arc::clone(session), argument, id };
    let answered = match name {
        "auth" => renew(&question, server),
        "subscribe" => booking::subscribe(&question, server),
        "unsubscribe" => booking::unsubscribe(&question),
        "get_parking_availability" => booking::availability(&question, server),
        "get_booking_status" => return booking::booking_status(question, server),
        "get_live_stats" => return booking::live_stats(question, server),
        "subscribe_to_parking" => mobile::subscribe(&question, server),
        "unsubscribe_from_parking" => mobile::unsubscribe(&question),
        "subscribe_to_camera" => mobile::camera::subscribe(&question, server),
        "unsubscribe_from_camera" => mobile::camera::unsubscribe(&question),
        other => Err(format!("there is no event {:?}", other.chars().take(64).collect::<String>())),
    };
    if let Err(message) = answered {
        question.fail(&message);
    }
}

/// `auth {token}`: a newer token of the same person, before the old one ends.
fn renew(question: &Question, server: &Server) -> Result<(), String> {
    let refused = || "Authentication error".to_owned();
    let token = question.text(&["token"]).ok_or("token is missing")?;
    let person = server.access.of_token(token, server.seconds()).map_err(|_| refused())?;
    let session = &question.session;
    let mut client = session.client();
    let member = client.member().filter(|member| member.person.name == person.name).ok_or_else(refused)?;
    let data = json!({ "message": "the token is renewed", "expires": person.expires });
    member.becomes(session, person);
    drop(client);
    question.answer("connected", data);
    Ok(())
}
