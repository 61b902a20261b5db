//! The versions of page and server: what a client that says its own is told.
//!
//! The client names its version among the parameters of its subscription: `"sinew":"0.1.0"` from the
//! npm package, `"sinew":"0.1.0+embedded"` from the script that this crate serves.
//! The answer is a message of its own shape, `{"sinew":{…}}`, which the stock client passes over.
//! Clients of every version must understand it: its keys may get company, but never another meaning.
//! `spec/handshake/messages.json` pins it for both sides.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};

use serde::{Deserialize, Serialize};

/// Bytes that a client's version may have. A longer one is passed over, as anything unreadable is.
const VERSION_BYTES_MAX: usize = 64;

/// The build metadata of the script that comes from this crate.
const EMBEDDED: &str = "embedded";

/// What clients are told about this server.
#[derive(Debug)]
pub(crate) struct ServerVersion {
    version: Version,
    text: &'static str,
    /// Tells this process from the one before; only a developer's page is told.
    boot: Option<String>,
}

impl ServerVersion {
    pub(crate) fn new(is_development: bool) -> Self {
        Self::of(
            env!("CARGO_PKG_VERSION"),
            // Unlike any other, and that is all that is asked of it.
            is_development.then(|| format!("{:016x}", RandomState::new().hash_one(()))),
        )
    }

    fn of(text: &'static str, boot: Option<String>) -> Self {
        Self {
            version: Version::parse(text).unwrap_or_default(),
            text,
            boot,
        }
    }

    /// The message for whoever subscribed with this identifier. Most get none: those that say no
    /// version, or one that fits, outside development.
    pub(crate) fn greeting(&self, identifier: &str) -> Option<String> {
        let text = client_version(identifier)?;
        let client = Version::parse(&text)?;
        let notice = (!client.is_compatible(self.version)).then(|| self.mismatch(client, &text));
        if notice.is_none() && self.boot.is_none() {
            return None;
        }
        let greeting = Greeting {
            sinew: About {
                server: self.text,
                compatible: notice.is_none(),
                update: notice.as_ref().map(|(update, _)| *update),
                text: notice.map(|(_, text)| text),
                boot: self.boot.as_deref(),
            },
        };
        // Strings and a boolean always become JSON.
        serde_json::to_string(&greeting).ok()
    }

    /// Who must move, and the sentence that says so.
    fn mismatch(&self, client: Version, text: &str) -> (Update, String) {
        let (server, ours) = (self.version, self.text);
        let is_older = client.numbers().cmp(&server.numbers()) == Ordering::Less;
        match (client.is_embedded, is_older) {
            (true, true) => (
                Update::Page,
                format!(
                    "This page runs the script of Sinew {text}, the server is {ours}. Reload the page. If it says so again, something keeps an old copy of the script: load the one that `ClientTags` names."
                ),
            ),
            (true, false) => (
                Update::Server,
                format!(
                    "This page runs the script of Sinew {text}, the server is {ours}. Either a deploy has not reached every server yet, or it was taken back. Reload the page when that is over."
                ),
            ),
            (false, true) => (
                Update::Package,
                format!(
                    "This page runs sinew-client {text}, the server is Sinew {ours}. Update the package with `npm install sinew-client@^{}` and build the page's scripts again.",
                    Requirement(server)
                ),
            ),
            (false, false) => (
                Update::Crate,
                format!(
                    "This page runs sinew-client {text}, the server is Sinew {ours}. Update the crate with `cargo add sinew@{}`, or go back to the server's version with `npm install sinew-client@^{}`.",
                    Requirement(client),
                    Requirement(server)
                ),
            ),
        }
    }
}

#[derive(Serialize)]
struct Greeting<'a> {
    sinew: About<'a>,
}

#[derive(Serialize)]
struct About<'a> {
    server: &'a str,
    compatible: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    update: Option<Update>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    boot: Option<&'a str>,
}

/// What has to be replaced by a newer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Update {
    /// The page that is open: loading it again brings the right script.
    Page,
    /// The npm package.
    Package,
    /// The crate.
    Crate,
    /// The server that runs, by whoever deploys it.
    Server,
}

/// Whether the page that subscribes runs our client.
pub(crate) fn is_ours(identifier: &str) -> bool {
    client_version(identifier).is_some_and(|text| Version::parse(&text).is_some())
}

