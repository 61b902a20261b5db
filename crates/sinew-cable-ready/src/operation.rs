//! One CableReady operation.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::json::{write_string, write_value};
use crate::key::camelize_key;
use crate::selector::Target;

/// One instruction to the browser: a name, a target, options.
///
/// Mostly made by the methods of [`Operations`](crate::Operations) and amended in
/// [`with`](crate::Operations::with); built by hand for names that this crate does not know.
/// Every method takes the operation and gives it back, so calls can be chained.
///
/// ```
/// use sinew_cable_ready::{Operation, Operations};
/// let mut operations = Operations::new();
/// operations.push(Operation::new("jazz_hands").at("#slot").option("finger_count", 10));
/// assert_eq!(
///     operations.to_json(),
///     r##"[{"selector":"#slot","fingerCount":10,"operation":"jazzHands"}]"##
/// );
/// assert_eq!(operations.iter().next().map(Operation::name), Some("jazzHands"));
/// ```
///
/// # What every operation may have
///
/// ```
/// use std::time::Duration;
/// use serde_json::json;
/// use sinew_cable_ready::{Operation, Scope, Target};
///
/// let operation = Operation::new("remove")
///     .at(".note")
///     .select_all()
///     .delay(Duration::from_millis(250))
///     .batch("notes")
///     .focus("#search");
/// assert_eq!(operation.target(), &Target::Css(".note".into()));
///
/// let mut json = String::new();
/// operation.write(&mut json, Scope::Plain);
/// assert_eq!(
///     json,
///     r##"{"selector":".note","selectAll":true,"delay":250,"batch":"notes","focusSelector":"#search","operation":"remove"}"##
/// );
///
/// // Without effect, for its events only; and with JSON whose keys stay as they are.
/// let operation = Operation::new("remove").cancel().option_json("rows", r#"[{"a_b":1}]"#);
/// json.clear();
/// operation.write(&mut json, Scope::Plain);
/// assert_eq!(json, r#"{"cancel":true,"rows":[{"a_b":1}],"operation":"remove"}"#);
/// ```
///
/// # What one or the other may have
///
/// ```
/// use serde_json::json;
/// use sinew_cable_ready::{ConsoleLevel, Operations, document};
///
/// let mut operations = Operations::new();
/// operations
///     .morph("#list", "<li>1</li>")
///     .with(|morph| morph.children_only().permanent_attribute("data-keep"))
///     .dispatch_event(document(), "saved")
///     .with(|event| event.detail(json!({"item_count": 2})))
///     .push_state("/items/2")
///     .with(|entry| entry.state(json!({"item_id": 2})).title("Item 2"))
///     .redirect_to("/items")
///     .with(|visit| visit.replace_history().without_turbo())
///     .console_log("late")
///     .with(|line| line.level(ConsoleLevel::Warn))
///     .console_table(json!([{"id": 1, "name": "one"}]))
///     .with(|table| table.columns(["name"]))
///     .scroll_into_view("#list")
///     .with(|scroll| scroll.behavior("smooth").block("center").inline("nearest"))
///     .notification("Saved")
///     .with(|notification| notification.options(json!({"body": "two items"})));
///
/// let json: serde_json::Value = serde_json::from_str(&operations.to_json())?;
/// assert_eq!(json[0]["permanentAttributeName"], "data-keep");
/// assert_eq!(json[1]["detail"], json!({"itemCount": 2}));
/// assert_eq!(json[2]["state"], json!({"itemId": 2}));
/// assert_eq!(json[3]["action"], "replace");
/// assert_eq!(json[3]["turbo"], false);
/// assert_eq!(json[4]["level"], "warn");
/// assert_eq!(json[5]["columns"], json!(["name"]));
/// assert_eq!(json[6]["block"], "center");
/// assert_eq!(json[7]["options"], json!({"body": "two items"}));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Operation {
    /// On the wire, lower camel case. Empty for a raw operation.
    name: Cow<'static, str>,
    pub(crate) target: Target,
    /// True once the target was taken over from the operation before: it then travels after the options.
    pub(crate) inherited: bool,
    /// How many options stand before the selector.
    target_at: usize,
    fields: Vec<Field>,
    /// A raw operation's JSON object, keys already rewritten.
    raw: Option<Box<str>>,
}

#[derive(Debug, Clone)]
struct Field {
    key: Cow<'static, str>,
    value: FieldValue,
}

