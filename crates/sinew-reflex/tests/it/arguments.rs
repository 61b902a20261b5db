//! Arguments: how many, of which types.

use serde::Deserialize;
use serde_json::{Value, json};
use sinew_macros::reflex;
use sinew_reflex::{Config, Environment, Reflex};

use crate::server::{Server, status};

struct Args;

#[derive(Deserialize)]
struct Address {
    street_name: String,
}

#[reflex(crate = sinew_reflex)]
impl Args {
    async fn none(&self, cx: &mut Reflex) {
        cx.set_payload(json!({"seen": "no arguments"}))
            .morph_nothing();
    }

    async fn optional(&self, cx: &mut Reflex, a: i64, b: Option<String>) {
        let b = b.unwrap_or_else(|| "default b".to_owned());
        cx.set_payload(json!({"seen": [a, b]})).morph_nothing();
    }

    async fn any(&self, cx: &mut Reflex, value: Value) {
        cx.set_payload(json!({"seen": value.to_string()}))
            .morph_nothing();
    }

    async fn address(&self, cx: &mut Reflex, address: Address, _rest: Option<Vec<u8>>) {
        cx.set_payload(json!({"seen": address.street_name}))
            .morph_nothing();
    }
}

async fn server(environment: Environment) -> Server {
    let config = Config {
        environment,
        ..Config::default()
    };
    Server::with_config(config, |builder| builder.reflex(Args)).await
}

async fn check(target: &str, args: Value, expected: Value) {
    let mut server = server(Environment::Production).await;
    let payload = server.payload(target, json!({"args": args})).await;
    assert_eq!(payload["seen"], expected, "{target} {args}");
}

async fn check_error(target: &str, args: Value, expected: &str) {
    let mut development = server(Environment::Development).await;
    assert_eq!(
        development.error(target, json!({"args": args})).await,
        expected
    );
    let mut production = server(Environment::Production).await;
    assert_eq!(
        production.error(target, json!({"args": args})).await,
        "The server did not understand what this action was given."
    );
}

#[tokio::test]
async fn arguments_are_typed_and_optional() {
    check("Args#none", json!([]), json!("no arguments")).await;
    check("Args#optional", json!([1]), json!([1, "default b"])).await;
    check("Args#optional", json!([1, null]), json!([1, "default b"])).await;
    check("Args#optional", json!([1, "b"]), json!([1, "b"])).await;
    check(
        "Args#any",
        json!([{"someKey": [1.5, null]}]),
        json!(r#"{"some_key":[1.5,null]}"#),
    )
    .await;
    check("Args#address", json!([{"streetName": "Elm"}]), json!("Elm")).await;
    check(
        "Args#address",
        json!([{"street_name": "Elm"}, [1, 2]]),
        json!("Elm"),
    )
    .await;
}

#[tokio::test]
async fn too_few_and_too_many_are_refused() {
    check_error(
        "Args#none",
        json!([1, {"k": 2}]),
        r#"wrong number of arguments (given [1, {"k":2}], expected [], optional [])"#,
    )
    .await;
    check_error(
        "Args#optional",
        json!([]),
        "wrong number of arguments (given [], expected [[:req, :a]], optional [[:opt, :b]])",
    )
    .await;
    check_error(
        "Args#optional",
        json!([1, "b", 3]),
        r#"wrong number of arguments (given [1, "b", 3], expected [[:req, :a]], optional [[:opt, :b]])"#,
    )
    .await;
}

#[tokio::test]
async fn a_wrong_type_names_the_argument_and_the_reason() {
    check_error(
        "Args#optional",
        json!(["ten"]),
        "argument 1 (`a`) does not fit: invalid type: string \"ten\", expected i64 at line 1 column 5",
    )
    .await;
    check_error(
        "Args#address",
        json!([{"street": 1}]),
        "argument 1 (`address`) does not fit: missing field `street_name` at line 1 column 12",
    )
    .await;
}

#[tokio::test]
async fn arguments_that_are_no_list_are_refused() {
    let mut server = server(Environment::Production).await;
    for args in [json!({"a": 1}), json!("x"), json!(1)] {
        assert_eq!(
            status(&server.call_with("Args#none", json!({"args": args})).await),
            "error"
        );
    }
    assert_eq!(
        status(&server.call_with("Args#none", json!({"args": null})).await),
        "nothing"
    );
}
