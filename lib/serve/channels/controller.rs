//! `/ws/controller/<gate>`: the process at a gate, which sends records and takes commands.

use std::io::{self, Write};
use std::sync::Arc;

use hyper::upgrade::Upgraded;
use park_core::record::command::Fault;
use park_core::record::{Stamp, encode};
use park_core::stream::Peer;

use super::message::{self, FORM};
use super::renewal::renew;
use super::socket::Socket;
use crate::http::Connection;
use crate::hub::{Interest, Joining, Scope, Subscriber};
use crate::operations::Visitor;
use crate::server::Server;

/// The longest message a controller may send.
const LONGEST: usize = 1024 * 1024;

/// Serves the controller of `gate` until it goes or is sent away; `connection` is its own until then.
pub async fn serve(
    upgraded: Upgraded,
    connection: Connection,
    server: Arc<Server>,
    visitor: Visitor,
    gate: String,
) {
    let interest = Interest { scope: Scope::Nothing, ..Interest::default() };
    let name = format!("controller/{gate}");
    let joining =
        Joining { channel: &name, interest, form: &FORM, answers: true, expires: visitor.person.expires };
    let subscription = server.hub.join(joining, |_, _| Vec::new());
    let writer = Answers { subscriber: Arc::clone(subscription.subscriber()), server: Arc::clone(&server) };
    let peer = Peer::two_way(format!("/ws/{name}"), false, Box::new(writer));
    server.hub.controllers.attach(&gate, &peer, subscription.subscriber());
    let visit = Arc::new(server.operations.opened(visitor));
    let mut socket = Socket::new(upgraded, Some(Arc::clone(&visit)), LONGEST, 4096).await;
    while let Some(text) = socket.next(&subscription).await {
        if renew(&text, &server, &visit.person, &subscription) {
            continue;
        }
        match message::record(&text, &gate, server.now()) {
            Ok(line) => {
                if !server.intake.lines(&peer, line).await {
                    break;
                }
            }
            Err(reason) => refuse(&server, &peer, &gate, reason),
        }
    }
    server.hub.controllers.gone(&peer);
    server.intake.gone(&peer).await;
    drop(connection);
}

fn refuse(server: &Server, peer: &Peer, gate: &str, message: String) {
    let input = Some(peer.name().to_owned());
    let fault = Fault { message, command: "park-serve".into(), input, line: None, request_id: None };
    let mut line = Vec::new();
    encode(&Stamp::at(server.now()).source("park-serve").gate(gate), &fault, &mut line);
    peer.reply(&line);
}

/// Lines for the controller (commands, acks, errors) become messages in its queue; this never blocks.
struct Answers {
    subscriber: Arc<Subscriber>,
    server: Arc<Server>,
}

impl Write for Answers {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        let now = self.server.now();
        let frames = lines.split(|byte| *byte == b'\n').filter_map(|line| message::frame_of_line(line, now));
        if self.subscriber.queue.push(frames) || self.subscriber.queue.is_ended() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
