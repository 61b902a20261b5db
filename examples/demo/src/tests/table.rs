use super::app;

const FIRST: &str = "tbody tr:first-child th";
const SORTED: &str = "[aria-sort]";

#[tokio::test]
async fn each_column_sorts_both_ways() {
    let mut tab = app().visit("/table").await;
    tab.assert_text(FIRST, "Hydrogen");
    tab.assert_text(SORTED, "No. ↑");
    for (column, label, least, greatest) in [
        ("name", "Name", "Aluminium", "Zinc"),
        ("symbol", "Symbol", "Aluminium", "Zinc"),
        ("mass", "Mass", "Hydrogen", "Krypton"),
        ("number", "No.", "Hydrogen", "Krypton"),
    ] {
        let link = format!("#sort-{column}");
        tab.click(&link).await;
        tab.assert_text(FIRST, least);
        tab.assert_texts(SORTED, &[&format!("{label} ↑")]);
        assert_eq!(
            tab.attribute(SORTED, "aria-sort").as_deref(),
            Some("ascending")
        );
        tab.click(&link).await;
        tab.assert_text(FIRST, greatest);
        tab.assert_texts(SORTED, &[&format!("{label} ↓")]);
        assert_eq!(
            tab.attribute(SORTED, "aria-sort").as_deref(),
            Some("descending")
        );
    }
    assert_eq!(tab.outcome().morph(), Some("selector"));
}

#[tokio::test]
async fn pages_end_at_both_ends() {
    let mut tab = app().visit("/table").await;
    tab.assert_text("#page", "Page 1 of 5");
    assert_eq!(tab.attribute("#previous", "href"), None);
    assert_eq!(
        tab.attribute("#previous", "aria-disabled").as_deref(),
        Some("true")
    );
    for page in 2..=5 {
        tab.click("#next").await;
        tab.assert_text("#page", &format!("Page {page} of 5"));
    }
    assert_eq!(tab.count("tbody tr"), 4, "of 36 rows, eight a page");
    tab.assert_text("tbody tr:last-child th", "Krypton");
    assert_eq!(tab.attribute("#next", "href"), None);
    tab.click("#previous").await;
    tab.assert_text("#page", "Page 4 of 5");
    assert_eq!(tab.count("tbody tr"), 8);
}

#[tokio::test]
async fn another_order_begins_at_the_first_page_and_a_turn_keeps_the_order() {
    let mut tab = app().visit("/table?sort=mass&down=1&page=3").await;
    tab.click("#next").await;
    tab.assert_path("/table?sort=mass&down=1&page=4");
    tab.click("#sort-name").await;
    tab.assert_path("/table?sort=name&down=0&page=1");
}

#[tokio::test]
async fn the_address_is_the_view() {
    let mut tab = app().visit("/table").await;
    tab.click("#sort-name").await;
    tab.click("#next").await;
    tab.assert_path("/table?sort=name&down=0&page=2");
    let shown = tab.texts("tbody th");
    tab.reload().await;
    assert_eq!(tab.texts("tbody th"), shown);
    app()
        .visit(tab.path())
        .await
        .assert_text("#page", "Page 2 of 5");

    tab.back().await;
    tab.assert_text("#page", "Page 1 of 5");
    tab.assert_text(FIRST, "Aluminium");
    tab.back().await;
    tab.assert_text(FIRST, "Hydrogen");
    tab.forward().await;
    tab.assert_text(FIRST, "Aluminium");
}

#[tokio::test]
async fn an_address_that_makes_no_sense_is_the_nearest_that_does() {
    let app = app();
    for (query, page) in [
        ("page=0", "Page 1 of 5"),
        ("page=99", "Page 5 of 5"),
        ("page=-1", "Page 1 of 5"),
        ("sort=colour&page=2", "Page 1 of 5"),
        ("sort[]=name", "Page 1 of 5"),
    ] {
        let tab = app.visit(&format!("/table?{query}")).await;
        assert_eq!(tab.status(), 200, "{query}");
        tab.assert_text("#page", page);
    }
}
