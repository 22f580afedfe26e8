//! Frames by reference: raw pixels in a directory of shared memory, between processes of one host.
//!
//! A frame is a file whose name tells its state, and each step from state to state is one `rename`, so
//! that exactly one side owns it at any time:
//!
//! ```text
//!            writer                      taker
//!  .part ────────────▶ .bgr ────────────────────────▶ .taken
//!    ▲    complete       │   claimed, and being read     │
//!    │                   │ taken back (live sources)     │ read
//!    ├───────────────────┘                               ▼
//!    └──────────────────────────────────────────────── .free
//! ```
//!
//! The writer overwrites files that are free instead of making new ones: pages that are there already
//! cost less than the copy into them, fresh ones more. A name is `<camera>-<seq>` and is never used
//! twice, so a stale path finds nothing rather than a later frame.

mod map;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::map::Map;
use crate::error::{Error, Kind, Result};

/// How many frames may wait for their taker unless told otherwise.
pub const DEFAULT_FRAMES: usize = 8;

/// The writing end: one for each camera and directory.
///
/// It never has more files than it was allowed, so a spool's size is bounded by that number times the
/// size of a frame.
#[derive(Debug)]
pub struct SpoolWriter {
    dir: PathBuf,
    camera: String,
    limit: usize,
    /// The frames that were given out, oldest first, whatever became of them.
    given: VecDeque<Given>,
    /// Held as long as the writer lives: two writers of one camera would take each other's files.
    _lock: File,
}

/// A frame that was given out, and its file's memory once the file has been used again.
#[derive(Debug)]
struct Given {
    seq: u64,
    map: Option<Map>,
}

/// What became of a frame that was to be put into the spool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Put {
    /// It is there, at this path.
    Done(PathBuf),
    /// The oldest frame that nobody had taken made room for it.
    Replaced {
        /// Where the new frame is.
        path: PathBuf,
        /// The number of the frame that is lost.
        lost: u64,
    },
    /// There is no room: every frame waits for its taker. Nothing was written.
    Full,
}

