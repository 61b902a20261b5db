//! Where the application runs: development, production or a test.

use std::fmt;

use crate::error::ConfigError;

/// Where the application runs. It decides whether a missing secret may be made up and whether
/// a visitor may see the text of an error.
///
/// The variable `SINEW_ENV` names it (`development`, `production` or `test`, in any case). When
/// it is not set, a debug build is in development and a release build in production, so that
/// what is deployed with `--release` is careful without being told to.
///
/// ```
/// use sinew_web::Environment;
///
/// assert_eq!(Environment::from_name(Some("Production"))?, Environment::Production);
/// assert!(Environment::from_name(Some("staging")).is_err());
/// assert_eq!(Environment::from_name(None)?, Environment::default_for_build());
///
/// assert!(Environment::Test.shows_errors() && !Environment::Test.is_development());
/// assert!(!Environment::Production.shows_errors());
/// # Ok::<(), sinew_web::error::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Environment {
    /// A developer's machine: a secret is generated, errors are shown.
    Development,
    /// Visitors who are strangers: nothing is made up, nothing is shown.
    Production,
    /// A test run: as production, but with errors shown.
    Test,
}

impl Environment {
    /// The variable that names the environment.
    pub const VARIABLE: &'static str = "SINEW_ENV";

    /// What an unset variable means: development in a debug build, production otherwise.
    pub const fn default_for_build() -> Self {
        if cfg!(debug_assertions) {
            Self::Development
        } else {
            Self::Production
        }
    }

    /// Reads the name of an environment; `None` and the empty string mean
    /// [`default_for_build`](Self::default_for_build).
    ///
    /// # Errors
    ///
    /// Any other word is refused: taking a misspelt `prodution` for development would show
    /// errors to strangers.
    pub fn from_name(name: Option<&str>) -> Result<Self, ConfigError> {
        let name = name.unwrap_or("").trim();
        match name.to_ascii_lowercase().as_str() {
            "" => Ok(Self::default_for_build()),
            "development" => Ok(Self::Development),
            "production" => Ok(Self::Production),
            "test" => Ok(Self::Test),
            _ => Err(ConfigError::new(
                Self::VARIABLE,
                name,
                "`development`, `production` or `test`",
            )),
        }
    }

    /// Whether the text of an error may be shown to whoever looks at the page.
    pub const fn shows_errors(self) -> bool {
        matches!(self, Self::Development | Self::Test)
    }

    /// Whether this is a developer's machine.
    pub const fn is_development(self) -> bool {
        matches!(self, Self::Development)
    }
}

impl Default for Environment {
    fn default() -> Self {
        Self::default_for_build()
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Development => "development",
            Self::Production => "production",
            Self::Test => "test",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let default = Environment::default_for_build();
        for (name, expected) in [
            (None, Some(default)),
            (Some(""), Some(default)),
            (Some(" test "), Some(Environment::Test)),
            (Some("DEVELOPMENT"), Some(Environment::Development)),
            (Some("prodution"), None),
        ] {
            assert_eq!(Environment::from_name(name).ok(), expected, "{name:?}");
        }
        // Tests run in debug builds here; the rule itself is what matters.
        assert_eq!(default.is_development(), cfg!(debug_assertions));
    }
}
