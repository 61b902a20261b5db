//! The browser client, served without Node: one script and what belongs to it.
//!
//! The script holds the stock StimulusReflex, CableReady, Action Cable, Stimulus and Turbo clients.
//! Its name holds a hash of its content, so that a browser may keep it forever and a new version of
//! this crate is fetched at once.
//!
//! The application serves these files itself. When
//! [`EdgeConfig::assets_url`](crate::config::EdgeConfig::assets_url) names another host, that host either
//! fetches them from the application, under the same paths, or is given them by [`write_to`].

use std::fs;
use std::io;
use std::path::Path;

/// One file of the browser client, ready to be served.
///
/// ```
/// use sinew::client;
///
/// assert!(client::SCRIPT.path.starts_with("/_sinew/client-"));
/// assert!(client::SCRIPT.path.ends_with(".js"));
/// assert!(client::find(client::SCRIPT.path).is_some());
/// assert!(client::find("/_sinew/client-of-another-version.js").is_none());
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ClientAsset {
    /// Where it is served: `/_sinew/<name>-<12 hex digits>` and an ending.
    pub path: &'static str,
    /// Its content.
    pub bytes: &'static [u8],
    /// Its content compressed, the smallest first: what to say in `Content-Encoding`, and the bytes.
    ///
    /// Empty where it is not worth it. Whoever serves one of them says `Vary: Accept-Encoding`.
    pub compressed: &'static [(&'static str, &'static [u8])],
    /// What to say in `Content-Type`.
    pub content_type: &'static str,
    /// The hash of its content for the attribute `integrity`, which a page names when another host
    /// has the file: `sha384-` and 64 characters. Empty for files that no page loads from there.
    pub integrity: &'static str,
}

/// The path below which all files of the client are served.
pub(crate) const FOLDER: &str = "/_sinew/";

/// What to say in `Cache-Control` for every [`ClientAsset`]: the name changes with the content.
pub const CACHE_CONTROL: &str = "public, max-age=31536000, immutable";

macro_rules! embedded {
    ($file:literal) => {
        include_bytes!(concat!(env!("OUT_DIR"), "/client/", $file))
    };
}

macro_rules! asset {
    ($file:literal, $ending:literal, $content_type:literal, $integrity:expr, $compressed:expr) => {
        ClientAsset {
            path: concat!("/_sinew/client-", env!("SINEW_CLIENT_FINGERPRINT"), $ending),
            bytes: embedded!($file),
            compressed: $compressed,
            content_type: $content_type,
            integrity: $integrity,
        }
    };
}

/// The script itself: load it with `<script src="…" defer>`.
pub const SCRIPT: ClientAsset = asset!(
    "sinew.js",
    ".js",
    "text/javascript; charset=utf-8",
    env!("SINEW_CLIENT_INTEGRITY"),
    &[
        ("br", embedded!("sinew.js.br")),
        ("gzip", embedded!("sinew.js.gz"))
    ]
);

/// The script's source map, fetched by a browser whose developer tools are open.
pub const SOURCE_MAP: ClientAsset = asset!(
    "sinew.js.map",
    ".js.map",
    "application/json; charset=utf-8",
    "",
    &[]
);

/// The licences of the packages inside the script.
pub const LICENSES: ClientAsset =
    asset!("LICENSES.txt", ".txt", "text/plain; charset=utf-8", "", &[]);

/// What helps while an application is being developed: failures shown on the page, silence explained
/// in the console, a page that follows a rebuild. It is loaded after [`SCRIPT`].
///
/// [`ClientTags`](crate::ClientTags) name it, and it is served, where the environment is
/// [`Development`](crate::config::Environment::Development) and nowhere else: not in a test, which should see
/// what visitors see.
///
/// ```
/// use sinew::client;
///
/// assert!(client::DEVELOPMENT.path.starts_with("/_sinew/development-"));
/// assert!(client::find(client::DEVELOPMENT.path).is_none());
/// ```
pub const DEVELOPMENT: ClientAsset = ClientAsset {
    path: concat!(
        "/_sinew/development-",
        env!("SINEW_DEVELOPMENT_FINGERPRINT"),
        ".js"
    ),
    bytes: embedded!("sinew-development.js"),
    compressed: &[],
    content_type: "text/javascript; charset=utf-8",
    integrity: "",
};

/// Every file of the client that visitors load.
pub const ASSETS: [ClientAsset; 3] = [SCRIPT, SOURCE_MAP, LICENSES];