/// The version a client says in its identifier, if it says one that is not too long.
fn client_version(identifier: &str) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Parameters<'a> {
        #[serde(borrow)]
        sinew: Cow<'a, str>,
    }
    // The stock client says nothing, and there is nothing to look for.
    if !identifier.contains("\"sinew\"") {
        return None;
    }
    let parameters: Parameters<'_> = serde_json::from_str(identifier).ok()?;
    (parameters.sinew.len() <= VERSION_BYTES_MAX).then_some(parameters.sinew)
}

/// The three numbers of a semantic version. What follows them decides nothing here, but for `+embedded`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Version {
    major: u32,
    minor: u32,
    patch: u32,
    is_embedded: bool,
}

impl Version {
    fn parse(text: &str) -> Option<Self> {
        let fits = text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+'));
        if !fits {
            return None;
        }
        let (text, metadata) = text.split_once('+').unwrap_or((text, ""));
        let (core, _pre_release) = text.split_once('-').unwrap_or((text, ""));
        let mut numbers = core.split('.').map(|part| {
            let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| part.parse::<u32>().ok()).flatten()
        });
        let mut number = || numbers.next().flatten();
        let (major, minor, patch) = (number()?, number()?, number()?);
        numbers.next().is_none().then_some(Self {
            major,
            minor,
            patch,
            is_embedded: metadata.split('.').any(|word| word == EMBEDDED),
        })
    }

    fn numbers(self) -> [u32; 3] {
        [self.major, self.minor, self.patch]
    }

    /// Cargo's rule: the leftmost number that is not zero is the same, and so is what stands left of it.
    fn is_compatible(self, other: Self) -> bool {
        match (self.major, self.minor) {
            (0, 0) => self.numbers() == other.numbers(),
            (0, minor) => other.major == 0 && other.minor == minor,
            (major, _) => other.major == major,
        }
    }
}

/// The version as Cargo and npm are asked for it: as much of it as decides.
struct Requirement(Version);

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.0.numbers();
        match (major, minor) {
            (0, 0) => write!(f, "0.0.{patch}"),
            (0, _) => write!(f, "0.{minor}"),
            _ => write!(f, "{major}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn messages_are_those_of_the_fixture() {
        let cases: Vec<Value> =
            serde_json::from_str(include_str!("../../../spec/handshake/messages.json"))
                .expect("the fixture is JSON");
        assert!(cases.len() > 5);
        for case in cases {
            let name = case["name"].as_str().expect("a name");
            let server: String = case["server"].as_str().expect("a version").to_owned();
            let server = ServerVersion::of(server.leak(), case["boot"].as_str().map(str::to_owned));
            let identifier = case["identifier"].as_str().expect("an identifier");
            let said = server.greeting(identifier);
            let said = said.map_or(Value::Null, |said| {
                serde_json::from_str(&said).expect("a message is JSON")
            });
            assert_eq!(said, case["message"], "{name}");
        }
    }

    #[test]
    fn cargos_rule() {
        let version = |text| Version::parse(text).expect("a version");
        for (one, other, expected) in [
            ("0.1.0", "0.1.9", true),
            ("0.1.0", "0.2.0", false),
            ("0.0.1", "0.0.2", false),
            ("0.0.1", "0.0.1", true),
            ("0.0.1", "0.1.0", false),
            ("1.0.0", "1.9.4", true),
            ("1.0.0", "2.0.0", false),
            ("0.1.0", "1.1.0", false),
            ("0.2.0-rc.1", "0.2.0", true),
            ("0.1.0+embedded", "0.1.3", true),
        ] {
            assert_eq!(
                version(one).is_compatible(version(other)),
                expected,
                "{one} and {other}"
            );
            assert_eq!(
                version(other).is_compatible(version(one)),
                expected,
                "{other} and {one}"
            );
        }
    }

    #[test]
    fn what_is_no_version_is_none() {
        for text in [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "1.2.x",
            "v1.2.3",
            "1.2.-3",
            "+1.2.3",
            "1..3",
            "1.2.3 ",
            "१.2.3",
            "1.2.99999999999",
            "<b>.1.2",
        ] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    #[test]
    fn two_processes_are_told_apart() {
        let boot = || ServerVersion::new(true).boot;
        assert_ne!(boot(), boot());
        assert_eq!(ServerVersion::new(false).boot, None);
    }
}
