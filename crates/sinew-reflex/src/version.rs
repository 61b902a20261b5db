//! The version check: what a client of another version is told.

use serde_json::json;
use sinew_cable_ready::{Operation, Operations};

use crate::config::{Config, VersionCheck};
use crate::data::ReflexData;
use crate::run::shows_toast;

const DESTINATION: &str =
    "https://docs.stimulusreflex.com/hello-world/setup#upgrading-package-versions-and-sanity";

/// Whether a call comes from the client this server answers. Pre-release versions are spelled differently in npm.
pub(crate) fn matches(data: &ReflexData, expected: &str) -> bool {
    let version = data.version();
    version == expected
        || (version.contains('-')
            && version
                .replacen("-pre", ".pre", 1)
                .replacen("-rc", ".rc", 1)
                == expected)
}

/// What the browser and the log are told.
pub(crate) struct Notice {
    pub(crate) text: String,
    pub(crate) operations: Operations,
}

pub(crate) fn notice(data: &ReflexData, config: &Config) -> Notice {
    let (what, level) = match config.version_check {
        VersionCheck::Warn => ("noticed a version mismatch", "warn"),
        _ => (
            "failed to execute your reflex action due to a version mismatch",
            "error",
        ),
    };
    let (ours, theirs) = (&config.client_version, data.version());
    let text = format!(
        "StimulusReflex {what} between your gem and JavaScript version. Package versions must match exactly.\n\nstimulus_reflex gem: {ours}\nstimulus_reflex npm: {theirs}"
    );
    let mut operations = Operations::new();
    operations
        .push(
            Operation::new("consoleLog")
                .option("message", text.as_str())
                .option("level", level),
        )
        .push(
            Operation::new("dispatchEvent")
                .option("name", "stimulus-reflex:version-mismatch")
                .option(
                    "detail",
                    json!({"message": text, "gem": ours, "npm": theirs, "level": level}),
                ),
        );
    if shows_toast(config.environment) {
        operations.push(
            Operation::new("stimulusReflexVersionMismatch")
                .option("text", text.as_str())
                .option("destination", DESTINATION)
                .option("level", level),
        );
    }
    Notice { text, operations }
}
