use super::app;

const CITIES: &str = "#results strong";

#[tokio::test]
async fn the_results_follow_what_is_typed_once_it_has_settled() {
    let mut tab = app().visit("/search").await;
    tab.assert_text("#found", "48 of 48");
    tab.fill("#q", "Land").await;
    tab.assert_text("#found", "48 of 48");
    // demo.js dispatches it after a quarter of a second of silence.
    tab.trigger("#q", "settled").await;
    tab.assert_text("#found", "8 of 48");
    assert_eq!(tab.outcome().morph(), Some("selector"));
    tab.assert_text("#q", "Land");
    assert!(tab.is_focused("#q"));
    tab.assert_path("/search?q=Land");
}

#[tokio::test]
async fn cities_and_countries_are_found_whatever_their_case() {
    let mut tab = app().visit("/search?q=LIMA").await;
    tab.assert_texts(CITIES, &["Lima"]);
    for (typed, found) in [
        (" peru ", "Lima"),
        ("bogotá", "Bogotá"),
        ("New z", "Wellington"),
    ] {
        tab.fill("#q", typed).await;
        tab.trigger("#q", "settled").await;
        tab.assert_texts(CITIES, &[found]);
    }
}

#[tokio::test]
async fn nothing_found_says_what_was_looked_for() {
    let mut tab = app().visit("/search").await;
    tab.fill("#q", "<i>&").await;
    tab.trigger("#q", "settled").await;
    tab.assert_text("#found", "0 of 48: nothing is called “<i>&”");
    tab.assert_missing("#found i");
    tab.reload().await;
    tab.assert_text("#q", "<i>&");
    tab.assert_text("#found", "0 of 48: nothing is called “<i>&”");
}

#[tokio::test]
async fn an_emptied_field_finds_everything_and_leaves_the_address() {
    let mut tab = app().visit("/search?q=Oslo").await;
    tab.assert_text("#found", "1 of 48");
    tab.fill("#q", "").await;
    tab.trigger("#q", "settled").await;
    tab.assert_text("#found", "48 of 48");
    tab.assert_path("/search");
}

#[tokio::test]
async fn without_a_script_enter_searches() {
    let mut tab = app().visit("/search").await;
    tab.fill("#q", "Riga & Rome").await;
    tab.press("#q", "Enter").await;
    tab.assert_path("/search?q=Riga+%26+Rome");
    tab.assert_text("#found", "0 of 48: nothing is called “Riga & Rome”");
}

#[tokio::test]
async fn searching_leaves_one_page_to_go_back_over() {
    let mut tab = app().visit("/").await;
    tab.visit("/search").await;
    for typed in ["O", "Os", "Oslo"] {
        tab.fill("#q", typed).await;
        tab.trigger("#q", "settled").await;
    }
    tab.assert_path("/search?q=Oslo");
    tab.back().await;
    tab.assert_path("/");
    tab.forward().await;
    tab.assert_texts(CITIES, &["Oslo"]);
}
