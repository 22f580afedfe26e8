//! The dashboard's files, which travel in the binary.

use warp::http::{Response, header};
use warp::{Filter, Rejection};

const PAGES: &[(&str, &str, &str)] = &[
    ("", "text/html; charset=utf-8", include_str!("../../../web/index.html")),
    ("park.css", "text/css; charset=utf-8", include_str!("../../../web/park.css")),
    ("park.js", "text/javascript; charset=utf-8", include_str!("../../../web/park.js")),
    ("icon.svg", "image/svg+xml", include_str!("../../../web/icon.svg")),
];

/// Nothing but the page's own files runs or loads, whatever text a record holds.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Whether a path is that of a page or of something a page loads. Pages hold no data: they ask for it.
pub fn is_page(path: &str) -> bool {
    PAGES.iter().any(|(name, ..)| path.strip_prefix('/') == Some(name))
}

/// `GET /` and what the page loads.
pub fn pages() -> impl Filter<Extract = (Response<&'static str>,), Error = Rejection> + Clone {
    warp::get().and(warp::path::tail()).and_then(|tail: warp::path::Tail| async move {
        let page = PAGES.iter().find(|(name, ..)| *name == tail.as_str());
        page.map(|(_, kind, text)| page_of(kind, text)).ok_or_else(warp::reject::not_found)
    })
}

fn page_of(kind: &'static str, text: &'static str) -> Response<&'static str> {
    let mut response = Response::new(text);
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ] {
        response.headers_mut().insert(name, header::HeaderValue::from_static(value));
    }
    response
}
