//! The pages and the HTTP side of the probes.

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Query},
    http::{StatusCode, Uri, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use minijinja::{Value, context};
use serde::Deserialize;
use serde_json::{Map, json};
use sinew::prelude::*;

use crate::{
    reflexes::{Assigned, Tick},
    templates,
};

/// The original's name for what answers at a route.
pub(crate) fn action_name(template: &str) -> &str {
    match template {
        "/" => "counter",
        "/items/{id}" => "item",
        other => other.trim_start_matches('/'),
    }
}

pub(crate) fn router() -> Router {
    Router::new()
        .route("/", get(counter))
        .route("/counter", get(counter))
        .route("/roots", get(with_count))
        .route("/selector", get(plain))
        .route("/nothing", get(with_value))
        .route("/args", get(plain))
        .route("/form", get(plain))
        .route("/dataset", get(plain))
        .route("/callbacks", get(plain))
        .route("/errors", get(with_value))
        .route("/ops", get(with_count))
        .route("/stream", get(stream))
        .route("/sess", get(with_value))
        .route("/flashes", get(flashes))
        .route("/permanent", get(permanent))
        .route("/misc", get(misc))
        .route("/turbo", get(with_count))
        .route("/html", get(plain))
        .route("/items/{id}", get(item))
        .route("/boom", get(boom))
        .route("/hop", get(hop))
        .route("/bare", get(bare))
        .route("/broadcast", post(broadcast))
        .route("/admin/{what}", post(admin))
        .route("/car", get(car))
        .route("/stats", get(stats))
        .route("/client.js", get(client))
        .route("/client-turbo.js", get(client_turbo))
}

/// Every page writes to the session on a request of its own, so that the visitor has one.
async fn touch(session: &Session, is_reflex: IsReflex) -> Result {
    if !is_reflex.0 && session.get::<bool>("seen").await? != Some(true) {
        session.set("seen", &true).await?;
    }
    Ok(())
}

async fn count_of(session: &Session) -> Result<i64> {
    Ok(session.get_or_default("count").await?)
}

async fn value_of(session: &Session) -> Result<String> {
    let value: Option<serde_json::Value> = session.get("value").await?;
    Ok(match value {
        None | Some(serde_json::Value::Null) => String::new(),
        Some(serde_json::Value::String(text)) => text,
        Some(other) => other.to_string(),
    })
}

/// The template of a path, in the layout with the script that the query asks for.
fn show(uri: &Uri, name: &str, values: Value) -> Result<Html<String>> {
    let turbo = uri
        .query()
        .unwrap_or_default()
        .split('&')
        .any(|pair| pair.split('=').next() == Some("turbo"));
    let client = if turbo { "client-turbo" } else { "client" };
    Ok(Html(templates::page(
        &format!("{name}.html"),
        values,
        client,
    )?))
}

async fn plain(session: Session, is_reflex: IsReflex, uri: Uri) -> Result<Html<String>> {
    touch(&session, is_reflex).await?;
    show(&uri, action_name(uri.path()), context! {})
}

async fn counter(
    session: Session,
    is_reflex: IsReflex,
    assigned: Option<axum::Extension<Assigned>>,
    uri: Uri,
) -> Result<Html<String>> {
    touch(&session, is_reflex).await?;
    // As in the original, the action sets the count after the reflex: only the note survives.
    let count = count_of(&session).await?;
    let note = assigned.map_or("", |assigned| assigned.0.note);
    show(&uri, "counter", context! { count, note })
}

async fn with_count(session: Session, is_reflex: IsReflex, uri: Uri) -> Result<Html<String>> {
    touch(&session, is_reflex).await?;
    let count = count_of(&session).await?;
    show(&uri, action_name(uri.path()), context! { count })
}

async fn with_value(session: Session, is_reflex: IsReflex, uri: Uri) -> Result<Html<String>> {
    touch(&session, is_reflex).await?;
    let value = value_of(&session).await?;
    show(&uri, action_name(uri.path()), context! { value })
}

async fn misc(session: Session, is_reflex: IsReflex, uri: Uri) -> Result<Html<String>> {
    touch(&session, is_reflex).await?;
    let (count, value) = (count_of(&session).await?, value_of(&session).await?);
    show(&uri, "misc", context! { count, value })
}

async fn flashes(
    session: Session,
    flash: Flash,
    is_reflex: IsReflex,
    uri: Uri,
) -> Result<Html<String>> {
    touch(&session, is_reflex).await?;
    let notice: Option<String> = flash.get("notice").await?;
    show(
        &uri,
        "flashes",
        context! { flash_notice => notice.unwrap_or_default() },
    )
}

async fn permanent(
    session: Session,
    is_reflex: IsReflex,
    tick: Option<axum::Extension<Tick>>,
    uri: Uri,
) -> Result<Html<String>> {
    touch(&session, is_reflex).await?;
    show(
        &uri,
        "permanent",
        context! { tick => tick.map_or("", |tick| tick.0.0) },
    )
}

async fn stream(
    sinew: SinewHandle,
    session: Session,
    is_reflex: IsReflex,
    uri: Uri,
) -> Result<Html<String>> {
    touch(&session, is_reflex).await?;
    let news = sinew.stream_from(&["news"]).to_string();
    let other = sinew
        .stream_from(&["other"])
        .attribute("id", "st2")
        .to_string();
    show(
        &uri,
        "stream",
        context! {
            news => Value::from_safe_string(news),
            other => Value::from_safe_string(other),
        },
    )
}

async fn item(
    session: Session,
    is_reflex: IsReflex,
    params: PageParams,
    uri: Uri,
) -> Result<Html<String>> {
    touch(&session, is_reflex).await?;
    // In the original, controller and action are parameters of the route as well.
    let mut seen = Map::new();
    for (name, value) in params.as_map() {
        if name == "id" {
            seen.insert("controller".to_owned(), json!("pages"));
            seen.insert("action".to_owned(), json!("item"));
        }
        seen.insert(name.clone(), value.clone());
    }
    show(&uri, "item", context! { seen => json!(seen).to_string() })
}

async fn boom(session: Session, is_reflex: IsReflex, uri: Uri) -> Result<Html<String>> {
    touch(&session, is_reflex).await?;
    if is_reflex.0 {
        return Err(Error::from("controller broke on re-render"));
    }
    show(&uri, "boom", context! {})
}

async fn hop(session: Session, is_reflex: IsReflex, uri: Uri) -> Result<Response> {
    touch(&session, is_reflex).await?;
    if is_reflex.0 {
        return Ok(Redirect::to("/counter").into_response());
    }
    Ok(show(&uri, "hop", context! {})?.into_response())
}

/// Touches no session: a socket opened from this page has no session id.
async fn bare() -> &'static str {
    "bare"
}

