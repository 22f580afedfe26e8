//! Where records come from and go to, as a user names it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// One end of a stream of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// `-`: standard input or standard output.
    Stdio,
    /// A file, a FIFO or a device by its path. Written to, it is appended to.
    File(PathBuf),
    /// `unix:PATH`: connects to a Unix socket.
    Unix(PathBuf),
    /// `tcp:HOST:PORT`: connects over TCP.
    Tcp(String),
    /// `ws://HOST:PORT/PATH` or, over TLS, `wss://HOST:PORT/PATH`: connects as a WebSocket client.
    Ws(String),
    /// `unix-listen:PATH`: accepts on a Unix socket.
    UnixListen(PathBuf),
    /// `tcp-listen:HOST:PORT`: accepts over TCP.
    TcpListen(String),
    /// `ws-listen:HOST:PORT`: accepts as a WebSocket server.
    WsListen(String),
}

impl Endpoint {
    /// Whether it is a socket, and so works both ways and is tried again when it goes away.
    pub fn is_socket(&self) -> bool {
        !matches!(self, Endpoint::Stdio | Endpoint::File(_))
    }
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Endpoint, String> {
        let address = |rest: &str| match rest.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(rest.to_owned()),
            _ => Err(format!("{text:?} needs HOST:PORT")),
        };
        let path = |rest: &str| match rest {
            "" => Err(format!("{text:?} needs a path")),
            _ => Ok(PathBuf::from(rest)),
        };
        let (scheme, rest) = text.split_once(':').unwrap_or(("", text));
        match scheme {
            "unix" => path(rest).map(Endpoint::Unix),
            "unix-listen" => path(rest).map(Endpoint::UnixListen),
            "tcp" => address(rest).map(Endpoint::Tcp),
            "tcp-listen" => address(rest).map(Endpoint::TcpListen),
            "ws-listen" => address(rest.trim_start_matches("//")).map(Endpoint::WsListen),
            "ws" | "wss" => Ok(Endpoint::Ws(text.to_owned())),
            _ if text == "-" => Ok(Endpoint::Stdio),
            _ => path(text).map(Endpoint::File),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Stdio => f.write_str("-"),
            Endpoint::File(path) => write!(f, "{}", path.display()),
            Endpoint::Unix(path) => write!(f, "unix:{}", path.display()),
            Endpoint::UnixListen(path) => write!(f, "unix-listen:{}", path.display()),
            Endpoint::Tcp(address) => write!(f, "tcp:{address}"),
            Endpoint::TcpListen(address) => write!(f, "tcp-listen:{address}"),
            Endpoint::WsListen(address) => write!(f, "ws-listen:{address}"),
            Endpoint::Ws(url) => f.write_str(&without_credentials(url)),
        }
    }
}

/// The URL without its user, password and query, which may hold secrets.
fn without_credentials(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or(url);
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => format!("{}{}", &url[..scheme + 3], &url[at + 1..]),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_read_back_as_they_print() {
        for text in [
            "-",
            "out.ndjson",
            "/dev/stdin",
            "unix:/run/park/park.sock",
            "tcp:localhost:9000",
            "tcp:[::1]:9000",
            "unix-listen:p.sock",
            "tcp-listen:0.0.0.0:9000",
            "ws-listen:127.0.0.1:9000",
            "ws://host:8000/ws/x",
            "wss://host/ws/x",
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!(endpoint.to_string(), text);
        }
    }

    #[test]
    fn what_is_missing_is_said() {
        for text in ["tcp:9000", "tcp-listen:host", "unix:", "ws-listen:x", "", "tcp:host:99999"] {
            assert!(text.parse::<Endpoint>().is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        let endpoint: Endpoint = "ws://user:secret@host:1/ws?token=abc".parse().unwrap();
        assert_eq!(endpoint.to_string(), "ws://host:1/ws");
    }
}
