use minijinja::context;
use serde_json::json;
use sinew::prelude::*;

use crate::templates;

/// Morphs of single elements.
pub(crate) struct Selector;

#[reflex]
impl Selector {
    async fn single(&self, cx: &mut Reflex) -> Result {
        cx.morph(
            "#one",
            "<div id=\"one\" class=\"new\"><b>single</b> morph</div>",
        );
        Ok(())
    }

    async fn text(&self, cx: &mut Reflex) -> Result {
        cx.morph("#one", "just text");
        Ok(())
    }

    async fn fragments(&self, cx: &mut Reflex) -> Result {
        cx.morph("#list", "<li>a</li><li>b</li><li>c</li>");
        Ok(())
    }

    async fn multiple(&self, cx: &mut Reflex) -> Result {
        cx.morph_all([
            ("#one", "<div id=\"one\">first of hash</div>"),
            ("#two", "<em>no wrapper</em>"),
        ]);
        Ok(())
    }

    async fn sequence(&self, cx: &mut Reflex) -> Result {
        cx.morph("#one", "<div id=\"one\">call one</div>");
        cx.morph("#two", "<div id=\"two\">call two</div>");
        cx.morph("#one", "<div id=\"one\">call three</div>");
        Ok(())
    }

    async fn missing(&self, cx: &mut Reflex) -> Result {
        cx.morph(
            "#does-not-exist",
            "<div id=\"does-not-exist\">nobody sees this</div>",
        );
        Ok(())
    }

    async fn missing_plain(&self, cx: &mut Reflex) -> Result {
        cx.morph("#does-not-exist", "plain");
        Ok(())
    }

    async fn mixed(&self, cx: &mut Reflex) -> Result {
        cx.morph("#does-not-exist", "<div id=\"does-not-exist\">x</div>");
        cx.morph("#two", "<div id=\"two\">after a missing one</div>");
        Ok(())
    }

    async fn partial(&self, cx: &mut Reflex) -> Result {
        let card = templates::partial(
            "_card.html",
            context! { title => "From a partial & more", n => 3 },
        )?;
        cx.morph("#card", card);
        Ok(())
    }

    async fn inline(&self, cx: &mut Reflex) -> Result {
        let q = cx.params().await?.get("q").unwrap_or_default().to_owned();
        let q = templates::escape(&q);
        cx.morph("#one", format!("<div id=\"one\">{} {q}</div>", 1 + 1));
        Ok(())
    }

    async fn row(&self, cx: &mut Reflex) -> Result {
        cx.morph("#row", "<tr id=\"row\"><td>x</td><td>y</td></tr>");
        Ok(())
    }

    async fn cells(&self, cx: &mut Reflex) -> Result {
        cx.morph("#row", "<td>p</td><td>q</td>");
        Ok(())
    }

    async fn by_class(&self, cx: &mut Reflex) -> Result {
        cx.morph(".item", "<span class=\"item\">all items?</span>");
        Ok(())
    }

    async fn by_class_plain(&self, cx: &mut Reflex) -> Result {
        cx.morph(".item", "plain for all items");
        Ok(())
    }

    async fn nested(&self, cx: &mut Reflex) -> Result {
        cx.morph(
            "#one",
            "<section><div id=\"one\">inner one</div></section><p>sibling</p>",
        );
        Ok(())
    }

    async fn nil_html(&self, cx: &mut Reflex) -> Result {
        cx.morph("#one", sinew::reflex::maybe(None::<String>));
        Ok(())
    }

    async fn empty(&self, cx: &mut Reflex) -> Result {
        cx.morph("#one", "");
        Ok(())
    }

    async fn bad_selector(&self, cx: &mut Reflex) -> Result {
        cx.morph("#[", "<b>x</b>");
        Ok(())
    }

    async fn attrs_changed(&self, cx: &mut Reflex) -> Result {
        cx.morph(
            "#one",
            "<div id=\"one\" class=\"changed\" data-x=\"1\">attrs are not morphed</div>",
        );
        Ok(())
    }

    async fn with_payload(&self, cx: &mut Reflex) -> Result {
        cx.set_payload(
            json!({ "answer": 42, "nested_key": { "deep_key": ["a", null, true, 1.5] } }),
        );
        cx.morph("#one", "<div id=\"one\">with payload</div>");
        Ok(())
    }

    async fn then_nothing(&self, cx: &mut Reflex) -> Result {
        cx.morph("#one", "<div id=\"one\">x</div>");
        cx.morph_nothing();
        Ok(())
    }

    async fn then_page(&self, cx: &mut Reflex) -> Result {
        cx.morph("#one", "<div id=\"one\">x</div>");
        cx.morph_page();
        Ok(())
    }

    async fn body(&self, cx: &mut Reflex) -> Result {
        cx.morph("body", "<body><p id=\"replaced\">body replaced</p></body>");
        Ok(())
    }

    async fn full_document(&self, cx: &mut Reflex) -> Result {
        cx.morph(
            "#one",
            "<!DOCTYPE html><html><head><title>t</title></head><body><div id=\"one\">from a document</div></body></html>",
        );
        Ok(())
    }

    async fn script(&self, cx: &mut Reflex) -> Result {
        cx.morph(
            "#one",
            "<div id=\"one\"><script>window.__ran = (window.__ran || 0) + 1</script>script</div>",
        );
        Ok(())
    }
}

/// Reflexes that morph nothing.
pub(crate) struct Nothing;

#[reflex]
impl Nothing {
    async fn run(&self, cx: &mut Reflex) -> Result {
        cx.session().set("value", &"written by nothing").await?;
        cx.morph_nothing();
        Ok(())
    }

    async fn twice(&self, cx: &mut Reflex) -> Result {
        cx.morph_nothing();
        cx.morph_nothing();
        Ok(())
    }

    async fn then_selector(&self, cx: &mut Reflex) -> Result {
        cx.morph_nothing();
        cx.morph("#one", "<b>no</b>");
        Ok(())
    }

    async fn payload_only(&self, cx: &mut Reflex) -> Result {
        cx.set_payload(json!({
            "ok": true, "list": [1, 2, 3], "snake_case_key": "v", "string-key": "w"
        }));
        cx.morph_nothing();
        Ok(())
    }
}

/// The cheapest reflexes, for measuring.
pub(crate) struct Load;

#[reflex]
impl Load {
    async fn selector(&self, cx: &mut Reflex) -> Result {
        let n = cx
            .element()
            .dataset()
            .get("n")
            .unwrap_or_default()
            .to_owned();
        cx.morph("#slot", format!("<div id=\"slot\">{n}</div>"));
        Ok(())
    }

    async fn nothing(&self, cx: &mut Reflex) -> Result {
        cx.morph_nothing();
        Ok(())
    }
}
