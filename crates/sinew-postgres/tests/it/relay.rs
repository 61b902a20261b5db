//! Stands between a client and PostgreSQL, and counts what the client waits for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// One that understands messages as they follow the start of a connection without TLS.
pub(crate) struct Relay {
    port: u16,
    syncs: Arc<AtomicUsize>,
}

impl Relay {
    pub(crate) async fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let relay = Self {
            port: listener.local_addr().unwrap().port(),
            syncs: Arc::default(),
        };
        let syncs = Arc::clone(&relay.syncs);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                let (mut answers, asked) = server.into_split();
                let (questions, mut answered) = client.into_split();
                tokio::spawn(async move { tokio::io::copy(&mut answers, &mut answered).await });
                tokio::spawn(count(questions, asked, Arc::clone(&syncs)));
            }
        });
        relay
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// How often clients said that they wait for all answers (`Sync`) since the start.
    pub(crate) fn round_trips(&self) -> usize {
        self.syncs.load(Ordering::SeqCst)
    }
}

async fn count(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    syncs: Arc<AtomicUsize>,
) -> std::io::Result<()> {
    // The first message has no type, only its length.
    let mut has_type = false;
    loop {
        let kind = match has_type {
            true => Some(from.read_u8().await?),
            false => None,
        };
        has_type = true;
        let length = from.read_u32().await?;
        let mut body = vec![0; length as usize - 4];
        from.read_exact(&mut body).await?;
        if kind == Some(b'S') {
            syncs.fetch_add(1, Ordering::SeqCst);
        }
        if let Some(kind) = kind {
            to.write_u8(kind).await?;
        }
        to.write_u32(length).await?;
        to.write_all(&body).await?;
    }
}
