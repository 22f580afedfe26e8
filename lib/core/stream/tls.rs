//! TLS towards a server, for a connection that one thread reads and another writes.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};

/// The state of a connection. It holds no socket, so that neither thread waits for the network with it in hand.
pub(super) struct Tls {
    connection: ClientConnection,
    /// What the network gave and is not opened yet.
    sealed: VecDeque<u8>,
    /// Whether the other side has said that nothing more will come.
    ended: bool,
}

/// How this toolkit speaks TLS as a client: to servers whose certificate one of the system's authorities has signed, or
/// one of those in the file `SSL_CERT_FILE` names.
pub fn client_config() -> io::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

impl Tls {
    /// Shakes hands over `stream` with the server that is called `host`, see [`client_config`].
    pub fn shake_hands(stream: &mut TcpStream, host: &str) -> io::Result<Tls> {
        let config = client_config()?;
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let mut connection = ClientConnection::new(config, name).map_err(io::Error::other)?;
        while connection.is_handshaking() {
            connection.complete_io(stream)?;
        }
        Ok(Tls { connection, sealed: VecDeque::new(), ended: false })
    }

    /// What can be read now; nothing if the network must be read first.
    pub fn read(&mut self, out: &mut [u8]) -> io::Result<Option<usize>> {
        loop {
            match self.connection.reader().read(out) {
                Ok(count) => return Ok(Some(count)),
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                Err(_) if !self.sealed.is_empty() => {
                    self.connection.read_tls(&mut self.sealed)?;
                    self.connection.process_new_packets().map_err(io::Error::other)?;
                }
                Err(_) => return Ok(self.ended.then_some(0)),
            }
        }
    }

    /// Takes what the network gave; nothing means its end. What TLS itself would answer waits for the next write.
    pub fn take(&mut self, sealed: &[u8]) {
        self.ended |= sealed.is_empty();
        self.sealed.extend(sealed);
    }

    /// What must be written to the network so that the other side reads `bytes`.
    pub fn seal(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut sealed = Vec::with_capacity(bytes.len() + 64);
        let mut rest = bytes;
        while !rest.is_empty() {
            let count = self.connection.writer().write(rest)?;
            rest = &rest[count..];
            while self.connection.wants_write() {
                self.connection.write_tls(&mut sealed)?;
            }
        }
        Ok(sealed)
    }
}
