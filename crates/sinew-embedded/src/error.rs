//! Why the store cannot be opened, and what a failing one tells its callers.

use std::path::PathBuf;

use redb::{DatabaseError, StorageError};
use sinew_store::{StoreError, StoreErrorKind};

/// The store cannot be opened. Each message says what to do about it.
///
/// ```
/// use sinew_embedded::{EmbeddedError, EmbeddedStore};
///
/// # let directory = tempfile::tempdir().unwrap();
/// let first = EmbeddedStore::open(directory.path()).unwrap();
/// let second = EmbeddedStore::open(directory.path()).unwrap_err();
/// assert!(matches!(second, EmbeddedError::Locked { .. }));
/// assert!(second.to_string().contains("stop that one first"));
/// # drop(first);
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddedError {
    /// The directory is not there and cannot be made.
    #[error(
        "the data directory {} cannot be made: create it for the user that runs this program, \
         or choose another", directory.display()
    )]
    Directory {
        /// The data directory.
        directory: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file may not be read and written.
    #[error(
        "{} cannot be opened for writing: give it and its directory to the user that runs this \
         program, or choose another data directory", file.display()
    )]
    NotWritable {
        /// The store's file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process, or another store of this one, has the file.
    #[error(
        "{} is in use by another process: stop that one first, or give this one a data \
         directory of its own", file.display()
    )]
    Locked {
        /// The store's file.
        file: PathBuf,
    },
    /// The file is damaged, or is something else.
    #[error(
        "{} is damaged or not a store at all: put a backup in its place, or move it away to \
         begin with an empty one (every session is lost then)", file.display()
    )]
    Corrupt {
        /// The store's file.
        file: PathBuf,
        /// What was found.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Anything else that the system or the database had to say.
    #[error("{} cannot be opened", file.display())]
    Open {
        /// The store's file.
        file: PathBuf,
        /// What the database said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl EmbeddedError {
    pub(crate) fn from_database(file: PathBuf, error: DatabaseError) -> EmbeddedError {
        use std::io::ErrorKind;

        match error {
            DatabaseError::DatabaseAlreadyOpen => EmbeddedError::Locked { file },
            DatabaseError::Storage(StorageError::Io(source)) => match source.kind() {
                ErrorKind::PermissionDenied
                | ErrorKind::ReadOnlyFilesystem
                | ErrorKind::IsADirectory
                | ErrorKind::NotADirectory => EmbeddedError::NotWritable { file, source },
                // So redb calls a file that does not begin as one of its own.
                ErrorKind::InvalidData | ErrorKind::UnexpectedEof => EmbeddedError::Corrupt {
                    file,
                    source: source.into(),
                },
                _ => EmbeddedError::Open {
                    file,
                    source: source.into(),
                },
            },
            error @ (DatabaseError::Storage(StorageError::Corrupted(_))
            | DatabaseError::RepairAborted) => EmbeddedError::Corrupt {
                file,
                source: error.into(),
            },
            error => EmbeddedError::Open {
                file,
                source: error.into(),
            },
        }
    }
}

/// What the database said to one of the many who wait for the same transaction.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct DatabaseFailure(String);

/// The same failure, once for each who waits.
pub(crate) fn store_error(error: &redb::Error) -> StoreError {
    let kind = match error {
        redb::Error::Corrupted(_) => StoreErrorKind::Corrupt,
        redb::Error::ValueTooLarge(_) => StoreErrorKind::Rejected,
        _ => StoreErrorKind::Unavailable,
    };
    StoreError::new(kind, DatabaseFailure(error.to_string()))
}