impl SpoolWriter {
    /// A writer for `camera` in `dir`, which is made if missing (readable by its owner alone) and rid of
    /// what an earlier run of the same camera left there. At most `limit` frames wait in it.
    ///
    /// [`Kind::TryAgain`] when another process writes the same camera there, [`Kind::Io`] when the
    /// directory cannot be used.
    pub fn new(dir: &Path, camera: &str, limit: usize) -> Result<Self> {
        let at = |doing: &str| format!("{doing} the spool directory {}", dir.display());
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(|e| Error::io(at("making"), e))?;
        // Records carry the path to other processes, which may stand in other directories.
        let dir = fs::canonicalize(dir).map_err(|e| Error::io(at("finding"), e))?;
        let camera = file_name_of(camera);
        let lock = dir.join(format!("{camera}.lock"));
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&lock)
            .map_err(|e| Error::io(format!("opening {}", lock.display()), e))?;
        lock.try_lock().map_err(|_| {
            Error::new(
                Kind::TryAgain,
                format!("another process writes the frames of {camera} to {}", dir.display()),
            )
        })?;
        let writer = SpoolWriter { dir, camera, limit: limit.max(1), given: VecDeque::new(), _lock: lock };
        remove_all(&writer.dir, &writer.camera, &["part", "bgr", "taken", "free"]);
        Ok(writer)
    }

    /// Whether a frame can be put into the spool without another one giving way.
    pub fn has_room(&mut self) -> bool {
        self.forget_removed();
        let free = |given: &Given| self.path(given.seq, "free").exists();
        self.given.len() < self.limit || self.given.iter().any(free)
    }

    /// Puts a frame's pixels into the spool under the number `seq`, which must not have been used before.
    /// When there is no room, a frame that nobody has taken yet makes room if `replace` says so.
    pub fn put(&mut self, seq: u64, pixels: &[u8], replace: bool) -> Result<Put> {
        let part = self.path(seq, "part");
        let mut lost = None;
        let mut used = self.reuse("free", &part)?;
        if used.is_none() {
            self.forget_removed();
            if self.given.len() >= self.limit {
                if replace {
                    used = self.reuse("bgr", &part)?;
                    lost = used.as_ref().map(|given| given.seq);
                }
                // What was claimed meanwhile may be free by now; if not, the caller comes again.
                if used.is_none() {
                    used = self.reuse("free", &part)?;
                }
                if used.is_none() {
                    return Ok(Put::Full);
                }
            }
        }
        let path = self.path(seq, "bgr");
        let map = fill(&part, pixels, used.map(|given| given.map))
            .and_then(|map| fs::rename(&part, &path).map(|()| map))
            .map_err(|error| Error::io(format!("writing the frame {}", part.display()), error))?;
        self.given.push_back(Given { seq, map });
        Ok(match lost {
            Some(lost) => Put::Replaced { path, lost },
            None => Put::Done(path),
        })
    }

    /// Removes what is free; with `all` also the frames that nobody has taken, for when nobody will.
    pub fn clear(&mut self, all: bool) {
        remove_all(&self.dir, &self.camera, if all { &["part", "bgr", "free"] } else { &["part", "free"] });
        self.forget_removed();
    }

    fn path(&self, seq: u64, state: &str) -> PathBuf {
        self.dir.join(format!("{}-{seq}.{state}", self.camera))
    }

    /// Turns the oldest file in this state into `part`; says which it was.
    fn reuse(&mut self, state: &str, part: &Path) -> Result<Option<Given>> {
        for at in 0..self.given.len() {
            let from = self.path(self.given[at].seq, state);
            match fs::rename(&from, part) {
                Ok(()) => return Ok(self.given.remove(at)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(Error::io(format!("reusing {}", from.display()), error)),
            }
        }
        Ok(None)
    }

    /// Forgets frames whose files are gone: a taker may remove a file instead of freeing it.
    fn forget_removed(&mut self) {
        let mut given = std::mem::take(&mut self.given);
        // In the order in which a file passes through them: one that moves on is met further down.
        let exists = |state: &&str, seq| self.path(seq, state).exists();
        given.retain(|given| ["bgr", "taken", "free"].iter().any(|state| exists(state, given.seq)));
        self.given = given;
    }
}

impl Drop for SpoolWriter {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.dir.join(format!("{}.lock", self.camera)));
    }
}

/// Fills the file at `path`: through the memory of one that was used before, where that fits.
fn fill(path: &Path, pixels: &[u8], used: Option<Option<Map>>) -> io::Result<Option<Map>> {
    let again = used.is_some();
    if let Some(mut map) = used.flatten().filter(|map| map.length() == pixels.len()) {
        map.write(pixels);
        return Ok(Some(map));
    }
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)?;
    // A new file is written rather than mapped: in a full memory that is an error, the other a signal.
    file.write_all(pixels)?;
    if file.metadata()?.len() != pixels.len() as u64 {
        file.set_len(pixels.len() as u64)?;
    }
    if again { Map::new(&file, pixels.len(), true).map(Some) } else { Ok(None) }
}

/// The taking end: one for each process, whatever the cameras and directories.
///
/// When it is dropped it removes the free files of the cameras it saw, since their writer may have ended
/// before its last frames were taken.
#[derive(Debug, Default)]
pub struct SpoolReader {
    seen: BTreeSet<(PathBuf, String)>,
    /// The memory of files that were met, by device and number.
    maps: HashMap<(u64, u64), Arc<Map>>,
}

/// How many files are kept mapped; beyond that all are mapped anew, lest files that are gone keep their memory.
const MOST_MAPS: usize = 32;

/// A frame that was taken out of the spool. When this is dropped its file is free for the writer again.
#[derive(Debug)]
pub struct Taken {
    map: Arc<Map>,
    taken: PathBuf,
    free: PathBuf,
}

