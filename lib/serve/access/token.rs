//! Signed tokens (JSON Web Tokens, RFC 7519) against persons. Pure: the clock is passed in.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Person, Refused, Role};

/// Seconds by which the clock of whoever signs may differ from ours.
const LEEWAY: u64 = 5;

/// The longest token that is looked at.
const LONGEST: usize = 8 * 1024;

/// The fields a token's header may have. Keys come from flags only: a field that brings one or says where one is (`jku`,
/// `jwk`, `x5u`, …), or one that must be understood (`crit`), makes a token a stranger's. `kid` is no more than a hint which
/// of its keys the issuer took (RFC 7515, section 4.1.4).
const HEADER: &[&str] = &["alg", "typ", "kid"];

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The account.
    pub sub: String,
    /// What it is.
    pub role: Role,
    /// When it ends, in whole seconds since 1970.
    pub exp: u64,
    /// When it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<u64>,
    /// The only gate it may speak for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate_id: Option<String>,
    /// The only cameras it may see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cameras: Option<Vec<String>>,
    /// For whom it is; checked with the signature.
    #[serde(default, skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub aud: Option<String>,
    /// Who made it; checked with the signature.
    #[serde(default, skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub iss: Option<String>,
}

/// Tells good tokens from others: one key, one algorithm.
pub struct Verifier {
    key: DecodingKey,
    key_id: Option<String>,
    rules: Validation,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("algorithms", &self.rules.algorithms).finish_non_exhaustive()
    }
}

impl Verifier {
    /// Takes tokens signed by `key` with `algorithm`. A token that names an audience must name `audience`; if there is
    /// an `audience` or an `issuer`, every token must name it.
    pub fn new(
        key: DecodingKey,
        algorithm: Algorithm,
        audience: Option<&str>,
        issuer: Option<&str>,
    ) -> Verifier {
        let mut rules = Validation::new(algorithm);
        let mut required = vec!["exp", "sub"];
        // The clock is ours: see `person`.
        rules.validate_exp = false;
        rules.leeway = 0;
        if let Some(audience) = audience {
            rules.set_audience(&[audience]);
            required.push("aud");
        }
        if let Some(issuer) = issuer {
            rules.set_issuer(&[issuer]);
            required.push("iss");
        }
        rules.set_required_spec_claims(&required);
        Verifier { key, key_id: None, rules }
    }

    /// The same, whose key has a name: a token that names another is refused.
    pub fn called(self, key_id: Option<&str>) -> Verifier {
        Verifier { key_id: key_id.map(str::to_owned), ..self }
    }

    /// Whose token this is, `now` in seconds since 1970.
    pub fn person(&self, token: &str, now: u64) -> Result<Person, Refused> {
        let refused = |reason: &str| Err(Refused(reason.to_owned()));
        if token.len() > LONGEST {
            return refused("the token is too long");
        }
        self.check_header(token)?;
        let claims = decode::<Claims>(token, &self.key, &self.rules)
            .map_err(|error| Refused(error.to_string()))?
            .claims;
        if now >= claims.exp.saturating_add(LEEWAY) {
            return refused("the token has expired");
        }
        if claims.nbf.is_some_and(|begin| begin > now.saturating_add(LEEWAY)) {
            return refused("the token is not valid yet");
        }
        if !is_name(&claims.sub) {
            return refused("the subject is no name");
        }
        Ok(Person {
            name: claims.sub,
            role: claims.role,
            gate_id: claims.gate_id,
            cameras: claims.cameras,
            expires: Some(claims.exp),
        })
    }

    fn check_header(&self, token: &str) -> Result<(), Refused> {
        let unreadable = || Refused("the header cannot be read".into());
        let header = token.split('.').next().unwrap_or_default();
        let header = URL_SAFE_NO_PAD.decode(header).map_err(|_| unreadable())?;
        let fields: Map<String, Value> = serde_json::from_slice(&header).map_err(|_| unreadable())?;
        if let Some(name) = fields.keys().find(|name| !HEADER.contains(&name.as_str())) {
            return Err(Refused(format!("the header has a field {name:?}")));
        }
        match (fields.get("kid"), &self.key_id) {
            (Some(Value::String(named)), Some(own)) if named != own => {
                Err(Refused("the token names another key".into()))
            }
            (None | Some(Value::String(_)), _) => Ok(()),
            (Some(_), _) => Err(Refused("the name of the key is no text".into())),
        }
    }
}

