//! Servers that an application needs beside itself.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use sinew::App;
use sinew::config::{Config, Secret};
use sinew::redis::{Redis, RedisRole, RedisSettings, RedisStatus};
use sinew::session::MemoryStore;
use test_servers::RedisServer;
use tower::ServiceExt as _;

use crate::application::counter;

/// How long anything may take before a test has failed.
const PATIENCE: Duration = Duration::from_secs(20);

async fn status(app: &App, path: &str) -> StatusCode {
    let request = Request::get(path).body(Body::empty()).unwrap();
    app.router()
        .clone()
        .oneshot(request)
        .await
        .unwrap()
        .status()
}

async fn wait_for(redis: &Redis, expected: RedisStatus) {
    let mut watch = redis.watch();
    let seen = tokio::time::timeout(PATIENCE, watch.wait_for(|status| *status == expected));
    seen.await.expect("the status in time").unwrap();
}

#[tokio::test]
async fn no_new_visitors_while_redis_is_away() {
    let mut server = RedisServer::start();
    let settings = RedisSettings::from_url(&server.url()).unwrap();
    let redis = Redis::connect_lazily(settings).unwrap();
    let mut config = Config::default();
    config.edge.configured_secret = Some(Secret::generate().unwrap());
    let app = counter()
        .config(config)
        .store(Arc::new(MemoryStore::new()))
        .redis(RedisRole::Sessions, redis.clone())
        .build()
        .unwrap();
    wait_for(&redis, RedisStatus::Available).await;
    assert_eq!(status(&app, "/ready").await, StatusCode::OK);

    server.kill();
    wait_for(&redis, RedisStatus::Away).await;
    assert_eq!(
        status(&app, "/ready").await,
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(app.health().missing(), ["redis (sessions)"]);
    // Whoever is here already is served.
    assert_eq!(status(&app, "/health").await, StatusCode::OK);
    assert_eq!(status(&app, "/").await, StatusCode::OK);

    server.start_again();
    wait_for(&redis, RedisStatus::Available).await;
    assert_eq!(status(&app, "/ready").await, StatusCode::OK);
}
