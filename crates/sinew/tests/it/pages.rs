use std::collections::HashMap;
use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Path, Query, Request, State};
use axum::middleware::{self, Next as NextLayer};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::get;
use axum::{Extension, Router};
use futures_util::stream;
use http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::json;
use sinew::prelude::*;

use crate::browser::{Browser, Tab};
use crate::server::{Server, config};

#[derive(Clone)]
struct Shop(&'static str);

#[derive(Clone)]
struct Motto(&'static str);

#[derive(Clone)]
struct Inside;

#[derive(Clone)]
struct Outside;

/// What the reflex hands to the page.
#[derive(Clone)]
struct Assigned {
    discount: u32,
}

/// Everything a handler can see of its request.
#[expect(clippy::too_many_arguments, reason = "that is the point")]
async fn item(
    State(Shop(shop)): State<Shop>,
    Extension(Motto(motto)): Extension<Motto>,
    Path(id): Path<u32>,
    Query(query): Query<HashMap<String, String>>,
    IsReflex(is_reflex): IsReflex,
    assigned: Option<Extension<Assigned>>,
    inside: Option<Extension<Inside>>,
    outside: Option<Extension<Outside>>,
    session: Session,
    flash: Flash,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    (method, uri, headers): (Method, Uri, HeaderMap),
) -> Result<Html<String>> {
    session.ensure();
    let header = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or("-").to_owned()
    };
    assert!(peer.ip().is_loopback());
    let facts = [
        format!("{method} {uri}"),
        format!("shop {shop}"),
        format!("motto {motto}"),
        format!("id {id}"),
        format!("color {}", query.get("color").map_or("-", String::as_str)),
        format!("reflex {is_reflex}"),
        format!("discount {}", assigned.map_or(0, |it| it.discount)),
        format!("inside {}", inside.is_some()),
        format!("outside {}", outside.is_some()),
        format!("language {}", header("accept-language")),
        format!("upgrade {}", header("upgrade")),
        format!("cookie {}", header("cookie").contains("_sinew_session=")),
        format!("seen {}", session.get_or_default::<u32>("seen").await?),
        format!(
            "notice {}",
            flash.get::<String>("notice").await?.unwrap_or_default()
        ),
    ];
    Ok(Html(format!("<p>{}</p>", facts.join(", "))))
}

async fn inside(mut request: Request, next: NextLayer) -> Response {
    request.extensions_mut().insert(Inside);
    next.run(request).await
}

async fn outside(mut request: Request, next: NextLayer) -> Response {
    request.extensions_mut().insert(Outside);
    next.run(request).await
}

/// Lets in who has signed in.
async fn guard(session: Session, request: Request, next: NextLayer) -> Result<Response> {
    if session.get::<String>("user").await?.is_none() {
        return Ok(StatusCode::UNAUTHORIZED.into_response());
    }
    Ok(next.run(request).await)
}

struct Items;

#[reflex]
impl Items {
    async fn touch(&self, cx: &mut Reflex) -> Result {
        cx.session().update("seen", |seen: u32| seen + 1).await?;
        cx.flash().set("notice", &"touched").await?;
        cx.assign(Assigned { discount: 7 });
        Ok(())
    }

    async fn refresh(&self, _cx: &mut Reflex) -> Result {
        Ok(())
    }

    async fn sign_in(&self, cx: &mut Reflex) -> Result {
        cx.session().set("user", &"ada").await?;
        Ok(())
    }

    async fn sign_out(&self, cx: &mut Reflex) -> Result {
        cx.session().remove("user").await?;
        Ok(())
    }
}

fn router() -> Router {
    Router::new()
        .route("/account", get(async || Html("<p>secret</p>")))
        .route_layer(middleware::from_fn(guard))
        .route("/items/{id}", get(item))
        .route("/hop", get(async || Redirect::to("/items/1?hopped")))
        .route(
            "/status/{code}",
            get(async |Path(code): Path<u16>| {
                let status = StatusCode::from_u16(code).expect("a status");
                (status, Html("<p>the cause</p>"))
            }),
        )
        .route("/empty", get(async || Html("")))
        .route("/large", get(async || Html("<p>x</p>".repeat(1000))))
        .route("/binary", get(async || b"\xff\xfe".to_vec()))
        .route(
            "/panic",
            get(async || -> Html<String> { panic!("the cause") }),
        )
        .route(
            "/endless",
            get(async || {
                let part = || Ok::<_, Infallible>(Bytes::from_static(b"<p>again</p>"));
                Body::from_stream(stream::repeat_with(part))
            }),
        )
        .route(
            "/stuck",
            get(async || {
                Body::from_stream(stream::pending::<std::result::Result<Bytes, Infallible>>())
            }),
        )
        .route("/hang", get(async || pending::<Html<String>>().await))
        .layer(middleware::from_fn(inside))
        .layer(Extension(Motto("fresh")))
        .with_state(Shop("corner"))
}

async fn server() -> Server {
    let mut config = config();
    config.page_bytes_max = 5000;
    config.reflex.page_time_limit = Duration::from_millis(50);
    let sinew = Sinew::new(router())
        .reflex(Items)
        .config(config)
        .in_memory();
    Server::inside(sinew, |router| router.layer(middleware::from_fn(outside))).await
}

async fn tab(server: &Server) -> Tab {
    let browser = Browser::visit(server, "/items/3").await;
    browser.tab("/items/3").await
}

#[tokio::test]
async fn page_morph_runs_the_handler_as_http_does() {
    let server = server().await;
    let mut browser = Browser::new(&server).header("accept-language", "de");
    browser.get("/items/3").await;
    let loaded = browser.get("/items/3?color=red").await.body;
    assert_eq!(
        loaded,
        "<p>GET /items/3?color=red, shop corner, motto fresh, id 3, color red, reflex false, \
         discount 0, inside true, outside true, language de, upgrade -, cookie true, seen 0, notice </p>"
    );
    let mut tab = browser.tab("/items/3?color=red#top").await;
    let morphed = tab.perform("Items#touch", json!([])).await;
    assert_eq!(
        morphed.html(),
        "<p>GET /items/3?color=red, shop corner, motto fresh, id 3, color red, reflex true, \
         discount 7, inside true, outside false, language de, upgrade -, cookie true, seen 1, \
         notice touched</p>"
    );
    // What was assigned and said belongs to that one page.
    let morphed = tab.perform("Items#refresh", json!([])).await;
    assert!(morphed.html().contains("discount 0, "), "{morphed:?}");
    assert!(
        morphed.html().ends_with("seen 1, notice </p>"),
        "{morphed:?}"
    );
}

#[tokio::test]
async fn layer_judges_by_the_session_of_the_reflex() {
    let server = server().await;
    let browser = Browser::visit(&server, "/items/3").await;
    let mut tab = browser.tab("/account").await;
    let refused = tab.perform("Items#refresh", json!([])).await;
    refused.expect_event("forbidden");
    let morphed = tab.perform("Items#sign_in", json!([])).await;
    assert_eq!(morphed.html(), "<p>secret</p>");
    let refused = tab.perform("Items#sign_out", json!([])).await;
    refused.expect_event("forbidden");
    assert!(!format!("{refused:?}").contains("secret"));
}

#[tokio::test]
async fn redirect_becomes_a_visit() {
    let server = server().await;
    let mut tab = tab(&server).await;
    let call = tab.call("Items#refresh").with("url", "http://app.test/hop");
    let reply = tab.answer(call).await;
    assert_eq!(reply.operations.len(), 2);
    assert_eq!(reply.operations[0]["operation"], "redirectTo");
    assert_eq!(reply.operations[0]["url"], "/items/1?hopped");
    reply.expect_event("nothing");
}

#[tokio::test]
async fn status_of_the_page_ends_the_reflex() {
    let server = server().await;
    let mut tab = tab(&server).await;
    for (code, event) in [
        (201, None),
        (401, Some("forbidden")),
        (403, Some("forbidden")),
        (404, Some("error")),
        (410, Some("error")),
        (500, Some("error")),
        (503, Some("error")),
    ] {
        let url = format!("http://app.test/status/{code}");
        let call = tab.call("Items#refresh").with("url", url);
        let reply = tab.answer(call).await;
        assert_eq!(reply.event(), event, "{code}");
        if event == Some("error") {
            assert_eq!(reply.error(), "The page could not be rendered.");
            assert!(!format!("{reply:?}").contains("the cause"));
        }
    }
    let call = tab.call("Items#refresh").with("url", "/no/such/page");
    assert_eq!(
        tab.answer(call).await.error(),
        "The page could not be rendered."
    );
}

#[tokio::test]
async fn page_with_nothing_to_show_is_answered() {
    let server = server().await;
    let mut tab = tab(&server).await;
    let call = tab.call("Items#refresh").with("url", "/empty");
    tab.answer(call).await.expect_event("nothing");
    let call = tab
        .call("Items#refresh")
        .with("selectors", json!(["#gone"]));
    assert_eq!(
        tab.answer(call).await.error(),
        "The page could not be rendered."
    );
}

#[tokio::test]
async fn page_that_fails_fails_its_reflex_alone() {
    let server = server().await;
    let mut tab = tab(&server).await;
    for (url, sentence) in [
        ("/large", "The page could not be rendered."),
        ("/binary", "The page could not be rendered."),
        ("/panic", "Something went wrong on the server."),
        ("/endless", "The page could not be rendered."),
        ("/stuck", "This action took too long and was stopped."),
        ("/hang", "This action took too long and was stopped."),
    ] {
        let call = tab.call("Items#touch").with("url", url);
        assert_eq!(tab.answer(call).await.error(), sentence, "{url}");
    }
    // The connection lives, and what the reflexes wrote is kept.
    let morphed = tab.perform("Items#refresh", json!([])).await;
    assert!(morphed.html().contains("seen 6"), "{morphed:?}");
    let statistics = server.app.engine().statistics();
    assert_eq!((statistics.panics, statistics.timeouts), (1, 2));
}
