//! What a user names as a source.

use std::fmt;
use std::path::{Path, PathBuf};

use park_core::{Error, Kind, Result};

/// Where frames come from.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// A video file.
    Video(PathBuf),
    /// Pictures, in the order in which they are shown.
    Pictures {
        /// What they are called together: the folder, or where the first of them lies.
        name: PathBuf,
        /// The files.
        files: Vec<PathBuf>,
    },
    /// A recorded stream of records; `-` is standard input.
    Records(PathBuf),
    /// A camera of this host, by its device.
    Device(PathBuf),
    /// A camera on the network, by its URL, which may hold a password.
    Network(String),
}

const PICTURES: [&str; 11] = ["jpg", "jpeg", "jpe", "png", "bmp", "webp", "tif", "tiff", "ppm", "pgm", "pbm"];
const RECORDS: [&str; 2] = ["ndjson", "jsonl"];
const NETWORK: [&str; 4] = ["rtsp://", "rtsps://", "http://", "https://"];

impl Source {
    /// The sources that `names` mean; pictures that stand side by side are one source.
    ///
    /// [`Kind::Io`] when a file or folder cannot be found or read.
    pub fn parse_all(names: &[String]) -> Result<Vec<Source>> {
        let mut sources: Vec<Source> = Vec::new();
        let mut listed = false;
        for name in names {
            let picture = is_picture(Path::new(name)) && !is_url(name);
            let source = Source::parse(name)?;
            match (sources.last_mut(), source) {
                (Some(Source::Pictures { files, .. }), Source::Pictures { files: more, .. })
                    if listed && picture =>
                {
                    files.extend(more);
                }
                (_, source) => sources.push(source),
            }
            listed = picture;
        }
        Ok(sources)
    }

    fn parse(name: &str) -> Result<Source> {
        if is_url(name) {
            return Ok(Source::Network(name.to_owned()));
        }
        if let Some(device) = name.strip_prefix("v4l2:") {
            let number = !device.is_empty() && device.bytes().all(|byte| byte.is_ascii_digit());
            let path = if number { format!("/dev/video{device}") } else { device.to_owned() };
            return Ok(Source::Device(path.into()));
        }
        if name == "-" {
            return Ok(Source::Records(name.into()));
        }
        if name.starts_with("/dev/video") || name.starts_with("/dev/v4l/") {
            return Ok(Source::Device(name.into()));
        }
        let path = PathBuf::from(name);
        let found = std::fs::metadata(&path).map_err(|error| Error::io(format!("opening {name}"), error))?;
        // A pipe cannot be sought in, which videos need; records are what pipes carry here.
        if has_extension(&path, &RECORDS) || !found.is_file() && !found.is_dir() {
            return Ok(Source::Records(path));
        }
        if found.is_dir() {
            return Ok(Source::Pictures { files: files_of(&path)?, name: path });
        }
        if is_picture(&path) {
            // A list of pictures is named by their folder; the name of the first would mislead.
            let folder = std::fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
            let name = folder.parent().map_or_else(|| path.clone(), Path::to_owned);
            return Ok(Source::Pictures { name, files: vec![path] });
        }
        Ok(Source::Video(path))
    }

    /// Whether it shows the present: frames that nobody takes in time are lost.
    pub fn is_live(&self) -> bool {
        matches!(self, Source::Device(_) | Source::Network(_))
    }

    /// A camera's name made from the source's own.
    pub fn camera(&self) -> String {
        let name = match self {
            Source::Video(path) | Source::Records(path) | Source::Device(path) => {
                path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
            }
            Source::Pictures { name, .. } => {
                let whole = std::fs::canonicalize(name).unwrap_or_else(|_| name.clone());
                whole.file_name().unwrap_or_default().to_string_lossy().into_owned()
            }
            Source::Network(url) => {
                let shown = without_secrets(url);
                let address = shown.split_once("://").map_or(shown.as_str(), |(_, rest)| rest);
                let parts: Vec<&str> =
                    address.split(|c: char| !c.is_alphanumeric() && c != '.' && c != '_').collect();
                parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
            }
        };
        if name.is_empty() { "camera".to_owned() } else { name }
    }

