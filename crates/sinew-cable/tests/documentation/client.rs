// The client of the examples in this crate's documentation, which include this file: a connection on a shard of its
// own and what a browser's end of it would read, without a socket between them.

struct Client {
    shard: sinew_cable::shard::Shard<sinew_websocket::Endpoint>,
    key: sinew_cable::shard::Key,
    mail: std::sync::Arc<tokio::sync::Notify>,
    received: std::collections::VecDeque<serde_json::Value>,
}

#[allow(dead_code, reason = "no example uses all of it")]
impl Client {
    /// Opens a connection; what comes first is the welcome, or why there is none.
    fn open(cable: &sinew_cable::Cable) -> Client {
        Client::open_with(cable, sinew_cable::ConnectRequest::default())
    }

    fn open_with(cable: &sinew_cable::Cable, request: sinew_cable::ConnectRequest) -> Client {
        let mail = std::sync::Arc::new(tokio::sync::Notify::new());
        let wakes = mail.clone();
        let mut shard = sinew_cable::shard::Shard::new(cable, move || wakes.notify_one());
        let limits = sinew_websocket::Limits::default();
        let decoder = sinew_websocket::Endpoint::new(sinew_websocket::Role::Client, &limits);
        let key = shard.open(std::time::Instant::now(), cable.incoming(), request.into(), decoder);
        let mut client = Client {
            shard,
            key,
            mail,
            received: std::collections::VecDeque::new(),
        };
        client.read();
        client
    }

    fn subscribe(&mut self, identifier: &str) {
        self.command("subscribe", identifier, "");
    }

    fn unsubscribe(&mut self, identifier: &str) {
        self.command("unsubscribe", identifier, "");
    }

    fn perform(&mut self, identifier: &str, data: &str) {
        self.command("message", identifier, data);
    }

    fn command(&mut self, command: &str, identifier: &str, data: &str) {
        let command =
            serde_json::json!({ "command": command, "identifier": identifier, "data": data });
        if let Some(mut visit) = self.shard.visit(self.key) {
            visit
                .line
                .receive_text(std::time::Instant::now(), &command.to_string());
        }
        self.read();
    }

    /// The next message for this client, which is waited for.
    async fn receive(&mut self) -> serde_json::Value {
        // An example that is wrong fails rather than hang.
        let limit = std::time::Duration::from_secs(30);
        tokio::time::timeout(limit, self.next())
            .await
            .expect("a message for the client")
    }

    async fn next(&mut self) -> serde_json::Value {
        while self.received.is_empty() {
            while self.shard.next_dirty().is_some() {}
            if self.shard.sleep() {
                self.mail.notified().await;
            }
            self.shard.take_mail(std::time::Instant::now());
            self.read();
        }
        self.received.pop_front().expect("one was received")
    }

    fn read(&mut self) {
        let Some(visit) = self.shard.visit(self.key) else {
            return;
        };
        let (decoder, mut line) = (visit.peer, visit.line);
        while let Some(outbox) = line.outbox().filter(|outbox| !outbox.is_empty()) {
            let mut slices = [std::io::IoSlice::new(&[])];
            outbox.slices(&mut slices);
            let mut frame = slices[0].to_vec();
            outbox.advance(frame.len());
            decoder.receive(&mut frame, |effect| match effect {
                sinew_websocket::Effect::Text(text) => {
                    let message = serde_json::from_str(text).expect("a server's message is JSON");
                    self.received.push_back(message);
                }
                other => panic!("a server sends text, not {other:?}"),
            });
        }
    }

    fn closing(&mut self) -> Option<sinew_cable::shard::Closing> {
        self.shard.visit(self.key)?.line.closing()
    }
}
