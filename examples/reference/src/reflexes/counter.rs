use sinew::prelude::*;

use super::slow::to_i;

/// What `Counter#assign` hands to the page.
#[derive(Clone)]
pub(crate) struct Assigned {
    pub(crate) note: &'static str,
}

/// What `Permanent#page` hands to the page.
#[derive(Clone)]
pub(crate) struct Tick(pub(crate) &'static str);

/// The counter in the session.
pub(crate) struct Counter;

#[reflex]
impl Counter {
    async fn increment(&self, cx: &mut Reflex) -> Result {
        let step = cx.element().dataset().get("step").map_or(1, to_i);
        cx.session()
            .update("count", move |count: i64| count + step)
            .await?;
        Ok(())
    }

    async fn assign(&self, cx: &mut Reflex) -> Result {
        // The original assigns a count as well, which the page's own action then overwrites.
        cx.assign(Assigned {
            note: "ivar set in the reflex",
        });
        Ok(())
    }

    async fn reset(&self, cx: &mut Reflex) -> Result {
        cx.session().remove("count").await?;
        Ok(())
    }

    async fn explicit_page(&self, cx: &mut Reflex) -> Result {
        cx.morph_page();
        cx.session().update("count", |count: i64| count + 1).await?;
        Ok(())
    }
}

/// Elements that morphs leave alone.
pub(crate) struct Permanent;

#[reflex]
impl Permanent {
    async fn page(&self, cx: &mut Reflex) -> Result {
        cx.assign(Tick("after"));
        Ok(())
    }

    async fn selector(&self, cx: &mut Reflex) -> Result {
        cx.morph(
            "#zone",
            concat!(
                "<div id=\"zone\"><p id=\"perm\" data-reflex-permanent>server perm</p>",
                "<p id=\"norm\">server norm</p><input id=\"ti\" type=\"text\" value=\"server text\">",
                "<input id=\"cb\" type=\"checkbox\"><textarea id=\"ta\">server area</textarea></div>"
            ),
        );
        Ok(())
    }
}
