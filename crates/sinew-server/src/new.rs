//! `sinew new NAME`: an application that compiles, runs and passes its own tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::names;
use crate::template::{self, Variant};

/// Make a new application in a folder of its name.
///
/// It compiles, runs and passes its own tests: one page with a counter; or with `--full` accounts
/// (register, sign in, sign out), a SQLite database inside the program, and a to-do list for each
/// account that is live in all of its tabs.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sinew new shop           one page, one reflex
  sinew new shop --full    accounts and a database")]
pub(crate) struct Arguments {
    /// What the application, its folder and its program are called, such as `shop`
    name: String,

    /// With accounts and an embedded SQL database
    #[arg(long)]
    full: bool,

    /// Depend on a checkout of Sinew instead of the published crates
    #[arg(long, value_name = "FOLDER")]
    sinew_path: Option<PathBuf>,

    /// Do not make the folder a git repository; inside of one that is never done
    #[arg(long)]
    no_git: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let here = std::env::current_dir().context("the current folder is gone")?;
    let made = make(arguments, &here)?;
    let name = &arguments.name;
    let what = if arguments.full {
        "accounts, a database and a to-do list for each account"
    } else {
        "one page and one reflex"
    };
    println!("Made `{name}`: {what}.");
    for remark in made {
        println!("{remark}");
    }
    println!(
        "
  cd {name}
  cargo run                                  then open http://127.0.0.1:3000
  sinew watch                                the same, and again after each change
  cargo test                                 clicks through it, without a browser
  sinew generate reflex Cart add remove      adds a reflex

Its README.md says where things are."
    );
    Ok(())
}

/// Makes the folder below `here`, and tells what somebody should know besides.
fn make(arguments: &Arguments, here: &Path) -> Result<Vec<String>> {
    let name = &*arguments.name;
    names::check_application(name)?;
    let (sinew, testing) = sources(arguments.sinew_path.as_deref(), here)?;
    let variant = if arguments.full {
        Variant::Full
    } else {
        Variant::Minimal
    };

    let folder = here.join(name);
    ensure!(
        is_free(&folder)?,
        "`{name}` is there already and not empty: choose another name, or remove it"
    );
    // Written beside it and moved, so that there is all of it or nothing.
    let unfinished = Unfinished(here.join(format!(".{name}.{}.unfinished", std::process::id())));
    for (path, text) in template::files(variant, name, &sinew, &testing) {
        write(&unfinished.0.join(path), &text)?;
    }
    let moved = fs::rename(&unfinished.0, &folder);
    moved.with_context(|| format!("cannot make the folder {}", folder.display()))?;

    let mut remarks = Vec::new();
    if let Some(workspace) = workspace_around(here) {
        remarks.push(format!(
            "There is a workspace around it: add it to `members` in {}.",
            workspace.display()
        ));
    }
    if !arguments.no_git && !is_in_repository(here) {
        remarks.extend(initialize_repository(&folder));
    }
    Ok(remarks)
}

/// Where the two crates come from, as their lines in the manifest say it.
fn sources(checkout: Option<&Path>, here: &Path) -> Result<(String, String)> {
    let Some(checkout) = checkout else {
        let (major, minor) = (
            env!("CARGO_PKG_VERSION_MAJOR"),
            env!("CARGO_PKG_VERSION_MINOR"),
        );
        let version = format!("version = \"{major}.{minor}\"");
        return Ok((version.clone(), version));
    };
    let crates = here.join(checkout).join("crates");
    let source = |name: &str| {
        let path = crates.join(name);
        let path = path.canonicalize().ok();
        let path = path.filter(|path| path.join("Cargo.toml").is_file());
        let path = path.with_context(|| {
            format!(
                "{} is no checkout of Sinew: there is no crates/{name} in it",
                checkout.display()
            )
        })?;
        // A text of TOML between single quotes has no escapes: nothing to get wrong on Windows.
        let path = path.to_str().filter(|path| !path.contains('\''));
        let path = path.context("the path of the checkout has characters a manifest cannot")?;
        Ok::<_, anyhow::Error>(format!("path = '{path}'"))
    };
    Ok((source("sinew")?, source("sinew-testing")?))
}

