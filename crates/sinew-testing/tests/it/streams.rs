//! Broadcasts, and time.

use std::time::Duration;

use crate::application::app;

#[tokio::test]
async fn a_broadcast_reaches_every_tab_that_shows_its_stream() {
    let app = app();
    let (mut ada, mut grace) = (app.visit("/").await, app.visit("/").await);
    let ready = app.handle().cable_ready();
    ready
        .send("news", |it| it.inner_html("#news", "<b>rain</b>"))
        .await
        .expect("sent");
    ada.until("#news", "rain").await;
    grace.wait_for_broadcast().await;
    grace.assert_text("#news", "rain");
    assert_eq!(grace.operations()[0].name(), "innerHtml");
}

#[tokio::test(start_paused = true)]
async fn a_long_job_takes_no_time() {
    let mut tab = app().visit("/").await;
    tab.click("#work").await;
    tab.wait(Duration::from_secs(4)).await;
    tab.assert_text("#news", "no news");
    tab.until("#news", "the job is done").await;
}
