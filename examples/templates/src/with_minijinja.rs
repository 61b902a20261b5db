//! The page and its part in minijinja: templates are read at run time, values are anything that
//! serde can write.
//!
//! A debug build reads the files when they are asked for: change one, and the open page follows without a
//! build and without a restart. A release build carries them, and reads none.

use std::sync::LazyLock;

use minijinja::value::{Serde, Value};
use minijinja::{Environment, context};
use sinew::prelude::*;

use crate::lunch::{self, Dish};

/// Where the files are while the program is being written.
pub(crate) const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/minijinja");

#[cfg(debug_assertions)]
static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| on_disk(FOLDER));

#[cfg(not(debug_assertions))]
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

/// Templates from files. One that has changed is read again when it is asked for.
#[cfg(any(debug_assertions, test))]
fn on_disk(folder: impl AsRef<std::path::Path>) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_loader(minijinja::path_loader(folder));
    environment
}

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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_template_that_has_changed_is_read_again() -> Result {
        let folder = tempfile::tempdir()?;
        let templates = on_disk(folder.path());
        for text in ["before", "after, and longer"] {
            fs::write(folder.path().join("page.html"), text)?;
            let page = templates.get_template("page.html")?.render(context! {})?;
            assert_eq!(page, text);
        }
        Ok(())
    }
}
