use serde_json::{Map, Value, json};
use sinew::prelude::*;

/// The element and its data attributes.
pub(crate) struct Dataset;

#[reflex]
impl Dataset {
    async fn show(&self, cx: &mut Reflex) -> Result {
        let element = cx.element();
        let data_attributes: Map<String, Value> = element
            .dataset()
            .attributes()
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .collect();
        let payload = json!({
            "dataset": element.dataset(),
            "attrs": element.attributes(),
            "data_attrs": data_attributes,
            "attributes": element.attributes(),
        });
        cx.set_payload(payload);
        cx.morph_nothing();
        Ok(())
    }

    async fn casts(&self, cx: &mut Reflex) -> Result {
        let element = cx.element();
        let payload = json!({
            "numeric": element.numeric("count")?,
            "bool_true": element.boolean("yes"),
            "bool_false": element.boolean("no"),
            "bool_blank": element.boolean("blank"),
            "bool_missing": element.boolean("missing"),
            "klass": element.get("class"),
            "tag": element.tag_name(),
            "id": element.id(),
            "value": element.value(),
            "via_dataset": element.dataset().get("count"),
            "dashed": element.dataset().get("long-name"),
            "under": element.dataset().get("long_name"),
        });
        cx.set_payload(payload);
        cx.morph_nothing();
        Ok(())
    }

    async fn content(&self, cx: &mut Reflex) -> Result {
        let payload = json!({
            "inner_html": cx.element().get("inner_html"),
            "text_content": cx.element().get("text_content"),
            "raw_inner": cx.data().inner_html(),
            "raw_text": cx.data().text_content(),
        });
        cx.set_payload(payload);
        cx.morph_nothing();
        Ok(())
    }

    async fn bad_number(&self, cx: &mut Reflex) -> Result {
        cx.element().numeric("word")?;
        Ok(())
    }
}
