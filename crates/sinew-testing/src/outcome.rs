//! How a reflex ended.

use serde_json::Value;

/// How a reflex ended, as the browser hears it.
///
/// ```
/// # use axum::{Router, response::Html, routing::get};
/// # use sinew::prelude::*;
/// # use sinew_testing::TestApp;
/// struct Kettle;
///
/// #[reflex]
/// impl Kettle {
///     #[before(only(sell))]
///     async fn never(&self, cx: &mut Reflex) -> Result {
///         cx.forbid()
///     }
///
///     #[before(only(wait))]
///     async fn not_now(&self, cx: &mut Reflex) -> Result {
///         cx.halt()
///     }
///
///     async fn boil(&self, cx: &mut Reflex) {
///         cx.morph_nothing().payload_mut()["degrees"] = 100.into();
///     }
///
///     async fn pour(&self, _cx: &mut Reflex) -> Result {
///         Err(Error::visible("the kettle is empty"))
///     }
///
///     async fn sell(&self, _cx: &mut Reflex) {}
///
///     async fn wait(&self, _cx: &mut Reflex) {}
/// }
///
/// # async fn index(client: ClientTags) -> Html<String> { Html(format!("<head>{client}</head>")) }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # let app = TestApp::new(Sinew::new(Router::new().route("/", get(index))).reflex(Kettle));
/// # let mut tab = app.visit("/").await;
/// tab.stimulate("Kettle#boil", ()).await;
/// let outcome = tab.outcome();
/// assert_eq!((outcome.target(), outcome.morph()), ("Kettle#boil", Some("nothing")));
/// assert!(outcome.is_success() && outcome.payload()["degrees"] == 100);
///
/// tab.stimulate("Kettle#pour", ()).await;
/// assert!(tab.outcome().error().is_some_and(|it| it.contains("the kettle is empty")));
/// tab.stimulate("Kettle#sell", ()).await;
/// assert!(tab.outcome().is_forbidden());
/// tab.stimulate("Kettle#wait", ()).await;
/// assert!(tab.outcome().is_halted());
/// assert_eq!(tab.outcome().to_string(), "Kettle#wait: halted");
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    target: String,
    kind: Kind,
    payload: Value,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Success(String),
    Halted,
    Forbidden,
    Error(String),
}

impl Outcome {
    /// Reads what an operation says about the reflex it belongs to.
    pub(crate) fn of(target: &str, operation: &Value) -> Self {
        let morph = operation["stimulusReflex"]["morph"].as_str();
        let kind = match operation["name"].as_str() {
            Some("stimulus-reflex:morph-halted") => Kind::Halted,
            Some("stimulus-reflex:morph-forbidden") => Kind::Forbidden,
            Some("stimulus-reflex:morph-error") => {
                Kind::Error(operation["error"].as_str().unwrap_or_default().to_owned())
            }
            _ => Kind::Success(morph.unwrap_or_default().to_owned()),
        };
        Self {
            target: target.to_owned(),
            kind,
            payload: operation["payload"].clone(),
        }
    }

    /// What was called: `Counter#increment`.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Whether it ran to its end.
    pub fn is_success(&self) -> bool {
        matches!(self.kind, Kind::Success(_))
    }

    /// Whether a callback halted it.
    pub fn is_halted(&self) -> bool {
        self.kind == Kind::Halted
    }

    /// Whether a callback forbade it.
    pub fn is_forbidden(&self) -> bool {
        self.kind == Kind::Forbidden
    }

    /// The sentence the browser was told when it failed.
    pub fn error(&self) -> Option<&str> {
        match &self.kind {
            Kind::Error(sentence) => Some(sentence),
            _ => None,
        }
    }

    /// What was morphed: `page`, `selector` or `nothing`; `None` when it did not succeed.
    pub fn morph(&self) -> Option<&str> {
        match &self.kind {
            Kind::Success(morph) => Some(morph),
            _ => None,
        }
    }

    /// What the reflex gave the browser besides; an empty object when it gave nothing.
    pub fn payload(&self) -> &Value {
        &self.payload
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: ", self.target)?;
        match &self.kind {
            Kind::Success(morph) => write!(f, "success ({morph} morph)"),
            Kind::Halted => f.write_str("halted"),
            Kind::Forbidden => f.write_str("forbidden"),
            Kind::Error(sentence) => write!(f, "error: {sentence}"),
        }
    }
}
