//! The application secret, from which signing keys are derived.

use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

use crate::data_directory;
use crate::environment::Environment;
use crate::error::SecretError;

/// Bytes a secret needs at least: as many as the digest of the signatures made with it.
pub const SECRET_BYTES_MIN: usize = 32;

/// Different bytes a secret needs at least; fewer is somebody leaning on a key. Random hex of
/// the least length has more than this but once in 10¹⁰ times.
pub const SECRET_DISTINCT_BYTES_MIN: usize = 6;

/// The file in the data directory that holds a generated secret.
pub const SECRET_FILE: &str = "secret";

/// The application secret: at least 32 bytes that nobody else knows. It is cheap to clone and
/// never shows itself in `Debug`.
///
/// ```
/// use sinew_web::Secret;
///
/// let secret = Secret::new("b5c1f7d3a9e84620b5c1f7d3a9e84620")?;
/// assert_eq!(format!("{secret:?}"), "Secret(hidden)");
/// assert_eq!(secret.as_bytes(), b"b5c1f7d3a9e84620b5c1f7d3a9e84620");
/// assert!(Secret::new("short").is_err());
/// assert!(Secret::new("a".repeat(64)).is_err());
/// # Ok::<(), sinew_web::error::SecretError>(())
/// ```
#[derive(Clone)]
pub struct Secret(Arc<[u8]>);

impl Secret {
    /// The variable that holds the secret.
    pub const VARIABLE: &'static str = "SINEW_SECRET";

    /// The variable that holds the secrets of earlier times.
    pub const PREVIOUS_VARIABLE: &'static str = "SINEW_SECRET_PREVIOUS";

    /// Takes `bytes` as the secret.
    ///
    /// # Errors
    ///
    /// Refuses fewer than [`SECRET_BYTES_MIN`] bytes and those that hardly differ.
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Self, SecretError> {
        let bytes = bytes.as_ref();
        if bytes.len() < SECRET_BYTES_MIN {
            return Err(SecretError::TooShort {
                length: bytes.len(),
                bytes_min: SECRET_BYTES_MIN,
            });
        }
        let distinct = bytes.iter().collect::<HashSet<_>>().len();
        if distinct < SECRET_DISTINCT_BYTES_MIN {
            return Err(SecretError::Weak { distinct });
        }
        Ok(Self(bytes.into()))
    }

    /// Makes a new secret of 64 hexadecimal digits (256 random bits).
    ///
    /// ```
    /// use sinew_web::Secret;
    ///
    /// let (one, other) = (Secret::generate()?, Secret::generate()?);
    /// assert_eq!(one.as_bytes().len(), 64);
    /// assert_ne!(one.as_bytes(), other.as_bytes());
    /// # Ok::<(), sinew_web::error::SecretError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The operating system gave no random bytes.
    pub fn generate() -> Result<Self, SecretError> {
        let mut random = [0_u8; 32];
        getrandom::fill(&mut random)
            .map_err(|error| SecretError::Randomness(io::Error::other(error.to_string())))?;
        let hex: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        Self::new(hex)
    }

    /// Finds the secret of this process: `configured` when given (the value of
    /// [`VARIABLE`](Self::VARIABLE), surrounding white space ignored); in development otherwise
    /// the one in `data_directory`, generated on the first run into the file
    /// [`SECRET_FILE`], readable by its owner only and kept out of git.
    ///
    /// ```
    /// use sinew_web::error::SecretError;
    /// use sinew_web::secret::SECRET_FILE;
    /// use sinew_web::{Environment, Secret};
    ///
    /// # let temporary = tempfile::tempdir().unwrap();
    /// # let directory = temporary.path();
    /// let missing = Secret::resolve(Environment::Production, None, directory);
    /// assert!(matches!(missing, Err(SecretError::Missing { .. })));
    ///
    /// let generated = Secret::resolve(Environment::Development, None, directory)?;
    /// assert!(directory.join(SECRET_FILE).is_file());
    /// let next_start = Secret::resolve(Environment::Development, None, directory)?;
    /// assert_eq!(generated.as_bytes(), next_start.as_bytes());
    /// # Ok::<(), SecretError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// None given outside development; one that is too short or weak; a file that cannot be
    /// read or written. Each error is a sentence for whoever started the server.
    pub fn resolve(
        environment: Environment,
        configured: Option<&str>,
        data_directory: &Path,
    ) -> Result<Self, SecretError> {
        match configured
            .map(str::trim)
            .filter(|secret| !secret.is_empty())
        {
            Some(secret) => Self::new(secret),
            None if environment.is_development() => Self::from_directory(data_directory),
            None => Err(SecretError::Missing { environment }),
        }
    }

