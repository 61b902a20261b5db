//! The browser client, served without Node: one script and what belongs to it.
//!
//! The script holds the stock StimulusReflex, CableReady, Action Cable, Stimulus and Turbo clients.
//! Its name holds a hash of its content, so that a browser may keep it forever and a new version of
//! this crate is fetched at once.

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
    /// Where it is served: `/_sinew/client-<12 hex digits>` and an ending.
    pub path: &'static str,
    /// Its content.
    pub bytes: &'static [u8],
    /// Its content compressed, the smallest first: what to say in `Content-Encoding`, and the bytes.
    ///
    /// Empty where it is not worth it. Whoever serves one of them says `Vary: Accept-Encoding`.
    pub compressed: &'static [(&'static str, &'static [u8])],
    /// What to say in `Content-Type`.
    pub content_type: &'static str,
}

/// What to say in `Cache-Control` for every [`ClientAsset`]: the name changes with the content.
pub const CACHE_CONTROL: &str = "public, max-age=31536000, immutable";

macro_rules! embedded {
    ($file:literal) => {
        include_bytes!(concat!(env!("OUT_DIR"), "/client/", $file))
    };
}

macro_rules! asset {
    ($file:literal, $ending:literal, $content_type:literal, $compressed:expr) => {
        ClientAsset {
            path: concat!("/_sinew/client-", env!("SINEW_CLIENT_FINGERPRINT"), $ending),
            bytes: embedded!($file),
            compressed: $compressed,
            content_type: $content_type,
        }
    };
}

/// The script itself: load it with `<script src="…" defer>`.
pub const SCRIPT: ClientAsset = asset!(
    "sinew.js",
    ".js",
    "text/javascript; charset=utf-8",
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
    &[]
);

/// The licences of the packages inside the script.
pub const LICENSES: ClientAsset = asset!("LICENSES.txt", ".txt", "text/plain; charset=utf-8", &[]);

/// Every file of the client.
pub const ASSETS: [ClientAsset; 3] = [SCRIPT, SOURCE_MAP, LICENSES];

/// The file served at `path`, a URL path without its query.
#[must_use]
pub fn find(path: &str) -> Option<ClientAsset> {
    ASSETS.into_iter().find(|asset| asset.path == path)
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn the_script_runs_under_a_policy_without_eval() {
        let script = std::str::from_utf8(SCRIPT.bytes).expect("the bundle is UTF-8");
        for forbidden in ["eval(", "new Function("] {
            assert!(!script.contains(forbidden), "{forbidden} in the script");
        }
    }
}
