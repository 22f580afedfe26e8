//! Where in a request a token or a ticket stands. Pure.

use hyper::header::{self, HeaderMap};

/// The subprotocol behind whose name a WebSocket client may send its token: `park.bearer, TOKEN`.
pub const SUBPROTOCOL: &str = "park.bearer";

/// The cookie of a browser that has signed in.
pub const COOKIE: &str = "park_token";

/// What somebody shows to be let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential<'a> {
    /// A signed token.
    Token(&'a str),
    /// A one-use ticket.
    Ticket(&'a str),
}

impl<'a> Credential<'a> {
    /// What a request shows: the first of `Authorization: Bearer`, `Sec-WebSocket-Protocol: park.bearer, TOKEN`,
    /// `?ticket=` and the cookie.
    pub fn of(headers: &'a HeaderMap, query: Option<&'a str>) -> Option<Credential<'a>> {
        bearer(headers)
            .or_else(|| subprotocol(headers))
            .map(Credential::Token)
            .or_else(|| ticket(query?).map(Credential::Ticket))
            .or_else(|| cookie(headers).map(Credential::Token))
    }
}

/// The token of the header `Authorization: Bearer TOKEN` (RFC 6750).
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The token behind the name of our subprotocol.
fn subprotocol(headers: &HeaderMap) -> Option<&str> {
    let mut offered = offered(headers);
    offered.find(|name| *name == SUBPROTOCOL)?;
    offered.next()
}

/// Whether a WebSocket client offers our subprotocol, and so must be answered that it is spoken.
pub fn offers_subprotocol(headers: &HeaderMap) -> bool {
    offered(headers).any(|name| name == SUBPROTOCOL)
}

fn offered(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(',')).map(str::trim)
}

/// A ticket has only digits and letters, so that its pair needs no decoding.
fn ticket(query: &str) -> Option<&str> {
    query.split('&').find_map(|pair| pair.strip_prefix("ticket=")).filter(|ticket| !ticket.is_empty())
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(';')).find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == COOKIE && !value.is_empty()).then_some(value)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_token_is_found_at_every_door() {
        let token = Some(Credential::Token("a.b.c"));
        for pairs in [
            &[("authorization", "Bearer a.b.c")][..],
            &[("authorization", "bearer  a.b.c ")],
            &[("sec-websocket-protocol", "park.bearer, a.b.c")],
            &[("sec-websocket-protocol", "chat"), ("sec-websocket-protocol", "park.bearer,a.b.c")],
            &[("cookie", "x=1; park_token=a.b.c; y=2")],
            &[("cookie", "x=1"), ("cookie", "park_token=a.b.c")],
            &[("authorization", "Basic eDp5"), ("cookie", "park_token=a.b.c")],
            &[("authorization", "Bearer a.b.c"), ("cookie", "park_token=d")],
        ] {
            assert_eq!(Credential::of(&headers(pairs), None), token, "{pairs:?}");
        }
        let with_cookie = headers(&[("cookie", "park_token=a.b.c")]);
        assert_eq!(Credential::of(&with_cookie, Some("lot=1&ticket=t")), Some(Credential::Ticket("t")));
    }

    #[test]
    fn elsewhere_none_is_found() {
        for pairs in [
            &[][..],
            &[("authorization", "Bearer")],
            &[("authorization", "Basic a.b.c")],
            &[("sec-websocket-protocol", "park.bearer")],
            &[("sec-websocket-protocol", "a.b.c, park.bearer")],
            &[("cookie", "park_token=; not_park_token=a.b.c")],
        ] {
            assert_eq!(
                Credential::of(&headers(pairs), Some("token=a.b.c&ticket=&xticket=a")),
                None,
                "{pairs:?}"
            );
        }
    }
}
