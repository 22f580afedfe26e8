//! `/ws/<gate>`, `/ws/gate_all`, `/ws/admin`: who watches gates and commands them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::upgrade::Upgraded;
use park_core::record::command::Fault;
use park_core::record::{Stamp, encode};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::message::{self, Command, FORM};
use super::renewal::renew;
use super::socket::Socket;
use crate::access::Person;
use crate::http::Connection;
use crate::hub::{Answer, Interest, Joining, Scope, State, Subscriber, Subscription};
use crate::operations::{Action, Outcome, Visitor};
use crate::server::Server;

/// What a joining dashboard is told first: how things stand, not what happened.
const STANDING: &[&str] =
    &["gate_status", "hardware_status", "system_status", "capacity_update", "parking_update"];

/// How long a controller may take to answer a command before the dashboard is told that it has not.
const ANSWER: Duration = Duration::from_secs(10);

/// The longest message a dashboard may send.
const LONGEST: usize = 16 * 1024;

/// What a dashboard's connection holds to read into; commands are short.
const BUFFER: usize = 512;

/// Serves one dashboard on channel `name` until it goes or is sent away; `connection` is its own until then.
pub async fn serve(
    upgraded: Upgraded,
    connection: Connection,
    server: Arc<Server>,
    visitor: Visitor,
    name: String,
) {
    let subscription = join(&server, &visitor.person, &name);
    let gate = (!["admin", "gate_all"].contains(&&*name)).then_some(name);
    let visit = Arc::new(server.operations.opened(visitor));
    let mut socket = Socket::new(upgraded, Some(Arc::clone(&visit)), LONGEST, BUFFER).await;
    while let Some(text) = socket.next(&subscription).await {
        if !renew(&text, &server, &visit.person, &subscription) {
            Box::pin(obey(&server, &text, gate.as_deref(), &visit, subscription.subscriber())).await;
        }
    }
    drop(connection);
}

/// Does what a message of `visitor` says, whose channel is that of `gate` or of all gates; answers go to `asker`.
async fn obey(
    server: &Arc<Server>,
    text: &str,
    gate: Option<&str>,
    visitor: &Visitor,
    asker: &Arc<Subscriber>,
) {
    match message::command(text, gate, &visitor.person.name, server.now()) {
        Ok(command) if !visitor.person.may_command() => {
            if command.is_audited() {
                server.operations.refused(visitor, action(&command)).await;
            }
            let reason = "only operators command gates".to_owned();
            answer_error(server, asker, gate, reason, Some(command.id));
        }
        Ok(command) => relay(server, command, visitor, asker).await,
        Err(reason) => answer_error(server, asker, gate, reason, None),
    }
}

/// Subscribes to channel `name`; how things stand comes first.
fn join(server: &Server, person: &Person, name: &str) -> Subscription {
    let scope = match name {
        "admin" => Scope::Everything,
        "gate_all" => Scope::AnyGate,
        gate => Scope::Gate(gate.to_owned()),
    };
    let interest = Interest { scope, types: Vec::new(), view: person.view() };
    let wanted = interest.clone();
    let greet = move |state: &State| -> Vec<Bytes> {
        let standing = state.latest().into_iter().filter(|event| STANDING.contains(&event.kind.as_str()));
        standing.filter(|event| wanted.wants(event)).filter_map(|event| event.form(&FORM)).collect()
    };
    let joining = Joining { channel: name, interest, form: &FORM, answers: true, expires: person.expires };
    server.hub.join(joining, |_, state| greet(state))
}

/// A command as the audit trail has it.
fn action(command: &Command) -> Action<'_> {
    Action {
        name: command.kind,
        target: command.gate.as_deref(),
        payload: Some(&command.payload),
        request_id: Some(&command.id),
    }
}

/// Takes a command to its controller, or to all of them, and says at once if there is none.
async fn relay(server: &Arc<Server>, command: Command, visitor: &Visitor, asker: &Arc<Subscriber>) {
    let audited = command.is_audited();
    if audited {
        server.operations.did(visitor, action(&command)).await;
    }
    let Command { gate, id, line, answered, .. } = command;
    let answer = answered.then(|| server.hub.controllers.asked(&id, asker));
    let gates = gate.as_ref().map_or_else(|| server.hub.controllers.gates(), |gate| vec![gate.clone()]);
    server.intake.record(line.clone()).await;
    let hub = Arc::clone(&server.hub);
    // A controller at the other end of a socket may be slow to read: that must hold up nobody else.
    let sent = tokio::task::spawn_blocking(move || {
        gates.iter().filter(|gate| hub.controllers.relay(gate, &line)).count()
    });
    if sent.await.unwrap_or(0) == 0 {
        server.hub.controllers.give_up(&id);
        let reason = match &gate {
            Some(gate) => format!("no controller connected for {gate}"),
            None => "no controller connected".to_owned(),
        };
        if audited {
            server.operations.became(&id, Outcome::NoController, None).await;
        }
        answer_error(server, asker, gate.as_deref(), reason, Some(id));
    } else {
        server.hub.counts.relayed.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        match answer {
            Some(answer) => drop(tokio::spawn(await_answer(Arc::clone(server), gate, id, answer))),
            None if audited => server.operations.became(&id, Outcome::Sent, None).await,
            None => {}
        }
    }
}

/// Waits for what the controller says, for the trail; the hub passes it on to whoever asked.
async fn await_answer(
    server: Arc<Server>,
    gate: Option<String>,
    id: String,
    answer: oneshot::Receiver<Answer>,
) {
    if let Ok(Ok(Answer { success, message })) = timeout(ANSWER, answer).await {
        let outcome = if success { Outcome::Done } else { Outcome::Failed };
        return server.operations.became(&id, outcome, message).await;
    }
    server.operations.became(&id, Outcome::NoAnswer, None).await;
    if let Some(asker) = server.hub.controllers.give_up(&id).and_then(|asker| asker.upgrade()) {
        let gate = gate.as_deref();
        let reason = format!("the controller of {} has not answered", gate.unwrap_or("the gate"));
        answer_error(&server, &asker, gate, reason, Some(id));
    }
}

fn answer_error(
    server: &Server,
    asker: &Subscriber,
    gate: Option<&str>,
    message: String,
    request: Option<String>,
) {
    let fault = Fault { message, command: "park-serve".into(), input: None, line: None, request_id: request };
    let now = server.now();
    let mut stamp = Stamp::at(now).source("park-serve");
    stamp.gate_id = gate.map(str::to_owned);
    let mut line = Vec::new();
    encode(&stamp, &fault, &mut line);
    asker.queue.push(message::frame_of_line(&line, now));
}
