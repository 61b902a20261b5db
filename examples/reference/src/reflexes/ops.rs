use std::time::Duration;

use serde_json::json;
use sinew::cable_ready::{ConsoleLevel, Position, Storage, previous, xpath};
use sinew::prelude::*;

/// CableReady operations, each family in one reflex.
pub(crate) struct Ops;

#[reflex]
impl Ops {
    async fn broadcast_now(&self, cx: &mut Reflex) -> Result {
        cx.cable_ready().inner_html("#slot", "<i>mid-reflex</i>");
        cx.broadcast().await?;
        cx.morph_nothing();
        Ok(())
    }

    async fn queued(&self, cx: &mut Reflex) -> Result {
        cx.cable_ready()
            .inner_html("#slot", "<i>queued</i>")
            .console_log("queued log");
        cx.morph_nothing();
        Ok(())
    }

    async fn queued_with_page(&self, cx: &mut Reflex) -> Result {
        cx.cable_ready().console_log("with page morph");
        cx.session().update("count", |count: i64| count + 1).await?;
        Ok(())
    }

    async fn queued_with_selector(&self, cx: &mut Reflex) -> Result {
        cx.cable_ready().console_log("with selector morph");
        cx.morph("#slot", "<div id=\"slot\">selector</div>");
        Ok(())
    }

    async fn dom(&self, cx: &mut Reflex) -> Result {
        cx.cable_ready()
            .text_content("#slot", "<not html>")
            .append("#list", "<li>appended</li>")
            .prepend("#list", "<li>prepended</li>")
            .insert_adjacent_html("#list", Position::AfterEnd, "<p>adjacent html</p>")
            .insert_adjacent_text("#list", Position::BeforeBegin, "adjacent <text>")
            .outer_html("#outer", "<div id=\"outer\">outer replaced</div>")
            .replace("#replace", "<section id=\"replace\">replaced</section>")
            .remove("#gone")
            .graft("#graft", "#parent")
            .morph(
                "#morphed",
                "<div id=\"morphed\" class=\"whole\">whole morph</div>",
            )
            .morph(
                "#morphed2",
                "<div id=\"morphed2\" class=\"ignored\">children only</div>",
            )
            .with(|operation| operation.children_only())
            .inner_html(".many", "every one")
            .with(|operation| operation.select_all())
            .inner_html(xpath("//*[@id='xp']"), "by xpath");
        cx.morph_nothing();
        Ok(())
    }

    async fn attributes(&self, cx: &mut Reflex) -> Result {
        cx.cable_ready()
            .set_attribute("#slot", "title", "a title")
            .remove_attribute("#slot", "hidden")
            .add_css_class("#slot", ["a", "b"])
            .remove_css_class("#slot", "old")
            .set_dataset_property("#slot", "fooBar", "baz")
            .set_property("#box", "checked", true)
            .set_value("#field", "typed by server")
            .set_style("#slot", "color", "red")
            .set_styles(
                "#slot",
                json!({ "background": "yellow", "font-size": "20px" }),
            )
            .set_focus("#field")
            .scroll_into_view("#slot")
            .with(|operation| operation.behavior("auto"));
        cx.morph_nothing();
        Ok(())
    }

    async fn browser(&self, cx: &mut Reflex) -> Result {
        cx.cable_ready()
            .console_log("hello")
            .with(|operation| operation.level(ConsoleLevel::Warn))
            .console_table(json!([{ "a": 1, "b": 2 }]))
            .with(|operation| operation.columns(["a", "b"]))
            .dispatch_event("#slot", "custom:event")
            .with(|operation| {
                operation.detail(json!({ "some_key": 1, "dashed-key": { "inner_key": 2 } }))
            })
            .dispatch_event(previous(), "custom:doc")
            .with(|operation| operation.detail(json!({ "n": 1 })))
            .set_title("New title")
            .set_meta("color", "blue")
            .set_cookie("from_ref=1; path=/")
            .set_storage_item(Storage::Local, "k", "v")
            .set_storage_item(Storage::Session, "gone", "x")
            .remove_storage_item(Storage::Session, "gone")
            .push_state("/ops?pushed=1")
            .with(|operation| operation.state(json!({ "a": 1 })).title("pushed"));
        cx.morph_nothing();
        Ok(())
    }

    async fn replace_state(&self, cx: &mut Reflex) -> Result {
        cx.cable_ready().replace_state("/ops?replaced=1");
        cx.morph_nothing();
        Ok(())
    }

    async fn clear(&self, cx: &mut Reflex) -> Result {
        cx.cable_ready().clear_storage(Storage::Local);
        cx.morph_nothing();
        Ok(())
    }

    async fn redirect(&self, cx: &mut Reflex) -> Result {
        cx.cable_ready().redirect_to("/counter");
        cx.morph_nothing();
        Ok(())
    }

    async fn reload(&self, cx: &mut Reflex) -> Result {
        cx.cable_ready().reload();
        cx.morph_nothing();
        Ok(())
    }

    async fn go(&self, cx: &mut Reflex) -> Result {
        cx.cable_ready().go(-1);
        cx.morph_nothing();
        Ok(())
    }

    async fn options(&self, cx: &mut Reflex) -> Result {
        cx.cable_ready()
            .inner_html("#slot", "delayed")
            .with(|operation| operation.delay(Duration::from_millis(100)))
            .inner_html("#cancel-me", "cancelled")
            .with(|operation| operation.cancel())
            .text_content("#missing", "no such element")
            .inner_html("#positional", "positional selector")
            .append(previous(), "<i>same selector as before</i>")
            .dispatch_event("#slot", "custom:batch")
            .with(|operation| operation.batch("b1"));
        cx.morph_nothing();
        Ok(())
    }

    async fn string_args(&self, cx: &mut Reflex) -> Result {
        cx.cable_ready().set_focus("#field").remove("#gone");
        cx.morph_nothing();
        Ok(())
    }

    async fn other_stream(&self, cx: &mut Reflex) -> Result {
        cx.broadcaster()
            .send("news", |operations| {
                operations.inner_html("#news", "<b>from a reflex</b>")
            })
            .await?;
        cx.morph_nothing();
        Ok(())
    }

    /// Operations for another stream that nobody broadcasts go nowhere: the queue belongs to this
    /// reflex and ends with it.
    async fn other_stream_queued(&self, cx: &mut Reflex) -> Result {
        let mut news = cx.cable_ready_to("news");
        news.inner_html("#news", "<b>queued, not broadcast</b>");
        drop(news);
        cx.morph_nothing();
        Ok(())
    }

    /// An operation that does not exist cannot be written here: the compiler refuses it. What the
    /// original's visitor meets is an error.
    async fn unknown(&self, _cx: &mut Reflex) -> Result {
        Err(Error::from("undefined operation `fly_to_the_moon`"))
    }

    async fn unsupported_on_client(&self, cx: &mut Reflex) -> Result {
        cx.cable_ready()
            .custom("#slot", "my_custom_op", json!({ "some_option": 1 }));
        cx.morph_nothing();
        Ok(())
    }
}
