use sinew_testing::Tab;

use super::app;

const LAST: &str = "#messages li:last-child";

async fn say(tab: &mut Tab, text: &str) {
    tab.fill("#text", text).await;
    tab.press("#text", "Enter").await;
}

#[tokio::test]
async fn two_visitors_hear_each_other() {
    let app = app();
    let (mut ada, mut bob) = (app.visit("/chat").await, app.visit("/chat").await);
    ada.fill("#name", " Ada ").await;
    say(&mut ada, "  <i>Hello</i>  ").await;
    bob.until(LAST, "Ada <i>Hello</i>").await;
    bob.assert_missing("#messages i");
    ada.until(LAST, "Ada <i>Hello</i>").await;
    ada.assert_text("#text", "");
    assert!(ada.is_focused("#text"));

    say(&mut bob, "Hi").await;
    ada.until(LAST, "Somebody Hi").await;
    assert_eq!(ada.count("#messages li"), 2);
}

#[tokio::test]
async fn what_somebody_else_is_typing_is_left_alone() {
    let app = app();
    let (mut ada, mut bob) = (app.visit("/chat").await, app.visit("/chat").await);
    bob.fill("#text", "half a sen").await;
    say(&mut ada, "Hello").await;
    bob.until(LAST, "Somebody Hello").await;
    bob.assert_text("#text", "half a sen");
}

#[tokio::test]
async fn silence_is_not_sent() {
    let app = app();
    let (mut ada, mut bob) = (app.visit("/chat").await, app.visit("/chat").await);
    say(&mut ada, "   ").await;
    assert_eq!(ada.outcome().morph(), Some("nothing"));
    say(&mut ada, "Hello").await;
    bob.until(LAST, "Somebody Hello").await;
    assert_eq!(bob.count("#messages li"), 1);
}

#[tokio::test]
async fn a_name_and_what_was_said_last() {
    let app = app();
    let browser = app.browser();
    let mut tab = browser.visit("/chat").await;
    tab.fill("#name", "Ada").await;
    say(&mut tab, "Hello").await;
    tab.reload().await;
    tab.assert_text("#name", "Ada");
    tab.assert_text(LAST, "Ada Hello");
    let stranger = app.visit("/chat").await;
    stranger.assert_text("#name", "");
    stranger.assert_text(LAST, "Ada Hello");
}

#[tokio::test]
async fn the_oldest_message_is_forgotten_on_every_page() {
    let app = app();
    let (mut ada, mut bob) = (app.visit("/chat").await, app.visit("/chat").await);
    for number in 1..=51 {
        say(&mut ada, &number.to_string()).await;
    }
    bob.until(LAST, "Somebody 51").await;
    assert_eq!(bob.count("#messages li"), 50);
    bob.assert_text("#messages li:first-child", "Somebody 2");
    bob.reload().await;
    assert_eq!(bob.count("#messages li"), 50);
}

#[tokio::test]
async fn who_was_away_hears_what_was_said() {
    let app = app();
    let (mut ada, mut bob) = (app.visit("/chat").await, app.visit("/chat").await);
    ada.lose_connection().await;
    ada.fill("#text", "half a sen").await;
    say(&mut bob, "Anybody there?").await;
    bob.until(LAST, "Somebody Anybody there?").await;
    ada.assert_missing(LAST);

    ada.reconnect().await;
    ada.assert_text(LAST, "Somebody Anybody there?");
    ada.assert_text("#text", "half a sen");
    say(&mut bob, "Hello?").await;
    ada.until(LAST, "Somebody Hello?").await;
    assert_eq!(ada.count("#messages li"), 2);
}
