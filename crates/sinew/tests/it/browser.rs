//! A browser as far as the server can tell: cookies, requests, the cable, reflex calls.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::server::Server;

/// A guard against waiting for ever for what will not come; no test waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(60);

/// The promise: so long after its answer a logout, or a login's new id, has ended the session's
/// other sockets, on every node.
const SESSION_ENDS_WITHIN: Duration = Duration::from_secs(2);

/// The subscription over which reflexes are called.
pub(crate) const REFLEXES: &str = r#"{"channel":"StimulusReflex::Channel"}"#;

/// The same, of a page with our client.
pub(crate) const OUR_REFLEXES: &str =
    r#"{"channel":"StimulusReflex::Channel","sinew":"0.1.0+embedded"}"#;

/// One visitor.
#[derive(Clone)]
pub(crate) struct Browser {
    address: SocketAddr,
    /// `name=value` of the session.
    pub(crate) cookie: Option<String>,
    cable_path: &'static str,
    headers: Vec<(HeaderName, String)>,
}

impl Browser {
    /// Somebody who has never been here.
    pub(crate) fn new(server: &Server) -> Self {
        Self::at(server.address)
    }

    pub(crate) fn at(address: SocketAddr) -> Self {
        Self {
            address,
            cookie: None,
            cable_path: "/cable",
            headers: Vec::new(),
        }
    }

    /// Somebody who has just seen a page.
    pub(crate) async fn visit(server: &Server, path: &str) -> Self {
        let mut browser = Self::new(server);
        let answer = browser.get(path).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        browser
    }

    /// Sends a header with every request and handshake.
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers
            .push((HeaderName::from_static(name), value.into()));
        self
    }

    pub(crate) fn cookie(mut self, cookie: impl Into<String>) -> Self {
        self.cookie = Some(cookie.into());
        self
    }

    /// Looks for the cable at another path than `/cable`.
    pub(crate) fn cable_at(mut self, path: &'static str) -> Self {
        self.cable_path = path;
        self
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.request("GET", path).await
    }

    pub(crate) async fn post(&mut self, path: &str) -> Answer {
        self.request("POST", path).await
    }

    /// As a script of a page makes it.
    pub(crate) async fn post_json(&mut self, path: &str, body: &str) -> Answer {
        let origin = format!("http://{}", self.address);
        let head = format!("content-type: application/json\r\norigin: {origin}\r\n");
        self.send(&format!("POST {path}"), &head, body).await
    }

    async fn request(&mut self, method: &str, path: &str) -> Answer {
        self.send(&format!("{method} {path}"), "", "").await
    }

    async fn send(&mut self, what: &str, head: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.expect("connects");
        let mut request = format!(
            "{what} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {}\r\n{head}",
            self.address,
            body.len()
        );
        for (name, value) in self.request_headers() {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        request.push_str(body);
        stream.write_all(request.as_bytes()).await.expect("writes");
        let mut bytes = Vec::new();
        tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes))
            .await
            .expect("an answer comes")
            .expect("reads");
        let answer = Answer::parse(&String::from_utf8(bytes).expect("text"));
        if let Some(cookie) = answer.header("set-cookie") {
            let cookie = cookie.split(';').next().unwrap_or_default();
            self.cookie = Some(cookie.to_owned());
        }
        answer
    }

    fn request_headers(&self) -> impl Iterator<Item = (&HeaderName, &str)> {
        let cookie = self.cookie.as_deref();
        let cookie = cookie.map(|cookie| (&header::COOKIE, cookie));
        let headers = self.headers.iter();
        headers
            .map(|(name, value)| (name, value.as_str()))
            .chain(cookie)
    }

    /// Opens the cable, or hears with which status the handshake was refused.
    pub(crate) async fn connect(&self) -> Result<Cable, StatusCode> {
        let stream = TcpStream::connect(self.address).await.expect("connects");
        let address = format!("ws://{}{}", self.address, self.cable_path);
        let mut request = address.into_client_request().expect("an address");
        request.headers_mut().insert(
            header::SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static("actioncable-v1-json, actioncable-unsupported"),
        );
        for (name, value) in self.request_headers() {
            let value = HeaderValue::from_str(value).expect("a header value");
            request.headers_mut().append(name, value);
        }
        match tokio_tungstenite::client_async(request, stream).await {
            Ok((socket, _)) => Ok(Cable { socket }),
            Err(Error::Http(response)) => Err(response.status()),
            Err(error) => panic!("a handshake, not {error}"),
        }
    }

    /// The open cable, after its welcome.
    pub(crate) async fn cable(&self) -> Cable {
        let mut cable = self.connect().await.expect("upgrades");
        cable.expect(json!({"type": "welcome"})).await;
        cable
    }

    /// A tab that shows the page at `path` and may call reflexes.
    pub(crate) async fn tab(&self, path: &str) -> Tab {
        let mut cable = self.cable().await;
        cable.ask_to_subscribe(REFLEXES).await;
        // Its stream is that of all tabs of the visitor: a reply to another one may come first.
        while cable.json().await["type"] != "confirm_subscription" {}
        Tab::on(cable, path)
    }

    /// The same with our client, and the name of its connection.
    pub(crate) async fn our_tab(&self, path: &str) -> (Tab, String) {
        let mut cable = self.cable().await;
        cable.ask_to_subscribe(OUR_REFLEXES).await;
        // The confirmation waits for the streams; the name does not.
        let (mut socket, mut is_confirmed) = (None, false);
        while socket.is_none() || !is_confirmed {
            let frame = cable.json().await;
            match frame["message"]["sinew"]["socket"].as_str() {
                Some(name) => socket = Some(name.to_owned()),
                None => is_confirmed = frame["type"] == "confirm_subscription",
            }
        }
        let socket = socket.expect("the name of the connection");
        let mut tab = Tab::on(cable, path);
        tab.identifier = OUR_REFLEXES;
        (tab, socket)
    }
}

