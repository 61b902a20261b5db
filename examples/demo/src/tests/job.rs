//! Time runs by itself here: a job of three seconds is over at once.

use std::time::Duration;

use sinew_testing::Tab;

use super::app;

/// Whether a button is pressed for nothing.
fn is_idle(tab: &Tab, button: &str) -> bool {
    tab.attribute(button, "aria-disabled").as_deref() == Some("true")
}

#[tokio::test(start_paused = true)]
async fn a_job_reports_until_it_is_done() {
    let mut tab = app().visit("/job").await;
    tab.assert_text("#state", "Nothing to do.");
    assert!(is_idle(&tab, "#stop") && !is_idle(&tab, "#start"));
    tab.click("#start").await;
    tab.assert_text("#state", "Working …");
    assert!(is_idle(&tab, "#start") && !is_idle(&tab, "#stop"));

    tab.until("#percent", "50 %").await;
    assert_eq!(tab.attribute("#progress", "value").as_deref(), Some("10"));
    let since = tokio::time::Instant::now();
    tab.until("#state", "Done.").await;
    let took = since.elapsed();
    assert!(
        (1_400..1_600).contains(&took.as_millis()),
        "the other half took {took:?}"
    );
    tab.assert_text("#percent", "100 %");
    assert!(!is_idle(&tab, "#start"));

    tab.click("#start").await;
    tab.until("#percent", "5 %").await;
}

#[tokio::test(start_paused = true)]
async fn a_job_is_stopped_at_its_next_step() {
    let mut tab = app().visit("/job").await;
    tab.click("#start").await;
    tab.until("#percent", "25 %").await;
    tab.click("#stop").await;
    tab.until("#state", "Stopped.").await;
    tab.assert_text("#percent", "0 %");
    // And says no more.
    tab.wait(Duration::from_secs(5)).await;
    tab.assert_text("#state", "Stopped.");
}

#[tokio::test(start_paused = true)]
async fn a_second_tab_and_a_reload_see_it_go_on() {
    let app = app();
    let browser = app.browser();
    let (mut tab, mut other) = (browser.visit("/job").await, browser.open_tab("/job").await);
    let mut stranger = app.visit("/job").await;
    tab.click("#start").await;
    other.until("#state", "Working …").await;
    other.until("#percent", "20 %").await;
    tab.reload().await;
    tab.assert_text("#state", "Working …");
    tab.until("#percent", "40 %").await;
    browser
        .open_tab("/job")
        .await
        .assert_text("#state", "Working …");

    other.click("#stop").await;
    tab.until("#state", "Stopped.").await;
    stranger.wait(Duration::from_secs(1)).await;
    stranger.assert_text("#state", "Nothing to do.");
}

#[tokio::test(start_paused = true)]
async fn starting_twice_is_one_job() {
    let mut tab = app().visit("/job").await;
    tab.click("#start").await;
    tab.until("#percent", "50 %").await;
    tab.click("#start").await;
    tab.assert_text("#percent", "50 %");
    tab.until("#state", "Done.").await;
}

#[tokio::test(start_paused = true)]
async fn a_page_that_lost_its_connection_catches_up() {
    let mut tab = app().visit("/job").await;
    tab.click("#start").await;
    tab.until("#percent", "10 %").await;
    tab.lose_connection().await;
    tab.wait(Duration::from_secs(10)).await;
    tab.assert_text("#percent", "10 %");
    tab.reconnect().await;
    tab.assert_text("#state", "Nothing to do.");
}

#[tokio::test(start_paused = true)]
async fn one_job_too_many_is_asked_to_come_again() {
    let app = app();
    let mut tabs = Vec::new();
    for _ in 0..100 {
        tabs.push(app.visit("/job").await);
    }
    let mut late = app.visit("/job").await;
    for tab in &mut tabs {
        tab.click("#start").await;
        tab.assert_text("#state", "Working …");
    }
    late.click("#start").await;
    late.assert_text("#state", "Too many jobs at once. Come again.");
    late.wait(Duration::from_secs(5)).await;
    late.click("#start").await;
    late.assert_text("#state", "Working …");
}