    /// The secret's bytes, for deriving keys.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn from_directory(directory: &Path) -> Result<Self, SecretError> {
        let path = directory.join(SECRET_FILE);
        let file_error = |source| SecretError::File {
            path: path.clone(),
            source,
        };
        match fs::read_to_string(&path) {
            Ok(secret) => return Self::new(secret.trim()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(file_error(error)),
        }
        data_directory::prepare(directory).map_err(file_error)?;
        write_once(&path, Self::generate()?.as_bytes()).map_err(file_error)?;
        tracing::info!(path = %path.display(), "generated a secret for development");
        // Read back: another process may have been first.
        let secret = fs::read_to_string(&path).map_err(file_error)?;
        Self::new(secret.trim())
    }
}

/// Puts `secret` at `path` unless something is there, so that nobody ever reads half of it: it
/// is written beside it and linked into place, and of two processes one wins.
fn write_once(path: &Path, secret: &[u8]) -> io::Result<()> {
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(&beside)?;
    file.write_all(secret)?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    let linked = fs::hard_link(&beside, path);
    fs::remove_file(&beside)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "b5c1f7d3a9e84620b5c1f7d3a9e84620";

    #[test]
    fn given_ones() {
        let nowhere = Path::new("/nonexistent");
        for (environment, configured, expected) in [
            (Environment::Production, Some(GOOD), "ok"),
            (
                Environment::Development,
                Some("  b5c1f7d3a9e84620b5c1f7d3a9e84620\n"),
                "ok",
            ),
            (
                Environment::Production,
                Some("b5c1f7d3"),
                "has 8 bytes and needs at least 32",
            ),
            (
                Environment::Development,
                Some("changeme"),
                "has 8 bytes and needs at least 32",
            ),
            (
                Environment::Production,
                Some("abababababababababababababababababab"),
                "repeats 2",
            ),
            (
                Environment::Production,
                None,
                "SINEW_SECRET is not set and the environment is production",
            ),
            (
                Environment::Production,
                Some(""),
                "SINEW_SECRET=$(openssl rand -hex 32)",
            ),
            (Environment::Test, None, "the environment is test"),
        ] {
            let said = match Secret::resolve(environment, configured, nowhere) {
                Ok(secret) => {
                    assert_eq!(secret.as_bytes(), GOOD.as_bytes());
                    "ok".to_owned()
                }
                Err(error) => error.to_string(),
            };
            assert!(
                said.contains(expected),
                "{environment} {configured:?}: {said}"
            );
        }
    }

    #[test]
    fn development_makes_one_and_keeps_it() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let data = root.path().join(".sinew");
        let first = Secret::resolve(Environment::Development, None, &data).expect("generated");
        assert_eq!(first.as_bytes().len(), 64);
        let second = Secret::resolve(Environment::Development, None, &data).expect("read");
        assert_eq!(first.as_bytes(), second.as_bytes());
        assert_eq!(
            fs::read_to_string(data.join(".gitignore")).expect("readable"),
            "*\n"
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(data.join(SECRET_FILE))
                .expect("there")
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        // Nothing is left beside it.
        let mut names: Vec<_> = fs::read_dir(&data)
            .expect("readable")
            .map(|entry| {
                entry
                    .expect("readable")
                    .file_name()
                    .into_string()
                    .expect("ASCII")
            })
            .collect();
        names.sort();
        assert_eq!(names, [".gitignore", SECRET_FILE]);
    }

    #[test]
    fn the_first_of_two_processes_wins() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let path = root.path().join(SECRET_FILE);
        write_once(&path, b"first").expect("written");
        write_once(&path, b"second").expect("not an error");
        assert_eq!(fs::read_to_string(path).expect("readable"), "first\n");
    }

    #[test]
    fn an_unusable_folder_is_named() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let occupied = root.path().join("occupied");
        fs::write(&occupied, "").expect("writable");
        let error = Secret::resolve(Environment::Development, None, &occupied).expect_err("a file");
        assert!(error.to_string().contains("occupied"), "{error}");
    }

    #[test]
    fn debug_says_nothing() {
        let secret = Secret::new(GOOD).expect("good");
        assert!(!format!("{secret:?}").contains("b5c1"));
    }
}
