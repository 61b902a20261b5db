//! What reflexes do to the session of their visitor.

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use sinew::prelude::*;
use sinew_testing::TestApp;

struct Login;

#[reflex]
impl Login {
    async fn sign_in(&self, cx: &mut Reflex) -> Result {
        cx.session().renew_id();
        cx.session().set("user", "ada").await?;
        Ok(())
    }

    async fn greet(&self, cx: &mut Reflex) -> Result {
        cx.session().set("greeting", "hello").await?;
        Ok(())
    }
}

async fn index(session: Session, client: ClientTags) -> Result<Html<String>> {
    let user: String = session.get_or_default("user").await?;
    let greeting: String = session.get_or_default("greeting").await?;
    Ok(Html(format!(
        r#"<head>{client}</head><body><p id=user>{greeting} {user}</p>
        <button id=in data-reflex="click->Login#sign_in"></button>
        <button id=greet data-reflex="click->Login#greet"></button></body>"#
    )))
}

fn application() -> Sinew {
    Sinew::new(Router::new().route("/", get(index))).reflex(Login)
}

#[tokio::test]
async fn what_a_reflex_does_to_a_session_reaches_its_cookie() {
    for sinew in [application(), application().cookie_sessions()] {
        let app = TestApp::new(sinew);
        let mut tab = app.visit("/").await;
        let before = tab.browser().cookie("_sinew_session");
        tab.click("#in").await;
        assert_ne!(tab.browser().cookie("_sinew_session"), before);
        tab.click("#greet").await;
        tab.assert_text("#user", "hello ada");
        tab.reload().await;
        tab.assert_text("#user", "hello ada");
    }
}
