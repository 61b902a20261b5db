//! Why the authorities cannot be used.

use std::path::{Path, PathBuf};

/// The certificate authorities cannot be used: a file of them, or those of the system.
///
/// ```
/// use sinew_tls::{Authorities, Verification, client_config};
///
/// let verification = Verification::Full(Authorities::File("/nowhere/ca.pem".into()));
/// let error = client_config(&verification).unwrap_err();
/// assert_eq!(error.file(), Some("/nowhere/ca.pem".as_ref()));
/// assert!(error.problem().contains("No such file"));
/// assert!(error.to_string().starts_with("the file of certificate authorities /nowhere/ca.pem "));
/// ```
#[derive(Clone, Debug, thiserror::Error)]
#[error("{} cannot be used: {problem}", whose(.file.as_deref()))]
pub struct AuthoritiesError {
    file: Option<PathBuf>,
    problem: String,
}

impl AuthoritiesError {
    pub(crate) fn of_file(file: &Path, problem: impl ToString) -> Self {
        Self {
            file: Some(file.to_owned()),
            problem: problem.to_string(),
        }
    }

    pub(crate) fn no_system_roots() -> Self {
        Self {
            file: None,
            problem: "there are none (Debian's package is ca-certificates)".to_owned(),
        }
    }

    /// The file; `None` if it is the system that has no authorities.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// What is wrong, without the file's name.
    pub fn problem(&self) -> &str {
        &self.problem
    }
}

fn whose(file: Option<&Path>) -> String {
    match file {
        Some(file) => format!("the file of certificate authorities {}", file.display()),
        None => "the system's certificate authorities".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_without_authorities_is_told_what_to_install() {
        let error = AuthoritiesError::no_system_roots();
        assert_eq!(error.file(), None);
        assert_eq!(
            error.to_string(),
            "the system's certificate authorities cannot be used: there are none (Debian's \
             package is ca-certificates)"
        );
    }
}
