//! What operators see, and who else.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use parking_lot::Mutex;
use serde_json::json;
use sinew::config::Environment;
use sinew::prelude::*;
use sinew::{Config, operators};
use tracing::span::{Attributes, Id};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use crate::application::counter;
use crate::browser::Browser;
use crate::server::{self, Server};

async fn answers(app: Router, config: Config) -> (u16, String) {
    let server = Server::with(Sinew::new(app), config).await;
    let answer = Browser::new(&server).get("/_sinew").await;
    (answer.status, answer.body)
}

fn development() -> Config {
    let mut config = server::config();
    config.edge.environment = Environment::Development;
    config
}

#[tokio::test]
async fn page_is_there_by_itself_in_development_only() {
    let (status, body) = answers(Router::new(), development()).await;
    assert_eq!(status, 200);
    assert!(body.contains("<h1>Operators</h1>"), "{body}");
    for environment in [Environment::Production, Environment::Test] {
        let mut config = server::config();
        config.edge.environment = environment;
        assert_eq!(answers(Router::new(), config).await.0, 404);
    }
}

#[tokio::test]
async fn application_may_have_the_path_for_itself() {
    let own = Router::new().route("/_sinew", get(async || "guarded"));
    let mut config = development();
    config.operators_page = false;
    assert_eq!(answers(own, config).await.1, "guarded");
}

#[tokio::test]
async fn page_has_a_policy_and_is_in_no_cache() {
    let app = Router::new().route("/operators", get(operators::page));
    let server = Server::start(Sinew::new(app)).await;
    let answer = Browser::new(&server).get("/operators").await;
    let policy = answer.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'self'"), "{policy}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(!answer.body.contains(" style="), "the policy forbids it");
}

#[tokio::test]
async fn metrics_are_on_no_route_of_their_own() {
    let server = Server::start(counter()).await;
    assert_eq!(Browser::new(&server).get("/metrics").await.status, 404);
}

/// Writes down the name of each span that begins, below those around it.
#[derive(Clone, Default)]
struct Names(Arc<Mutex<Vec<String>>>);

impl Layer<Registry> for Names {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, Registry>) {
        if attributes.metadata().target().starts_with("sinew::") {
            let scope = context.span_scope(id).expect("new").from_root();
            let names: Vec<_> = scope.map(|span| span.name()).collect();
            self.0.lock().push(names.join(" > "));
        }
    }
}

#[tokio::test]
async fn spans_lead_from_the_frame_to_the_reply() {
    let server = Server::start(counter()).await;
    let mut tab = Browser::visit(&server, "/").await.tab("/").await;
    let names = Names::default();
    let spans = crate::listening::listen(Registry::default().with(names.clone()));
    tab.perform("Counter#increment", json!([])).await;
    drop(spans);
    assert_eq!(
        *names.0.lock(),
        [
            "command",
            "command > reflex",
            "command > reflex > step",
            "command > reflex > step",
            "command > reflex > step",
            "command > reflex > step",
        ],
        "the action, the session, the page, and what the page wrote"
    );
}
