//! Why PostgreSQL did not do what it was asked, and why settings cannot be used.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use sinew_store::{StoreError, StoreErrorKind};
use tokio_postgres::error::SqlState;

/// Characters of a server's message that are kept.
const MESSAGE_CHARACTERS_MAX: usize = 200;

/// What kind of trouble PostgreSQL is in.
///
/// ```
/// use sinew_postgres::{Postgres, PostgresErrorKind, PostgresSettings};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // Nobody listens on port 1.
/// let settings = PostgresSettings::from_url("postgres://ada@127.0.0.1:1/app")?;
/// let error = Postgres::connect_lazily(settings)?.migrate().await.unwrap_err();
/// assert_eq!(error.kind(), PostgresErrorKind::Unavailable);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PostgresErrorKind {
    /// It cannot be reached, did not answer in time, or is not able to serve for now (starting,
    /// shutting down, a standby, too many connections). Trying again later may work.
    Unavailable,
    /// It has no room left on its disk.
    Full,
    /// It does not let this user in, or does not let it do this.
    Denied,
    /// The tables of Sinew are not there, or are of an older version.
    NotMigrated,
    /// The value to be incremented is not the decimal text of an `i64`.
    NotANumber,
    /// The incremented value would not be an `i64`.
    Overflow,
    /// What is stored is not what this crate stores.
    Corrupt,
    /// The request can never succeed as it is.
    Rejected,
}

impl PostgresErrorKind {
    fn sentence(self) -> &'static str {
        match self {
            Self::Unavailable => "PostgreSQL is unavailable",
            Self::Full => "PostgreSQL is full",
            Self::Denied => "PostgreSQL denies access",
            Self::NotMigrated => "the tables are missing in PostgreSQL",
            Self::NotANumber => "the stored value is not a whole number",
            Self::Overflow => "the stored number would be too large",
            Self::Corrupt => "the stored row is corrupt",
            Self::Rejected => "PostgreSQL refused the request",
        }
    }

    fn of_state(state: &SqlState) -> Self {
        match state.code() {
            "22P02" => Self::NotANumber,
            "22003" => Self::Overflow,
            "42501" | "28000" | "28P01" => Self::Denied,
            "3F000" | "42P01" | "42883" => Self::NotMigrated,
            "53100" => Self::Full,
            // Serialization failures and deadlocks, refused writes of a standby, statements
            // that were stopped, and the server's own shortages, shutdowns and starts.
            "25006" | "55P03" | "57014" => Self::Unavailable,
            code if ["08", "40", "53", "57", "58"].contains(&&code[..2]) => Self::Unavailable,
            _ => Self::Rejected,
        }
    }
}

/// PostgreSQL did not do what it was asked. Its text is safe to log: it holds no password and
/// nothing of what is stored.
///
/// ```
/// # use sinew_postgres::{Postgres, PostgresErrorKind, PostgresSettings};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let settings = PostgresSettings::from_url("postgres://ada:secret@127.0.0.1:1/app")?;
/// let error = Postgres::connect_lazily(settings)?.migrate().await.unwrap_err();
/// assert_eq!(error.kind(), PostgresErrorKind::Unavailable);
/// assert!(error.is_retryable());
/// assert!(error.to_string().starts_with("PostgreSQL is unavailable: error connecting"));
/// assert_eq!(error.code(), None, "the server did not answer");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}: {reason}", kind.sentence())]
pub struct PostgresError {
    kind: PostgresErrorKind,
    code: Option<Arc<str>>,
    reason: Cow<'static, str>,
    /// Whether it says something of the connection, not of the statement.
    breaks_connection: bool,
}

impl PostgresError {
    /// What kind of trouble it is.
    pub fn kind(&self) -> PostgresErrorKind {
        self.kind
    }

