//! The templates, compiled into the binary, and the layout around them.

use std::sync::OnceLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Value, context};
use sinew::prelude::*;

const TEMPLATES: &[(&str, &str)] = &[
    ("_card.html", include_str!("../templates/_card.html")),
    ("args.html", include_str!("../templates/args.html")),
    ("boom.html", include_str!("../templates/boom.html")),
    (
        "callbacks.html",
        include_str!("../templates/callbacks.html"),
    ),
    ("counter.html", include_str!("../templates/counter.html")),
    ("dataset.html", include_str!("../templates/dataset.html")),
    ("errors.html", include_str!("../templates/errors.html")),
    ("flashes.html", include_str!("../templates/flashes.html")),
    ("form.html", include_str!("../templates/form.html")),
    ("hop.html", include_str!("../templates/hop.html")),
    ("html.html", include_str!("../templates/html.html")),
    ("item.html", include_str!("../templates/item.html")),
    ("layout.html", include_str!("../templates/layout.html")),
    ("misc.html", include_str!("../templates/misc.html")),
    ("nothing.html", include_str!("../templates/nothing.html")),
    ("ops.html", include_str!("../templates/ops.html")),
    (
        "permanent.html",
        include_str!("../templates/permanent.html"),
    ),
    ("roots.html", include_str!("../templates/roots.html")),
    ("selector.html", include_str!("../templates/selector.html")),
    ("sess.html", include_str!("../templates/sess.html")),
    ("stream.html", include_str!("../templates/stream.html")),
    ("turbo.html", include_str!("../templates/turbo.html")),
];

fn environment() -> &'static Environment<'static> {
    static ENVIRONMENT: OnceLock<Environment<'static>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let mut environment = Environment::new();
        environment.set_syntax(
            SyntaxConfig::builder()
                .keep_trailing_newline(true)
                .trim_blocks(true)
                .lstrip_blocks(true)
                .build()
                .expect("the default delimiters do not contradict each other"),
        );
        for (name, source) in TEMPLATES {
            environment
                .add_template(name, source)
                .expect("the templates are part of the program and compile");
        }
        environment
    })
}

/// Renders a template without the layout.
pub(crate) fn partial(name: &str, values: Value) -> Result<String> {
    Ok(environment().get_template(name)?.render(values)?)
}

/// Renders a page in the layout. `client` is the file name of the script without its ending.
pub(crate) fn page(name: &str, values: Value, client: &str) -> Result<String> {
    let content = Value::from_safe_string(partial(name, values)?);
    let cable_meta =
        Value::from_safe_string(r#"<meta name="action-cable-url" content="/cable" />"#.to_owned());
    partial("layout.html", context! { content, cable_meta, client })
}

/// A text as it stands in HTML.
pub(crate) fn escape(text: &str) -> String {
    minijinja::HtmlEscape(text).to_string()
}
