use super::app;

#[tokio::test]
async fn an_empty_form_is_told_all_that_is_missing() {
    let mut tab = app().visit("/form").await;
    tab.assert_missing(".problem");
    tab.click("form button").await;
    tab.assert_texts(
        ".problem",
        &[
            "Tell us your name.",
            "An address looks like ada@example.org.",
            "Between one and six seats.",
            "It will not work without.",
        ],
    );
    assert!(tab.is_focused("#name"), "the first that is wrong");
    for field in ["#name", "#email", "#seats", "#terms"] {
        assert_eq!(
            tab.attribute(field, "aria-invalid").as_deref(),
            Some("true"),
            "{field}"
        );
        let described = tab.attribute(field, "aria-describedby");
        assert_eq!(described, Some(format!("{}-problem", &field[1..])));
    }
}

#[tokio::test]
async fn what_was_typed_stays_and_what_is_right_is_not_complained_about() {
    let mut tab = app().visit("/form").await;
    tab.fill("#name", "Ada \"L\" <b>").await;
    tab.fill("#email", "ada").await;
    tab.fill("#seats", "7").await;
    tab.check("#terms").await;
    tab.submit("form").await;
    tab.assert_texts(
        ".problem",
        &[
            "An address looks like ada@example.org.",
            "Between one and six seats.",
        ],
    );
    tab.assert_text("#name", "Ada \"L\" <b>");
    tab.assert_text("#email", "ada");
    tab.assert_text("#seats", "7");
    assert!(tab.is_checked("#terms"));
    assert!(tab.is_focused("#email"));
}

#[tokio::test]
async fn the_rules_are_the_servers() {
    let mut tab = app().visit("/form").await;
    for (field, wrong, problem) in [
        ("#name", "   ", "Tell us your name."),
        (
            "#name",
            &*"x".repeat(81),
            "That is longer than 80 characters.",
        ),
        ("#email", "ada@", "An address looks like ada@example.org."),
        (
            "#email",
            "@example.org",
            "An address looks like ada@example.org.",
        ),
        (
            "#email",
            "ada@org.",
            "An address looks like ada@example.org.",
        ),
        ("#seats", "0", "Between one and six seats."),
        ("#seats", "1.5", "Between one and six seats."),
    ] {
        tab.fill(field, wrong).await;
        tab.submit("form").await;
        tab.assert_text(&format!("{field}-problem"), problem);
    }
}

#[tokio::test]
async fn a_right_form_is_thanked_for() {
    let mut tab = app().visit("/form").await;
    tab.click("form button").await;
    tab.fill("#name", " Ada ").await;
    tab.fill("#email", "ada@example.org").await;
    tab.fill("#seats", "2").await;
    tab.check("#terms").await;
    tab.press("#seats", "Enter").await;
    tab.assert_missing("form");
    tab.assert_text("#booked strong", "Thank you, Ada.");
    tab.assert_contains(
        "#booked",
        "2 of the seats are yours; the tickets would go to ada@example.org.",
    );
    assert!(tab.is_focused("#booked"));

    tab.click("main a[href='/form']").await;
    tab.assert_text("#name", "");
    tab.assert_missing(".problem");
}
