//! The pages, used without a browser and without a port.

use sinew_testing::{Tab, TestApp};

use crate::application::application;

/// Somebody who has never been here opens a page.
pub(crate) async fn visit(path: &str) -> Tab {
    TestApp::new(application()).visit(path).await
}

#[tokio::test]
async fn tabs_share_the_count_and_browsers_do_not() {
    let app = TestApp::new(application());
    let browser = app.browser();
    let mut one = browser.open_tab("/").await;
    let mut other = browser.open_tab("/").await;
    one.click("#increment").await;
    other.click("#increment").await;
    other.assert_text("#count", "2");
    app.visit("/").await.assert_text("#count", "0");
}

#[tokio::test]
async fn the_style_is_there() {
    let style = visit("/style.css").await;
    assert_eq!(style.status(), 200);
}
