//! Whether anything moves: a view in which nothing does need not be given again and again.

use opencv::core::{CV_8U, Mat, NORM_INF, Size, norm2};
use opencv::imgproc::{INTER_AREA, resize};
use opencv::prelude::*;
use park_core::Result;

use crate::vision::failed;

/// Pictures are compared by the means of blocks, about so many across: noise is gone there, and a vehicle far away is not.
const ACROSS: f64 = 64.0;
/// By so many levels of 255 may a block change in a view that stands still.
const STILL: f64 = 5.0;
/// So many seconds after the last movement a view is idle: what has just come to a stand is still of interest.
const AFTER: f64 = 2.0;

/// Thins out the frames of an idle view.
#[derive(Debug)]
pub struct Idle {
    period: f64,
    /// The blocks of the frame that was kept last, and when that was.
    kept: Mat,
    kept_at: f64,
    moved_at: f64,
}

impl Idle {
    /// Keeps `fps` frames a second of a view in which nothing moves.
    pub fn new(fps: f64) -> Self {
        Idle { period: 1.0 / fps, kept: Mat::default(), kept_at: f64::MIN, moved_at: f64::MIN }
    }

    /// Whether the picture at `seconds` is to be kept: something has moved, or it is time for another one. Asked once for each,
    /// in order.
    ///
    /// # Errors
    /// When the picture has no pixels.
    pub fn wants(&mut self, picture: &Mat, seconds: f64) -> Result<bool> {
        let blocks = blocks(picture).map_err(failed("shrinking a frame"))?;
        if self.differs(&blocks).map_err(failed("comparing frames"))? {
            self.moved_at = seconds;
        }
        // A clock that was set back starts anew.
        let since = |then: f64| if seconds < then { f64::MAX } else { seconds - then };
        let wanted = since(self.moved_at) < AFTER || since(self.kept_at) + 0.001 >= self.period;
        if wanted {
            (self.kept, self.kept_at) = (blocks, seconds);
        }
        Ok(wanted)
    }

    fn differs(&self, blocks: &Mat) -> opencv::Result<bool> {
        let alike = self.kept.size()? == blocks.size()? && self.kept.typ() == blocks.typ();
        Ok(!alike || norm2(&self.kept, blocks, NORM_INF, &Mat::default())? > STILL)
    }
}

/// The means of a picture's blocks, channel by channel.
fn blocks(picture: &Mat) -> opencv::Result<Mat> {
    debug_assert_eq!(picture.depth(), CV_8U, "cameras and videos give bytes");
    let side = (f64::from(picture.cols()) / ACROSS).max(1.0);
    let blocks = |length: i32| ((f64::from(length) / side).round() as i32).max(1);
    let mut small = Mat::default();
    resize(
        picture,
        &mut small,
        Size::new(blocks(picture.cols()), blocks(picture.rows())),
        0.0,
        0.0,
        INTER_AREA,
    )?;
    Ok(small)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use opencv::core::{CV_8UC3, Rect, Scalar};
    use opencv::imgproc::rectangle;

    use super::*;

    /// A view of one level, and a light thing of so many pixels at `x` in it, if there is one.
    fn view(level: f64, thing: Option<(i32, i32)>) -> Mat {
        let mut picture = Mat::new_rows_cols_with_default(720, 1280, CV_8UC3, Scalar::all(level)).unwrap();
        if let Some((x, side)) = thing {
            rectangle(&mut picture, Rect::new(x, 300, side, side), Scalar::all(200.0), -1, 8, 0).unwrap();
        }
        picture
    }

    /// Which of the frames, ten a second, are kept at one a second when nothing moves.
    fn kept(frames: impl IntoIterator<Item = Mat>) -> Vec<usize> {
        let mut idle = Idle::new(1.0);
        let frames = frames.into_iter().enumerate();
        frames.filter(|(i, frame)| idle.wants(frame, *i as f64 / 10.0).unwrap()).map(|(i, _)| i).collect()
    }

    #[test]
    fn a_view_that_stands_still_is_thinned_out_after_a_while() {
        let expected: Vec<usize> = (0..20).chain([29, 39, 49]).collect();
        assert_eq!(kept((0..50).map(|i| view(90.0 + f64::from(i % 3), None))), expected);
    }

    #[test]
    fn whatever_moves_is_kept_from_its_first_frame_and_for_a_while_after_it_stops() {
        let thing = |i: i32| (i >= 33).then(|| (8 * i.min(40), 40));
        let expected: Vec<usize> = (0..20).chain([29]).chain(33..60).chain([69, 79]).collect();
        assert_eq!(kept((0..80).map(|i| view(90.0, thing(i)))), expected);
    }

    #[test]
    fn what_creeps_is_seen_sooner_or_later() {
        let frames = (0..100).map(|i| view(90.0, Some((200 + i / 2, 40))));
        assert!(kept(frames).len() > 80);
    }

    #[test]
    fn another_size_or_a_clock_set_back_is_a_new_view() {
        let mut idle = Idle::new(0.1);
        let (wide, square) =
            (view(90.0, None), Mat::new_rows_cols_with_default(9, 9, CV_8UC3, Scalar::all(90.0)).unwrap());
        let mut wanted = |picture: &Mat, seconds| idle.wants(picture, seconds).unwrap();
        assert!(wanted(&wide, 100.0) && !wanted(&wide, 103.0));
        assert!(wanted(&square, 103.1) && !wanted(&square, 106.0));
        assert!(wanted(&square, 50.0) && !wanted(&square, 50.1));
    }
}