#[derive(Debug, Clone)]
enum FieldValue {
    Text(Cow<'static, str>),
    Bool(bool),
    Value(Box<Value>),
    Json(Arc<str>),
}

/// Where an inserted piece goes, seen from the target.
///
/// ```
/// use sinew_cable_ready::{Operations, Position};
/// let mut operations = Operations::new();
/// operations.insert_adjacent_html("#first", Position::BeforeBegin, "<li>0</li>");
/// assert_eq!(
///     operations.to_json(),
///     r##"[{"selector":"#first","position":"beforebegin","html":"<li>0</li>","operation":"insertAdjacentHtml"}]"##
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// In front of the target.
    BeforeBegin,
    /// Inside the target, before its first child.
    AfterBegin,
    /// Inside the target, after its last child.
    BeforeEnd,
    /// Behind the target.
    AfterEnd,
}

impl Position {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Position::BeforeBegin => "beforebegin",
            Position::AfterBegin => "afterbegin",
            Position::BeforeEnd => "beforeend",
            Position::AfterEnd => "afterend",
        }
    }
}

/// Which of the browser's storages is meant.
///
/// ```
/// use sinew_cable_ready::{Operations, Storage};
/// let mut operations = Operations::new();
/// operations.clear_storage(Storage::Local).clear_storage(Storage::Session);
/// assert_eq!(
///     operations.to_json(),
///     r#"[{"type":"local","operation":"clearStorage"},{"type":"session","operation":"clearStorage"}]"#
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// `localStorage`: kept until cleared.
    Local,
    /// `sessionStorage`: kept as long as the tab.
    Session,
}

impl Storage {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Storage::Local => "local",
            Storage::Session => "session",
        }
    }
}

/// How loud a console line is. Without one it is a plain log line.
///
/// ```
/// use sinew_cable_ready::{ConsoleLevel, Operations};
/// let mut operations = Operations::new();
/// operations.console_log("late").with(|line| line.level(ConsoleLevel::Warn));
/// assert_eq!(
///     operations.to_json(),
///     r#"[{"message":"late","level":"warn","operation":"consoleLog"}]"#
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsoleLevel {
    /// `console.info`.
    Info,
    /// `console.warn`.
    Warn,
    /// `console.error`.
    Error,
}

/// One CSS class, or several.
///
/// A string with white space in it is taken as several classes, since the browser refuses a class name with a space.
///
/// ```
/// use serde_json::{Value, json};
/// use sinew_cable_ready::ClassNames;
/// assert_eq!(Value::from(ClassNames::from("active")), json!("active"));
/// assert_eq!(Value::from(ClassNames::from("active wide")), json!(["active", "wide"]));
/// assert_eq!(Value::from(ClassNames::from(["active"])), json!(["active"]));
/// assert_eq!(ClassNames::from(vec!["a", "b"]), ClassNames::from("a b"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassNames(Vec<String>, bool);

impl From<&str> for ClassNames {
    fn from(names: &str) -> Self {
        let several = names.contains(char::is_whitespace);
        let names: Vec<String> = if several {
            names.split_whitespace().map(str::to_owned).collect()
        } else {
            vec![names.to_owned()]
        };
        ClassNames(names, several)
    }
}

impl From<String> for ClassNames {
    fn from(names: String) -> Self {
        names.as_str().into()
    }
}

impl<T: Into<String>, const N: usize> From<[T; N]> for ClassNames {
    fn from(names: [T; N]) -> Self {
        ClassNames(names.into_iter().map(Into::into).collect(), true)
    }
}

impl<T: Into<String>> From<Vec<T>> for ClassNames {
    fn from(names: Vec<T>) -> Self {
        ClassNames(names.into_iter().map(Into::into).collect(), true)
    }
}

impl From<ClassNames> for Value {
    fn from(ClassNames(names, several): ClassNames) -> Self {
        let mut names: Vec<Value> = names.into_iter().map(Value::String).collect();
        match names.pop() {
            Some(only) if !several && names.is_empty() => only,
            last => {
                names.extend(last);
                Value::Array(names)
            }
        }
    }
}

