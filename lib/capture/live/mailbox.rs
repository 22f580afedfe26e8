//! Between the threads that grab frames and the loop that writes them: the newest frame wins.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use opencv::core::Mat;
use park_core::record::Time;
use park_core::record::camera::CameraState;

/// What a camera's thread has to say.
#[derive(Debug)]
pub enum News {
    /// A frame.
    Frame {
        /// Its number at the camera.
        seq: u64,
        /// When it was grabbed.
        time: Time,
        /// Its pixels.
        mat: Mat,
        /// How many frames before it were lost because nobody came for them.
        lost: u64,
    },
    /// The camera's state has changed.
    State {
        /// When.
        time: Time,
        /// To what.
        state: CameraState,
        /// Why.
        cause: Option<String>,
    },
}

/// Holds at most one frame of each camera, and every change of state in its place among them.
#[derive(Debug)]
pub struct Mailbox {
    inner: Mutex<Inner>,
    bell: Condvar,
}

#[derive(Debug, Default)]
struct Inner {
    queue: VecDeque<(usize, News)>,
    /// Matrices whose memory can be used again.
    spare: Vec<Mat>,
    cameras: usize,
    closed: bool,
}

/// How many changes of state may wait for each camera while the reader is stuck; the oldest go first.
const MOST_STATES: usize = 16;

impl Mailbox {
    /// An empty one for so many cameras.
    pub fn new(cameras: usize) -> Self {
        let inner = Inner { cameras, ..Inner::default() };
        Mailbox { inner: Mutex::new(inner), bell: Condvar::new() }
    }

    // No thread panics while it holds the lock, and whatever is in it is whole.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts in what camera `index` says; a frame takes the place of one that still waits. False once nobody reads.
    pub fn post(&self, index: usize, mut news: News) -> bool {
        let mut inner = self.lock();
        if let News::Frame { lost, .. } = &mut news {
            let waiting = inner
                .queue
                .iter()
                .position(|(other, news)| *other == index && matches!(news, News::Frame { .. }));
            if let Some((_, News::Frame { lost: before, mat, .. })) =
                waiting.and_then(|at| inner.queue.remove(at))
            {
                *lost += before + 1;
                inner.spare.push(mat);
            }
        } else if inner.queue.len() >= inner.cameras * MOST_STATES {
            let oldest =
                inner.queue.iter().position(|(o, news)| *o == index && matches!(news, News::State { .. }));
            oldest.and_then(|at| inner.queue.remove(at));
        }
        inner.queue.push_back((index, news));
        let open = !inner.closed;
        drop(inner);
        self.bell.notify_one();
        open
    }

    /// What came first, waiting for it at most so long.
    pub fn next(&self, patience: Duration) -> Option<(usize, News)> {
        let inner = self.lock();
        let (mut inner, _) = self
            .bell
            .wait_timeout_while(inner, patience, |inner| inner.queue.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        inner.queue.pop_front()
    }

    /// A matrix to grab into, with memory if there is one.
    pub fn spare(&self) -> Mat {
        self.lock().spare.pop().unwrap_or_default()
    }

    /// A matrix that is no longer needed.
    pub fn give_back(&self, mat: Mat) {
        self.lock().spare.push(mat);
    }

    /// Nobody reads any more.
    pub fn close(&self) {
        self.lock().closed = true;
    }

    /// Whether nobody reads any more.
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(seq: u64) -> News {
        News::Frame { seq, time: Time::default(), mat: Mat::default(), lost: 0 }
    }

    fn state(state: CameraState) -> News {
        News::State { time: Time::default(), state, cause: None }
    }

    fn all(mailbox: &Mailbox) -> Vec<(usize, String)> {
        let said = |news| match news {
            News::Frame { seq, lost, .. } => format!("frame {seq}, {lost} lost"),
            News::State { state, .. } => format!("{state:?}"),
        };
        std::iter::from_fn(|| mailbox.next(Duration::ZERO)).map(|(index, news)| (index, said(news))).collect()
    }

    #[test]
    fn the_newest_frame_wins_and_states_keep_their_place() {
        let mailbox = Mailbox::new(2);
        mailbox.post(0, state(CameraState::Online));
        for seq in 0..3 {
            mailbox.post(0, frame(seq));
        }
        mailbox.post(1, frame(7));
        mailbox.post(0, state(CameraState::Reconnecting));
        mailbox.post(0, state(CameraState::Online));
        mailbox.post(0, frame(3));
        let expected = [
            (0, "Online"),
            (1, "frame 7, 0 lost"),
            (0, "Reconnecting"),
            (0, "Online"),
            (0, "frame 3, 3 lost"),
        ];
        assert_eq!(all(&mailbox), expected.map(|(index, news)| (index, news.to_owned())));
        mailbox.post(0, frame(4));
        assert_eq!(all(&mailbox), [(0, "frame 4, 0 lost".to_owned())]);
    }

    #[test]
    fn a_stuck_reader_costs_bounded_memory() {
        let mailbox = Mailbox::new(1);
        for seq in 0..1000 {
            mailbox.post(0, state(CameraState::Online));
            mailbox.post(0, frame(seq));
            mailbox.post(0, state(CameraState::Reconnecting));
        }
        let news = all(&mailbox);
        assert!(news.len() <= MOST_STATES + 1, "{}", news.len());
        assert_eq!(news.last().map(|(_, news)| &**news), Some("Reconnecting"));
        // A grabbing thread takes a spare matrix for each frame that it posts.
        assert_eq!(mailbox.lock().spare.len(), 999);
    }
}
