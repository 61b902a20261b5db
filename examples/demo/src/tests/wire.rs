use super::app;

#[tokio::test]
async fn each_kind_of_answer_counts() {
    let mut tab = app().visit("/wire").await;
    for (count, (button, morph)) in [
        ("#by-page", "page"),
        ("#by-selector", "selector"),
        ("#by-nothing", "nothing"),
    ]
    .into_iter()
    .enumerate()
    {
        tab.click(button).await;
        assert_eq!(tab.outcome().morph(), Some(morph));
        tab.assert_text("#clicks", &(count + 1).to_string());
    }
    tab.reload().await;
    tab.assert_text("#clicks", "3");
}

#[tokio::test]
async fn each_sends_as_little_as_its_name_says() {
    let mut tab = app().visit("/wire").await;
    tab.click("#by-page").await;
    let page = &tab.operations()[0];
    assert_eq!((page.name(), page.selector()), ("morph", Some("body")));
    tab.click("#by-selector").await;
    let one = &tab.operations()[0];
    assert_eq!((one.name(), one.selector()), ("morph", Some("#clicks")));
    tab.click("#by-nothing").await;
    let names: Vec<_> = tab.operations().iter().map(|it| it.name()).collect();
    assert!(
        names.contains(&"textContent") && !names.contains(&"morph"),
        "{names:?}"
    );
}

#[tokio::test]
async fn a_page_morph_leaves_what_the_browser_has_written() {
    let mut tab = app().visit("/wire").await;
    tab.click("#by-page").await;
    tab.assert_exists("#wire[data-reflex-permanent]");
    tab.assert_text("#wire-summary", "Click, and look here.");
}
