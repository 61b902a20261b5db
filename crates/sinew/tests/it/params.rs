use std::collections::HashMap;

use axum::extract::{MatchedPath, OriginalUri, Path, Query};
use axum::response::Html;
use axum::routing::get;
use axum::{Extension, Router};
use http::HeaderMap;
use serde_json::{Value, json};
use sinew::prelude::*;

use crate::browser::{Browser, Tab};
use crate::server::Server;

#[derive(Clone)]
struct Shop(&'static str);

struct Probe;

#[reflex]
impl Probe {
    async fn params(&self, cx: &mut Reflex) -> Result {
        let params = cx.params().await?.as_map().clone();
        let route = cx.route().await?;
        let values: HashMap<_, _> = route.params.iter().cloned().collect();
        cx.set_payload(json!({"params": params, "template": route.template, "values": values}));
        Ok(())
    }

    async fn extractors(&self, cx: &mut Reflex) -> Result {
        let Query(query) = cx.extract::<Query<HashMap<String, String>>>().await?;
        let headers = cx.extract::<HeaderMap>().await?;
        let session = cx.extract::<Session>().await?;
        let Extension(Shop(shop)) = cx.extract::<Extension<Shop>>().await?;
        let handle = cx.extract::<SinewHandle>().await?;
        let Path((shelf, id)) = cx.extract::<Path<(String, u32)>>().await?;
        let template = cx.extract::<MatchedPath>().await?;
        cx.set_payload(json!({
            "color": query["color"],
            "language": headers["accept-language"].to_str().unwrap_or_default(),
            "same_session": session.id() == cx.session().id(),
            "shop": shop,
            "same_shop": cx.state::<Shop>().0 == shop,
            "connections": handle.cable().statistics().connections,
            "place": [shelf, id.to_string(), template.as_str()],
        }));
        cx.morph_nothing();
        Ok(())
    }

    async fn extract_path(&self, cx: &mut Reflex) -> Result {
        let refused = cx.extract::<Path<(String, u32)>>().await.err();
        cx.set_payload(json!({"refused": refused.map(|error| error.chain())}));
        cx.morph_nothing();
        Ok(())
    }

    async fn extract_what_is_not_there(&self, cx: &mut Reflex) -> Result {
        cx.extract::<Query<HashMap<String, u8>>>().await?;
        Ok(())
    }
}

async fn item(
    Path((shelf, id)): Path<(String, u32)>,
    OriginalUri(uri): OriginalUri,
    client: ClientTags,
) -> Html<String> {
    let _ = client;
    Html(format!("<p>{shelf} {id} {uri}</p>"))
}

/// What a page sees of the parameters, in a request and in a page morph.
async fn search(params: PageParams, client: ClientTags) -> Html<String> {
    let _ = client;
    Html(format!("<p>{}</p>", Value::Object(params.as_map().clone())))
}

fn router() -> Router {
    let shelves = Router::new().route("/items/{id}", get(item).delete(async || "deleted"));
    Router::new()
        .nest("/shelves/{shelf}", shelves)
        .route("/search/{kind}", get(search))
        .fallback(async || -> Html<String> { panic!("nobody asked for this page") })
}

async fn tab() -> (Server, Tab) {
    let sinew = Sinew::new(router()).reflex(Probe).state(Shop("corner"));
    let server = Server::start(sinew).await;
    let mut browser = Browser::new(&server).header("accept-language", "de");
    assert_eq!(browser.get("/shelves/top/items/42").await.status, 200);
    let tab = browser.tab("/shelves/top/items/42").await;
    (server, tab)
}

#[tokio::test]
async fn parameters_come_from_everywhere() {
    let (_server, mut tab) = tab().await;
    let call = tab
        .call("Probe#params")
        .with(
            "url",
            "http://app.test/shelves/b%20c/items/42?user[name]=query&page=2",
        )
        .with(
            "formData",
            "user%5Bname%5D=form&user%5Bnews%5D=1&tags%5B%5D=a",
        )
        .with("params", json!({"user": {"age": 7}, "flag": true}));
    let reply = tab.answer(call).await;
    assert_eq!(
        reply.payload()["params"],
        json!({
            "user": {"name": "query", "news": "1", "age": 7},
            "page": "2",
            "shelf": "b c",
            "id": "42",
            "tags": ["a"],
            "flag": true,
        })
    );
}

/// Whatever a client calls its fields, the page it is on stays the page it is on.
#[tokio::test]
async fn routing_has_the_last_word() {
    let (_server, mut tab) = tab().await;
    let call = tab
        .call("Probe#params")
        .with(
            "url",
            "http://app.test/shelves/top/items/42?id=7&shelf=query&action=destroy&controller=admin",
        )
        .with("formData", "id=9&shelf=form&action=form&controller=form")
        .with(
            "params",
            json!({"id": 11, "shelf": {"a": "b"}, "controller": "js"}),
        );
    let reply = tab.answer(call).await;
    let payload = reply.operations[0]["payload"].clone();
    assert_eq!(payload["template"], "/shelves/{shelf}/items/{id}");
    assert_eq!(payload["values"], json!({"shelf": "top", "id": "42"}));
    assert_eq!(payload["params"]["id"], "42");
    assert_eq!(payload["params"]["shelf"], "top");
    // The handler of the page ran, with the path's own values.
    let html = reply.html();
    assert!(
        html.starts_with("<p>top 42 /shelves/top/items/42?id=7"),
        "{html}"
    );
}

#[tokio::test]
async fn page_sees_the_parameters_of_its_reflex() {
    let (server, mut tab) = tab().await;
    let loaded = Browser::visit(&server, "/search/books?page=2&kind=x").await;
    let loaded = loaded.clone().get("/search/books?page=2&kind=x").await.body;
    assert_eq!(loaded, r#"<p>{"page":"2","kind":"books"}</p>"#);
    let call = tab
        .call("Probe#params")
        .with("url", "http://app.test/search/books?page=2&kind=x")
        .with("formData", "q=rust&page=9&kind=form");
    let reply = tab.answer(call).await;
    assert_eq!(
        reply.html(),
        r#"<p>{"page":"2","kind":"books","q":"rust"}</p>"#
    );
}

#[tokio::test]
async fn page_without_a_route_has_no_parameters() {
    let (_server, mut tab) = tab().await;
    for url in ["/no/such/page", "http://[bad", "javascript:x"] {
        let call = tab.call("Probe#params").with("url", url);
        assert_eq!(
            tab.answer(call).await.error(),
            "The server did not understand the address of this page.",
            "{url}"
        );
    }
}

#[tokio::test]
async fn extractors_of_the_application_work_in_reflexes() {
    let (_server, mut tab) = tab().await;
    let url = "http://app.test/shelves/top/items/42?color=red";
    let call = tab.call("Probe#extractors").with("url", url);
    let reply = tab.answer(call).await;
    assert_eq!(
        reply.payload(),
        &json!({
            "color": "red",
            "language": "de",
            "sameSession": true,
            "shop": "corner",
            "sameShop": true,
            "connections": 1,
            "place": ["top", "42", "/shelves/{shelf}/items/{id}"],
        })
    );
    let call = tab.call("Probe#extract_what_is_not_there").with("url", url);
    assert_eq!(
        tab.answer(call).await.error(),
        "Something went wrong on the server."
    );
}

#[tokio::test]
async fn a_path_that_cannot_be_extracted_says_why() {
    let (_server, mut tab) = tab().await;
    for (url, said) in [
        ("/no/such/page", "No paths parameters found"),
        ("/shelves/top/items/lots", "with value `lots` to a `u32`"),
    ] {
        let call = tab.call("Probe#extract_path").with("url", url);
        let reply = tab.answer(call).await;
        let refused = reply.payload()["refused"].as_str().unwrap_or_default();
        assert!(refused.contains(said), "{url}: {refused}");
    }
}
