//! The page and its part in minijinja: templates are read at run time, values are anything that
//! serde can write.

use std::sync::LazyLock;

use minijinja::value::{Serde, Value};
use minijinja::{Environment, context};
use sinew::prelude::*;

use crate::lunch::{self, Dish};

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    for (name, source) in [
        (
            "page.html",
            include_str!("../templates/minijinja/page.html"),
        ),
        (
            "votes.html",
            include_str!("../templates/minijinja/votes.html"),
        ),
    ] {
        environment
            .add_template(name, source)
            .expect("the tests render every template");
    }
    environment
});

pub(crate) fn page(client: &ClientTags, dishes: &[Dish]) -> Result<String> {
    let client = client.to_string();
    let dishes = Value::from(Serde(dishes));
    let values = context! { client, dishes, vote => lunch::vote(), clear => lunch::clear() };
    Ok(TEMPLATES.get_template("page.html")?.render(values)?)
}

pub(crate) fn part(dishes: &[Dish]) -> Result<String> {
    let dishes = Value::from(Serde(dishes));
    let values = context! { dishes, vote => lunch::vote() };
    Ok(TEMPLATES.get_template("votes.html")?.render(values)?)
}
