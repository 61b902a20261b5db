//! Any template engine: a reflex renders whatever turns into a string of HTML.
//!
//! `cargo run -p templates` serves one page twice, from askama at `/` and from minijinja at
//! `/minijinja`. Both are driven by the same reflex: a vote morphs the page, starting again
//! morphs one part, which the reflex renders with the engine of the page that asked.

mod lunch;
mod with_askama;
mod with_minijinja;

use axum::{Router, response::Html, routing::get};
use sinew::prelude::*;

use crate::lunch::Votes;

/// The reflex of both pages.
#[derive(Clone)]
struct Lunch;

#[reflex]
impl Lunch {
    /// Counts a vote. Nothing is said about what to morph, so the page is rendered again by its
    /// own handler, whichever engine that uses.
    async fn vote(&self, cx: &mut Reflex) -> Result {
        let Some(dish) = cx.element().dataset().get("dish").map(str::to_owned) else {
            return Ok(());
        };
        cx.session()
            .update(lunch::FIELD, move |mut votes: Votes| {
                *votes.entry(dish.clone()).or_default() += 1;
                votes
            })
            .await?;
        Ok(())
    }

    /// Forgets all votes and morphs the list alone.
    async fn clear(&self, cx: &mut Reflex) -> Result {
        cx.session().remove(lunch::FIELD).await?;
        let dishes = lunch::count(&Votes::new());
        let html = match cx.element().dataset().get("engine") {
            Some("minijinja") => with_minijinja::part(&dishes)?,
            _ => with_askama::part(dishes)?,
        };
        cx.morph("#votes", html);
        Ok(())
    }
}

async fn askama_page(session: Session, client: ClientTags) -> Result<Html<String>> {
    let dishes = lunch::dishes(&session).await?;
    Ok(Html(with_askama::page(client, dishes)?))
}

async fn minijinja_page(session: Session, client: ClientTags) -> Result<Html<String>> {
    let dishes = lunch::dishes(&session).await?;
    Ok(Html(with_minijinja::page(&client, &dishes)?))
}

#[tokio::main]
async fn main() -> Result {
    Sinew::new(router())
        .reflex(Lunch)
        .watch_templates(with_minijinja::FOLDER)
        .serve()
        .await
}

fn router() -> Router {
    Router::new()
        .route("/", get(askama_page))
        .route("/minijinja", get(minijinja_page))
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tower::ServiceExt as _;

    use super::*;

    #[test]
    fn both_engines_render_the_same_part() -> Result {
        let dishes = lunch::count(&Votes::from([("Fish & chips".to_owned(), 2)]));
        let from_minijinja = with_minijinja::part(&dishes)?;
        let from_askama = with_askama::part(dishes)?;
        let html = unescaped(&from_askama);
        assert!(
            html.contains(r#"data-reflex="click->Lunch#vote""#),
            "{html}"
        );
        assert_eq!(html.matches("<output>2</output>").count(), 1, "{html}");
        assert_eq!(unescaped(&from_minijinja), html);
        Ok(())
    }

    #[tokio::test]
    async fn both_pages_carry_the_client_and_the_part() -> Result {
        let app = Sinew::new(router()).reflex(Lunch).in_memory().build()?;
        for path in ["/", "/minijinja"] {
            let request = Request::get(path).body(Body::empty())?;
            let response = app.router().clone().oneshot(request).await?;
            let html = to_bytes(response.into_body(), 100_000).await?;
            let html = String::from_utf8(html.into())?;
            let part = with_askama::part(lunch::count(&Votes::new()))?;
            assert!(
                html.contains(r#"<meta name="action-cable-url""#),
                "{path}: {html}"
            );
            assert!(
                unescaped(&html).contains(&unescaped(&part)),
                "{path}: {html}"
            );
        }
        Ok(())
    }

    /// Engines escape with different references, and both are right.
    fn unescaped(html: &str) -> String {
        html.replace("&#38;", "&")
            .replace("&amp;", "&")
            .replace("&#62;", ">")
            .replace("&gt;", ">")
    }
}
