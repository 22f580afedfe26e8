//! A client whose token ends soon shows a new one on the connection it has, and stays.

use crate::access::Person;
use crate::hub::Subscription;
use crate::server::Server;

use super::message;

/// Takes a message `{"type":"auth","payload":{"token":…}}` and answers it; false if `text` is another message.
///
/// The new token must be of the same account, with the same role, for what the connection may do was decided when it
/// began. A token that does not count changes nothing: the connection ends when its old one does.
pub fn renew(text: &str, server: &Server, person: &Person, subscription: &Subscription) -> bool {
    let Some(token) = message::token(text) else { return false };
    let renewed = server.access.of_token(&token, server.seconds());
    let renewed = renewed
        .ok()
        .filter(|new| (&new.name, new.role, &new.gate_id) == (&person.name, person.role, &person.gate_id));
    if let Some(new) = &renewed {
        subscription.renew(new.expires);
    }
    let expires = renewed.as_ref().and_then(|new| new.expires);
    subscription.queue.push([message::renewed(renewed.is_some(), expires, server.now())]);
    true
}