    /// The same camera, with `USER:PASSWORD` in its URL.
    #[must_use]
    pub fn with_credentials(self, credentials: &str) -> Source {
        let Source::Network(url) = &self else { return self };
        let Some((scheme, rest)) = url.split_once("://") else { return self };
        let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
        let host = rest.find(['/', '?']).unwrap_or(rest.len());
        let rest = rest[..host].rfind('@').map_or(rest, |at| &rest[at + 1..]);
        Source::Network(format!("{scheme}://{}:{}@{rest}", escape(user), escape(password)))
    }
}

// Printed in messages: the URL without what may be secret.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Records(path) if path.as_os_str() == "-" => f.write_str("stdin"),
            Source::Video(path)
            | Source::Pictures { name: path, .. }
            | Source::Records(path)
            | Source::Device(path) => {
                write!(f, "{}", path.display())
            }
            Source::Network(url) => f.write_str(&without_secrets(url)),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({self})")
    }
}

fn is_url(name: &str) -> bool {
    NETWORK.iter().any(|scheme| name.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme)))
}

fn has_extension(path: &Path, of: &[&str]) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| of.iter().any(|one| one.eq_ignore_ascii_case(extension)))
}

fn is_picture(path: &Path) -> bool {
    has_extension(path, &PICTURES)
}

/// The files of a folder by name, hidden ones and folders left out.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>> {
    let doing = |error| Error::io(format!("reading the folder {}", folder.display()), error);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(doing)? {
        let path = entry.map_err(doing)?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(Error::new(Kind::Io, format!("the folder {} holds no files", folder.display())));
    }
    Ok(files)
}

/// The URL without user, password and query.
fn without_secrets(url: &str) -> String {
    let shown = url.split(['?', '#']).next().unwrap_or(url);
    let Some((scheme, rest)) = shown.split_once("://") else { return shown.to_owned() };
    let host = rest.find('/').unwrap_or(rest.len());
    match rest[..host].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        // A password with a slash in it, unescaped: better to say too little.
        None => match rest.rfind('@') {
            Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
            None => shown.to_owned(),
        },
    }
}

/// Percent-encoding of RFC 3986 for what stands before the `@`.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_neither_shown_nor_named() {
        for url in [
            "rtsp://admin:s3cret@10.0.0.5:554/stream1",
            "rtsp://10.0.0.5:554/stream1?user=admin&password=s3cret",
            "rtsp://admin:s3cret/@10.0.0.5:554/stream1",
            "RTSP://admin:s3c@s3cret@10.0.0.5:554/stream1#s3cret",
        ] {
            let source = Source::parse(url).unwrap();
            assert!(source.to_string().ends_with("://10.0.0.5:554/stream1"), "{source}");
            assert_eq!(source.camera(), "10.0.0.5-554-stream1");
            assert!(!format!("{source:?}").contains("s3cret"));
        }
    }

    #[test]
    fn credentials_are_put_into_the_url() {
        let with = |url: &str, user| match Source::parse(url).unwrap().with_credentials(user) {
            Source::Network(url) => url,
            other => panic!("{other}"),
        };
        assert_eq!(with("rtsp://cam/1", "me:p@ss:/w"), "rtsp://me:p%40ss%3A%2Fw@cam/1");
        assert_eq!(with("http://old:pw@cam:80/a@b", "me"), "http://me:@cam:80/a@b");
    }

    #[test]
    fn devices_go_by_number_and_by_path() {
        let path = |name: &str| match Source::parse(name).unwrap() {
            Source::Device(path) => path,
            other => panic!("{other}"),
        };
        assert_eq!(path("v4l2:2"), Path::new("/dev/video2"));
        assert_eq!(path("v4l2:/dev/v4l/by-id/usb-cam"), Path::new("/dev/v4l/by-id/usb-cam"));
        assert_eq!(path("/dev/video0"), Path::new("/dev/video0"));
        assert_eq!(Source::parse("v4l2:2").unwrap().camera(), "video2");
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Source::parse("no/such.mp4").unwrap_err();
        assert_eq!(error.kind(), Kind::Io);
        assert!(error.to_string().contains("no/such.mp4"), "{error}");
    }
}