/// The file served at `path`, a URL path without its query.
///
/// ```
/// use sinew::client;
///
/// let script = client::find(client::SCRIPT.path).ok_or("not served")?;
/// assert_eq!(script.content_type, "text/javascript; charset=utf-8");
/// assert!(client::find("/_sinew/client-of-another-version.js").is_none());
/// # Ok::<(), &str>(())
/// ```
#[must_use]
pub fn find(path: &str) -> Option<ClientAsset> {
    ASSETS.into_iter().find(|asset| asset.path == path)
}

/// Writes every file of the client into a folder, each at its [path](ClientAsset::path), for a
/// host that is given its files: what lies in the folder belongs below
/// [`EdgeConfig::assets_url`](crate::config::EdgeConfig::assets_url).
///
/// The compressed forms lie beside their file as `.br` and `.gz`. The host answers with
/// `Access-Control-Allow-Origin: *`, without which browsers do not check a script of another host,
/// and may say [`CACHE_CONTROL`].
///
/// # Errors
///
/// When a folder or a file cannot be written.
///
/// ```
/// use sinew::client;
///
/// let folder = tempfile::tempdir()?;
/// client::write_to(folder.path())?;
/// let script = folder.path().join(client::SCRIPT.path.trim_start_matches('/'));
/// assert_eq!(std::fs::read(&script)?, client::SCRIPT.bytes);
/// assert!(script.with_extension("js.br").is_file());
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn write_to(folder: impl AsRef<Path>) -> io::Result<()> {
    for asset in ASSETS {
        let file = folder.as_ref().join(asset.path.trim_start_matches('/'));
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&file, asset.bytes)?;
        for (coding, bytes) in asset.compressed {
            let ending = match *coding {
                "gzip" => "gz",
                other => other,
            };
            let mut compressed = file.clone().into_os_string();
            compressed.push(format!(".{ending}"));
            fs::write(compressed, bytes)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_in_the_folder_that_policies_name() {
        for asset in ASSETS {
            let name = asset.path.strip_prefix(FOLDER);
            assert!(name.is_some_and(|name| !name.contains('/')), "{asset:?}");
        }
    }

    #[test]
    fn the_integrity_is_a_sha_384() {
        let digest = SCRIPT.integrity.strip_prefix("sha384-");
        // 48 bytes are 64 characters of base64, without padding.
        let is_base64 = |b: u8| b.is_ascii_alphanumeric() || b == b'+' || b == b'/';
        assert!(digest.is_some_and(|digest| digest.len() == 64 && digest.bytes().all(is_base64)));
    }

    #[test]
    fn the_script_names_its_companions_where_they_are_served() {
        let script = std::str::from_utf8(SCRIPT.bytes).expect("the bundle is UTF-8");
        for companion in [SOURCE_MAP, LICENSES] {
            let name = companion
                .path
                .rsplit('/')
                .next()
                .expect("a path has a last part");
            assert!(script.contains(name), "{name} is not named in the script");
        }
    }

    #[test]
    fn the_licences_name_every_client_inside() {
        let licenses = std::str::from_utf8(LICENSES.bytes).expect("the texts are UTF-8");
        for package in [
            "@hotwired/stimulus 3.2.2",
            "@hotwired/turbo 8.0.23",
            "@rails/actioncable 7.2.400",
            "cable_ready 5.0.6",
            "morphdom 2.6.1",
            "stimulus_reflex 3.5.5",
        ] {
            assert!(licenses.contains(package), "{package} is missing");
        }
    }

    #[test]
    fn the_scripts_run_under_a_policy_without_eval() {
        for script in [SCRIPT, DEVELOPMENT] {
            let text = std::str::from_utf8(script.bytes).expect("the bundle is UTF-8");
            for forbidden in ["eval(", "new Function("] {
                assert!(!text.contains(forbidden), "{forbidden} in {}", script.path);
            }
        }
    }

    #[test]
    fn the_script_says_this_crates_version() {
        let script = std::str::from_utf8(SCRIPT.bytes).expect("the bundle is UTF-8");
        let said = concat!("\"", env!("CARGO_PKG_VERSION"), "+embedded\"");
        assert!(
            script.contains(said),
            "packages/client/package.json has another version than this crate"
        );
    }

    #[test]
    fn what_helps_developers_is_not_in_the_script_of_visitors() {
        let texts = [SCRIPT, DEVELOPMENT]
            .map(|script| std::str::from_utf8(script.bytes).expect("the bundle is UTF-8"));
        let is_in = texts.map(|text| text.contains("sinew:rebuilt"));
        assert_eq!(is_in, [false, true]);
    }
}
