//! Flags of access, and the keys they name.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use clap::Args;
use jsonwebtoken::{Algorithm, DecodingKey};
use park_core::cli::Context;
use park_core::{Error, Kind, Result};

use super::token::Verifier;

/// Who is let in.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Access")]
pub struct AccessArgs {
    /// Let in whoever shows a token signed (HS256) with the secret in FILE, which must have 32 bytes or more.
    #[arg(long, value_name = "FILE", env = "PARK_JWT_SECRET_FILE", conflicts_with = "jwt_public_key")]
    pub jwt_secret: Option<PathBuf>,

    /// Let in whoever shows a token that the owner of the public key in FILE (PEM) has signed: RS256 or EdDSA, as the key is.
    #[arg(long, value_name = "FILE", env = "PARK_JWT_PUBLIC_KEY_FILE")]
    pub jwt_public_key: Option<PathBuf>,

    /// The key is called ID: refuse tokens that name another (`kid`). Without it what a token names is not looked at.
    #[arg(long, value_name = "ID")]
    pub jwt_key_id: Option<String>,

    /// Take only tokens for the audience NAME.
    #[arg(long, value_name = "NAME")]
    pub jwt_audience: Option<String>,

    /// Take only tokens issued by NAME.
    #[arg(long, value_name = "NAME")]
    pub jwt_issuer: Option<String>,
}

/// The shortest secret: as long as what HS256 makes of it (RFC 7518, section 3.2).
const SHORTEST: usize = 32;

impl AccessArgs {
    /// Whether a key is named.
    pub fn has_key(&self) -> bool {
        self.jwt_secret.is_some() || self.jwt_public_key.is_some()
    }

    /// What tells good tokens from others; nothing if no key is named.
    pub(super) fn verifier(&self, context: &Context) -> Result<Option<Verifier>> {
        let (key, algorithm) = match (&self.jwt_secret, &self.jwt_public_key) {
            (Some(path), _) => (DecodingKey::from_secret(&secret(path, context)?), Algorithm::HS256),
            (None, Some(path)) => public_key(path)?,
            (None, None) => return Ok(None),
        };
        let (audience, issuer) = (self.jwt_audience.as_deref(), self.jwt_issuer.as_deref());
        Ok(Some(Verifier::new(key, algorithm, audience, issuer).called(self.jwt_key_id.as_deref())))
    }
}

/// The secret in a file, without the newline that an editor leaves; an error if it is too short. Says on stderr if
/// others may read the file.
pub fn secret(path: &Path, context: &Context) -> Result<Vec<u8>> {
    let mut secret = read(path)?;
    if fs::metadata(path).is_ok_and(|metadata| metadata.mode() & 0o027 != 0) {
        let message = "others may read or change it: chmod 600";
        context.log().warn(&format!("{}: {message}", path.display()));
    }
    while secret.last().is_some_and(|byte| b"\r\n".contains(byte)) {
        secret.pop();
    }
    if secret.len() < SHORTEST {
        let message = format!(
            "{}: a secret of {} bytes can be guessed: {SHORTEST} random bytes or more are needed",
            path.display(),
            secret.len()
        );
        return Err(Error::new(Kind::Config, message));
    }
    Ok(secret)
}

fn public_key(path: &Path) -> Result<(DecodingKey, Algorithm)> {
    let pem = read(path)?;
    let refuse = |message: &str| Err(Error::new(Kind::Config, format!("{}: {message}", path.display())));
    if String::from_utf8_lossy(&pem).contains("PRIVATE KEY") {
        return refuse("this is a private key: the server needs the public one only");
    }
    if let Ok(key) = DecodingKey::from_ed_pem(&pem) {
        return Ok((key, Algorithm::EdDSA));
    }
    match DecodingKey::from_rsa_pem(&pem) {
        Ok(key) => Ok((key, Algorithm::RS256)),
        Err(_) => refuse("neither an RSA nor an Ed25519 public key in PEM"),
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let doing = format!("reading the key {}", path.display());
    fs::read(path).map_err(|error| Error::new(Kind::Config, doing).because(error))
}
