//! What all uses of OpenCV here have in common.

use opencv::core::{LogLevel, set_log_level};
use park_core::{Error, Kind};

/// An error of OpenCV while doing what `doing` says.
pub fn failed(doing: &str) -> impl FnOnce(opencv::Error) -> Error {
    move |error| Error::new(Kind::Io, format!("{doing}: {}", error.message.trim()))
}

/// How FFmpeg opens streams of the network: over TCP, which loses nothing, and without the two seconds that it
/// takes to look at a stream by default.
const STREAM_OPTIONS: &str = "rtsp_transport;tcp|analyzeduration;200000|probesize;200000|fflags;nobuffer";

/// Sets up OpenCV and FFmpeg for this process; called once, before any thread is started.
///
/// Their messages are silenced: FFmpeg's would go to standard output, among the records, and name URLs with
/// their passwords. With `streams` set, streams of the network are opened quickly unless the user's
/// `OPENCV_FFMPEG_CAPTURE_OPTIONS` says how to open them.
pub fn set_up(streams: bool) {
    const OPTIONS: &str = "OPENCV_FFMPEG_CAPTURE_OPTIONS";
    let options = (streams && std::env::var_os(OPTIONS).is_none()).then_some((OPTIONS, STREAM_OPTIONS));
    for (name, value) in [("OPENCV_FFMPEG_LOGLEVEL", "-8")].into_iter().chain(options) {
        // SAFETY: the command has started no thread yet, so nobody reads the environment meanwhile.
        unsafe { std::env::set_var(name, value) };
    }
    // Nothing depends on it: at worst OpenCV says more on stderr.
    let _ = set_log_level(LogLevel::LOG_LEVEL_SILENT);
}
