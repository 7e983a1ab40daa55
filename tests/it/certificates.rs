//! Certificates as operators make them, and a server that presents them.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use rustls::{
    ServerConfig,
    crypto::ring::sign::any_supported_type,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

/// A certificate and its key.
pub(crate) struct Certificate {
    folder: tempfile::TempDir,
}

impl Certificate {
    /// The one that NetBox's install guide makes: self-signed, an authority's, and with no name but the common one.
    pub(crate) fn of_the_guide() -> Self {
        let certificate = Self { folder: tempfile::tempdir().unwrap() };
        certificate.openssl(
            "req -x509 -nodes -days 365 -newkey rsa:2048 -keyout key.pem -out certificate.pem -subj /CN=netbox.example.com",
        );
        certificate
    }

    /// One for `localhost` that an authority of its own has signed.
    pub(crate) fn signed() -> Self {
        let certificate = Self { folder: tempfile::tempdir().unwrap() };
        let new = "-nodes -days 365 -newkey ec -pkeyopt ec_paramgen_curve:P-256";
        certificate
            .openssl(&format!("req -x509 {new} -keyout authority-key.pem -out authority.pem -subj /CN=Authority"));
        certificate.openssl(&format!(
            "req -x509 {new} -CA authority.pem -CAkey authority-key.pem -keyout key.pem -out certificate.pem \
             -subj /CN=any -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE"
        ));
        certificate
    }

    fn openssl(&self, arguments: &str) {
        let mut command = Command::new("openssl");
        command.current_dir(self.folder.path()).args(arguments.split_whitespace());
        let output = command.output().unwrap_or_else(|error| panic!("openssl has to be installed: {error}"));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// The PEM file of the certificate itself.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    /// The PEM file of the authority that signed it.
    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    /// The PEM file of its key.
    pub(crate) fn key_file(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::from_pem_file(self.key_file()).unwrap()
    }
}

/// A server that presents a certificate, and hands on what it is sent to another one.
pub(crate) struct Front {
    pub(crate) port: u16,
    task: JoinHandle<()>,
}

impl Front {
    /// Starts one in front of `behind`, `host:port`.
    pub(crate) async fn start(certificate: &Certificate, behind: &str) -> Self {
        Self::with_key(certificate, certificate, behind).await
    }

    /// Starts one that signs with the key of another certificate.
    pub(crate) async fn with_key(certificate: &Certificate, other: &Certificate, behind: &str) -> Self {
        // Fails when something else of this process was first, which is just as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let presented = vec![CertificateDer::from_pem_file(certificate.file()).unwrap()];
        let presented = Presented(Arc::new(CertifiedKey::new(presented, any_supported_type(&other.key()).unwrap())));
        let config = ServerConfig::builder().with_no_client_auth().with_cert_resolver(Arc::new(presented));
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let behind = behind.to_owned();
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (acceptor, behind) = (acceptor.clone(), behind.clone());
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let mut behind = TcpStream::connect(behind).await.unwrap();
                    let _ = copy_bidirectional(&mut stream, &mut behind).await;
                });
            }
        });
        Self { port, task }
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Presents the same certificate to everybody, whether the key is its own or not.
#[derive(Debug)]
struct Presented(Arc<CertifiedKey>);

impl ResolvesServerCert for Presented {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// The part of a URL that `TcpStream::connect` takes.
pub(crate) fn address(url: &str) -> String {
    url.split_once("://").unwrap().1.split('/').next().unwrap().to_owned()
}

/// A path as settings have it.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
