//! Whom a request may come from, whoever sends it. Pure.

use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, StatusCode};

/// Whom the doors are open to.
#[derive(Debug, Clone, Default)]
pub struct Doors {
    /// Whether the server listens on a loopback address only.
    pub loopback: bool,
    /// Pages of these origins (`https://host:port`) may do what the server's own page may.
    pub origins: Vec<String>,
}

impl Doors {
    /// Why this request is refused, if it is.
    ///
    /// A page of another site may make a browser send requests here: neither a socket (polling Socket.IO is one by other
    /// means) nor anything that changes something is given to it. A server on loopback answers only to names of this host,
    /// or a site could rename itself to this address (DNS rebinding).
    pub fn refuses(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
    ) -> Option<(StatusCode, &'static str)> {
        let host = host_of(headers);
        if self.loopback && !is_local(host) && !self.origins.iter().any(|origin| authority(origin) == host) {
            return Some((StatusCode::MISDIRECTED_REQUEST, "not the name of this host; see --allow-origin"));
        }
        let origin = headers.get(header::ORIGIN)?;
        let socket = headers.contains_key(header::UPGRADE) || path.starts_with("/socket.io");
        let harmless = is_safe(method) || *method == Method::OPTIONS;
        if (harmless && !socket) || self.trusts(origin, host) {
            return None;
        }
        Some((StatusCode::FORBIDDEN, "not from this origin; see --allow-origin"))
    }

    /// Whether a cookie counts with this request: a browser sends it along whatever page asks, so the page must be one of
    /// ours. What opens a socket or changes something says its origin; of other requests a browser that knows more says
    /// so (`Sec-Fetch-Site`), and no page of another site can read the answer.
    pub fn cookie_counts(&self, method: &Method, headers: &HeaderMap) -> bool {
        if headers.contains_key(header::ORIGIN) {
            return self.shared_with(headers).is_some();
        }
        let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
        let own = matches!(site, None | Some(b"same-origin" | b"none"));
        is_safe(method) && !headers.contains_key(header::UPGRADE) && own
    }

    /// The origin, if a page of it may read the answer.
    pub fn shared_with<'a>(&self, headers: &'a HeaderMap) -> Option<&'a HeaderValue> {
        let host = host_of(headers);
        headers.get(header::ORIGIN).filter(|origin| self.trusts(origin, host))
    }

    fn trusts(&self, origin: &HeaderValue, host: &str) -> bool {
        let Ok(origin) = origin.to_str() else { return false };
        let own = origin.starts_with("http") && !host.is_empty() && authority(origin) == host;
        own || self.origins.iter().any(|allowed| allowed.trim_end_matches('/') == origin)
    }
}

/// The host that a request names; nothing if it names none. What is no text names no host of ours.
fn host_of(headers: &HeaderMap) -> &str {
    headers.get(header::HOST).map_or("", |value| value.to_str().unwrap_or("?"))
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

fn authority(origin: &str) -> &str {
    origin.split_once("://").map_or("", |(_, rest)| rest.trim_end_matches('/'))
}

/// Whether a `Host` header names this host. Without one the client is no browser.
pub fn is_local(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    host.is_empty()
        || name.eq_ignore_ascii_case("localhost")
        || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn refused(doors: &Doors, method: Method, pairs: &[(&'static str, &str)]) -> Option<u16> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        doors.refuses(&method, "/ws/admin", &headers).map(|(status, _)| status.as_u16())
    }

    #[test]
    fn pages_of_other_sites_get_no_socket_and_change_nothing() {
        let doors = Doors { loopback: true, origins: vec!["https://park.example".into()] };
        let upgrade = |origin| {
            let pairs = [("host", "localhost:8000"), ("upgrade", "websocket"), ("origin", origin)];
            refused(&doors, Method::GET, &pairs)
        };
        assert_eq!(upgrade("http://localhost:8000"), None);
        assert_eq!(upgrade("https://park.example"), None);
        for foreign in [
            "https://evil.example",
            "null",
            "https://park.example.evil",
            "http://localhost:8001",
            "https://evil.example/https://park.example",
        ] {
            assert_eq!(upgrade(foreign), Some(403), "{foreign}");
        }
        assert_eq!(
            refused(&doors, Method::POST, &[("host", "localhost"), ("origin", "https://evil.example")]),
            Some(403)
        );
        assert_eq!(
            refused(&doors, Method::GET, &[("host", "localhost"), ("origin", "https://evil.example")]),
            None
        );
        assert_eq!(refused(&doors, Method::GET, &[("host", "localhost"), ("upgrade", "websocket")]), None);
    }

    #[test]
    fn cookies_count_for_pages_of_ours_only() {
        let doors = Doors { loopback: false, origins: vec!["https://park.example".into()] };
        let counts = |method: Method, pairs: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            headers.insert("host", "10.0.0.7:8000".parse().unwrap());
            for (name, value) in pairs {
                headers.insert(*name, value.parse().unwrap());
            }
            doors.cookie_counts(&method, &headers)
        };
        assert!(counts(Method::GET, &[]));
        assert!(counts(Method::GET, &[("sec-fetch-site", "same-origin")]));
        assert!(!counts(Method::GET, &[("sec-fetch-site", "cross-site")]));
        assert!(!counts(Method::POST, &[]));
        assert!(!counts(Method::GET, &[("upgrade", "websocket")]));
        for (origin, own) in [
            ("http://10.0.0.7:8000", true),
            ("https://park.example", true),
            ("https://evil.example", false),
            ("null", false),
        ] {
            assert_eq!(counts(Method::GET, &[("origin", origin), ("upgrade", "websocket")]), own, "{origin}");
            assert_eq!(counts(Method::POST, &[("origin", origin)]), own, "{origin}");
            assert_eq!(counts(Method::GET, &[("origin", origin)]), own, "{origin}");
        }
        let polling = |origin: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("origin", origin.parse().unwrap());
            doors.refuses(&Method::GET, "/socket.io/", &headers).is_some()
        };
        assert!(polling("https://evil.example") && !polling("https://park.example"));
    }

    #[test]
    fn on_loopback_only_names_of_this_host_are_answered() {
        let doors = Doors { loopback: true, origins: vec!["https://park.example:444".into()] };
        for host in
            ["localhost", "LOCALHOST:1", "127.0.0.1:8000", "[::1]:8000", "127.1.2.3", "", "park.example:444"]
        {
            assert_eq!(refused(&doors, Method::GET, &[("host", host)]), None, "{host}");
        }
        for host in ["evil.example", "localhost.evil", "10.0.0.1", "127.0.0.1.evil:80"] {
            assert_eq!(refused(&doors, Method::GET, &[("host", host)]), Some(421), "{host}");
        }
        assert_eq!(refused(&Doors::default(), Method::GET, &[("host", "anything")]), None);
    }
}
