//! Page, selector and nothing: what each is answered with.

use std::time::Duration;

use futures_util::FutureExt;
use serde_json::{Value, json};
use sinew_macros::reflex;
use sinew_reflex::{Config, Environment, IsReflex, Page, Reflex, RenderError, maybe};

use crate::server::{Server, html, last, status};

struct Morphs;

#[reflex(crate = sinew_reflex)]
impl Morphs {
    async fn page(&self, _cx: &mut Reflex) {}

    async fn explicit_page(&self, cx: &mut Reflex) {
        cx.morph_page();
    }

    async fn assign(&self, cx: &mut Reflex) {
        cx.assign(99_u32);
    }

    async fn single(&self, cx: &mut Reflex) {
        cx.morph("#one", "<div id=\"one\" class=\"new\"><b>single</b></div>");
    }

    async fn several(&self, cx: &mut Reflex) {
        cx.morph("#one", "<div id=\"one\">1</div>")
            .morph("#two", "<em>2</em>")
            .morph("#one", maybe(None::<&str>));
    }

    async fn map(&self, cx: &mut Reflex) {
        cx.set_payload(json!({"nested_key": {"deep_key": ["a", null, true, 1.5]}}));
        cx.morph_all([("#one", "1".to_owned()), ("#two", 2.to_string())]);
    }

    async fn empty_map(&self, cx: &mut Reflex) {
        cx.morph_all(Vec::<(&str, &str)>::new());
    }

    async fn bad_selector(&self, cx: &mut Reflex) {
        cx.morph("#[", "<b>x</b>");
    }

    async fn then_nothing(&self, cx: &mut Reflex) {
        cx.morph("#one", "x").morph_nothing();
    }

    async fn then_page(&self, cx: &mut Reflex) {
        cx.morph("#one", "x").morph_page();
    }

    async fn nothing_twice(&self, cx: &mut Reflex) {
        cx.morph_nothing().morph_nothing();
    }

    async fn nothing_then_selector(&self, cx: &mut Reflex) {
        cx.morph_nothing().morph("#one", "no");
    }

    async fn nothing_then_page(&self, cx: &mut Reflex) {
        cx.morph_nothing().morph_page();
    }
}

async fn server() -> Server {
    Server::new(|builder| builder.reflex(Morphs)).await
}

fn operations(message: &Value) -> Vec<(&str, &str, &str)> {
    let text = |value: &'_ Value| -> &str { value.as_str().unwrap_or("-").to_owned().leak() };
    message["operations"]
        .as_array()
        .expect("operations")
        .iter()
        .map(|operation| {
            (
                text(&operation["operation"]),
                text(&operation["selector"]),
                text(&operation["html"]),
            )
        })
        .collect()
}

#[tokio::test]
async fn a_page_morph_cuts_the_roots_and_reverses_them() {
    let mut server = server().await;
    server
        .pages
        .body("<html><body><p id=a>A</p><p id=b>B</p></body></html>");
    let reply = server
        .call_with("Morphs#page", json!({"selectors": ["#a", " #b", "#gone"]}))
        .await;
    assert_eq!(
        operations(&reply),
        [("morph", " #b", "B"), ("morph", "#a", "A")]
    );
    assert_eq!(last(&reply)["childrenOnly"], true);
    assert_eq!(last(&reply)["stimulusReflex"]["morph"], "page");
    let more = json!({"permanentAttributeName": "data-keep"});
    let reply = server.call_with("Morphs#explicit_page", more).await;
    assert_eq!(
        operations(&reply),
        [("morph", "body", "<p id=\"a\">A</p><p id=\"b\">B</p>")]
    );
    assert_eq!(last(&reply)["permanentAttributeName"], "data-keep");
}

#[tokio::test]
async fn the_page_handler_sees_what_the_reflex_hands_over() {
    let mut server = server().await;
    server.pages.answer(|request| {
        async move {
            let extensions = request.request.extensions();
            let assigned = extensions.get::<u32>().copied();
            let reflex = extensions
                .get::<IsReflex>()
                .map(|reflex| reflex.target.clone());
            let uri = request.request.uri().clone();
            let cookie = request.request.headers()["cookie"]
                .to_str()
                .unwrap()
                .to_owned();
            Ok(html(&format!(
                "<i>{assigned:?} {reflex:?} {uri} {cookie}</i>"
            )))
        }
        .boxed()
    });
    let more = json!({"url": "http://other.test:1/p?x=1#y"});
    let reply = server.call_with("Morphs#assign", more).await;
    assert_eq!(
        last(&reply)["html"],
        "<i>Some(99) Some(\"MorphsReflex#assign\") /p?x=1 a=b</i>"
    );
}

