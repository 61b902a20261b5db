//! `sinew generate reflex NAME [ACTIONS]`: a reflex, its test, and the two lines that make it known.

mod edit;
mod source;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

use crate::names;

/// Add something to the application in this folder.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// A reflex with its actions and a test for each
    #[command(after_help = "\
Writes src/reflexes/todos.rs for a reflex `Todos`, and adds its line to src/reflexes/mod.rs and to
src/application.rs. Nothing that is there is overwritten.

Example:
  sinew generate reflex Todos add remove")]
    Reflex {
        /// Name of the reflex, written as a type, such as `Todos`
        name: String,
        /// Names of its actions, written as methods, such as `add`; without any it gets `perform`
        actions: Vec<String>,
    },
}

/// Files that may hold the place where reflexes are registered.
const APPLICATIONS: [&str; 3] = ["src/application.rs", "src/lib.rs", "src/main.rs"];
const MODULES: &str = "src/reflexes/mod.rs";
const TESTS: &str = "src/tests.rs";

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let What::Reflex { name, actions } = &arguments.what;
    let here = std::env::current_dir().context("the current folder is gone")?;
    for line in reflex(&here, name, actions)? {
        println!("{line}");
    }
    Ok(())
}

/// Adds a reflex to the application around `here`, and tells what was done and what is left to do.
fn reflex(here: &Path, name: &str, actions: &[String]) -> Result<Vec<String>> {
    names::check_reflex(name)?;
    names::check_actions(actions)?;
    let root = root(here)?;
    let module = names::snake_case(name);
    let perform = ["perform".to_owned()];
    let actions = if actions.is_empty() {
        &perform
    } else {
        actions
    };

    let path = format!("src/reflexes/{module}.rs");
    for taken in [&path, &format!("src/reflexes/{module}/mod.rs")] {
        ensure!(
            !root.join(taken).exists(),
            "{taken} is there already: choose another name, or remove it first"
        );
    }
    let has_visit = read(&root, TESTS)?.is_some_and(|tests| tests.contains("async fn visit("));
    let mut changes = Changes::default();
    let mut left = Vec::new();
    changes.new_file(
        &path,
        source::formatted(source::of(name, actions, has_visit)),
    );
    if !has_visit {
        left.push(format!(
            "No test was written, since {TESTS} has no `visit`."
        ));
    }

    match read(&root, MODULES)? {
        Some(text) => match edit::with_module(&text, &module) {
            Some(edited) => changes.edit(MODULES, text, edited),
            None => bail!("{MODULES} has a module `{module}` already: choose another name"),
        },
        None => left.push(format!(
            "Add this line to the module `reflexes`:\n    pub(crate) mod {module};"
        )),
    }

    let mut is_registered = false;
    for application in APPLICATIONS {
        let Some(text) = read(&root, application)? else {
            continue;
        };
        if let Some(edited) = edit::with_registration(&text, &module, name) {
            changes.edit(application, text, edited);
            is_registered = true;
            break;
        }
    }
    if !is_registered {
        left.push(format!(
            "Add this line where the application is built, after `Sinew::new(…)`:\n    .reflex(crate::reflexes::{module}::{name})"
        ));
    }

    let mut said = changes.apply(&root)?;
    said.extend(left);
    said.push(format!(
        "In a page: data-reflex=(sinew::reflex!(\"click\" => {name}::{}))",
        actions[0]
    ));
    Ok(said)
}

/// The folder of the application: the nearest with a manifest that depends on Sinew.
fn root(here: &Path) -> Result<PathBuf> {
    let mut folders = here.ancestors();
    let root = folders.find(|folder| folder.join("Cargo.toml").is_file());
    let root = root.context(
        "there is no Cargo.toml here or above: change to the folder of an application, or make one with `sinew new`",
    )?;
    let manifest = read(root, "Cargo.toml")?.unwrap_or_default();
    let depends =
        |line: &str| line.starts_with("sinew") && line[5..].trim_start().starts_with(['=', '.']);
    ensure!(
        manifest.lines().any(depends) || manifest.contains("[dependencies.sinew]"),
        "{} does not depend on `sinew`: change to the folder of an application",
        root.join("Cargo.toml").display()
    );
    Ok(root.to_owned())
}

/// The text of a file of the application, if there is such a file.
fn read(root: &Path, relative: &str) -> Result<Option<String>> {
    match fs::read_to_string(root.join(relative)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {relative}")),
    }
}

/// What is to be written, all of it or nothing.
#[derive(Default)]
struct Changes(Vec<Change>);

struct Change {
    path: String,
    before: Option<String>,
    after: String,
}

impl Changes {
    fn new_file(&mut self, path: &str, after: String) {
        self.push(path, None, after);
    }

    fn edit(&mut self, path: &str, before: String, after: String) {
        self.push(path, Some(before), after);
    }

    fn push(&mut self, path: &str, before: Option<String>, after: String) {
        let path = path.to_owned();
        self.0.push(Change {
            path,
            before,
            after,
        });
    }

    /// Writes it, and tells what was written. When something cannot be written, what was is undone.
    fn apply(self, root: &Path) -> Result<Vec<String>> {
        for (index, change) in self.0.iter().enumerate() {
            if let Err(error) = change.write(root) {
                for done in self.0[..index].iter().rev() {
                    done.undo(root);
                }
                return Err(error);
            }
        }
        let said = self.0.iter().map(|change| match change.before {
            Some(_) => format!("changed  {}", change.path),
            None => format!("wrote    {}", change.path),
        });
        Ok(said.collect())
    }
}

impl Change {
    fn write(&self, root: &Path) -> Result<()> {
        let path = root.join(&self.path);
        let written = if self.before.is_some() {
            fs::write(&path, &self.after)
        } else {
            fs::create_dir_all(path.parent().unwrap_or(root))
                // Not one that has come into being meanwhile.
                .and_then(|()| fs::File::create_new(&path))
                .and_then(|mut file| file.write_all(self.after.as_bytes()))
        };
        written.with_context(|| format!("cannot write {}", self.path))
    }

    /// As well as it goes: there is a first error to tell already.
    fn undo(&self, root: &Path) {
        let path = root.join(&self.path);
        let _ = match &self.before {
            Some(before) => fs::write(path, before),
            None => fs::remove_file(path),
        };
    }
}

#[cfg(test)]
mod tests;