impl Taken {
    /// Where its pixels begin: as many bytes as were claimed, readable as long as this lives. They must not be written
    /// to. Its writer leaves them alone meanwhile; a process that does not keep to that could change them, so they are
    /// only lent as a pointer.
    pub fn pixels(&self) -> *const u8 {
        self.map.start()
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        // Whoever removed it has freed it, too; one that cannot be freed is only memory that its writer misses.
        let _ = fs::rename(&self.taken, &self.free);
    }
}

/// What became of a frame that was to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    /// Its pixels were read.
    Done,
    /// The frame expired: its writer took it back because nobody came, or somebody else took it. It
    /// counts as dropped; it is no error.
    Expired,
}

impl SpoolReader {
    /// A reader that has seen nothing yet.
    pub fn new() -> Self {
        SpoolReader::default()
    }

    /// Takes the frame at `path`, of `length` bytes (`width` × `height` × 3), out of the spool, to be read where it is;
    /// `None` if it has expired: its writer took it back because nobody came, or somebody else took it. That counts as
    /// dropped; it is no error.
    ///
    /// The path comes with a record and is not trusted: [`Kind::BadInput`] when it is not a frame's name in
    /// an absolute directory, not a regular file (a link is none), or not of that size; the file is left
    /// alone then.
    pub fn claim(&mut self, path: &Path, length: usize) -> Result<Option<Taken>> {
        let Some(frame) = open_frame(path, length)? else { return Ok(None) };
        let doing = || format!("taking the frame {}", path.display());
        let state = |state: &str| frame.dir.join(format!("{}-{}.{state}", frame.camera, frame.seq));
        let (taken, free) = (state("taken"), state("free"));
        match fs::rename(path, &taken) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io(doing(), error)),
        }
        let map = self.map(&frame, length);
        self.saw(frame.dir, frame.camera);
        match map {
            Ok(map) => Ok(Some(Taken { map, taken, free })),
            Err(error) => {
                let _ = fs::rename(&taken, &free);
                Err(Error::io(doing(), error))
            }
        }
    }

    /// [`SpoolReader::claim`], copying the frame to `pixels`, which is as long as it, and freeing it at once.
    pub fn take(&mut self, path: &Path, pixels: &mut [u8]) -> Result<Take> {
        let Some(taken) = self.claim(path, pixels.len())? else { return Ok(Take::Expired) };
        taken.map.read(pixels);
        Ok(Take::Done)
    }

    /// Reads the frame at `path` like [`SpoolReader::take`] but leaves it in the spool, for another taker.
    pub fn look(&self, path: &Path, pixels: &mut [u8]) -> Result<Take> {
        let Some(frame) = open_frame(path, pixels.len())? else { return Ok(Take::Expired) };
        let read = frame.file.read_exact_at(pixels, 0);
        // The writer may have taken it back and written over it meanwhile; its name is gone then, for good.
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Take::Expired),
            _ => {
                read.map_err(|error| Error::io(format!("reading the frame {}", path.display()), error))?;
                Ok(Take::Done)
            }
        }
    }

    /// Frees the frame of `length` bytes at `path` unread, so that its writer, who may be waiting for room, can use the
    /// file again. The path is trusted as little as by [`SpoolReader::take`].
    pub fn pass_over(&mut self, path: &Path, length: usize) -> Result<()> {
        let Some(frame) = open_frame(path, length)? else { return Ok(()) };
        match fs::rename(path, frame.dir.join(format!("{}-{}.free", frame.camera, frame.seq))) {
            Ok(()) => self.saw(frame.dir, frame.camera),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io(format!("freeing the frame {}", path.display()), error)),
        }
        Ok(())
    }

    /// The memory of a frame that is ours.
    fn map(&mut self, frame: &OpenFrame<'_>, length: usize) -> io::Result<Arc<Map>> {
        if let Some(map) = self.maps.get(&frame.file_id).filter(|map| map.length() == length) {
            return Ok(Arc::clone(map));
        }
        if self.maps.len() >= MOST_MAPS {
            self.maps.clear();
        }
        let map = Arc::new(Map::new(&frame.file, length, false)?);
        self.maps.insert(frame.file_id, Arc::clone(&map));
        Ok(map)
    }

    fn saw(&mut self, dir: &Path, camera: &str) {
        if !self.seen.iter().any(|(seen, name)| seen == dir && name == camera) {
            self.seen.insert((dir.to_owned(), camera.to_owned()));
        }
    }
}