#[derive(Deserialize)]
struct Broadcast {
    kind: Option<String>,
    html: Option<String>,
}

/// A broadcast caused by a request: what a job or another visitor would do.
async fn broadcast(
    sinew: SinewHandle,
    session: Session,
    Query(params): Query<Broadcast>,
    body: Bytes,
) -> Result<StatusCode> {
    touch(&session, IsReflex(false)).await?;
    let cable_ready = sinew.cable_ready();
    match params.kind.as_deref() {
        Some("load") => {
            let message: serde_json::Value = serde_json::from_slice(&body)?;
            sinew.broadcaster().broadcast("load", &message).await?;
        }
        Some("version") => {
            let message = json!({
                "cableReady": true, "version": "5.0.0",
                "operations": [
                    { "operation": "innerHtml", "selector": "#news", "html": "from an old server" }
                ],
            });
            sinew.broadcaster().broadcast("news", &message).await?;
        }
        Some("multi") => {
            cable_ready
                .send("news", |operations| {
                    operations
                        .inner_html("#news", "<b>one</b>")
                        .append("#log", "<li>first</li>")
                        .append("#log", "<li>second</li>")
                        .add_css_class("#news", "fresh")
                })
                .await?;
            cable_ready
                .send("other", |operations| {
                    operations.text_content("#other", "other stream")
                })
                .await?;
        }
        Some("later") => {
            let mut news = cable_ready.to("news");
            news.text_content("#news", "from broadcast_later");
            news.broadcast_later()?;
        }
        _ => {
            let html = params.html.as_deref().unwrap_or("<b>hello</b>");
            cable_ready
                .send("news", |operations| operations.inner_html("#news", html))
                .await?;
        }
    }
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct Admin {
    value: Option<String>,
}

async fn admin(
    sinew: SinewHandle,
    session: Session,
    Path(what): Path<String>,
    Query(params): Query<Admin>,
) -> Result<StatusCode> {
    touch(&session, IsReflex(false)).await?;
    match what.as_str() {
        "restart" => sinew.cable().restart(),
        "disconnect" => sinew.disconnect(&session, true),
        "set" => session.set("value", &params.value).await?,
        _ => {}
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Operations in the body of an HTTP response.
async fn car(session: Session) -> Result<CableCar> {
    touch(&session, IsReflex(false)).await?;
    let mut car = CableCar::new();
    car.inner_html("#slot", "<i>car</i>")
        .console_log("from the car");
    Ok(car)
}

async fn stats(sinew: SinewHandle) -> Json<serde_json::Value> {
    Json(json!({
        "connections": sinew.cable().statistics().connections,
        "pid": std::process::id(),
    }))
}

fn javascript(source: &'static str) -> Response {
    (
        [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")],
        source,
    )
        .into_response()
}

async fn client() -> Response {
    javascript(include_str!(concat!(env!("OUT_DIR"), "/client.js")))
}

async fn client_turbo() -> Response {
    javascript(include_str!(concat!(env!("OUT_DIR"), "/client-turbo.js")))
}
