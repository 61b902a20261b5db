//! What is built, and which folders it is made of.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use super::Selection;

/// One program of one package.
#[derive(Debug)]
pub(crate) struct Target {
    /// As `cargo build --package` takes it.
    pub(crate) package: String,
    /// As `cargo build --bin` takes it.
    pub(crate) bin: String,
    /// The package's own folder.
    pub(crate) folder: PathBuf,
    /// The folders of the package and of everything it needs that is not from a registry.
    pub(crate) folders: Vec<PathBuf>,
    /// Where cargo puts what it builds.
    pub(crate) output: PathBuf,
}

impl Target {
    /// Asks cargo.
    pub(crate) fn find(selection: &Selection) -> Result<Self> {
        let mut command = Command::new(cargo());
        // Without a platform it would fetch what other systems need.
        command.args(["metadata", "--format-version", "1", "--filter-platform"]);
        command.arg(platform()?);
        if let Some(path) = &selection.manifest_path {
            command.arg("--manifest-path").arg(path);
        }
        let output = command
            .stderr(Stdio::inherit())
            .output()
            .context("cargo cannot be run")?;
        ensure!(
            output.status.success(),
            "cargo knows no package here: go to the application's folder, or name its Cargo.toml with `--manifest-path`"
        );
        let metadata = serde_json::from_slice(&output.stdout)
            .context("what `cargo metadata` says cannot be read")?;
        Self::choose(&metadata, selection)
    }

    fn choose(metadata: &Value, selection: &Selection) -> Result<Self> {
        let packages: HashMap<&str, &Value> = list(&metadata["packages"])
            .filter_map(|package| Some((package["id"].as_str()?, package)))
            .collect();
        let members: Vec<&Value> = list(&metadata["workspace_members"])
            .filter_map(|id| packages.get(id.as_str()?).copied())
            .collect();
        let package = choose_package(metadata, &packages, &members, selection)?;
        let id = package["id"].as_str().unwrap_or_default();
        let mut folders: Vec<PathBuf> = reached(metadata, id)
            .into_iter()
            .filter_map(|id| packages.get(id))
            // From a registry or a repository: nobody edits that.
            .filter(|package| package["source"].is_null())
            .filter_map(|package| folder_of(package))
            .collect();
        folders.sort();
        Ok(Self {
            package: id.to_owned(),
            bin: choose_program(package, selection)?,
            folder: folder_of(package).context("a package without a folder")?,
            folders,
            output: PathBuf::from(metadata["target_directory"].as_str().unwrap_or("target")),
        })
    }

    /// For the line that says what is watched.
    pub(crate) fn described(&self) -> String {
        match self.folders.len() {
            0 | 1 => self.bin.clone(),
            more => format!("{} and {} packages below it", self.bin, more - 1),
        }
    }

    /// A path as short as it can be told.
    pub(crate) fn shown(&self, path: &Path) -> String {
        let base = self.folders.iter().find(|folder| path.starts_with(folder));
        let base = base.and_then(|folder| folder.parent());
        let short = base.and_then(|base| path.strip_prefix(base).ok());
        short.unwrap_or(path).display().to_string()
    }
}

fn choose_package<'a>(
    metadata: &Value,
    packages: &HashMap<&str, &'a Value>,
    members: &[&'a Value],
    selection: &Selection,
) -> Result<&'a Value> {
    if let Some(name) = &selection.package {
        let found = members
            .iter()
            .find(|package| package["name"] == name.as_str());
        return found
            .copied()
            .with_context(|| format!("there is no package `{name}` in this workspace"));
    }
    let root = metadata["resolve"]["root"].as_str();
    if let Some(package) = root.and_then(|id| packages.get(id)) {
        return Ok(package);
    }
    let with_programs: Vec<&Value> = members
        .iter()
        .filter(|package| programs(package).next().is_some())
        .copied()
        .collect();
    match with_programs[..] {
        [package] => Ok(package),
        [] => bail!("no package here has a program to run"),
        _ => bail!(
            "which package? say `--package` and one of: {}",
            names(with_programs.iter().filter_map(|it| it["name"].as_str()))
        ),
    }
}

fn choose_program(package: &Value, selection: &Selection) -> Result<String> {
    let known: Vec<&str> = programs(package).collect();
    let wanted = selection.bin.as_deref();
    match (wanted.or(package["default_run"].as_str()), &known[..]) {
        (Some(wanted), _) if known.contains(&wanted) => Ok(wanted.to_owned()),
        (Some(wanted), _) => bail!(
            "there is no program `{wanted}` in this package, but: {}",
            names(known.into_iter())
        ),
        (None, [only]) => Ok((*only).to_owned()),
        (None, []) => bail!("this package has no program to run"),
        (None, _) => bail!(
            "which program? say `--bin` and one of: {}",
            names(known.into_iter())
        ),
    }
}

fn programs(package: &Value) -> impl Iterator<Item = &str> {
    list(&package["targets"])
        .filter(|target| list(&target["kind"]).any(|kind| kind == "bin"))
        .filter_map(|target| target["name"].as_str())
}

/// A package and all it needs, itself first.
fn reached<'a>(metadata: &'a Value, from: &'a str) -> Vec<&'a str> {
    let needs: HashMap<&str, Vec<&str>> = list(&metadata["resolve"]["nodes"])
        .filter_map(|node| {
            let needs = list(&node["deps"]).filter_map(|dep| dep["pkg"].as_str());
            Some((node["id"].as_str()?, needs.collect()))
        })
        .collect();
    let (mut order, mut seen) = (vec![from], HashSet::from([from]));
    let mut next = 0;
    while let Some(id) = order.get(next).copied() {
        next += 1;
        for needed in needs.get(id).into_iter().flatten() {
            if seen.insert(needed) {
                order.push(needed);
            }
        }
    }
    order
}

fn folder_of(package: &Value) -> Option<PathBuf> {
    let manifest = Path::new(package["manifest_path"].as_str()?);
    manifest.parent().map(Path::to_owned)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.collect();
    names.join(", ")
}

/// The platform that is built for when nothing else is said: that of the compiler.
fn platform() -> Result<String> {
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(compiler).arg("-vV").output();
    let output = output.context("rustc cannot be run")?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .context("rustc does not say which platform it builds for")
}

/// The cargo that runs this command, if one does.
pub(crate) fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
