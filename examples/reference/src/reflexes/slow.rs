use std::time::Duration;

use serde_json::{Value, json};
use sinew::prelude::*;

/// The whole number at the start of a text, as a form field or attribute holds it; otherwise 0.
pub(crate) fn to_i(text: &str) -> i64 {
    let text = text.trim_start();
    let digits = text
        .char_indices()
        .take_while(|&(at, c)| c.is_ascii_digit() || (at == 0 && (c == '-' || c == '+')))
        .map(|(at, c)| at + c.len_utf8())
        .last()
        .unwrap_or(0);
    text[..digits].parse().unwrap_or(0)
}

/// Reflexes that take their time.
pub(crate) struct Slow;

async fn pause(milliseconds: f64) {
    tokio::time::sleep(Duration::from_secs_f64(milliseconds.max(0.0) / 1000.0)).await;
}

#[reflex]
impl Slow {
    async fn slow(&self, cx: &mut Reflex, milliseconds: serde_json::Number) -> Result {
        pause(milliseconds.as_f64().unwrap_or(0.0)).await;
        cx.payload_mut()["slept"] = Value::Number(milliseconds);
        cx.morph_nothing();
        Ok(())
    }

    async fn slow_selector(&self, cx: &mut Reflex, milliseconds: serde_json::Number) -> Result {
        pause(milliseconds.as_f64().unwrap_or(0.0)).await;
        cx.morph(
            "#slot",
            format!("<div id=\"slot\">slept {milliseconds}</div>"),
        );
        Ok(())
    }

    async fn slow_session(&self, cx: &mut Reflex, milliseconds: f64) -> Result {
        let seen: Value = cx.session().get_or_default("value").await?;
        let seen = match &seen {
            Value::Number(number) => number.as_i64().unwrap_or(0),
            Value::String(text) => to_i(text),
            _ => 0,
        };
        pause(milliseconds).await;
        cx.session().set("value", &json!(seen + 1)).await?;
        cx.morph_nothing();
        Ok(())
    }
}
