//! TLS to the server, and by what its certificate is verified.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::pki_types::{InvalidDnsNameError, ServerName};
use sinew_tls::{Authorities, AuthoritiesError, Verification, client_config};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::error::PostgresSettingsError;
use crate::settings::{PostgresSettings, PostgresSslMode};

/// Makes TLS of a connection, as the settings say.
#[derive(Clone)]
pub(crate) struct Tls(TlsConnector);

impl Tls {
    pub(crate) fn new(settings: &PostgresSettings) -> Result<Self, PostgresSettingsError> {
        let config = client_config(&verification(settings))?;
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }
}

fn verification(settings: &PostgresSettings) -> Verification {
    let authorities = match &settings.ca_file {
        Some(file) => Authorities::File(file.clone()),
        None => Authorities::System,
    };
    match settings.ssl_mode {
        PostgresSslMode::VerifyFull => Verification::Full(authorities),
        PostgresSslMode::VerifyCa => Verification::Authority(authorities),
        // As libpq has it: whoever names an authority wants it asked.
        PostgresSslMode::Require if settings.ca_file.is_some() => {
            Verification::Authority(authorities)
        }
        _ => Verification::Nothing,
    }
}

impl From<AuthoritiesError> for PostgresSettingsError {
    fn from(error: AuthoritiesError) -> Self {
        match error.file() {
            Some(file) => Self::CaFile {
                file: file.to_owned(),
                problem: error.problem().to_owned(),
            },
            None => Self::NoSystemRoots,
        }
    }
}

impl<S> MakeTlsConnect<S> for Tls
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Encrypted<S>;
    type TlsConnect = ToHost;
    type Error = InvalidDnsNameError;

    fn make_tls_connect(&mut self, host: &str) -> Result<ToHost, InvalidDnsNameError> {
        // It is asked also for a Unix socket, which has no name and is spoken to in the clear.
        let host = if host.is_empty() { "localhost" } else { host };
        let name = ServerName::try_from(host)?.to_owned();
        Ok(ToHost {
            connector: self.0.clone(),
            name,
        })
    }
}

/// Makes TLS of one connection to this host.
pub(crate) struct ToHost {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl<S> TlsConnect<S> for ToHost
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Encrypted<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Encrypted<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move {
            let stream = self.connector.connect(self.name, stream).await?;
            Ok(Encrypted(Box::new(stream)))
        })
    }
}

/// A connection in TLS.
pub(crate) struct Encrypted<S>(Box<TlsStream<S>>);

impl<S: AsyncRead + AsyncWrite + Unpin> tokio_postgres::tls::TlsStream for Encrypted<S> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Encrypted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Encrypted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
