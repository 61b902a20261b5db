//! Opens a connection and introduces itself.

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use redis::aio::{MultiplexedConnection, PubSub};
use redis::{AsyncConnectionConfig, RedisConnectionInfo};
use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::error::{RedisError, RedisSettingsError};
use crate::settings::RedisSettings;
use crate::tls;
use crate::url::{Address, Credentials};

/// Commands that wait to be written to one connection. One more waits for its turn, within its
/// own timeout.
const QUEUE_COMMANDS_MAX: usize = 512;

/// After what silence the kernel asks whether the other side is still there.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(30);

/// Addresses of one host that are tried.
const ADDRESSES_MAX: usize = 8;

/// Where one server listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Endpoint {
    Tcp(Address),
    Unix(PathBuf),
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

/// A byte stream to a server, whatever it runs over.
pub(crate) trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// What carries the commands of a connection; it ends when the connection does.
pub(crate) type Driver = Pin<Box<dyn Future<Output = ()> + Send>>;

/// How connections of one Redis are opened.
#[derive(Clone)]
pub(crate) struct Dial {
    connector: Option<TlsConnector>,
    introduction: RedisConnectionInfo,
    /// To sentinels one may be somebody else.
    sentinel_introduction: RedisConnectionInfo,
    /// How long one may take.
    pub(crate) timeout: Duration,
}

impl Dial {
    pub(crate) fn new(settings: &RedisSettings) -> Result<Self, RedisSettingsError> {
        let url = &settings.url;
        let connector = url.is_tls.then(|| tls::connector(&settings.tls));
        let sentinel = match &url.topology {
            crate::url::Topology::Sentinel { credentials, .. } => credentials.clone(),
            _ => Credentials::default(),
        };
        Ok(Self {
            connector: connector.transpose()?,
            introduction: introduction(&url.credentials).set_db(url.database.into()),
            sentinel_introduction: introduction(&sentinel),
            timeout: settings.connect_timeout,
        })
    }

    async fn open(&self, endpoint: &Endpoint) -> io::Result<Box<dyn ByteStream>> {
        let address = match endpoint {
            Endpoint::Unix(path) => return Ok(Box::new(UnixStream::connect(path).await?)),
            Endpoint::Tcp(address) => address,
        };
        let stream = self.open_tcp(address).await?;
        stream.set_nodelay(true)?;
        let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_AFTER);
        SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
        let Some(connector) = &self.connector else {
            return Ok(Box::new(stream));
        };
        let name = ServerName::try_from(address.host.clone())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        Ok(Box::new(connector.connect(name, stream).await?))
    }

    /// Tries the addresses of a host one after the other. One that swallows what is sent leaves
    /// time for the others.
    async fn open_tcp(&self, address: &Address) -> io::Result<TcpStream> {
        let found = lookup_host((address.host.as_str(), address.port)).await?;
        let found: Vec<_> = found.take(ADDRESSES_MAX).collect();
        let each = self.timeout / (found.len() as u32 + 1);
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        for address in found {
            match timeout(each, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = error,
                Err(_) => last = io::ErrorKind::TimedOut.into(),
            }
        }
        Err(last)
    }

    /// A connection for commands to a server.
    pub(crate) async fn connect(
        &self,
        endpoint: &Endpoint,
    ) -> Result<(MultiplexedConnection, Driver), RedisError> {
        self.connect_as(endpoint, &self.introduction).await
    }

    /// A connection for commands to a sentinel.
    pub(crate) async fn connect_to_sentinel(
        &self,
        endpoint: &Endpoint,
    ) -> Result<(MultiplexedConnection, Driver), RedisError> {
        self.connect_as(endpoint, &self.sentinel_introduction).await
    }

    async fn connect_as(
        &self,
        endpoint: &Endpoint,
        introduction: &RedisConnectionInfo,
    ) -> Result<(MultiplexedConnection, Driver), RedisError> {
        let stream = self
            .open(endpoint)
            .await
            .map_err(|it| failed(endpoint, &it))?;
        let config = AsyncConnectionConfig::new()
            // Whoever sends a command has a deadline of their own.
            .set_response_timeout(None)
            .set_pipeline_buffer_size(QUEUE_COMMANDS_MAX);
        let (connection, driver) =
            MultiplexedConnection::new_with_config(introduction, stream, config)
                .await
                .map_err(|error| RedisError::from_library(&error))?;
        Ok((connection, Box::pin(driver)))
    }

    /// A connection for subscriptions.
    pub(crate) async fn listen(&self, endpoint: &Endpoint) -> Result<PubSub, RedisError> {
        let stream = self
            .open(endpoint)
            .await
            .map_err(|it| failed(endpoint, &it))?;
        PubSub::new(&self.introduction, stream)
            .await
            .map_err(|error| RedisError::from_library(&error))
    }
}

fn introduction(credentials: &Credentials) -> RedisConnectionInfo {
    let mut introduction = RedisConnectionInfo::default().set_skip_set_lib_name();
    if let Some(username) = &credentials.username {
        introduction = introduction.set_username(username);
    }
    if let Some(password) = &credentials.password {
        introduction = introduction.set_password(password);
    }
    introduction
}

/// With the address, since sentinels and nodes tell others than the URL names.
fn failed(endpoint: &Endpoint, error: &io::Error) -> RedisError {
    RedisError::unavailable(format!("{endpoint}: {error}"))
}
