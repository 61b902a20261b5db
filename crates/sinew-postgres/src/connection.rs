//! One connection: a statement at a time, each answered in time or given up.

use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, Row, SimpleQueryMessage};

use crate::error::PostgresError;
use crate::tls::Tls;

/// A value of a statement, and its type in the database.
///
/// With the types at hand, a statement needs no preparation: it is one message with its values,
/// one round trip, and leaves nothing behind in the server's session, so that a pooler between
/// may give the next one to another session.
pub(crate) type Value<'a> = (&'a (dyn ToSql + Sync), Type);

/// How much later than the server this side gives a statement up: the server's answer, that it
/// took too long, keeps the connection.
const GRACE: Duration = Duration::from_millis(100);

/// How long making the tables, and one statement of a sweep, may take.
const MAINTENANCE_TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) struct Connection {
    client: Client,
    /// Reads and writes the socket.
    driver: AbortHandle,
    statement_timeout: Duration,
}

impl Connection {
    /// `on_end` is called when the connection ends, whoever ended it.
    pub(crate) async fn open(
        target: &Config,
        tls: Tls,
        connect_timeout: Duration,
        statement_timeout: Duration,
        on_end: impl FnOnce() + Send + 'static,
    ) -> Result<Self, PostgresError> {
        let opened = timeout(connect_timeout, target.connect(tls)).await;
        let (client, connection) = opened
            .map_err(|_| PostgresError::unavailable("connecting took too long"))?
            .map_err(|error| PostgresError::from_library(&error))?;
        let driver = tokio::spawn(async move {
            if let Err(error) = connection.await {
                let error = PostgresError::from_library(&error);
                tracing::debug!(%error, "a connection to PostgreSQL was lost");
            }
            on_end();
        });
        Ok(Self {
            client,
            driver: driver.abort_handle(),
            statement_timeout,
        })
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Closes the socket, whatever is on its way: a server that does not answer would keep it.
    pub(crate) fn abandon(self) {
        self.driver.abort();
    }

    pub(crate) async fn rows(
        &self,
        sql: &str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, PostgresError> {
        let answered = timeout(
            self.statement_timeout + GRACE,
            self.client.query_typed(sql, values),
        );
        answered
            .await
            .map_err(|_| PostgresError::unavailable("a statement was not answered in time"))?
            .map_err(|error| PostgresError::from_library(&error))
    }

    pub(crate) async fn one(&self, sql: &str, values: &[Value<'_>]) -> Result<Row, PostgresError> {
        let mut rows = self.rows(sql, values).await?;
        match rows.len() {
            1 => Ok(rows.remove(0)),
            _ => Err(PostgresError::corrupt("a statement did not answer one row")),
        }
    }

    /// Statements in one transaction, which may take longer than others; answers what the first
    /// column of the last row has.
    pub(crate) async fn transact(&self, statements: &str) -> Result<Option<String>, PostgresError> {
        let script = format!(
            "begin;\nset local statement_timeout = {};\n{statements}\ncommit;",
            MAINTENANCE_TIMEOUT.as_millis()
        );
        let answered = timeout(MAINTENANCE_TIMEOUT, self.client.simple_query(&script)).await;
        let answer = answered
            .map_err(|_| PostgresError::unavailable("maintenance was not answered in time"))?
            .map_err(|error| PostgresError::from_library(&error));
        match answer {
            Ok(messages) => Ok(messages.iter().rev().find_map(|message| match message {
                SimpleQueryMessage::Row(row) => row.get(0).map(ToOwned::to_owned),
                _ => None,
            })),
            Err(error) => {
                // The transaction is still open.
                let rollback = self.client.simple_query("rollback");
                let _ = timeout(self.statement_timeout, rollback).await;
                Err(error)
            }
        }
    }
}