#[tokio::test]
async fn every_answer_of_a_page_is_an_answer() {
    let mut server = server().await;
    let page = |status: u16, location: Option<&str>| Page {
        status,
        location: location.map(str::to_owned),
        body: "<p>x</p>".into(),
    };
    for (page, expected) in [
        (page(201, None), "morph"),
        (page(401, None), "forbidden"),
        (page(403, None), "forbidden"),
        (page(404, None), "error"),
        (page(500, None), "error"),
        (page(304, None), "error"),
        (html(""), "nothing"),
        (html(" \n "), "nothing"),
        (html("<img src=x>"), "morph"),
    ] {
        let label = format!("{page:?}");
        server.pages.answer(move |_| {
            let page = page.clone();
            async move { Ok(page) }.boxed()
        });
        assert_eq!(
            status(&server.call("Morphs#page").await),
            expected,
            "{label}"
        );
    }

    let redirect = page(303, Some("/hop"));
    server.pages.answer(move |_| {
        let page = redirect.clone();
        async move { Ok(page) }.boxed()
    });
    let reply = server.call("Morphs#page").await;
    assert_eq!(status(&reply), "nothing");
    assert_eq!(reply["operations"][0]["operation"], "redirectTo");
    assert_eq!(reply["operations"][0]["url"], "/hop");

    server
        .pages
        .answer(|_| async { Err(RenderError::new("the template is broken")) }.boxed());
    assert_eq!(
        server.error("Morphs#page", json!({})).await,
        "The page could not be rendered."
    );
    server
        .pages
        .answer(|_| async { panic!("in the page") }.boxed());
    assert_eq!(status(&server.call("Morphs#page").await), "error");
    server.pages.body("<p>ok</p>");
    let more = json!({"selectors": ["#gone"]});
    assert_eq!(
        server.error("Morphs#page", more).await,
        "The page could not be rendered."
    );
    let more = json!({"selectors": ["#["]});
    assert_eq!(
        status(&server.call_with("Morphs#page", more).await),
        "error"
    );
    let more = json!({"selectors": [1]});
    assert_eq!(
        status(&server.call_with("Morphs#page", more).await),
        "error"
    );
    let more = json!({"url": "not a url"});
    assert_eq!(
        status(&server.call_with("Morphs#page", more).await),
        "error"
    );
}

#[tokio::test(start_paused = true)]
async fn a_page_that_hangs_is_an_error() {
    let config = Config {
        page_time_limit: Duration::from_secs(3),
        environment: Environment::Development,
        ..Config::default()
    };
    let mut server = Server::with_config(config, |builder| builder.reflex(Morphs)).await;
    server.pages.answer(|_| std::future::pending().boxed());
    assert_eq!(
        server.error("Morphs#page", json!({})).await,
        "the page handler took longer than 3s"
    );
    assert_eq!(server.engine.statistics().timeouts, 1);
}

#[tokio::test]
async fn selector_morphs_are_reversed_and_typed() {
    let mut server = server().await;
    let reply = server.call("Morphs#single").await;
    assert_eq!(operations(&reply), [("morph", "#one", "<b>single</b>")]);
    assert_eq!(last(&reply)["stimulusReflex"]["morph"], "selector");
    let reply = server.call("Morphs#several").await;
    assert_eq!(
        operations(&reply),
        [
            ("innerHtml", "#one", ""),
            ("innerHtml", "#two", "<em>2</em>"),
            ("morph", "#one", "1")
        ]
    );
    let reply = server.call("Morphs#map").await;
    assert_eq!(
        operations(&reply),
        [("innerHtml", "#two", "2"), ("innerHtml", "#one", "1")]
    );
    assert_eq!(
        last(&reply)["payload"],
        json!({"nestedKey": {"deepKey": ["a", null, true, 1.5]}})
    );
    assert_eq!(last(&reply).get("childrenOnly"), None);
    assert_eq!(status(&server.call("Morphs#empty_map").await), "nothing");
    let reply = server.call("Morphs#bad_selector").await;
    assert_eq!(status(&reply), "error");
    assert_eq!(last(&reply)["stimulusReflex"]["morph"], "selector");
}

#[tokio::test]
async fn modes_do_not_mix() {
    let mut server = server().await;
    for (target, text, mode) in [
        (
            "Morphs#then_nothing",
            "selector morph type has already been set ",
            "selector",
        ),
        (
            "Morphs#then_page",
            "Cannot call :page morph after :selector morph ",
            "selector",
        ),
        (
            "Morphs#nothing_then_selector",
            "nothing morph type has already been set ",
            "nothing",
        ),
        (
            "Morphs#nothing_then_page",
            "Cannot call :page morph after :nothing morph ",
            "nothing",
        ),
    ] {
        let reply = server.call(target).await;
        assert_eq!(last(&reply)["error"], text, "{target}");
        assert_eq!(last(&reply)["stimulusReflex"]["morph"], mode, "{target}");
    }
    assert_eq!(
        status(&server.call("Morphs#nothing_twice").await),
        "nothing"
    );
}
