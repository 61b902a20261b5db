//! An empty database for one test, on a server that tests at the same time share.

use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use sinew_postgres::{Postgres, PostgresCache, PostgresSettings, PostgresStore};
use test_servers::PostgresServer;
use tokio_postgres::{Client, NoTls};

pub(crate) struct Database {
    pub(crate) url: String,
    /// The superuser, past the stores.
    pub(crate) admin: Client,
    pub(crate) server: Arc<PostgresServer>,
}

impl Database {
    pub(crate) async fn create() -> Self {
        static SHARED: Mutex<Weak<PostgresServer>> = Mutex::new(Weak::new());

        let server = {
            let mut shared = SHARED.lock();
            shared.upgrade().unwrap_or_else(|| {
                let server = PostgresServer::options().tls();
                let server = Arc::new(server.config("max_connections = 200").start());
                *shared = Arc::downgrade(&server);
                server
            })
        };
        let url = server.create_database();
        Self {
            admin: client(&url).await,
            url,
            server,
        }
    }

    pub(crate) fn settings(&self) -> PostgresSettings {
        settings(&self.url)
    }

    /// Another node on this database.
    pub(crate) fn node(&self) -> Postgres {
        Postgres::connect_lazily(self.settings()).unwrap()
    }

    pub(crate) fn store(&self) -> PostgresStore {
        PostgresStore::new(self.node())
    }

    pub(crate) fn cache(&self) -> PostgresCache {
        PostgresCache::new(self.node())
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        self.admin.query_one(sql, &[]).await.unwrap().get(0)
    }
}

pub(crate) fn settings(url: &str) -> PostgresSettings {
    let mut settings = PostgresSettings::from_url(url).unwrap();
    // The machine of the tests may be busy; where time matters they say so.
    settings.connect_timeout = Duration::from_secs(20);
    settings.statement_timeout = Duration::from_secs(20);
    settings
}

pub(crate) async fn client(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Lets time pass for everything that is stored: the same as moving the server's clock.
pub(crate) async fn advance(admin: &Client, by: Duration) {
    let by = format!("interval '{} milliseconds'", by.as_millis());
    for table in ["sinew_records", "sinew_cache"] {
        let sql = format!(
            "update {table} set expires_at = expires_at - {by}, sweep_at = sweep_at - {by}"
        );
        admin.batch_execute(&sql).await.unwrap();
    }
}
