use sinew_testing::Tab;

use super::app;

const TITLES: &str = ".todos li .check span";

async fn add(tab: &mut Tab, title: &str) {
    tab.fill("#new-todo", title).await;
    tab.press("#new-todo", "Enter").await;
}

/// A new visitor with these todos, the first of which has the number 1.
async fn with(titles: &[&str]) -> Tab {
    let mut tab = app().visit("/todos").await;
    for title in titles {
        add(&mut tab, title).await;
    }
    tab
}

#[tokio::test]
async fn without_todos_there_is_only_the_field() {
    let tab = with(&[]).await;
    for missing in [
        ".todos",
        "#left",
        "#toggle-all",
        ".filters",
        "#clear-completed",
    ] {
        tab.assert_missing(missing);
    }
}

#[tokio::test]
async fn what_is_added_is_trimmed_and_the_field_is_emptied() {
    let mut tab = with(&["tea"]).await;
    tab.assert_text("#new-todo", "");
    assert!(tab.is_focused("#new-todo"));
    add(&mut tab, "  <b>milk</b>  ").await;
    tab.assert_texts(TITLES, &["tea", "<b>milk</b>"]);
    tab.reload().await;
    tab.assert_texts(TITLES, &["tea", "<b>milk</b>"]);
}

#[tokio::test]
async fn nothing_is_not_added() {
    let mut tab = with(&["tea"]).await;
    add(&mut tab, "").await;
    add(&mut tab, "   ").await;
    tab.assert_texts(TITLES, &["tea"]);
    tab.assert_text("#new-todo", "");
}

#[tokio::test]
async fn the_field_takes_no_more_than_two_hundred_characters() {
    let mut tab = with(&[]).await;
    add(&mut tab, &"x".repeat(300)).await;
    tab.assert_text(TITLES, &"x".repeat(200));
}

#[tokio::test]
async fn what_is_left_is_counted_in_words() {
    let mut tab = with(&["tea"]).await;
    tab.assert_text("#left", "1 item left");
    add(&mut tab, "milk").await;
    tab.assert_text("#left", "2 items left");
    tab.check("#toggle-1").await;
    tab.assert_text("#left", "1 item left");
    tab.check("#toggle-2").await;
    tab.assert_text("#left", "0 items left");
}

#[tokio::test]
async fn a_todo_is_completed_and_reopened() {
    let mut tab = with(&["tea", "milk"]).await;
    tab.check("#toggle-2").await;
    tab.assert_exists("#todo-2.done");
    tab.assert_missing("#todo-1.done");
    tab.reload().await;
    assert!(tab.is_checked("#toggle-2"));
    tab.uncheck("#toggle-2").await;
    tab.assert_missing("#todo-2.done");
}

#[tokio::test]
async fn all_are_completed_and_reopened_at_once() {
    let mut tab = with(&["tea", "milk", "sugar"]).await;
    tab.check("#toggle-2").await;
    assert!(!tab.is_checked("#toggle-all"));
    tab.check("#toggle-all").await;
    tab.assert_text("#left", "0 items left");
    tab.uncheck("#toggle-all").await;
    tab.assert_text("#left", "3 items left");

    // The box knows when the last one was completed by itself.
    for toggle in ["#toggle-1", "#toggle-2", "#toggle-3"] {
        tab.check(toggle).await;
    }
    assert!(tab.is_checked("#toggle-all"));
    add(&mut tab, "bread").await;
    assert!(!tab.is_checked("#toggle-all"));
}

#[tokio::test]
async fn a_double_click_edits_and_enter_saves() {
    let mut tab = with(&["tea", "milk"]).await;
    tab.double_click("#todo-1 .check span").await;
    tab.assert_text("#edit-1", "tea");
    assert!(tab.is_focused("#edit-1"));
    tab.assert_missing("#toggle-1");
    assert_eq!(tab.count("#toggle-2"), 1, "the others stay what they are");
    tab.fill("#edit-1", "  coffee ").await;
    tab.press("#edit-1", "Enter").await;
    tab.assert_texts(TITLES, &["coffee", "milk"]);
    assert!(tab.is_focused("#edit-button-1"));
}

#[tokio::test]
async fn a_button_edits_as_well_and_keeps_what_is_done() {
    let mut tab = with(&["tea"]).await;
    tab.check("#toggle-1").await;
    tab.click("#edit-button-1").await;
    tab.fill("#edit-1", "coffee").await;
    tab.click("#todo-1 form button").await;
    tab.assert_text(TITLES, "coffee");
    tab.assert_exists("#todo-1.done");
}

