//! A connection that listens on a channel.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use sinew_streams::BoxFuture;
use tokio::time::timeout;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::types::Type;
use tokio_postgres::{AsyncMessage, Client, Config, Socket};

use crate::error::PostgresError;
use crate::tls::Tls;

type Driver = tokio_postgres::Connection<Socket, <Tls as MakeTlsConnect<Socket>>::Stream>;

/// It reads and writes only while somebody waits for the [next](Self::next) notification. The
/// socket is closed with it.
pub(crate) struct Listener {
    client: Arc<Client>,
    driver: Driver,
    channel: String,
    /// How long an answer may take.
    patience: Duration,
    /// What came before it was known that somebody listens.
    early: VecDeque<String>,
}

impl Listener {
    /// Listens when it is there. The channel's name goes into a statement as it is.
    pub(crate) async fn open(
        target: &Config,
        tls: Tls,
        channel: &str,
        connect_timeout: Duration,
        patience: Duration,
    ) -> Result<Self, PostgresError> {
        let opened = timeout(connect_timeout, target.connect(tls)).await;
        let (client, driver) = opened
            .map_err(|_| PostgresError::unavailable("connecting took too long"))?
            .map_err(|error| PostgresError::from_library(&error))?;
        let mut listener = Self {
            client: Arc::new(client),
            driver,
            channel: channel.to_owned(),
            patience,
            early: VecDeque::new(),
        };
        listener.listen().await?;
        Ok(listener)
    }

    async fn listen(&mut self) -> Result<(), PostgresError> {
        let client = Arc::clone(&self.client);
        let sql = format!("listen \"{}\"", self.channel);
        let listening = timeout(self.patience, client.batch_execute(&sql));
        tokio::pin!(listening);
        loop {
            tokio::select! {
                answer = &mut listening => {
                    return answer
                        .map_err(|_| PostgresError::unavailable("listening was not answered in time"))?
                        .map_err(|error| PostgresError::from_library(&error));
                }
                notification = receive(&mut self.driver) => self.early.push_back(notification?),
            }
        }
    }

    /// What the next notification says. Nothing is lost when nobody waits for it any more.
    pub(crate) async fn next(&mut self) -> Result<String, PostgresError> {
        match self.early.pop_front() {
            Some(notification) => Ok(notification),
            None => receive(&mut self.driver).await,
        }
    }

    /// Asks whether the server is there and still sends: a pooler may have given the connection's
    /// next transaction to another session, which does not listen.
    pub(crate) fn look(&self) -> BoxFuture<'static, Result<(), PostgresError>> {
        let (client, channel) = (Arc::clone(&self.client), self.channel.clone());
        let patience = self.patience;
        Box::pin(async move {
            let values: [crate::connection::Value<'_>; 1] = [(&channel, Type::TEXT)];
            let sql = "select $1 in (select pg_listening_channels())";
            let answered = timeout(patience, client.query_typed(sql, &values)).await;
            let rows = answered
                .map_err(|_| PostgresError::unavailable("the server does not answer"))?
                .map_err(|error| PostgresError::from_library(&error))?;
            match rows.first().is_some_and(|row| row.get(0)) {
                true => Ok(()),
                false => Err(PostgresError::unavailable(
                    "its session is another one: a pooler between may not share the connection \
                     that listens",
                )),
            }
        })
    }
}

async fn receive(driver: &mut Driver) -> Result<String, PostgresError> {
    loop {
        let message = poll_fn(|context| driver.poll_message(context)).await;
        match message {
            Some(Ok(AsyncMessage::Notification(notification))) => {
                return Ok(notification.payload().to_owned());
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(PostgresError::from_library(&error)),
            None => return Err(PostgresError::unavailable("the connection was lost")),
        }
    }
}

#[cfg(test)]
mod tests {
    use test_servers::PostgresServer;

    use super::*;
    use crate::settings::PostgresSettings;

    /// What a pooler does that gives each transaction another session.
    #[tokio::test]
    async fn a_session_that_does_not_listen_is_noticed() {
        let server = PostgresServer::start();
        let settings = PostgresSettings::from_url(&server.url()).expect("a URL");
        let patience = Duration::from_secs(20);
        let target = settings.listen_target();
        let opened = Listener::open(
            &target,
            Tls::new(&settings).expect("no certificates"),
            "public.news",
            patience,
            patience,
        );
        let mut listener = opened.await.expect("listens");
        server.query("notify \"public.news\", 'hello'");
        assert_eq!(listener.next().await.expect("comes"), "hello");

        let looking = listener.look();
        let answer = tokio::select! {
            answer = looking => answer,
            _ = receive(&mut listener.driver) => panic!("nothing more comes"),
        };
        answer.expect("it listens");
        let client = Arc::clone(&listener.client);
        let looking = listener.look();
        let answer = tokio::select! {
            answer = async {
                client.batch_execute("unlisten *").await.expect("is done");
                looking.await
            } => answer,
            _ = receive(&mut listener.driver) => panic!("nothing more comes"),
        };
        let said = answer.expect_err("it does not listen").to_string();
        assert!(said.contains("a pooler between"), "{said}");
    }
}
