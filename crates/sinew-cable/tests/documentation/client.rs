// The client of the examples in this crate's documentation, which include this file: a link and what a browser's end
// of it would read, without a socket between them.

struct Client {
    link: sinew_cable::Link,
    decoder: sinew_websocket::Endpoint,
    received: std::collections::VecDeque<serde_json::Value>,
}

#[allow(dead_code, reason = "no example uses all of it")]
impl Client {
    /// Opens a connection; what comes first is the welcome, or why there is none.
    fn open(cable: &sinew_cable::Cable) -> Client {
        Client::open_with(cable, sinew_cable::ConnectRequest::default())
    }

    fn open_with(cable: &sinew_cable::Cable, request: sinew_cable::ConnectRequest) -> Client {
        let limits = sinew_websocket::Limits::default();
        let mut client = Client {
            link: cable.open(),
            decoder: sinew_websocket::Endpoint::new(sinew_websocket::Role::Client, &limits),
            received: std::collections::VecDeque::new(),
        };
        let mut out = Vec::new();
        client
            .link
            .start(std::time::Instant::now(), request.into(), &mut out);
        client.read(out);
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
        let mut out = Vec::new();
        self.link
            .receive_text(std::time::Instant::now(), &command.to_string(), &mut out);
        self.read(out);
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
            std::future::poll_fn(|context| match self.link.park(context.waker()) {
                true => std::task::Poll::Pending,
                false => std::task::Poll::Ready(()),
            })
            .await;
            let mut out = Vec::new();
            self.link
                .deliver(std::time::Instant::now(), usize::MAX, &mut out);
            self.read(out);
        }
        self.received.pop_front().expect("one was received")
    }

    fn read(&mut self, mut frames: Vec<u8>) {
        self.decoder.receive(&mut frames, |effect| match effect {
            sinew_websocket::Effect::Text(text) => {
                let message = serde_json::from_str(text).expect("a server's message is JSON");
                self.received.push_back(message);
            }
            other => panic!("a server sends text, not {other:?}"),
        });
    }
}
