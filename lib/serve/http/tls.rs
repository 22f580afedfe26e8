//! TLS 1.2 and 1.3 with a certificate from files, which can be read again while the server serves.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use clap::Args;
use park_core::{Error, Kind, Result};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Whether TLS is spoken, and with what.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "TLS")]
pub struct TlsArgs {
    /// Speak TLS, with the certificate chain in FILE (PEM). HUP reads it and the key again.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// The private key of the certificate, in FILE (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
}

/// The certificate in use.
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    config: RwLock<Arc<ServerConfig>>,
}

impl Tls {
    /// Reads the files that `args` name; nothing if they name none. An error says which file is wrong.
    pub fn load(args: &TlsArgs) -> Result<Option<Tls>> {
        let (Some(certificate), Some(key)) = (args.tls_cert.clone(), args.tls_key.clone()) else {
            return Ok(None);
        };
        let config = RwLock::new(read(&certificate, &key)?);
        Ok(Some(Tls { certificate, key, config }))
    }

    /// Reads the files again. If they are wrong the old ones stay.
    pub fn reload(&self) -> Result<()> {
        let config = read(&self.certificate, &self.key)?;
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    /// What shakes hands with a client.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn read(certificate: &PathBuf, key: &PathBuf) -> Result<Arc<ServerConfig>> {
    let wrong = |path: &PathBuf| Error::new(Kind::Config, format!("reading {}", path.display()));
    let chain: std::result::Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect);
    let chain = chain.map_err(|error| wrong(certificate).because(error))?;
    if chain.is_empty() {
        return Err(Error::new(Kind::Config, format!("{}: no certificate in it", certificate.display())));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key).because(error))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private));
    let mut config = config.map_err(|error| {
        let message = format!("{} with {}", certificate.display(), key.display());
        Error::new(Kind::Config, message).because(error)
    })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
