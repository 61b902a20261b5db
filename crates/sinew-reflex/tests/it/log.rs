//! The line each reflex writes to the log.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::json;
use sinew_macros::reflex;
use sinew_reflex::{Config, Reflex, Result};

use crate::server::Server;

struct Logged;

#[reflex(crate = sinew_reflex)]
impl Logged {
    async fn nothing(&self, cx: &mut Reflex) {
        cx.morph_nothing();
    }

    async fn selectors(&self, cx: &mut Reflex) {
        cx.morph("#one", "<p id=\"one\">1</p>").morph("#two", "2");
    }

    async fn page(&self, _cx: &mut Reflex) {}

    async fn slow(&self, cx: &mut Reflex) {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        cx.morph_nothing();
    }

    async fn halted(&self, _cx: &mut Reflex) {}

    async fn forbidden(&self, _cx: &mut Reflex) {}

    #[before(only(halted))]
    async fn halt(&self, cx: &mut Reflex) -> Result {
        cx.halt()
    }

    #[before(only(forbidden))]
    async fn forbid(&self, cx: &mut Reflex) -> Result {
        cx.forbid()
    }

    async fn fails(&self, _cx: &mut Reflex) -> Result {
        Err("the inside".into())
    }
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What the calls write, with the session's label replaced.
async fn logged(config: Config, calls: &[(&str, serde_json::Value)]) -> Vec<String> {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .without_time()
        .with_ansi(false)
        .with_level(false)
        .with_target(false)
        .with_writer(move || writer.clone())
        .finish();
    let _default = crate::listening::listen(subscriber);
    let mut server = Server::with_config(config, |builder| builder.reflex(Logged)).await;
    let key = server.session_id.store_key();
    let digest = key.as_str().rsplit(':').next().expect("a digest")[..8].to_owned();
    for (target, more) in calls {
        server.call_with(target, more.clone()).await;
    }
    let text = String::from_utf8(lines.0.lock().clone()).expect("text");
    assert!(
        !text.contains(&server.session_id.to_string()),
        "the session's id is a secret"
    );
    text.lines()
        .map(|line| line.replace(&digest, "SESSION1"))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn each_reflex_has_a_line_in_the_manner_of_the_original() {
    let lines = logged(
        Config::default(),
        &[
            ("Logged#nothing", json!({})),
            ("logged#selectors", json!({})),
            ("Logged#page", json!({})),
            ("Logged#slow", json!({})),
            ("Logged#halted", json!({})),
            ("Logged#forbidden", json!({})),
            ("Logged#nothing", json!({"suppressLogging": {}})),
        ],
    )
    .await;
    assert_eq!(
        lines,
        [
            "[SESSION1] LoggedReflex#nothing -> document via Nothing Morph (dispatch_event) in 0.0 ms",
            "[SESSION1] LoggedReflex#selectors -> #one, #two via Selector Morph (morph, inner_html) in 0.0 ms",
            "[SESSION1] LoggedReflex#page -> body via Page Morph (morph) in 0.0 ms",
            "[SESSION1] LoggedReflex#slow -> document via Nothing Morph (dispatch_event) in 1.5 s",
            "[SESSION1] LoggedReflex#halted -> halted in 0.0 ms",
            "[SESSION1] LoggedReflex#forbidden -> forbidden in 0.0 ms",
        ]
    );
}

#[tokio::test]
async fn an_error_is_logged_with_its_cause_even_when_lines_are_off() {
    let config = Config {
        log: false,
        ..Config::default()
    };
    let lines = logged(
        config,
        &[("Logged#nothing", json!({})), ("Logged#fails", json!({}))],
    )
    .await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].contains("the inside") && lines[0].contains("LoggedReflex#fails"),
        "{lines:?}"
    );
}