/// Whether nothing is lost when a folder is made there. An empty one is taken away.
fn is_free(folder: &Path) -> Result<bool> {
    match fs::read_dir(folder) {
        Ok(mut entries) => {
            let is_empty = entries.next().is_none();
            if is_empty {
                fs::remove_dir(folder)
                    .with_context(|| format!("cannot replace {}", folder.display()))?;
            }
            Ok(is_empty)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        // A file, or a folder that cannot be read.
        Err(_) => Ok(false),
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// A folder that is taken away unless it was moved to its place.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        // It is not there when all went well.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The manifest of the workspace that cargo would take the application for a part of.
fn workspace_around(folder: &Path) -> Option<PathBuf> {
    let manifests = folder.ancestors().map(|folder| folder.join("Cargo.toml"));
    let is_workspace = |path: &PathBuf| {
        let manifest = fs::read_to_string(path).unwrap_or_default();
        manifest.lines().any(|line| line.trim() == "[workspace]")
    };
    manifests.into_iter().find(is_workspace)
}

fn is_in_repository(folder: &Path) -> bool {
    folder
        .ancestors()
        .any(|folder| folder.join(".git").exists())
}

/// A remark if that is not possible: the application is as good without.
fn initialize_repository(folder: &Path) -> Option<String> {
    let output = Command::new("git")
        .arg("init")
        .arg("--quiet")
        .current_dir(folder)
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(format!(
            "It is no git repository, since `git init` failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )),
        Err(_) => Some("It is no git repository, since there is no `git` here.".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(name: &str) -> Arguments {
        Arguments {
            name: name.to_owned(),
            full: false,
            sinew_path: None,
            no_git: true,
        }
    }

    fn entries(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_folder_is_made_and_nothing_beside_it() {
        let here = tempfile::tempdir().unwrap();
        make(&arguments("shop"), here.path()).unwrap();
        assert_eq!(entries(here.path()), ["shop"]);
        let shop = here.path().join("shop");
        assert_eq!(
            entries(&shop),
            [".gitignore", "Cargo.toml", "README.md", "src"]
        );
        let manifest = fs::read_to_string(shop.join("Cargo.toml")).unwrap();
        assert!(manifest.contains("sinew = { version = \"0.1\", features"));
    }

    #[test]
    fn an_empty_folder_is_filled_and_another_is_left_alone() {
        let here = tempfile::tempdir().unwrap();
        let shop = here.path().join("shop");
        fs::create_dir(&shop).unwrap();
        make(&arguments("shop"), here.path()).unwrap();
        let before = fs::read_to_string(shop.join("Cargo.toml")).unwrap();
        let full = Arguments {
            full: true,
            ..arguments("shop")
        };
        let refusal = make(&full, here.path()).unwrap_err().to_string();
        assert!(refusal.contains("not empty"), "{refusal}");
        let after = fs::read_to_string(shop.join("Cargo.toml")).unwrap();
        assert_eq!(before, after);

        fs::write(here.path().join("file"), "mine").unwrap();
        make(&arguments("file"), here.path()).unwrap_err();
        assert_eq!(entries(here.path()), ["file", "shop"]);
    }

    #[test]
    fn a_bad_name_or_checkout_leaves_nothing() {
        let here = tempfile::tempdir().unwrap();
        make(&arguments("Shop"), here.path()).unwrap_err();
        let astray = Arguments {
            sinew_path: Some("elsewhere".into()),
            ..arguments("shop")
        };
        let refusal = make(&astray, here.path()).unwrap_err().to_string();
        assert!(
            refusal.starts_with("elsewhere is no checkout of Sinew"),
            "{refusal}"
        );
        assert!(entries(here.path()).is_empty());
    }

    #[test]
    fn a_checkout_is_named_by_its_whole_path() {
        let here = tempfile::tempdir().unwrap();
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let near = Arguments {
            sinew_path: Some(checkout.clone()),
            ..arguments("shop")
        };
        make(&near, here.path()).unwrap();
        let manifest = fs::read_to_string(here.path().join("shop/Cargo.toml")).unwrap();
        let crates = checkout.canonicalize().unwrap().join("crates");
        let line = format!(
            "sinew-testing = {{ path = '{}' }}",
            crates.join("sinew-testing").display()
        );
        assert!(manifest.contains(&line), "{manifest}");
    }

    #[test]
    fn a_workspace_around_it_is_mentioned() {
        let here = tempfile::tempdir().unwrap();
        assert!(make(&arguments("alone"), here.path()).unwrap().is_empty());
        fs::write(
            here.path().join("Cargo.toml"),
            "[workspace]\nmembers = []\n",
        )
        .unwrap();
        let remarks = make(&arguments("shop"), here.path()).unwrap();
        assert!(remarks[0].contains("add it to `members`"), "{remarks:?}");
    }

    #[test]
    fn it_is_a_repository_unless_it_lies_in_one() {
        let here = tempfile::tempdir().unwrap();
        let with_git = |name| Arguments {
            no_git: false,
            ..arguments(name)
        };
        make(&with_git("shop"), here.path()).unwrap();
        let shop = here.path().join("shop");
        assert!(shop.join(".git").exists());
        make(&with_git("inner"), &shop).unwrap();
        assert!(!shop.join("inner/.git").exists());
        make(&arguments("plain"), here.path()).unwrap();
        assert!(!here.path().join("plain/.git").exists());
    }
}