impl Operation {
    /// An operation called `name`, in snake or lower camel case, without target and options.
    ///
    /// The name is not checked: a browser that does not know it writes an error to its console and goes on.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        let name = name.into();
        let name = match camelize_key(&name) {
            Cow::Owned(rewritten) => Cow::Owned(rewritten),
            Cow::Borrowed(_) => name,
        };
        Operation {
            name,
            target: Target::Previous,
            inherited: false,
            target_at: 0,
            fields: Vec::new(),
            raw: None,
        }
    }

    /// An operation that is already JSON, an object with its keys rewritten.
    pub(crate) fn raw(object: String) -> Self {
        let mut operation = Operation::new("");
        operation.raw = Some(object.into_boxed_str());
        operation
    }

    pub(crate) fn is_raw(&self) -> bool {
        self.raw.is_some()
    }

    /// The name as it travels, lower camel case; empty for one given as raw JSON.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is aimed at.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Aims it at `target`.
    pub fn at(mut self, target: impl Into<Target>) -> Self {
        self.target = target.into();
        self.inherited = false;
        self.target_at = self.fields.len();
        self
    }

    /// Sets any option. The key may be in snake case; keys inside `value` are rewritten to lower camel case as well.
    ///
    /// Setting an option again replaces it in its place.
    pub fn option(self, key: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        let value = match value.into() {
            Value::String(text) => FieldValue::Text(Cow::Owned(text)),
            Value::Bool(flag) => FieldValue::Bool(flag),
            other => FieldValue::Value(Box::new(other)),
        };
        self.field(key.into(), value)
    }

    /// Sets an option whose value is already JSON text, copied as it is: its keys are **not** rewritten.
    ///
    /// Nobody checks the text; one that is not JSON makes the whole message unreadable to the browser.
    pub fn option_json(self, key: impl Into<Cow<'static, str>>, json: impl Into<Arc<str>>) -> Self {
        self.field(key.into(), FieldValue::Json(json.into()))
    }

    pub(crate) fn text(self, key: &'static str, text: impl Into<Cow<'static, str>>) -> Self {
        self.field(Cow::Borrowed(key), FieldValue::Text(text.into()))
    }

    fn flag(self, key: &'static str, flag: bool) -> Self {
        self.field(Cow::Borrowed(key), FieldValue::Bool(flag))
    }

    fn field(mut self, key: Cow<'static, str>, value: FieldValue) -> Self {
        let key = match camelize_key(&key) {
            Cow::Owned(rewritten) => Cow::Owned(rewritten),
            Cow::Borrowed(_) => key,
        };
        match self.fields.iter_mut().find(|field| field.key == key) {
            Some(field) => field.value = value,
            None => self.fields.push(Field { key, value }),
        }
        self
    }

    /// Changes every match of the selector, not only the first.
    ///
    /// Honoured by the DOM and property operations and by `dispatch_event`. With no match the operation does nothing
    /// and says nothing.
    pub fn select_all(self) -> Self {
        self.flag("selectAll", true)
    }

    /// Lets the effect wait that long, in whole milliseconds. The life-cycle events and the batch do not wait.
    pub fn delay(self, delay: Duration) -> Self {
        let milliseconds = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        self.option("delay", milliseconds)
    }

    /// Skips the effect; the before and after events still happen.
    pub fn cancel(self) -> Self {
        self.flag("cancel", true)
    }

    /// Counts the operation to a batch: when the last one of that name in the message has run, the document gets
    /// the event `cable-ready:batch-complete`.
    pub fn batch(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.text("batch", name)
    }

    /// Moves the focus to the first match of `selector` afterwards; without this it returns to where it was.
    ///
    /// Honoured by the DOM operations.
    pub fn focus(self, selector: impl Into<Cow<'static, str>>) -> Self {
        self.text("focusSelector", selector)
    }

    /// `morph`: changes only the children of the target; the HTML is then what stands inside the target, without the
    /// target itself.
    pub fn children_only(self) -> Self {
        self.flag("childrenOnly", true)
    }

    /// `morph`: leaves elements with this attribute as they are, and protects the field being typed in.
    pub fn permanent_attribute(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.text("permanentAttributeName", name)
    }

    /// `dispatch_event`: what listeners find in `event.detail`. Keys arrive in lower camel case.
    pub fn detail(self, detail: impl Into<Value>) -> Self {
        self.option("detail", detail)
    }

    /// `push_state`, `replace_state`: the state object. Keys arrive in lower camel case.
    pub fn state(self, state: impl Into<Value>) -> Self {
        self.option("state", state)
    }

    /// `push_state`, `replace_state`: the title handed to the history API, which most browsers ignore.
    pub fn title(self, title: impl Into<Cow<'static, str>>) -> Self {
        self.text("title", title)
    }

    /// `redirect_to`: replaces the current entry of the history instead of adding one.
    pub fn replace_history(self) -> Self {
        self.text("action", "replace")
    }

    /// `redirect_to`: loads the page in full even if Turbo is there.
    pub fn without_turbo(self) -> Self {
        self.flag("turbo", false)
    }

    /// `console_log`: how loud the line is.
    pub fn level(self, level: ConsoleLevel) -> Self {
        self.text(
            "level",
            match level {
                ConsoleLevel::Info => "info",
                ConsoleLevel::Warn => "warn",
                ConsoleLevel::Error => "error",
            },
        )
    }

    /// `console_table`: the columns to show, all without this.
    pub fn columns<T: Into<String>>(self, columns: impl IntoIterator<Item = T>) -> Self {
        let columns: Vec<Value> = columns
            .into_iter()
            .map(|column| Value::String(column.into()))
            .collect();
        self.option("columns", columns)
    }

    /// `scroll_into_view`: `"smooth"`, `"instant"` or `"auto"`.
    pub fn behavior(self, behavior: impl Into<Cow<'static, str>>) -> Self {
        self.text("behavior", behavior)
    }

    /// `scroll_into_view`: vertical alignment, `"start"`, `"center"`, `"end"` or `"nearest"`.
    pub fn block(self, block: impl Into<Cow<'static, str>>) -> Self {
        self.text("block", block)
    }

    /// `scroll_into_view`: horizontal alignment, `"start"`, `"center"`, `"end"` or `"nearest"`.
    pub fn inline(self, inline: impl Into<Cow<'static, str>>) -> Self {
        self.text("inline", inline)
    }

    /// `notification`: the options of the browser's `Notification`, such as `{"body": ".."}`.
    pub fn options(self, options: impl Into<Value>) -> Self {
        self.option("options", options)
    }

    /// Appends the operation as a JSON object.
    ///
    /// Options in the order given, then `reflexId` if there is a scope for it, an inherited selector, `operation`.
    pub fn write(&self, out: &mut String, scope: Scope<'_>) {
        if let Some(raw) = &self.raw {
            // The object's closing brace makes room for the id. It is never empty: `operation` is in it.
            match scope {
                Scope::Plain => out.push_str(raw),
                Scope::Reflex(_) => {
                    out.push_str(&raw[..raw.len() - 1]);
                    out.push_str(",\"reflexId\":");
                    scope.write_id(out);
                    out.push('}');
                }
            }
            return;
        }
        out.push('{');
        for (index, field) in self.fields.iter().enumerate() {
            if index == self.target_at && !self.inherited {
                self.write_target(out);
            }
            write_string(out, &field.key);
            out.push(':');
            match &field.value {
                FieldValue::Text(text) => write_string(out, text),
                FieldValue::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
                FieldValue::Value(value) => write_value(out, value),
                FieldValue::Json(json) => out.push_str(json),
            }
            out.push(',');
        }
        if self.target_at >= self.fields.len() && !self.inherited {
            self.write_target(out);
        }
        if let Scope::Reflex(_) = scope {
            out.push_str("\"reflexId\":");
            scope.write_id(out);
            out.push(',');
        }
        if self.inherited {
            self.write_target(out);
        }
        out.push_str("\"operation\":");
        write_string(out, &self.name);
        out.push('}');
    }

    fn write_target(&self, out: &mut String) {
        match &self.target {
            Target::Previous => return,
            Target::Document => out.push_str("\"selector\":null"),
            Target::Css(selector) => {
                out.push_str("\"selector\":");
                write_string(out, selector);
            }
            Target::XPath(expression) => {
                out.push_str("\"selector\":");
                write_string(out, expression);
                out.push_str(",\"xpath\":true");
            }
        }
        out.push(',');
    }
}

/// Whom operations are for.
///
/// ```
/// use sinew_cable_ready::{Operation, Scope};
/// let reload = Operation::new("reload");
/// let written = |scope| {
///     let mut json = String::new();
///     reload.write(&mut json, scope);
///     json
/// };
/// assert_eq!(written(Scope::Plain), r#"{"operation":"reload"}"#);
/// assert_eq!(written(Scope::Reflex(Some("1"))), r#"{"reflexId":"1","operation":"reload"}"#);
/// assert_eq!(written(Scope::Reflex(None)), r#"{"reflexId":null,"operation":"reload"}"#);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope<'a> {
    /// Anyone who follows the stream.
    Plain,
    /// The tab that called a reflex: every operation carries its `reflexId`, null if the call had none.
    Reflex(Option<&'a str>),
}

impl Scope<'_> {
    fn write_id(self, out: &mut String) {
        match self {
            Scope::Reflex(Some(id)) => write_string(out, id),
            _ => out.push_str("null"),
        }
    }
}
