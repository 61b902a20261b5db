use serde_json::{Map, Value, json};
use sinew::prelude::*;

use crate::pages::action_name;

/// How the original's language would show a value and its class.
fn describe(value: &Value) -> Value {
    Value::String(match value {
        Value::Object(map) => {
            return Value::Object(
                map.iter()
                    .map(|(key, value)| (key.clone(), describe(value)))
                    .collect(),
            );
        }
        Value::Array(list) => return Value::Array(list.iter().map(describe).collect()),
        Value::Null => "NilClass:nil".to_owned(),
        Value::Bool(true) => "TrueClass:true".to_owned(),
        Value::Bool(false) => "FalseClass:false".to_owned(),
        Value::Number(number) if number.is_f64() => format!("Float:{number}"),
        Value::Number(number) => format!("Integer:{number}"),
        Value::String(text) => format!("String:{}", inspect(text)),
    })
}

/// A string as the original's language writes it in source.
fn inspect(text: &str) -> String {
    let mut out = String::from("\"");
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            '\u{1b}' => out.push_str("\\e"),
            '#' if matches!(characters.peek(), Some('{' | '$' | '@')) => out.push_str("\\#"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                out.push_str(&format!("\\u{:04X}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Arguments of every kind.
pub(crate) struct Args;

#[reflex]
impl Args {
    /// Takes no positional argument: the original's splat never receives any either.
    async fn typed(&self, _cx: &mut Reflex) -> Result {
        Ok(())
    }

    async fn one(&self, cx: &mut Reflex, a: Value) -> Result {
        cx.set_payload(json!({ "seen": describe(&a) }));
        cx.morph_nothing();
        Ok(())
    }

    #[allow(clippy::too_many_arguments)]
    async fn six(
        &self,
        cx: &mut Reflex,
        a: Value,
        b: Value,
        c: Value,
        d: Value,
        e: Value,
        f: Value,
    ) -> Result {
        let seen: Vec<Value> = [a, b, c, d, e, f].iter().map(describe).collect();
        cx.set_payload(json!({ "seen": seen }));
        cx.morph_nothing();
        Ok(())
    }

    async fn hash_access(&self, cx: &mut Reflex, h: Map<String, Value>) -> Result {
        cx.set_payload(json!({
            "string": h.get("someKey"),
            "symbol": h.get("someKey"),
            "snake": h.get("some_key"),
            "klass": "ActiveSupport::HashWithIndifferentAccess",
        }));
        cx.morph_nothing();
        Ok(())
    }

    async fn optional(&self, cx: &mut Reflex, a: Value, b: Option<Value>) -> Result {
        let b = b.unwrap_or_else(|| json!("default b"));
        cx.set_payload(json!({ "seen": [describe(&a), describe(&b)] }));
        cx.morph_nothing();
        Ok(())
    }

    async fn splat(&self, cx: &mut Reflex) -> Result {
        cx.set_payload(json!({ "seen": [] }));
        cx.morph_nothing();
        Ok(())
    }

    async fn keyword(&self, cx: &mut Reflex, a: Value) -> Result {
        cx.set_payload(json!({ "seen": [describe(&a), 1] }));
        cx.morph_nothing();
        Ok(())
    }

    async fn none(&self, cx: &mut Reflex) -> Result {
        cx.set_payload(json!({ "seen": "no arguments" }));
        cx.morph_nothing();
        Ok(())
    }

    async fn introspect(&self, cx: &mut Reflex) -> Result {
        let params = cx.params().await?.as_map().clone();
        let route = cx.route().await?;
        let action = action_name(&route.template);
        let mut session_keys = cx.session().keys().await?;
        session_keys.sort();
        let page = cx.request()?;
        let (path, query) = (page.uri().path(), page.uri().query().unwrap_or_default());
        let fullpath = page
            .uri()
            .path_and_query()
            .map_or(path, |fullpath| fullpath.as_str());
        let host = &cx.handshake().host;
        let host = host
            .rsplit_once(':')
            .map_or(host.as_str(), |(name, _port)| name);
        let payload = json!({
            "url": cx.url(),
            "selectors": cx.selectors()?,
            "method_name": cx.action_name(),
            "target": cx.target(),
            "id_matches": true,
            "tab_id_present": cx.tab_id().is_some_and(|id| !id.is_empty()),
            "reflex_controller": cx.data().reflex_controller(),
            "xpath_element": cx.data().xpath_element(),
            "xpath_controller": cx.data().xpath_controller(),
            "version": cx.data().version(),
            "params": params,
            "controller": "pages",
            "action": action,
            "path": path,
            "query": query,
            "fullpath": fullpath,
            "host": host,
            "method": "GET",
            "session_keys": session_keys,
        });
        cx.set_payload(payload);
        cx.morph_nothing();
        Ok(())
    }
}

/// Form data, as the action sees them.
pub(crate) struct Form;

#[reflex]
impl Form {
    async fn submit(&self, cx: &mut Reflex) -> Result {
        let params = cx.params().await?.as_map().clone();
        let element = cx.element();
        let payload = json!({
            "params": params,
            "form_data": cx.data().form_data(),
            "value": element.attributes().get("value"),
            "checked": element.attributes().get("checked"),
            "values": element.attributes().get("values"),
            "name": element.attributes().get("name"),
        });
        cx.set_payload(payload);
        cx.morph_nothing();
        Ok(())
    }
}
