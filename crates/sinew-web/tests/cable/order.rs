use crate::server::Server;

const WAIT: &str = r#"{"channel":"WaitChannel"}"#;

#[tokio::test]
async fn commands_of_a_connection_wait_for_the_one_before() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.subscribed(WAIT).await;
    client.message(WAIT, r#"{"action":"one"}"#).await;
    client.message(WAIT, r#"{"action":"two"}"#).await;
    client.unsubscribe(WAIT).await;
    client.subscribe(WAIT).await;
    client.send(r#"{"command":"ping"}"#).await;
    // Another connection is not held up.
    let mut other = server.client().await;
    other.expect_nothing().await;
    server.permits.add_permits(2);
    client.expect_data(WAIT, r#"{"action":"one"}"#).await;
    client.expect_data(WAIT, r#"{"action":"two"}"#).await;
    client.expect_confirmed(WAIT).await;
    client.expect(r#"{"type":"pong"}"#).await;
}

#[tokio::test]
async fn a_flood_of_commands_is_held_back_and_none_is_lost() {
    const COMMANDS: usize = 10_000;
    let server = Server::start().await;
    let mut client = server.client().await;
    client.subscribed(WAIT).await;
    let (mut sink, mut source) = futures_util::StreamExt::split(client.socket);
    let flood = tokio::spawn(async move {
        for number in 0..COMMANDS {
            let data = format!(r#"{{\"action\":\"a\",\"number\":{number}}}"#);
            let command = format!(
                r#"{{"command":"message","identifier":"{{\"channel\":\"WaitChannel\"}}","data":"{data}"}}"#
            );
            let message = tokio_tungstenite::tungstenite::Message::text(command);
            futures_util::SinkExt::send(&mut sink, message)
                .await
                .expect("sends");
        }
    });
    server.permits.add_permits(COMMANDS);
    for number in 0..COMMANDS {
        let frame = futures_util::StreamExt::next(&mut source)
            .await
            .expect("a frame")
            .expect("reads");
        let text = frame.into_text().expect("text");
        assert!(
            text.ends_with(&format!(r#""number":{number}}}}}"#)),
            "{text}"
        );
    }
    flood.await.expect("all was sent");
}
