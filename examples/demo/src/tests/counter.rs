use super::app;

#[tokio::test]
async fn each_click_counts_and_the_page_is_morphed() {
    let mut tab = app().visit("/").await;
    tab.assert_text("#count", "0");
    tab.click("#increment").await;
    tab.click("#by-ten").await;
    tab.assert_text("#count", "11");
    assert_eq!(tab.outcome().morph(), Some("page"));
}

#[tokio::test]
async fn starting_again_morphs_the_count_alone_and_lasts() {
    let mut tab = app().visit("/").await;
    tab.click("#by-ten").await;
    tab.click("#reset").await;
    tab.assert_text("#count", "0");
    assert_eq!(tab.outcome().morph(), Some("selector"));
    tab.reload().await;
    tab.assert_text("#count", "0");
}

#[tokio::test]
async fn tabs_share_a_session_and_browsers_do_not() {
    let app = app();
    let browser = app.browser();
    let (mut one, mut other) = (browser.open_tab("/").await, browser.open_tab("/").await);
    one.click("#increment").await;
    other.click("#increment").await;
    other.assert_text("#count", "2");
    app.visit("/").await.assert_text("#count", "0");
}
