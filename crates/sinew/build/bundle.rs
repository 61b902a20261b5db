//! Makes the browser bundle from the npm package: what its inputs are, whether a bundle is fresh,
//! and how it is built.
//!
//! Shared by source, since a build script can import no crate of its own workspace: this crate's
//! build script, `cargo xtask` and the reference application's build script include this file.
//! Errors are sentences for the person who typed `cargo build`.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

/// The files of a finished bundle, in the order they are listed in the crate that embeds them.
pub(crate) const BUNDLE_FILES: [&str; 6] = [
    "sinew.js",
    "sinew.js.br",
    "sinew.js.gz",
    "sinew.js.map",
    "LICENSES.txt",
    "sinew-development.js",
];

/// Beside the bundle: the hash of what it was made from.
pub(crate) const INPUTS_FILE: &str = "inputs.sha256";

/// What npm writes when an installation is complete.
const INSTALLED_FILE: &str = "node_modules/.package-lock.json";

/// The npm package in a folder (`packages/client` of a checkout, or a copy of it).
pub(crate) struct NpmPackage {
    folder: PathBuf,
}

impl NpmPackage {
    pub(crate) fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where `cargo xtask client` leaves the bundle.
    pub(crate) fn dist(&self) -> PathBuf {
        self.folder.join("dist")
    }

    /// Everything the bundle is made from, relative to the folder, in a fixed order.
    pub(crate) fn inputs(&self) -> Result<Vec<PathBuf>, String> {
        let mut inputs: Vec<PathBuf> = ["package.json", "package-lock.json", "build.mjs"]
            .map(PathBuf::from)
            .into();
        for folder in ["src", "licenses"] {
            files_below(&self.folder, Path::new(folder), &mut inputs)?;
        }
        inputs.sort();
        Ok(inputs)
    }

    /// The hash of all inputs: their names, lengths and bytes.
    pub(crate) fn inputs_hash(&self) -> Result<String, String> {
        let mut hash = Sha256::new();
        for input in self.inputs()? {
            let bytes = read(&self.folder.join(&input))?;
            hash.update(input.to_string_lossy().as_bytes());
            hash.update([0]);
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(&bytes);
        }
        Ok(hex(&hash.finalize()))
    }

    /// Whether `bundle` is whole and was made from the inputs as they are now.
    pub(crate) fn is_fresh(&self, bundle: &Path) -> Result<bool, String> {
        let whole = BUNDLE_FILES.iter().all(|file| bundle.join(file).is_file());
        let made_from = fs::read_to_string(bundle.join(INPUTS_FILE)).unwrap_or_default();
        Ok(whole && made_from.trim() == self.inputs_hash()?)
    }

    /// Whether an installation was completed after the lock file last changed.
    pub(crate) fn is_installed(&self) -> Result<bool, String> {
        let changed = |file: &str| {
            let path = self.folder.join(file);
            match fs::metadata(&path).and_then(|metadata| metadata.modified()) {
                Ok(time) => Ok(Some(time)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(format!("cannot read {}: {error}", path.display())),
            }
        };
        let installed = changed(INSTALLED_FILE)?;
        Ok(installed.is_some() && installed >= changed("package-lock.json")?)
    }

    /// Installs the packages of the lock file, unless they are installed.
    pub(crate) fn install(&self) -> Result<(), String> {
        require_node()?;
        // Two builds may ask at once; the second finds it done.
        let path = self.folder.join("package-lock.json");
        let lock = File::open(&path)
            .and_then(|file| file.lock().map(|()| file))
            .map_err(|error| format!("cannot lock {}: {error}", path.display()))?;
        if self.is_installed()? {
            return Ok(());
        }
        // No package in the lock file needs a script of its own to be usable.
        let arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
        let outcome = run(&self.folder, "npm", arguments);
        drop(lock);
        outcome
    }

    /// Installs and bundles into `bundle`, and notes what it was made from.
    ///
    /// The note is taken away first and written last: an interrupted build is never fresh.
    pub(crate) fn build(&self, bundle: &Path) -> Result<(), String> {
        let hash = self.inputs_hash()?;
        let note = bundle.join(INPUTS_FILE);
        if let Err(error) = fs::remove_file(&note)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(format!("cannot remove {}: {error}", note.display()));
        }
        self.install()?;
        let arguments = [
            OsStr::new("build.mjs"),
            OsStr::new("--out"),
            bundle.as_os_str(),
        ];
        run(&self.folder, "node", arguments)?;
        write(&note, format!("{hash}\n").as_bytes())
    }

    /// Bundles other scripts against the installed packages: pairs of output name and source.
    pub(crate) fn build_entries(
        &self,
        entries: &[(&str, &Path)],
        out: &Path,
    ) -> Result<(), String> {
        self.install()?;
        let mut arguments = vec![
            "build.mjs".into(),
            "--out".into(),
            out.as_os_str().to_owned(),
        ];
        for (name, source) in entries {
            let mut entry = std::ffi::OsString::from(format!("{name}="));
            entry.push(source);
            arguments.push("--entry".into());
            arguments.push(entry);
        }
        run(&self.folder, "node", arguments)
    }

    /// Copies the inputs to another folder, where a build leaves this one untouched.
    pub(crate) fn copy_to(&self, folder: &Path) -> Result<NpmPackage, String> {
        for input in self.inputs()? {
            let copy = folder.join(&input);
            write(&copy, &read(&self.folder.join(&input))?)?;
        }
        Ok(NpmPackage::new(folder))
    }
}

/// Lowercase hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

/// Writes a file and the folders above it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    path.parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::write(path, bytes))
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}

fn files_below(root: &Path, folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), String> {
    let absolute = root.join(folder);
    let entries = fs::read_dir(&absolute)
        .map_err(|error| format!("cannot read {}: {error}", absolute.display()))?;
    for entry in entries {
        let entry =
            entry.map_err(|error| format!("cannot read {}: {error}", absolute.display()))?;
        let relative = folder.join(entry.file_name());
        if entry.path().is_dir() {
            files_below(root, &relative, found)?;
        } else {
            found.push(relative);
        }
    }
    Ok(())
}

fn require_node() -> Result<(), String> {
    for tool in ["node", "npm"] {
        let found = Command::new(tool)
            .arg("--version")
            .stdin(Stdio::null())
            .output()
            .is_ok_and(|output| output.status.success());
        if !found {
            return Err(format!("`{tool}` was not found"));
        }
    }
    Ok(())
}

fn run<A: AsRef<OsStr>>(
    folder: &Path,
    program: &str,
    arguments: impl IntoIterator<Item = A>,
) -> Result<(), String> {
    let mut command = Command::new(program);
    command.current_dir(folder).args(arguments);
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot start `{program}`: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "`{command:?}` in {} failed ({}):\n{}{}",
        folder.display(),
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    ))
}
