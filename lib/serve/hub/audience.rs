//! Those who are sent the same: what they hear is encoded, filtered and joined once for all of them.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::{Event, Form, Subscriber, Wish};

/// Subscribers with the same wishes.
pub(super) struct Audience {
    wishes: Arc<[Wish]>,
    /// In the order in which they came; their numbers rise.
    members: Vec<Arc<Subscriber>>,
}

/// What is sent in one piece is about this long at most, so that a queue's bound stays fine-grained.
const PIECE: usize = 16 * 1024;

impl Audience {
    /// Sends them what they want of `events`; `full` is called for each whose queue was full. How many records were
    /// sent to how many, multiplied.
    fn send(&self, events: &[Arc<Event>], mut full: impl FnMut()) -> u64 {
        let (pieces, records) = self.pieces(events);
        if pieces.is_empty() {
            return 0;
        }
        for member in &self.members {
            if member.queue.push(pieces.iter().cloned()) {
                full();
            }
        }
        records * self.members.len() as u64
    }

    /// What they want in shared pieces, and how many records that are.
    fn pieces(&self, events: &[Arc<Event>]) -> (Vec<Bytes>, u64) {
        let mut frames = events.iter().flat_map(|event| frames(&self.wishes, 0, event)).peekable();
        let (mut pieces, mut records) = (Vec::new(), 0);
        while let Some(first) = frames.next() {
            let mut length = first.len();
            let mut following = Vec::new();
            while let Some(frame) = frames.next_if(|frame| length + frame.len() <= PIECE) {
                length += frame.len();
                following.push(frame);
            }
            records += 1 + following.len() as u64;
            pieces.push(joined(first, &following, length));
        }
        (pieces, records)
    }
}

/// A record in each dialect in which it is wanted, once; but for what the first `had` wishes want.
pub fn frames<'a>(wishes: &'a [Wish], had: usize, event: &'a Event) -> impl Iterator<Item = Bytes> + 'a {
    let again = |at: usize, form: &'static Form| {
        wishes[..at].iter().any(|before| std::ptr::eq(before.form, form) && before.interest.wants(event))
    };
    let wanted = wishes.iter().enumerate().skip(had).filter(|(_, wish)| wish.interest.wants(event));
    let wanted = wanted.filter(move |(at, wish)| !again(*at, wish.form));
    wanted.filter_map(|(_, wish)| event.form(wish.form))
}

/// One piece of several frames; one frame alone is shared as it is.
fn joined(first: Bytes, following: &[Bytes], length: usize) -> Bytes {
    if following.is_empty() {
        return first;
    }
    let mut piece = BytesMut::with_capacity(length);
    piece.extend_from_slice(&first);
    following.iter().for_each(|frame| piece.extend_from_slice(frame));
    piece.freeze()
}

fn same(one: &Arc<[Wish]>, other: &Arc<[Wish]>) -> bool {
    Arc::ptr_eq(one, other) || one == other
}

/// All audiences.
#[derive(Default)]
pub(super) struct Audiences(Vec<Audience>);

impl Audiences {
    /// Adds a subscriber to the audience of its like.
    pub(super) fn add(&mut self, subscriber: &Arc<Subscriber>) {
        let wishes = subscriber.wishes();
        let like = |audience: &&mut Audience| same(&audience.wishes, &wishes);
        let member = Arc::clone(subscriber);
        match self.0.iter_mut().find(like) {
            Some(audience) => {
                // What is equal is kept once.
                subscriber.share(&audience.wishes);
                // One that changes its interest may be older than those who are there.
                let place = audience.members.partition_point(|other| other.number < member.number);
                audience.members.insert(place, member);
            }
            None => self.0.push(Audience { wishes, members: vec![member] }),
        }
    }

    /// Takes a subscriber out.
    pub(super) fn remove(&mut self, subscriber: &Subscriber) {
        let wishes = subscriber.wishes();
        let like = |audience: &Audience| same(&audience.wishes, &wishes);
        let Some(at) = self.0.iter().position(like) else { return };
        let members = &mut self.0[at].members;
        if let Ok(place) = members.binary_search_by_key(&subscriber.number, |other| other.number) {
            members.remove(place);
        }
        if members.is_empty() {
            self.0.swap_remove(at);
        }
    }

    /// Sends `events` to all who want them; `full` is called for each whose queue was full. How many deliveries that
    /// were.
    pub(super) fn send(&self, events: &[Arc<Event>], mut full: impl FnMut()) -> u64 {
        self.0.iter().map(|audience| audience.send(events, &mut full)).sum()
    }

    /// Sends one record in the dialect `form` to all who want it so.
    pub(super) fn tell(&self, event: &Event, form: &'static Form, mut full: impl FnMut()) {
        for audience in &self.0 {
            let wanted = |wish: &Wish| std::ptr::eq(wish.form, form) && wish.interest.wants(event);
            let Some(frame) = audience.wishes.iter().any(wanted).then(|| event.form(form)).flatten() else {
                continue;
            };
            for member in &audience.members {
                if member.queue.push([frame.clone()]) {
                    full();
                }
            }
        }
    }

    /// Every subscriber.
    pub(super) fn members(&self) -> impl Iterator<Item = &Arc<Subscriber>> {
        self.0.iter().flat_map(|audience| &audience.members)
    }
}
