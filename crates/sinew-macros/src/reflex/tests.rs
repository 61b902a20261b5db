//! What `#[reflex]` writes and what it refuses, with the words a user will read.

use quote::quote;

use super::*;

fn accepted(attribute: TokenStream, item: TokenStream) -> String {
    let text = expand(attribute, item).to_string();
    assert!(!text.contains("compile_error"), "{text}");
    text
}

fn check_refused(attribute: TokenStream, item: TokenStream, expected: &str) {
    let text = expand(attribute, item).to_string();
    assert!(text.contains("compile_error"), "was accepted: {text}");
    let text = text.replace("\\\"", "\"");
    assert!(
        text.contains(expected),
        "expected: {expected}\nfound: {text}"
    );
}

#[test]
fn an_action_is_an_async_method_with_a_context() {
    let text = accepted(
        quote!(),
        quote!(
            impl Counter {
                async fn increment(&self, cx: &mut Reflex, step: Option<i64>) -> Result {
                    Ok(())
                }
                fn step(&self) -> i64 {
                    1
                }
                fn is_admin(&self, cx: &Reflex) -> bool {
                    true
                }
                async fn load(&self, id: u64) -> u64 {
                    id
                }
                #[helper]
                async fn note(&self, cx: &mut Reflex) {}
            }
        ),
    );
    assert!(text.contains(r#"new ("Counter")"#), "{text}");
    assert!(text.contains(r#"Action :: new ("increment""#), "{text}");
    assert!(text.contains(r#"arguments (& [] , & ["step"])"#), "{text}");
    assert!(text.contains(r#"pub const __action_increment : & 'static str = "Counter#increment""#));
    for left_alone in [
        r#""step" ,"#,
        r#""is_admin""#,
        r#""load""#,
        r#""note""#,
        "# [helper]",
    ] {
        assert!(!text.contains(left_alone), "{left_alone}: {text}");
    }
}

#[test]
fn an_option_before_a_required_argument_is_required() {
    let text = accepted(
        quote!(),
        quote!(
            impl A {
                async fn a(&self, cx: &mut Reflex, x: Option<u8>, y: u8, z: std::option::Option<u8>) {}
            }
        ),
    );
    assert!(
        text.contains(r#"arguments (& ["x" , "y"] , & ["z"])"#),
        "{text}"
    );
}

#[test]
fn settings_reach_the_definition() {
    let text = accepted(
        quote!(
            name = "Admin::UsersReflex",
            skip(sign_in, log, only(list)),
            timeout = "5s",
            crate = sinew_reflex
        ),
        quote!(
            impl Users {
                #[before(only(list, "sign_out"), if = is_admin, unless = Self::b, prepend)]
                async fn first(&self, cx: &mut Reflex) -> Result {
                    Ok(())
                }
                #[around(except(list))]
                async fn wrap(&self, cx: &mut Reflex, next: Next<'_>) -> Result {
                    next.run(cx).await
                }
                #[after]
                async fn last(&self, cx: &mut Reflex) {}
                #[rescue]
                async fn rescue(&self, cx: &mut Reflex, error: &Error) {}
                #[action(concurrent, timeout = "250ms", name = "list")]
                async fn all(&self, cx: &mut Reflex) {}
            }
        ),
    );
    for expected in [
        r#"sinew_reflex :: __macro :: Definition :: < Self > :: new ("Admin::UsersReflex")"#,
        r#"pub const __action_all : & 'static str = "Admin::Users#list""#,
        r#". only (& ["list" , "sign_out"]) . when (Self :: is_admin) . unless (Self :: b) . prepend ()"#,
        r#". except (& ["list"])"#,
        r#"Callback :: after ("last""#,
        r#"rescue (| this , cx , error |"#,
        r#". concurrent () . time_limit (:: std :: time :: Duration :: from_millis (250u64))"#,
        r#"Skip :: new ("sign_in") . only (& ["list"])"#,
        r#"Skip :: new ("log") . only (& ["list"])"#,
    ] {
        assert!(
            text.contains(expected),
            "expected: {expected}\nfound: {text}"
        );
    }
}

#[test]
fn mistakes_are_named() {
    check_refused(
        quote!(),
        quote!(
            impl A {
                fn act(&self, cx: &mut Reflex) {}
            }
        ),
        "the action `act` must be async: write `async fn act`, or mark it `#[helper]`",
    );
    check_refused(
        quote!(),
        quote!(
            impl A {
                async fn act(&mut self, cx: &mut Reflex) {}
            }
        ),
        "the action `act` takes `&self` first, since one value serves all connections at once",
    );
    check_refused(
        quote!(),
        quote!(
            impl A {
                async fn act(cx: &mut Reflex) {}
            }
        ),
        "the action `act` takes `&self`",
    );
    check_refused(
        quote!(),
        quote!(
            impl A {
                async fn act(&self, step: i64, cx: &mut Reflex) {}
            }
        ),
        "the second parameter of the action `act` is the context: write `cx: &mut Reflex`",
    );
    check_refused(
        quote!(),
        quote!(
            impl A {
                async fn act(&self, cx: &Reflex) {}
            }
        ),
        "the second parameter of the action `act` is the context: write `cx: &mut Reflex`",
    );
    check_refused(
        quote!(),
        quote!(
            impl A {
                #[action]
                async fn act(&self) {}
            }
        ),
        "the action `act` takes `&self` and the context: write `async fn act(&self, cx: &mut Reflex)`",
    );
    check_refused(
        quote!(),
        quote!(
            impl A {
                async fn act<T>(&self, cx: &mut Reflex, t: T) {}
            }
        ),
        "the action `act` cannot be generic",
    );
    check_refused(
        quote!(),
        quote!(
            impl A {
                async fn act(&self, cx: &mut Reflex, name: &str) {}
            }
        ),
        "`name` arrives as JSON and belongs to the action: use an owned type, such as `String`",
    );
    check_refused(
        quote!(),
        quote!(
            impl<T> A<T> {
                async fn act(&self, cx: &mut Reflex) {}
            }
        ),
        "`#[reflex]` needs a type without generics",
    );
    check_refused(
        quote!(),
        quote!(
            impl A<u8> {
                async fn act(&self, cx: &mut Reflex) {}
            }
        ),
        "`#[reflex]` needs a type without generics",
    );
    check_refused(
        quote!(),
        quote!(
            impl Clone for A {}
        ),
        "`#[reflex]` belongs on the type's own impl, not on that of a trait: write `#[reflex] impl A",
    );
    check_refused(
        quote!(),
        quote!(
            struct A;
        ),
        "`#[reflex]` belongs on an impl block: `#[reflex] impl Counter { … }`",
    );
    check_refused(
        quote!(),
        quote!(
            impl A {
                async fn act(&self, cx: &mut Reflex) {}
                #[action(name = "act")]
                async fn other(&self, cx: &mut Reflex) {}
            }
        ),
        "two actions are named `act`",
    );
    check_refused(
        quote!(),
        quote!(
            impl A {
                async fn act(&self, cx: &mut Reflex) {}
                async fn reset(&self, cx: &mut Reflex) {}
                #[before(only(atc))]
                async fn first(&self, cx: &mut Reflex) {}
            }
        ),
        "`first` names `atc`, but the actions here are `act`, `reset`",
    );
    check_refused(
        quote!(skip(log, except(nothing))),
        quote!(
            impl A {}
        ),
        "`skip(log)` names `nothing`, but the actions here are none",
    );
    check_refused(
        quote!(),
        quote!(
            impl A {
                #[before(onyl(act))]
                async fn first(&self, cx: &mut Reflex) {}
            }
        ),
        "the mark of a callback knows no `onyl`; it takes `only(…)`, `except(…)`",
    );
    check_refused(
        quote!(),
        quote!(
            impl A {
                #[around]
                async fn wrap(&self, cx: &mut Reflex) {}
            }
        ),
        "`async fn wrap(&self, cx: &mut Reflex, next: Next<'_>) -> Result`",
    );
    check_refused(
        quote!(),
        quote!(
            impl A {
                #[before]
                #[after]
                async fn both(&self, cx: &mut Reflex) {}
            }
        ),
        "`both` is marked twice",
    );
    check_refused(
        quote!(timeout = "5 parsecs"),
        quote!(
            impl A {}
        ),
        "a time limit is a number with a unit",
    );
    check_refused(
        quote!(name = "admin/users"),
        quote!(
            impl A {}
        ),
        "a reflex's name is like `Counter` or `Admin::Users`",
    );
    check_refused(
        quote!(nmae = "A"),
        quote!(
            impl A {}
        ),
        "`#[reflex]` knows no `nmae`",
    );
}

#[test]
fn a_refused_impl_keeps_its_methods() {
    let text = expand(
        quote!(),
        quote!(
            impl A {
                #[before(only(x))]
                async fn first(&self, cx: &mut Reflex) {}
            }
        ),
    )
    .to_string();
    assert!(
        text.contains("async fn first") && !text.contains("# [before"),
        "{text}"
    );
}
