//! `park-serve token`: makes one.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use park_core::cli::Context;
use park_core::stream::End;
use park_core::{Error, Kind, Result};

use super::token::{Claims, is_name, sign};
use super::{Role, keys};

/// What the token shall say.
#[derive(Debug, Clone, Args)]
pub struct TokenArgs {
    /// What its holder is.
    #[arg(long, value_name = "ROLE")]
    role: Role,

    /// The account: the name that stands in the audit trail.
    #[arg(long, value_name = "NAME")]
    subject: String,

    /// The only gate its holder may be the controller of.
    #[arg(long, value_name = "GATE")]
    gate: Option<String>,

    /// A camera its holder may see (repeatable); without it, what the role allows.
    #[arg(long, value_name = "CAMERA")]
    camera: Vec<String>,

    /// How long it is good: a number followed by s, m, h or d.
    #[arg(long, value_name = "TIME", default_value = "8h", value_parser = span)]
    ttl: Duration,

    /// The file with the secret that it is signed with.
    #[arg(long, value_name = "FILE", env = "PARK_JWT_SECRET_FILE")]
    jwt_secret: PathBuf,

    /// The audience it is for.
    #[arg(long, value_name = "NAME")]
    audience: Option<String>,

    /// Who issues it.
    #[arg(long, value_name = "NAME")]
    issuer: Option<String>,
}

/// Prints a token.
pub fn run(args: TokenArgs, context: &Context) -> Result<End> {
    if !is_name(&args.subject) {
        return Err(Error::new(Kind::Usage, format!("{:?} is no name", args.subject)));
    }
    let secret = keys::secret(&args.jwt_secret, context)?;
    let now = u64::try_from(context.now().millis() / 1000).unwrap_or(0);
    let claims = Claims {
        sub: args.subject,
        role: args.role,
        exp: now.saturating_add(args.ttl.as_secs()),
        nbf: None,
        gate_id: args.gate,
        cameras: (!args.camera.is_empty()).then_some(args.camera),
        aud: args.audience,
        iss: args.issuer,
    };
    let token = sign(&claims, &secret).map_err(|error| Error::new(Kind::Io, format!("signing: {error}")))?;
    writeln!(io::stdout(), "{token}")
        .map_err(|error| Error::new(Kind::Io, "writing to standard output").because(error))?;
    Ok(End::Input)
}

/// A time span such as `90s`, `30m`, `8h`, `7d`.
fn span(text: &str) -> std::result::Result<Duration, String> {
    let bad = || format!("{text:?} is no time such as 90s, 30m, 8h or 7d");
    let unit = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3600,
        Some('d') => 86_400,
        _ => return Err(bad()),
    };
    let number: u64 = text[..text.len() - 1].parse().map_err(|_| bad())?;
    let seconds = number.checked_mul(unit).filter(|seconds| (1..=315_360_000).contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_units() {
        for (text, seconds) in [("90s", 90), ("30m", 1800), ("8h", 28_800), ("7d", 604_800)] {
            assert_eq!(span(text), Ok(Duration::from_secs(seconds)));
        }
        for text in ["", "8", "h", "0s", "-1h", "8 h", "8ч", "99999999999999999999d", "9999999999999d"] {
            assert!(span(text).is_err(), "{text:?}");
        }
    }
}