impl Drop for SpoolReader {
    fn drop(&mut self) {
        for (dir, camera) in &self.seen {
            remove_all(dir, camera, &["free"]);
        }
    }
}

/// A frame's file, open, with what its path says.
struct OpenFrame<'a> {
    file: File,
    file_id: (u64, u64),
    dir: &'a Path,
    camera: &'a str,
    seq: u64,
}

/// Opens the frame of `length` bytes at an untrusted path; `None` if it has expired.
fn open_frame(path: &Path, length: usize) -> Result<Option<OpenFrame<'_>>> {
    let bad = |why: &str| Error::new(Kind::BadInput, format!("{} {why}", path.display()));
    let doing = || format!("opening the frame {}", path.display());
    let (dir, camera, seq) = parse(path).ok_or_else(|| bad("is not the path of a frame"))?;
    let opened = OpenOptions::new()
        .read(true)
        // Without O_NONBLOCK opening a FIFO would wait for its writer.
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.raw_os_error() == Some(libc::ELOOP) => return Err(bad("is a link")),
        Err(error) => return Err(Error::io(doing(), error)),
    };
    let metadata = file.metadata().map_err(|error| Error::io(doing(), error))?;
    if !metadata.is_file() {
        return Err(bad("is not a regular file"));
    }
    if metadata.size() != length as u64 {
        return Err(bad(&format!("has {} bytes, not the {length} of the frame", metadata.size())));
    }
    let file_id = (metadata.dev(), metadata.ino());
    Ok(Some(OpenFrame { file, file_id, dir, camera, seq }))
}

/// Directory, camera and number of a path of the form `/DIR/CAMERA-SEQ.bgr`.
fn parse(path: &Path) -> Option<(&Path, &str, u64)> {
    let dir = path.parent().filter(|dir| dir.is_absolute())?;
    let (camera, seq) = parse_name(path.file_name()?.to_str()?, "bgr")?;
    Some((dir, camera, seq))
}

fn parse_name<'a>(name: &'a str, state: &str) -> Option<(&'a str, u64)> {
    let stem = name.strip_suffix(state)?.strip_suffix('.')?;
    let (camera, seq) = stem.rsplit_once('-')?;
    let digits = !seq.is_empty() && seq.bytes().all(|byte| byte.is_ascii_digit());
    (digits && file_name_of(camera) == camera).then_some(())?;
    Some((camera, seq.parse().ok()?))
}

/// A camera's name with everything replaced that is not safe in the name of a file.
fn file_name_of(camera: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let name: String = camera.chars().take(100).map(safe).collect();
    match name.strip_prefix('.') {
        Some(rest) => format!("_{rest}"),
        None if name.is_empty() => "camera".to_owned(),
        None => name,
    }
}

