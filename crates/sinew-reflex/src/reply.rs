//! Replies: the operations that end a reflex in the browser, in one message.

use std::borrow::Cow;

use serde_json::Value;
use sinew_cable_ready::{Operations, Scope, write_camelized_json, write_string};

use crate::data::ReflexData;
use crate::reflex::Morph;

/// What ends a reflex that makes no morph.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Status<'a> {
    Nothing,
    Halted,
    Forbidden,
    Error(&'a str),
}

impl Status<'_> {
    /// One word, for spans.
    pub(crate) fn outcome(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Halted => "halted",
            Self::Forbidden => "forbidden",
            Self::Error(_) => "error",
        }
    }

    fn event(self) -> &'static str {
        match self {
            Self::Nothing => "stimulus-reflex:morph-nothing",
            Self::Halted => "stimulus-reflex:morph-halted",
            Self::Forbidden => "stimulus-reflex:morph-forbidden",
            Self::Error(_) => "stimulus-reflex:morph-error",
        }
    }
}

/// A message of operations for the tab that called: every one carries the reflex's id.
pub(crate) fn message(data: &ReflexData, operations: &Operations, version: &str) -> String {
    let mut out = String::with_capacity(256);
    begin(&mut out, data, operations);
    end(&mut out, version);
    out
}

/// The head of a message, with operations; says whether there are none.
fn begin(out: &mut String, data: &ReflexData, operations: &Operations) -> bool {
    out.push_str("{\"cableReady\":true,\"operations\":[");
    let id = if operations.is_empty() {
        None
    } else {
        data.id()
    };
    let scope = Scope::Reflex(id.as_deref());
    for (index, operation) in operations.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        operation.write(out, scope);
    }
    operations.is_empty()
}

/// The foot of a message. The client compares the version with its own.
fn end(out: &mut String, version: &str) {
    out.push_str("],\"version\":");
    write_string(out, version);
    out.push('}');
}

/// One message that ends a reflex, while it is being written.
pub(crate) struct Reply<'a> {
    out: String,
    data: &'a ReflexData,
    version: &'a str,
    payload: Cow<'static, str>,
    is_first: bool,
}

impl<'a> Reply<'a> {
    /// Begins with what was queued: it stands in front and is carried out last.
    pub(crate) fn new(
        data: &'a ReflexData,
        payload: Option<&Value>,
        queued: &Operations,
        version: &'a str,
    ) -> Self {
        let mut out = String::with_capacity(512);
        let is_first = begin(&mut out, data, queued);
        let payload = match payload {
            None => Cow::Borrowed("{}"),
            Some(value) => {
                let mut payload = String::new();
                write_camelized_json(&mut payload, &value.to_string());
                Cow::Owned(payload)
            }
        };
        Self {
            out,
            data,
            version,
            payload,
            is_first,
        }
    }

    /// Adds an event that ends the reflex. Its selector is null aloud, so that none is inherited.
    pub(crate) fn status(mut self, status: Status<'_>, morph: Morph) -> String {
        self.begin("name", status.event());
        self.out.push_str(",\"selector\":null,\"payload\":");
        self.out.push_str(&self.payload);
        self.echo(morph);
        if let Status::Error(text) = status {
            self.out.push_str(",\"error\":");
            write_string(&mut self.out, text);
        }
        self.end("dispatchEvent");
        self.finish()
    }

    /// Adds a morph of an element's children.
    pub(crate) fn morph(&mut self, selector: &str, html: &str, morph: Morph) {
        self.begin("selector", selector);
        self.out.push_str(",\"html\":");
        // Quotes and line ends are escaped: about an eighth more than the HTML itself.
        self.out.reserve(html.len() + html.len() / 8);
        write_string(&mut self.out, html);
        self.out.push_str(",\"payload\":");
        self.out.push_str(&self.payload);
        self.out
            .push_str(",\"childrenOnly\":true,\"permanentAttributeName\":");
        match self.data.raw(crate::data::Field::PermanentAttributeName) {
            Some(raw) if raw.starts_with('"') => self.out.push_str(raw),
            _ => self.out.push_str("null"),
        }
        self.echo(morph);
        self.end("morph");
    }

    /// Adds a replacement of what is inside an element.
    pub(crate) fn inner_html(&mut self, selector: &str, html: &str, morph: Morph) {
        self.begin("selector", selector);
        self.out.push_str(",\"html\":");
        // Quotes and line ends are escaped: about an eighth more than the HTML itself.
        self.out.reserve(html.len() + html.len() / 8);
        write_string(&mut self.out, html);
        self.out.push_str(",\"payload\":");
        self.out.push_str(&self.payload);
        self.echo(morph);
        self.end("innerHtml");
    }

    /// The message.
    pub(crate) fn finish(mut self) -> String {
        end(&mut self.out, self.version);
        self.out
    }

    fn begin(&mut self, key: &str, value: &str) {
        self.out
            .push_str(if self.is_first { "{\"" } else { ",{\"" });
        self.is_first = false;
        self.out.push_str(key);
        self.out.push_str("\":");
        write_string(&mut self.out, value);
    }

    fn echo(&mut self, morph: Morph) {
        self.out.push_str(",\"stimulusReflex\":");
        self.data.write_echo(&mut self.out);
        self.out.push_str("\"morph\":\"");
        self.out.push_str(morph.as_str());
        self.out.push_str("\"}");
    }

    fn end(&mut self, operation: &str) {
        self.out.push_str(",\"reflexId\":");
        self.out.push_str(self.data.id_json());
        self.out.push_str(",\"operation\":\"");
        self.out.push_str(operation);
        self.out.push_str("\"}");
    }
}