/// Whether an account may be called so: it stands in logs and in the audit trail.
pub fn is_name(text: &str) -> bool {
    (1..=128).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// A token that says `claims`, signed with `secret` (HS256).
pub fn sign(claims: &Claims, secret: &[u8]) -> Result<String, String> {
    let key = EncodingKey::from_secret(secret);
    encode(&Header::new(Algorithm::HS256), claims, &key).map_err(|error| error.to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    const SECRET: &[u8] = b"an unguessable secret of 40 bytes, truly";
    const NOW: u64 = 1_800_000_000;

    fn verifier(audience: Option<&str>, issuer: Option<&str>) -> Verifier {
        Verifier::new(DecodingKey::from_secret(SECRET), Algorithm::HS256, audience, issuer)
    }

    fn token(header: &Value, claims: &Value, secret: &[u8]) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let key = EncodingKey::from_secret(secret);
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
        format!("{message}.{signature}")
    }

    fn good() -> Value {
        json!({ "sub": "ann", "role": "operator", "exp": NOW + 60 })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims = good();
        claims[name] = value;
        claims
    }

    fn plain() -> Value {
        json!({ "alg": "HS256", "typ": "JWT" })
    }

    #[test]
    fn a_good_token_is_a_person() {
        let claims = json!({
            "sub": "gate", "role": "controller", "exp": NOW + 60, "nbf": NOW + 4, "iat": NOW, "gate_id": "gate_in",
            "cameras": ["cam_in"], "extra": { "a": 1 },
        });
        let person = verifier(None, None).person(&token(&plain(), &claims, SECRET), NOW).unwrap();
        assert_eq!(
            (person.name.as_str(), person.role, person.expires),
            ("gate", Role::Controller, Some(NOW + 60))
        );
        assert!(person.may_control("gate_in") && !person.may_control("gate_out"));
        assert!(person.may_see_camera("cam_in") && !person.may_see_camera("cam_out"));
    }

    #[test]
    fn what_is_signed_is_read_back() {
        let claims = Claims {
            sub: "ann".into(),
            role: Role::Viewer,
            exp: NOW + 1,
            nbf: None,
            gate_id: None,
            cameras: None,
            aud: Some("park".into()),
            iss: Some("us".into()),
        };
        let token = sign(&claims, SECRET).unwrap();
        assert_eq!(verifier(Some("park"), Some("us")).person(&token, NOW).unwrap().role, Role::Viewer);
        assert!(verifier(Some("another"), None).person(&token, NOW).is_err());
        assert!(verifier(None, Some("another")).person(&token, NOW).is_err());
        // It is for somebody, and nobody has said that this is us.
        assert!(verifier(None, None).person(&token, NOW).is_err());
    }

    #[test]
    fn claims_that_are_missing_or_of_another_kind_are_refused() {
        let mut bad = vec![json!({}), json!([]), json!(null)];
        for name in ["sub", "role", "exp"] {
            let mut claims = good();
            claims.as_object_mut().unwrap().remove(name);
            bad.push(claims);
        }
        let later = NOW + 60;
        for exp in
            [json!(later.to_string()), json!(later as f64 + 0.5), json!(-1), json!(null), json!(NOW - 5)]
        {
            bad.push(with("exp", exp));
        }
        bad.push(with("nbf", json!(NOW + 6)));
        bad.push(with("nbf", json!("now")));
        bad.push(with("role", json!("root")));
        bad.push(with("role", json!(["admin"])));
        bad.push(with("sub", json!("")));
        bad.push(with("sub", json!("a\nb")));
        bad.push(with("aud", json!("another")));
        for claims in bad {
            let token = token(&plain(), &claims, SECRET);
            assert!(verifier(None, None).person(&token, NOW).is_err(), "{claims}");
        }
        // Within the leeway.
        assert!(
            verifier(None, None).person(&token(&plain(), &with("exp", json!(NOW - 4)), SECRET), NOW).is_ok()
        );
        for required in [verifier(Some("park"), None), verifier(None, Some("us"))] {
            assert!(required.person(&token(&plain(), &good(), SECRET), NOW).is_err());
        }
    }

    #[test]
    fn the_name_of_a_key_is_a_hint_and_leads_nowhere() {
        let named = |name: &str, secret: &[u8]| {
            let header = json!({ "alg": "HS256", "typ": "JWT", "kid": name });
            token(&header, &good(), secret)
        };
        let (unnamed, called) = (verifier(None, None), verifier(None, None).called(Some("summer")));
        for name in ["summer", "winter", "../../dev/null"] {
            assert!(unnamed.person(&named(name, SECRET), NOW).is_ok(), "{name}");
            assert!(unnamed.person(&named(name, b"another secret"), NOW).is_err(), "{name}");
            assert_eq!(called.person(&named(name, SECRET), NOW).is_ok(), name == "summer", "{name}");
        }
        assert!(called.person(&token(&plain(), &good(), SECRET), NOW).is_ok());
    }

    #[test]
    fn headers_name_neither_keys_nor_algorithms() {
        for (name, value) in [
            ("alg", json!("none")),
            ("alg", json!("HS384")),
            ("alg", json!("RS256")),
            ("alg", json!("hs256")),
            ("kid", json!(7)),
            ("jku", json!("https://evil.example/keys")),
            ("x5u", json!("https://evil.example/keys")),
            ("jwk", json!({ "kty": "oct", "k": "AAAA" })),
            ("crit", json!(["exp"])),
        ] {
            let mut header = plain();
            header[name] = value;
            let token = token(&header, &good(), SECRET);
            assert!(verifier(None, None).person(&token, NOW).is_err(), "{header}");
        }
        let signed = token(&plain(), &good(), SECRET);
        let unsigned = signed.rsplit_once('.').unwrap().0;
        for bad in ["", ".", "..", "a.b.c", unsigned, &format!("{unsigned}."), &format!("{signed}x")] {
            assert!(verifier(None, None).person(bad, NOW).is_err(), "{bad}");
        }
        assert!(verifier(None, None).person(&token(&plain(), &good(), b"another secret"), NOW).is_err());
        assert!(verifier(None, None).person(&"a".repeat(LONGEST + 1), NOW).is_err());
        assert!(!format!("{:?}", verifier(None, None)).contains("secret"));
    }
}