/// Removes the camera's files in these states. What cannot be removed stays: it is only memory.
fn remove_all(dir: &Path, camera: &str, states: &[&str]) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let of_camera = |state: &&str| parse_name(name, state).is_some_and(|(of, _)| of == camera);
        if states.iter().any(of_camera) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const WIDTH: u32 = 4;
    const HEIGHT: u32 = 2;

    /// A directory of its own that goes with the test.
    struct Dir(PathBuf);

    impl Dir {
        fn new(name: &str) -> Dir {
            let dir = std::env::temp_dir().join(format!("park-spool-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&dir);
            Dir(dir)
        }
        fn files(&self) -> BTreeSet<String> {
            let names = fs::read_dir(&self.0).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
            names.filter(|name| !name.ends_with(".lock")).collect()
        }
    }

    impl Drop for Dir {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn picture(fill: u8) -> Vec<u8> {
        vec![fill; (WIDTH * HEIGHT * 3) as usize]
    }

    fn path_of(put: Put) -> PathBuf {
        match put {
            Put::Done(path) | Put::Replaced { path, .. } => path,
            Put::Full => panic!("the spool is full"),
        }
    }

    #[test]
    fn a_frame_arrives_and_its_file_is_used_again() {
        let dir = Dir::new("arrives");
        let mut writer = SpoolWriter::new(&dir.0, "cam_in", 2).unwrap();
        let mut reader = SpoolReader::new();
        let mut pixels = picture(0);
        let mut inodes = BTreeSet::new();
        for seq in 0..20 {
            let path = path_of(writer.put(seq, &picture(seq as u8), false).unwrap());
            inodes.insert(fs::metadata(&path).unwrap().ino());
            assert_eq!(reader.take(&path, &mut pixels).unwrap(), Take::Done);
            assert_eq!(pixels, picture(seq as u8));
            assert_eq!(reader.take(&path, &mut pixels).unwrap(), Take::Expired);
        }
        assert_eq!(inodes.len(), 1, "one file is enough for a taker that keeps up");
        drop(reader);
        assert_eq!(dir.files(), BTreeSet::new());
    }

    #[test]
    fn a_frame_looked_at_can_still_be_taken() {
        let dir = Dir::new("look");
        let mut writer = SpoolWriter::new(&dir.0, "cam", 1).unwrap();
        let mut reader = SpoolReader::new();
        let mut pixels = picture(0);
        let path = path_of(writer.put(0, &picture(5), false).unwrap());
        for _ in 0..2 {
            assert_eq!(reader.look(&path, &mut pixels).unwrap(), Take::Done);
            assert_eq!(pixels, picture(5));
        }
        assert_eq!(reader.take(&path, &mut pixels).unwrap(), Take::Done);
        assert_eq!(reader.look(&path, &mut pixels).unwrap(), Take::Expired);
    }

    #[test]
    fn a_full_spool_waits_or_gives_up_its_oldest_frame() {
        let dir = Dir::new("full");
        let mut writer = SpoolWriter::new(&dir.0, "cam", 2).unwrap();
        let first = path_of(writer.put(0, &picture(0), false).unwrap());
        let second = path_of(writer.put(1, &picture(1), false).unwrap());
        assert_eq!(writer.put(2, &picture(2), false).unwrap(), Put::Full);
        assert!(!writer.has_room());
        let Put::Replaced { lost: 0, .. } = writer.put(2, &picture(2), true).unwrap() else { panic!() };
        let (mut reader, mut pixels) = (SpoolReader::new(), picture(0));
        assert_eq!(reader.take(&first, &mut pixels).unwrap(), Take::Expired);
        assert_eq!(reader.take(&second, &mut pixels).unwrap(), Take::Done);
        assert!(writer.has_room());
        assert!(matches!(writer.put(3, &picture(3), false).unwrap(), Put::Done(_)));
        assert_eq!(dir.files().len(), 2, "never more files than allowed");
    }

    #[test]
    fn a_frame_being_read_is_not_taken_back() {
        let dir = Dir::new("claimed");
        let mut writer = SpoolWriter::new(&dir.0, "cam", 1).unwrap();
        let path = path_of(writer.put(0, &picture(0), true).unwrap());
        fs::rename(&path, path.with_extension("taken")).unwrap();
        assert_eq!(writer.put(1, &picture(1), true).unwrap(), Put::Full);
        fs::remove_file(path.with_extension("taken")).unwrap();
        assert!(
            matches!(writer.put(1, &picture(1), true).unwrap(), Put::Done(_)),
            "a removed file is a freed one"
        );
    }

    #[test]
    fn a_frame_passed_over_makes_room() {
        let dir = Dir::new("passed");
        let mut writer = SpoolWriter::new(&dir.0, "cam", 1).unwrap();
        let mut reader = SpoolReader::new();
        let path = path_of(writer.put(0, &picture(0), false).unwrap());
        assert_eq!(writer.put(1, &picture(1), false).unwrap(), Put::Full);
        assert!(reader.pass_over(&path, 3).is_err(), "not of that size");
        reader.pass_over(&path, picture(0).len()).unwrap();
        reader.pass_over(&path, picture(0).len()).unwrap();
        assert!(matches!(writer.put(1, &picture(1), false).unwrap(), Put::Done(_)));
    }

    #[test]
    fn frames_of_another_size_fit_into_used_files() {
        let dir = Dir::new("size");
        let mut writer = SpoolWriter::new(&dir.0, "cam", 1).unwrap();
        let mut reader = SpoolReader::new();
        for (seq, width) in [8, 2, 4].into_iter().enumerate() {
            let path = path_of(writer.put(seq as u64, &vec![9; width * 3], false).unwrap());
            let mut pixels = vec![0; width * 3];
            assert_eq!(reader.take(&path, &mut pixels).unwrap(), Take::Done);
            assert_eq!(pixels, vec![9; width * 3]);
        }
    }

    #[test]
    fn a_path_that_is_no_frame_is_refused_and_left_alone() {
        let dir = Dir::new("refused");
        fs::create_dir_all(&dir.0).unwrap();
        let secret = dir.0.join("secret.txt");
        fs::write(&secret, picture(1)).unwrap();
        std::os::unix::fs::symlink(&secret, dir.0.join("cam-1.bgr")).unwrap();
        fs::write(dir.0.join("cam-2.bgr"), b"short").unwrap();
        fs::create_dir(dir.0.join("cam-3.bgr")).unwrap();
        let before = dir.files();
        let mut reader = SpoolReader::new();
        let relative = PathBuf::from("cam-1.bgr");
        let bad = ["secret.txt", "cam-1.bgr", "cam-2.bgr", "cam-3.bgr", "cam-.bgr", "cam-x.bgr", "a b-1.bgr"];
        for path in bad.iter().map(|name| dir.0.join(name)).chain([relative]) {
            let error = reader.take(&path, &mut picture(0)).unwrap_err();
            assert_eq!(error.kind(), Kind::BadInput, "{error}");
        }
        drop(reader);
        assert_eq!(dir.files(), before);
    }

    #[test]
    fn a_camera_has_one_writer_which_cleans_up_after_the_last() {
        let dir = Dir::new("leftovers");
        let mut writer = SpoolWriter::new(&dir.0, "cam", 2).unwrap();
        writer.put(7, &picture(0), false).unwrap();
        assert_eq!(SpoolWriter::new(&dir.0, "cam", 2).unwrap_err().kind(), Kind::TryAgain);
        let mut neighbour = SpoolWriter::new(&dir.0, "cam-1", 2).unwrap();
        let kept = path_of(neighbour.put(7, &picture(0), false).unwrap());
        drop(writer);
        SpoolWriter::new(&dir.0, "cam", 2).unwrap();
        assert_eq!(dir.files().len(), 1);
        assert!(kept.exists());
    }

    #[test]
    fn names_are_made_safe() {
        assert_eq!(file_name_of("../etc/passwd"), "_._etc_passwd");
        assert_eq!(file_name_of("cam_in-2"), "cam_in-2");
        assert_eq!(parse_name("cam_in-2-10.bgr", "bgr"), Some(("cam_in-2", 10)));
    }
}