/// What HTTP answers.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).expect("a status");
        let answer = Self {
            status: status.parse().expect("a number"),
            head: head.to_owned(),
            body: body.to_owned(),
        };
        assert_eq!(answer.header("transfer-encoding"), None, "read as it is");
        answer
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1);
        lines.find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// One socket.
pub(crate) struct Cable {
    pub(crate) socket: WebSocketStream<TcpStream>,
}

impl Cable {
    pub(crate) async fn send(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.expect("sends");
    }

    /// Bytes that no client library would send.
    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) {
        let stream = self.socket.get_mut();
        stream.write_all(bytes).await.expect("writes");
    }

    pub(crate) async fn message(&mut self, identifier: &str, data: &str) {
        let command = json!({"command": "message", "identifier": identifier, "data": data});
        self.send(&command.to_string()).await;
    }

    async fn ask_to_subscribe(&mut self, identifier: &str) {
        let command = json!({"command": "subscribe", "identifier": identifier});
        self.send(&command.to_string()).await;
    }

    /// Whether the subscription was confirmed.
    pub(crate) async fn subscribe(&mut self, identifier: &str) -> bool {
        self.ask_to_subscribe(identifier).await;
        let answer = self.json().await;
        assert_eq!(answer["identifier"], identifier, "{answer}");
        match answer["type"].as_str() {
            Some("confirm_subscription") => true,
            Some("reject_subscription") => false,
            _ => panic!("an answer to the subscribe, not {answer}"),
        }
    }

    async fn next(&mut self) -> Option<Result<Message, Error>> {
        tokio::time::timeout(PATIENCE, self.socket.next())
            .await
            .expect("something comes")
    }

    pub(crate) async fn json(&mut self) -> Value {
        match self.next().await {
            Some(Ok(Message::Text(text))) => serde_json::from_str(&text).expect("JSON"),
            other => panic!("a text frame, not {other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn expect(&mut self, expected: Value) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move { assert_eq!(self.json().await, expected, "at {caller}") }
    }

    /// Asks for a pong: proof that nothing came before it, and that the connection lives.
    pub(crate) async fn expect_nothing(&mut self) {
        self.send(r#"{"command":"ping"}"#).await;
        self.expect(json!({"type": "pong"})).await;
    }

    pub(crate) async fn expect_disconnect(&mut self, reason: &str, reconnect: bool) {
        self.expect(json!({"type": "disconnect", "reason": reason, "reconnect": reconnect}))
            .await;
    }

    /// The session has ended, or has another id, by a request that was answered at that moment:
    /// the socket is told to come again and closed in the time that is promised.
    pub(crate) async fn expect_session_end(&mut self, answered: Instant) {
        let ending = async {
            self.expect_disconnect("remote", true).await;
            self.expect_close(1000).await;
        };
        tokio::time::timeout_at(answered + SESSION_ENDS_WITHIN, ending)
            .await
            .expect("the socket is closed within two seconds of the answer");
    }

    pub(crate) async fn expect_close(&mut self, code: u16) {
        match self.next().await {
            Some(Ok(Message::Close(Some(frame)))) => assert_eq!(u16::from(frame.code), code),
            other => panic!("a close frame, not {other:?}"),
        }
    }
}

/// A page in a browser, as its StimulusReflex client.
pub(crate) struct Tab {
    pub(crate) cable: Cable,
    path: String,
    identifier: &'static str,
    /// The tab's id; another one makes it another tab of the same connection.
    pub(crate) id: String,
    /// Replies that came while another was awaited.
    early: HashMap<String, Reply>,
    /// Operations that belong to no reflex's end, in order.
    pub(crate) others: Vec<Value>,
}

/// What makes each reflex call and each tab another.
static NUMBER: AtomicU64 = AtomicU64::new(1);

fn number() -> u64 {
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

impl Tab {
    pub(crate) fn on(cable: Cable, path: &str) -> Self {
        Self {
            cable,
            path: path.to_owned(),
            identifier: REFLEXES,
            id: format!("tab-{}", number()),
            early: HashMap::new(),
            others: Vec::new(),
        }
    }

    /// The ticket that comes ahead of a reply, as the body of the request that redeems it.
    pub(crate) async fn ticket(&mut self) -> String {
        let frame = self.cable.json().await;
        let operation = &frame["message"]["operations"][0];
        assert_eq!(operation["operation"], "sinewSession", "{frame}");
        assert_eq!(operation["path"], "/_sinew/session");
        json!({ "ticket": operation["ticket"] }).to_string()
    }

    /// The reply that comes with nothing ahead of it.
    pub(crate) async fn bare_reply(&mut self) -> Reply {
        let frame = self.cable.json().await;
        Reply::of(&frame).expect("a reply").1
    }

    /// A call as the client makes it of `data-reflex="click->…"`.
    pub(crate) fn call(&self, target: &str) -> Call {
        let id = format!("reflex-{}", number());
        let call = json!({
            "attrs": {"data-reflex": format!("click->{target}"), "tag_name": "A"},
            "dataset": {"dataset": {}, "datasetAll": {}},
            "selectors": [],
            "id": id,
            "resolveLate": false,
            "suppressLogging": false,
            "xpathController": "//*[@id='it']",
            "xpathElement": "//*[@id='it']",
            "inner_html": "",
            "text_content": "",
            "reflexController": "stimulus-reflex",
            "permanentAttributeName": "data-reflex-permanent",
            "target": target,
            "args": [],
            "url": format!("http://app.test{}", self.path),
            "tabId": self.id,
            "version": "3.5.5",
            "formData": "",
        });
        match call {
            Value::Object(data) => Call { id, data },
            _ => unreachable!("an object, above"),
        }
    }

    /// Sends a call and does not wait.
    pub(crate) async fn send(&mut self, call: Call) -> String {
        self.cable.message(self.identifier, &call.text()).await;
        call.id
    }

    pub(crate) async fn fire(&mut self, target: &str, args: Value) -> String {
        let call = self.call(target).with("args", args);
        self.send(call).await
    }

    /// Sends a call and awaits its reply.
    pub(crate) async fn answer(&mut self, call: Call) -> Reply {
        let id = self.send(call).await;
        self.reply(&id).await
    }

    pub(crate) async fn perform(&mut self, target: &str, args: Value) -> Reply {
        let id = self.fire(target, args).await;
        self.reply(&id).await
    }

    /// The reply to the call of this id.
    pub(crate) async fn reply(&mut self, id: &str) -> Reply {
        loop {
            if let Some(reply) = self.early.remove(id) {
                return reply;
            }
            let (id, reply) = self.next_reply().await;
            let before = self.early.insert(id, reply);
            assert!(before.is_none(), "one reply for each call");
        }
    }

    /// The next reply on this socket, whosever it is.
    pub(crate) async fn next_reply(&mut self) -> (String, Reply) {
        loop {
            let frame = self.cable.json().await;
            if let Some(answered) = Reply::of(&frame) {
                return answered;
            }
            match &frame["message"]["operations"] {
                Value::Array(operations) => self.others.extend(operations.iter().cloned()),
                _ => panic!("operations, not {frame}"),
            }
        }
    }
}

/// A reflex call.
pub(crate) struct Call {
    pub(crate) id: String,
    data: Map<String, Value>,
}

impl Call {
    pub(crate) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.data.insert(key.to_owned(), value.into());
        self
    }

    pub(crate) fn without(mut self, key: &str) -> Self {
        self.data.remove(key);
        self
    }

    pub(crate) fn text(&self) -> String {
        Value::Object(self.data.clone()).to_string()
    }
}

/// The message that ends a reflex.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) operations: Vec<Value>,
}

impl Reply {
    /// The reply in a frame, with the id of its reflex.
    pub(crate) fn of(frame: &Value) -> Option<(String, Self)> {
        let operations = frame["message"]["operations"].as_array()?;
        let ended = |operation: &Value| {
            operation["stimulusReflex"]["id"]
                .as_str()
                .map(str::to_owned)
        };
        let id = operations.iter().find_map(ended)?;
        let identifier = frame["identifier"].as_str();
        assert!(
            [Some(REFLEXES), Some(OUR_REFLEXES)].contains(&identifier),
            "{frame}"
        );
        assert_eq!(frame["message"]["cableReady"], true);
        assert_eq!(frame["message"]["version"], "5.0.6");
        let operations = operations.clone();
        Some((id, Self { operations }))
    }

    /// The event that ends the reflex, without its prefix; nothing for morphs.
    pub(crate) fn event(&self) -> Option<&str> {
        let name = self.last()["name"].as_str()?;
        name.strip_prefix("stimulus-reflex:morph-")
    }

    #[track_caller]
    pub(crate) fn expect_event(&self, event: &str) {
        assert_eq!(self.event(), Some(event), "{self:?}");
    }

    /// What the visitor hears of a failed reflex.
    #[track_caller]
    pub(crate) fn error(&self) -> &str {
        self.expect_event("error");
        self.last()["error"].as_str().expect("a text")
    }

    /// The HTML of the one morph.
    #[track_caller]
    pub(crate) fn html(&self) -> &str {
        let [operation] = &*self.operations else {
            panic!("one morph, not {self:?}");
        };
        operation["html"]
            .as_str()
            .unwrap_or_else(|| panic!("a morph, not {operation}"))
    }

    pub(crate) fn payload(&self) -> &Value {
        &self.last()["payload"]
    }

    /// Of a status event the only operation that ends a reflex is the last of all.
    fn last(&self) -> &Value {
        self.operations.last().expect("operations")
    }
}
