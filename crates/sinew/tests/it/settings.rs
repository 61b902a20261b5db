use axum::Router;
use axum::response::Html;
use axum::routing::get;
use serde_json::json;
use sinew::{
    CableCar, StartError,
    cable::{ConnectionIdentifiers, Refusal},
    config::Secret,
    prelude::*,
    session::MemoryStore,
};

use crate::application::{Counter, counter, router};
use crate::browser::Browser;
use crate::server::{Server, config};

/// What every reflex of the application inherits.
struct ApplicationReflex;

#[reflex]
impl ApplicationReflex {
    #[before]
    async fn note(&self, cx: &mut Reflex) -> Result {
        cx.payload_mut()["before"] = json!(cx.action_name());
        Ok(())
    }

    async fn inherited(&self, cx: &mut Reflex) -> Result {
        cx.payload_mut()["user"] = json!(cx.identifier("user_id"));
        cx.morph_nothing();
        Ok(())
    }
}

#[tokio::test]
async fn application_wide_reflex_is_every_reflexs() {
    let sinew = counter().application_reflex(ApplicationReflex);
    let server = Server::start(sinew).await;
    let mut tab = Browser::visit(&server, "/").await.tab("/").await;
    let reply = tab.perform("Counter#nothing", json!([])).await;
    assert_eq!(reply.payload(), &json!({"before": "nothing"}));
    let reply = tab.perform("Counter#inherited", json!([])).await;
    assert_eq!(
        reply.payload(),
        &json!({"before": "inherited", "user": null})
    );
}

#[tokio::test]
async fn application_says_who_a_socket_belongs_to() {
    let router = router().route(
        "/sign-in/{id}",
        get(
            async |session: Session, axum::extract::Path(id): axum::extract::Path<u32>| -> Result {
                Ok(session.set("user_id", &id).await?)
            },
        ),
    );
    let sinew = Sinew::new(router)
        .reflex(Counter)
        .application_reflex(ApplicationReflex)
        .identify(async |visitor| {
            let session = visitor.session().ok_or(Refusal::unauthorized())?;
            let user: Option<u32> = session.get("user_id").await.ok().flatten();
            let user = user.ok_or(Refusal::unauthorized())?;
            Ok(ConnectionIdentifiers::new().with("user_id", user.to_string()))
        });
    let server = Server::start(sinew).await;
    let stranger = Browser::visit(&server, "/").await;
    let mut cable = stranger.connect().await.expect("upgrades");
    cable.expect_disconnect("unauthorized", false).await;
    cable.expect_close(1000).await;

    // One person with two browsers: replies are shared, sessions are not.
    let mut desktop = Browser::visit(&server, "/sign-in/7").await;
    let mut phone = Browser::visit(&server, "/sign-in/7").await;
    let (mut at_desk, mut on_phone) = (desktop.tab("/").await, phone.tab("/").await);
    let id = at_desk.fire("Counter#inherited", json!([])).await;
    assert_eq!(at_desk.reply(&id).await.payload()["user"], "7");
    assert_eq!(on_phone.next_reply().await.0, id);
    at_desk.perform("Counter#increment", json!([])).await;
    assert_eq!(desktop.get("/count").await.body, "1");
    assert_eq!(phone.get("/count").await.body, "0");

    // The application ends everything of that person.
    let person = ConnectionIdentifiers::new().with("user_id", "7");
    server.app.handle().cable().disconnect(&person, true);
    at_desk.cable.expect_disconnect("remote", true).await;
}

#[tokio::test]
async fn cable_is_where_the_settings_say() {
    let mut config = config();
    config.edge.cable_path = "/live/socket".to_owned();
    config.edge.cable_url = Some("wss://cable.example.com/live/socket".to_owned());
    let server = Server::with(counter(), config).await;
    let mut browser = Browser::new(&server);
    let page = browser.get("/").await.body;
    let meta = r#"<meta name="action-cable-url" content="wss://cable.example.com/live/socket">"#;
    assert!(page.contains(meta), "{page}");
    // Without an upgrade there is nothing to see, at it and below it.
    for path in ["/live/socket", "/live/socket/below", "/cable"] {
        assert_eq!(browser.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn cable_car_travels_over_http() {
    let router = Router::new().route(
        "/car",
        get(async || {
            let mut car = CableCar::new();
            car.inner_html("#slot", "<i>car</i>");
            car
        }),
    );
    let server = Server::start(Sinew::new(router)).await;
    let answer = Browser::new(&server).get("/car").await;
    assert_eq!(answer.header("x-cable-ready-version"), Some("5.0.6"));
    assert_eq!(
        answer.body,
        r##"[{"selector":"#slot","html":"<i>car</i>","operation":"innerHtml"}]"##
    );
    assert_eq!(answer.header("set-cookie"), None);
}

#[tokio::test]
async fn fallback_of_the_application_is_a_page_too() {
    let router = Router::new().fallback(async |client: ClientTags, uri: http::Uri| {
        Html(format!("<head>{client}</head><p>{uri}</p>"))
    });
    let server = Server::start(Sinew::new(router).reflex(Counter)).await;
    let mut tab = Browser::visit(&server, "/any/page")
        .await
        .tab("/any/page?x")
        .await;
    let reply = tab.perform("Counter#increment", json!([])).await;
    assert_eq!(reply.html(), "<p>/any/page?x</p>");
}

#[tokio::test]
async fn start_is_refused_with_a_sentence() {
    let production = config;
    let refused = counter().config(production()).build().err();
    let refused = refused.expect("no secret in production").to_string();
    assert!(refused.contains("SINEW_SECRET"), "{refused}");

    let given = std::sync::Arc::new(MemoryStore::new());
    let refused = counter().config(production()).store(given.clone()).build();
    assert!(matches!(refused, Err(StartError::Secret(_))));
    let mut with_secret = production();
    with_secret.edge.configured_secret = Some(Secret::generate().expect("random"));
    counter()
        .config(with_secret)
        .store(given)
        .build()
        .expect("a secret is enough");

    let twice = counter().reflex(Counter).in_memory().config(production());
    let refused = twice.build().expect_err("one name twice");
    assert!(matches!(refused, StartError::Reflexes(_)));
    assert!(refused.to_string().contains("Counter"), "{refused}");

    let elsewhere = std::thread::spawn(move || counter().in_memory().config(production()).build());
    let refused = elsewhere.join().expect("no panic").err();
    let refused = refused.expect("no runtime there").to_string();
    assert!(refused.contains("#[tokio::main]"), "{refused}");
}

#[tokio::test]
async fn development_makes_a_secret_of_its_own() {
    let data = tempfile::tempdir().expect("a directory");
    let mut config = config();
    config.edge.environment = sinew::config::Environment::Development;
    config.edge.data_directory = data.path().join("made/on/the/way");
    let signed = |config| {
        let app = counter().config(config).build().expect("builds");
        app.handle().sign_stream(&["news"])
    };
    let first = signed(config.clone());
    assert!(config.edge.data_directory.join(".gitignore").exists());
    assert_eq!(signed(config), first, "the same secret again");
}
