//! What is found when the engine is built, and what `reflex!` writes.

use std::sync::Arc;

use sinew_macros::{reflex, target};
use sinew_reflex::{
    Action, BuildError, Callback, Definition, Engine, EngineBuilder, Reflex, Reflexes, Skip,
};
use sinew_streams::InProcessStreams;

struct Users;

#[reflex(crate = sinew_reflex, name = "Admin::Users")]
impl Users {
    async fn list(&self, _cx: &mut Reflex) {}

    async fn r#type(&self, _cx: &mut Reflex) {}
}

struct NoPages;

impl sinew_reflex::PageRenderer for NoPages {
    fn route(
        &self,
        _: http::Request<()>,
    ) -> futures_util::future::BoxFuture<
        '_,
        Result<Option<sinew_reflex::Route>, sinew_reflex::RenderError>,
    > {
        Box::pin(async { Ok(None) })
    }

    fn render(
        &self,
        _: sinew_reflex::PageRequest,
    ) -> futures_util::future::BoxFuture<'_, Result<sinew_reflex::Page, sinew_reflex::RenderError>>
    {
        Box::pin(async { Ok(sinew_reflex::Page::default()) })
    }
}

macro_rules! by_hand {
    ($name:ident, $definition:expr) => {
        struct $name;

        impl Reflexes for $name {
            fn definition() -> Definition<Self> {
                $definition
            }
        }
    };
}

by_hand!(SameName, Definition::new("UsersReflex"));
by_hand!(OtherName, Definition::new("Users"));
by_hand!(
    Twice,
    Definition::new("Twice")
        .action(Action::new("a", |_, _, _| Box::pin(async { Ok(()) })))
        .action(Action::new("a", |_, _, _| Box::pin(async { Ok(()) })))
);
by_hand!(Skips, Definition::new("Skips").skip(Skip::new("gone")));
by_hand!(
    Names,
    Definition::new("Names")
        .callback(Callback::before("first", |_, _| Box::pin(async { Ok(()) })).only(&["gone"]))
);
by_hand!(Empty, Definition::new("Empty"));

fn check(build: impl FnOnce(EngineBuilder) -> EngineBuilder, expected: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let builder = Engine::builder(Arc::new(InProcessStreams::new()), Arc::new(NoPages))
        .runtime(runtime.handle().clone());
    let error = build(builder).build().expect_err(expected);
    assert_eq!(error.to_string(), expected);
}

#[test]
fn mistakes_are_found_at_the_start() {
    check(
        |builder| builder.reflex(SameName).reflex(OtherName),
        "two reflexes are registered under the name `Users`: give one another name with `#[reflex(name = \"…\")]`, or register it once",
    );
    check(
        |builder| builder.reflex(Twice),
        "reflex `Twice` has two actions named `a`",
    );
    check(
        |builder| builder.application(Empty).reflex(Skips),
        "reflex `Skips` skips `gone`, but the application-wide reflex has no such callback",
    );
    check(
        |builder| builder.application(Empty).reflex(Names),
        "callback `first` of reflex `Names` names the action `gone`, which does not exist",
    );
    check(
        |builder| builder.application(Empty).application(Users),
        "there can be only one application-wide reflex",
    );
    let builder = Engine::builder(Arc::new(InProcessStreams::new()), Arc::new(NoPages));
    assert!(matches!(builder.build(), Err(BuildError::NoRuntime)));
}

#[test]
fn a_target_is_a_text_made_while_compiling() {
    const LIST: &str = target!(crate = sinew_reflex; Users::list);
    assert_eq!(LIST, "Admin::Users#list");
    assert_eq!(
        target!(crate = sinew_reflex; "click" => Users::list, "input" => Users::r#type),
        "click->Admin::Users#list input->Admin::Users#type"
    );
    let names: Vec<_> = Users::definition()
        .action_names()
        .map(str::to_owned)
        .collect();
    assert_eq!(names, ["list", "type"]);
}