    /// Whether the same request may succeed later without a change: so for
    /// [`Unavailable`](PostgresErrorKind::Unavailable) and [`Full`](PostgresErrorKind::Full).
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.kind,
            PostgresErrorKind::Unavailable | PostgresErrorKind::Full
        )
    }

    /// The server's own code (SQLSTATE), five characters; none if it did not answer.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    pub(crate) fn breaks_connection(&self) -> bool {
        self.breaks_connection
    }

    pub(crate) fn is_not_migrated(&self) -> bool {
        self.kind == PostgresErrorKind::NotMigrated
    }

    fn new(kind: PostgresErrorKind, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            code: None,
            reason: reason.into(),
            breaks_connection: false,
        }
    }

    /// Nothing came, or it cannot be asked.
    pub(crate) fn unavailable(reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            breaks_connection: true,
            ..Self::new(PostgresErrorKind::Unavailable, reason)
        }
    }

    pub(crate) fn corrupt(reason: &'static str) -> Self {
        Self::new(PostgresErrorKind::Corrupt, reason)
    }

    pub(crate) fn not_migrated(schema: &str) -> Self {
        let reason = format!(
            "call Postgres::migrate(), leave SINEW_DATABASE_MIGRATE on, or run the SQL of \
             Postgres::schema_sql() in the schema {schema}"
        );
        Self::new(PostgresErrorKind::NotMigrated, reason)
    }

    pub(crate) fn denied(schema: &str) -> Self {
        let reason = format!(
            "grant usage on the schema {schema}; select, insert, update and delete on the two \
             tables of Sinew there; and execute on its function to this user"
        );
        Self::new(PostgresErrorKind::Denied, reason)
    }

    /// As an error of making the tables in this schema.
    pub(crate) fn of_migration(mut self, schema: &str) -> Self {
        if self.kind == PostgresErrorKind::Denied {
            self.reason = format!(
                "this user may not make the tables of Sinew: grant create on the schema \
                 {schema} (or on the database, if it has no such schema), or let somebody who \
                 may run the SQL of Postgres::schema_sql()"
            )
            .into();
        }
        self
    }

    /// What the library says of a connection or of one statement.
    pub(crate) fn from_library(error: &tokio_postgres::Error) -> Self {
        let Some(answer) = error.as_db_error() else {
            return Self::unavailable(whole_chain(error));
        };
        let kind = PostgresErrorKind::of_state(answer.code());
        let code = answer.code().code();
        let is_about_data = code.starts_with("22") || code.starts_with("23");
        let message: String = match is_about_data {
            true => "the server's message would repeat what is stored".to_owned(),
            false => answer
                .message()
                .chars()
                .take(MESSAGE_CHARACTERS_MAX)
                .collect(),
        };
        Self {
            kind,
            code: Some(code.into()),
            reason: format!("{message} ({code})").into(),
            // Whoever writes to a standby is connected to the wrong server.
            breaks_connection: code == "25006"
                || ["08", "53", "57P", "58"]
                    .iter()
                    .any(|it| code.starts_with(it)),
        }
    }
}

/// What the library says, and what the system or TLS said to it, such as "Connection refused".
fn whole_chain(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

impl From<PostgresError> for StoreError {
    fn from(error: PostgresError) -> Self {
        let kind = match error.kind {
            PostgresErrorKind::Unavailable => StoreErrorKind::Unavailable,
            PostgresErrorKind::Full => StoreErrorKind::Full,
            PostgresErrorKind::NotANumber => StoreErrorKind::NotANumber,
            PostgresErrorKind::Overflow => StoreErrorKind::Overflow,
            PostgresErrorKind::Corrupt => StoreErrorKind::Corrupt,
            PostgresErrorKind::Denied
            | PostgresErrorKind::NotMigrated
            | PostgresErrorKind::Rejected => StoreErrorKind::Rejected,
        };
        StoreError::new(kind, error)
    }
}

/// Settings cannot be used. The message names the variable and never a secret of its value.
///
/// ```
/// use sinew_postgres::PostgresSettings;
///
/// let error = PostgresSettings::from_lookup(|name| {
///     (name == "DATABASE_URL").then(|| "postgres://ada:secret@db.example.com:port/app".to_owned())
/// })
/// .unwrap_err();
/// assert!(error.to_string().starts_with("DATABASE_URL is no PostgreSQL URL that can be used: "));
/// assert!(!error.to_string().contains("secret"));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PostgresSettingsError {
    /// A URL that is none.
    #[error("{variable} is no PostgreSQL URL that can be used: {problem}")]
    Url {
        /// The variable it came from.
        variable: Cow<'static, str>,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A value that is none of those it may be.
    #[error("{variable} is `{value}`, expected {expected}")]
    Value {
        /// The variable.
        variable: &'static str,
        /// What it is.
        value: String,
        /// What it may be.
        expected: &'static str,
    },
    /// The file of the certificate authority cannot be used.
    #[error(
        "the file of certificate authorities {} cannot be used: {problem}; expected a PEM file \
         of the authority that signed the server's certificate", file.display()
    )]
    CaFile {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The system has no certificate authorities.
    #[error(
        "the system has no certificate authorities to verify PostgreSQL by: install them \
         (Debian: ca-certificates), or set SINEW_DATABASE_CA_FILE to a file of them"
    )]
    NoSystemRoots,
}
