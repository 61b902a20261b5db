use axum::Router;
use axum::extract::{OriginalUri, Path};
use axum::response::{Html, Redirect};
use axum::routing::get;
use http::Uri;
use serde_json::json;
use sinew::config::{BasePath, Config};
use sinew::{client, prelude::*};

use crate::application::counter;
use crate::browser::Browser;
use crate::server::{Server, config};

fn below(path: &str) -> Config {
    let mut config = config();
    config.edge.base_path = path.parse().expect("a path");
    config
}

struct Items;

#[reflex]
impl Items {
    /// What extractors and the reflex itself see of the page's address.
    async fn addresses(&self, cx: &mut Reflex) -> Result {
        let uri: Uri = cx.extract().await?;
        let OriginalUri(original) = cx.extract().await?;
        let base: BasePath = cx.extract().await?;
        let template = cx.route().await?.template.clone();
        let params = cx.params().await?;
        let link = cx.state::<SinewHandle>().path("/items/8");
        cx.set_payload(json!({
            "uri": uri.to_string(),
            "original": original.to_string(),
            "base": base.as_str(),
            "template": template,
            "id": params.get("id"),
            "link": link,
        }));
        cx.morph_nothing();
        Ok(())
    }

    async fn show(&self, _: &mut Reflex) -> Result {
        Ok(())
    }

    async fn leave(&self, cx: &mut Reflex) -> Result {
        cx.session().set("gone", &true).await?;
        Ok(())
    }
}

async fn item(
    Path(id): Path<u32>,
    uri: Uri,
    OriginalUri(original): OriginalUri,
    base: BasePath,
    session: Session,
    client: ClientTags,
) -> Result<std::result::Result<Html<String>, Redirect>> {
    if session.get_or_default("gone").await? {
        return Ok(Err(Redirect::to(&client.path("/elsewhere"))));
    }
    let link = client.path("/items/8");
    Ok(Ok(Html(format!(
        "<html><head>{client}</head><body><p>{id} {uri} {original} {base} {link}</p></body></html>"
    ))))
}

fn items() -> Sinew {
    Sinew::new(Router::new().route("/items/{id}", get(item))).reflex(Items)
}

const SEEN: &str = "<p>7 /items/7?q=1 /app/items/7?q=1 /app /app/items/8</p>";

#[tokio::test]
async fn a_page_is_the_same_whether_the_proxy_strips_or_not() {
    let server = Server::with(items(), below("/app")).await;
    for path in ["/app/items/7?q=1", "/items/7?q=1"] {
        let mut browser = Browser::new(&server);
        let page = browser.get(path).await;
        assert!(page.body.contains(SEEN), "{}", page.body);
        for tag in [
            r#"<meta name="action-cable-url" content="/app/cable">"#,
            &*format!(r#"<script src="/app{}""#, client::SCRIPT.path),
        ] {
            assert!(page.body.contains(tag), "{}", page.body);
        }
        let cookie = page.header("set-cookie").expect("a cookie");
        assert!(cookie.contains("; Path=/app; "), "{cookie}");
    }
    let mut browser = Browser::new(&server);
    for path in [client::SCRIPT.path, "/health"] {
        assert_eq!(browser.get(path).await.status, 200, "{path}");
        assert_eq!(
            browser.get(&format!("/app{path}")).await.status,
            200,
            "{path}"
        );
        assert_eq!(
            browser.get(&format!("/apple{path}")).await.status,
            404,
            "{path}"
        );
    }
}

#[tokio::test]
async fn the_cable_is_found_with_and_without_the_path() {
    let server = Server::with(counter(), below("/app")).await;
    let mut browser = Browser::visit(&server, "/app").await;
    for path in ["/app/cable", "/cable"] {
        let mut tab = browser.clone().cable_at(path).tab("/app").await;
        let reply = tab.perform("Counter#increment", json!([1])).await;
        assert!(reply.html().contains("count"), "{reply:?}");
    }
    assert_eq!(browser.get("/app/count").await.body, "2");
}

#[tokio::test]
async fn a_page_morph_finds_the_page_behind_the_browsers_address() {
    let server = Server::with(items(), below("/app")).await;
    let browser = Browser::visit(&server, "/app/items/7").await;
    let mut tab = browser.tab("/app/items/7?q=1").await;
    let reply = tab.perform("Items#show", json!([])).await;
    assert_eq!(reply.html(), SEEN);

    let reply = tab.perform("Items#addresses", json!([])).await;
    assert_eq!(
        reply.payload(),
        &json!({
            "uri": "/items/7?q=1",
            "original": "/app/items/7?q=1",
            "base": "/app",
            "template": "/items/{id}",
            "id": "7",
            "link": "/app/items/8",
        })
    );

    // Written with the path, a redirect leads where the browser finds it.
    let reply = tab.perform("Items#leave", json!([])).await;
    assert_eq!(reply.operations[0]["url"], "/app/elsewhere");
}

#[tokio::test]
async fn an_application_may_be_nested_below_its_path() {
    let sinew = items().config(below("/app")).in_memory();
    let server = Server::inside(sinew, |router| Router::new().nest("/app", router)).await;
    let page = Browser::new(&server).get("/app/items/7?q=1").await;
    assert!(page.body.contains(SEEN), "{}", page.body);
}
