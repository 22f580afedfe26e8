//! From where a request comes when a proxy passes it on. Pure.

use std::net::{IpAddr, SocketAddr};

use clap::Args;
use hyper::header::HeaderMap;

/// The proxies whose word is taken. Nobody else's is: anybody can write a header.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct Proxies {
    /// Believe the proxy at ADDR when it says from where a request comes (X-Forwarded-For; repeatable). Limits, the log
    /// of connections and the audit trail then go by that address.
    #[arg(long = "trusted-proxy", value_name = "ADDR", value_delimiter = ',', help_heading = "Limits")]
    addresses: Vec<IpAddr>,
}

impl Proxies {
    /// Whether `address` is that of a proxy that is believed.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.addresses.iter().any(|trusted| trusted.to_canonical() == address)
    }

    /// From where a request with these headers comes that `peer` has sent.
    ///
    /// Each proxy adds, at the end, whom it was called by. So the list is read from its end for as long as the one who
    /// says it is believed: what stands before that is whatever the client liked to write.
    pub fn origin(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let lines = headers.get_all("x-forwarded-for").iter().map(|line| line.to_str().unwrap_or_default());
        let callers: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
        let mut origin = peer;
        for caller in callers.into_iter().rev() {
            match address(caller) {
                Some(caller) if self.trusts(origin) => origin = caller,
                _ => break,
            }
        }
        origin
    }
}

/// An address, with a port or without.
fn address(text: &str) -> Option<IpAddr> {
    let alone = || text.trim_start_matches('[').trim_end_matches(']').parse().ok();
    text.parse::<SocketAddr>().map(|address| address.ip()).ok().or_else(alone)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn origin(proxies: &[&str], peer: &str, lines: &[&str]) -> String {
        let proxies = Proxies { addresses: proxies.iter().map(|text| text.parse().unwrap()).collect() };
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        proxies.origin(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_the_word_of_trusted_proxies_counts() {
        let proxies = ["127.0.0.1", "10.0.0.1"];
        for (peer, lines, expected) in [
            ("127.0.0.1", &["203.0.113.7"][..], "203.0.113.7"),
            ("::ffff:127.0.0.1", &["203.0.113.7"], "203.0.113.7"),
            ("127.0.0.1", &["203.0.113.7:4711"], "203.0.113.7"),
            ("127.0.0.1", &["[2001:db8::1]:4711"], "2001:db8::1"),
            ("127.0.0.1", &["2001:db8::1"], "2001:db8::1"),
            // What the client wrote itself stands before what its proxy saw.
            ("127.0.0.1", &["1.1.1.1, 203.0.113.7"], "203.0.113.7"),
            ("127.0.0.1", &["1.1.1.1", "203.0.113.7, 10.0.0.1"], "203.0.113.7"),
            ("127.0.0.1", &["203.0.113.7, 10.0.0.2"], "10.0.0.2"),
            ("127.0.0.1", &["203.0.113.7, nonsense"], "127.0.0.1"),
            ("127.0.0.1", &["10.0.0.1"], "10.0.0.1"),
            ("127.0.0.1", &[""], "127.0.0.1"),
            ("127.0.0.1", &[], "127.0.0.1"),
            ("192.0.2.9", &["203.0.113.7"], "192.0.2.9"),
        ] {
            assert_eq!(origin(&proxies, peer, lines), expected, "{peer} {lines:?}");
        }
        assert_eq!(origin(&[], "127.0.0.1", &["203.0.113.7"]), "127.0.0.1");
    }
}