#[tokio::test]
async fn escape_gives_up() {
    let mut tab = with(&["tea"]).await;
    tab.click("#edit-button-1").await;
    tab.fill("#edit-1", "coffee").await;
    // demo.js makes it of the Escape key.
    tab.trigger("#edit-1", "cancelled").await;
    tab.assert_text(TITLES, "tea");
    assert!(tab.is_focused("#edit-button-1"));
}

#[tokio::test]
async fn leaving_the_field_saves() {
    let mut tab = with(&["tea"]).await;
    tab.click("#edit-button-1").await;
    tab.fill("#edit-1", "coffee").await;
    tab.blur("#edit-1").await;
    tab.assert_text(TITLES, "coffee");

    tab.click("#edit-button-1").await;
    tab.fill("#edit-1", "cocoa").await;
    tab.focus("#new-todo").await;
    tab.assert_text(TITLES, "cocoa");
    assert!(tab.is_focused("#new-todo"));
}

#[tokio::test]
async fn emptying_deletes() {
    for empty in ["", "   "] {
        let mut tab = with(&["tea", "milk"]).await;
        tab.click("#edit-button-1").await;
        tab.fill("#edit-1", empty).await;
        tab.press("#edit-1", "Enter").await;
        tab.assert_texts(TITLES, &["milk"]);
    }
}

#[tokio::test]
async fn a_todo_is_deleted() {
    let mut tab = with(&["tea", "milk"]).await;
    tab.click("#delete-1").await;
    tab.assert_texts(TITLES, &["milk"]);
    assert!(tab.is_focused("#new-todo"));
    tab.click("#delete-2").await;
    tab.assert_missing(".todos");
    add(&mut tab, "sugar").await;
    tab.assert_exists("#todo-3");
}

#[tokio::test]
async fn filters_are_addresses() {
    let mut tab = with(&["tea", "milk", "sugar"]).await;
    tab.check("#toggle-2").await;
    tab.click(".filters a[href='?show=active']").await;
    tab.assert_path("/todos?show=active");
    tab.assert_texts(TITLES, &["tea", "sugar"]);
    tab.assert_text(".filters [aria-current]", "Active");
    tab.assert_text("#left", "2 items left");

    // What no longer fits is gone at once.
    tab.check("#toggle-1").await;
    tab.assert_texts(TITLES, &["sugar"]);
    tab.click(".filters a[href='?show=completed']").await;
    tab.assert_texts(TITLES, &["tea", "milk"]);
    tab.back().await;
    tab.assert_texts(TITLES, &["sugar"]);
    tab.visit("/todos?show=everything").await;
    tab.assert_text(".filters [aria-current]", "All");
    tab.assert_texts(TITLES, &["tea", "milk", "sugar"]);
}

#[tokio::test]
async fn what_is_added_under_a_filter_shows_where_it_belongs() {
    let mut tab = with(&["tea"]).await;
    tab.check("#toggle-1").await;
    tab.click(".filters a[href='?show=completed']").await;
    add(&mut tab, "milk").await;
    tab.assert_texts(TITLES, &["tea"]);
    tab.assert_text("#left", "1 item left");
}

#[tokio::test]
async fn the_completed_are_cleared() {
    let mut tab = with(&["tea", "milk", "sugar"]).await;
    tab.assert_missing("#clear-completed");
    tab.check("#toggle-1").await;
    tab.check("#toggle-3").await;
    tab.click("#clear-completed").await;
    tab.assert_texts(TITLES, &["milk"]);
    tab.assert_missing("#clear-completed");
    assert!(tab.is_focused("#new-todo"));
}

#[tokio::test]
async fn a_list_is_its_visitors_own() {
    let app = app();
    let browser = app.browser();
    let mut tab = browser.visit("/todos").await;
    add(&mut tab, "tea").await;
    browser
        .open_tab("/todos")
        .await
        .assert_texts(TITLES, &["tea"]);
    app.visit("/todos").await.assert_missing(".todos");
}

#[tokio::test]
async fn a_hundred_are_enough() {
    let mut tab = app().visit("/todos").await;
    for number in 1..=101 {
        add(&mut tab, &number.to_string()).await;
    }
    assert_eq!(tab.count(TITLES), 100);
    tab.assert_text("#left", "100 items left");
}
