//! Any bytes where a token may stand: nobody comes in without our signature, and with it only what a token may say.
#![no_main]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto};
use libfuzzer_sys::fuzz_target;
use park_serve::access::credential::Credential;
use park_serve::access::token::Verifier;

const SECRET: &[u8] = b"a secret of the fuzzer, which is long enough";
const NOW: u64 = 1_800_000_000;

fuzz_target!(|input: (&[u8], &[u8], &str)| {
    let (header, claims, query) = input;
    let verifier = Verifier::new(DecodingKey::from_secret(SECRET), Algorithm::HS256, None, None);

    let mut headers = HeaderMap::new();
    for (name, bytes) in [(AUTHORIZATION, header), (COOKIE, claims), (SEC_WEBSOCKET_PROTOCOL, header)] {
        if let Ok(value) = HeaderValue::from_bytes(bytes) {
            headers.insert(name, value);
        }
    }
    match Credential::of(&headers, Some(query)) {
        Some(Credential::Token(token)) => assert!(verifier.person(token, NOW).is_err()),
        Some(Credential::Ticket(ticket)) => assert!(!ticket.is_empty()),
        None => {}
    }

    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let Ok(signature) =
        crypto::sign(message.as_bytes(), &EncodingKey::from_secret(SECRET), Algorithm::HS256)
    else {
        return;
    };
    if let Ok(person) = verifier.person(&format!("{message}.{signature}"), NOW) {
        assert!(person.expires.is_some_and(|expires| expires + 5 > NOW));
        assert!(!person.name.is_empty() && !person.name.chars().any(char::is_control));
    }
});
