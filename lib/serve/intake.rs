//! The way of records from connections into the one loop that writes the log.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use park_core::record::Envelope;
use park_core::record::command::Ack;
use park_core::stream::{Injector, Peer};
use tokio::sync::{mpsc, oneshot};

/// Hands records from connections to the loop; whoever is too fast waits.
#[derive(Clone)]
pub struct Intake {
    sender: mpsc::Sender<Item>,
    own: Arc<Peer>,
}

enum Item {
    Lines(Arc<Peer>, Vec<u8>),
    Gone(Arc<Peer>),
}

/// Messages that may wait for the loop.
const WAITING: usize = 64;

impl Intake {
    /// Starts the thread that waits for the loop, so that connections need not.
    pub fn new(injector: Injector) -> Intake {
        let (sender, mut items) = mpsc::channel(WAITING);
        thread::spawn(move || {
            while let Some(item) = items.blocking_recv() {
                let taken = match item {
                    Item::Lines(peer, lines) => injector.lines(&peer, lines),
                    Item::Gone(peer) => injector.gone(&peer),
                };
                if !taken {
                    return;
                }
            }
        });
        Intake { sender, own: Peer::one_way("park-serve", true) }
    }

    /// Hands over lines of `peer`, who is answered when they are durable; false once the server is stopping.
    pub async fn lines(&self, peer: &Arc<Peer>, lines: Vec<u8>) -> bool {
        self.sender.send(Item::Lines(Arc::clone(peer), lines)).await.is_ok()
    }

    /// Says that `peer` is gone.
    pub async fn gone(&self, peer: &Arc<Peer>) {
        let _ = self.sender.send(Item::Gone(Arc::clone(peer))).await;
    }

    /// Whether the loop has ended.
    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Hands over a record of the server's own.
    pub async fn record(&self, line: Vec<u8>) -> bool {
        self.lines(&self.own, line).await
    }

    /// Hands over one record that has an id, and waits until it is durable; false if the server stops before.
    pub async fn durably(&self, name: &str, line: Vec<u8>) -> bool {
        let (sender, acknowledged) = oneshot::channel();
        let peer = Peer::two_way(name, false, Box::new(OnAck(Mutex::new(Some(sender)))));
        let handed = self.lines(&peer, line).await;
        let durable = handed && acknowledged.await.is_ok();
        self.gone(&peer).await;
        durable
    }
}

/// Waits for the `ack` that the loop sends to the peer.
struct OnAck(Mutex<Option<oneshot::Sender<()>>>);

impl Write for OnAck {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        let is_ack = |line: &[u8]| Envelope::parse(line).is_ok_and(|record| record.is::<Ack>());
        if lines.split(|byte| *byte == b'\n').any(is_ack)
            && let Some(sender) = self.0.get_mut().unwrap_or_else(PoisonError::into_inner).take()
        {
            let _ = sender.send(());
        }
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
