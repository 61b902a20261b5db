//! The file: how it is opened, and opened again after the disk has failed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use parking_lot::RwLock;
use redb::{Database, DatabaseError, ReadableDatabase, TableDefinition};
use sinew_store::{Clock, Record, StoreError, StoreErrorKind};

use crate::codec::{self, Moment};
use crate::config::{CACHE_BYTES_MAX, FILE_NAME};
use crate::error::{EmbeddedError, store_error};

/// Every record, by its key.
pub(crate) const RECORDS: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("records");
/// What expires in which hour: the hour and the key of every record that expires at all.
pub(crate) const EXPIRIES: TableDefinition<'static, (u64, &str), ()> =
    TableDefinition::new("expiries");

type Open = Box<dyn Fn() -> Result<Database, EmbeddedError> + Send + Sync>;

/// The database as it is shared by readers and the writer.
pub(crate) struct File {
    /// `None` from a failure of the disk until it was opened again: redb refuses all further
    /// work after one.
    database: RwLock<Option<Database>>,
    open: Open,
    clock: Box<dyn Clock>,
}

impl File {
    pub(crate) fn open(open: Open, clock: Box<dyn Clock>) -> Result<File, EmbeddedError> {
        let database = open()?;
        Ok(File {
            database: RwLock::new(Some(database)),
            open,
            clock,
        })
    }

    pub(crate) fn now(&self) -> Moment {
        Moment::from_system(self.clock.now())
    }

    /// Calls `work` with the database. A failure of the disk closes it; the next call opens it
    /// again, which repairs it.
    pub(crate) fn with<R>(
        &self,
        work: impl FnOnce(&Database) -> Result<R, redb::Error>,
    ) -> Result<R, Arc<redb::Error>> {
        let mut database = self.database.read();
        if database.is_none() {
            drop(database);
            self.reopen()?;
            database = self.database.read();
        }
        let result = match &*database {
            Some(database) => work(database),
            // Failed again for another caller in the meantime.
            None => Err(redb::Error::PreviousIo),
        };
        drop(database);
        result.map_err(|error| {
            if matches!(error, redb::Error::Io(_) | redb::Error::PreviousIo) {
                tracing::error!(%error, "the embedded store failed and will be opened again");
                *self.database.write() = None;
            }
            Arc::new(error)
        })
    }

    fn reopen(&self) -> Result<(), Arc<redb::Error>> {
        let mut database = self.database.write();
        if database.is_none() {
            let opened = (self.open)().map_err(|error| {
                tracing::error!(%error, "the embedded store cannot be opened again");
                Arc::new(redb::Error::PreviousIo)
            })?;
            *database = Some(opened);
            tracing::info!("the embedded store was opened again");
        }
        Ok(())
    }

    pub(crate) fn load(&self, key: &str) -> Result<Option<Record>, StoreError> {
        let now = self.now();
        let found = self.with(|database| {
            let records = database.begin_read()?.open_table(RECORDS)?;
            let found = records.get(key)?;
            Ok(found.map(|bytes| codec::decode(bytes.value(), now)))
        });
        match found {
            Ok(Some(Ok(record))) => Ok(record),
            Ok(Some(Err(error))) => Err(StoreError::new(StoreErrorKind::Corrupt, error)),
            Ok(None) => Ok(None),
            Err(error) => Err(store_error(&error)),
        }
    }
}

/// Opens the store's file in `directory`, and makes both if they are not there.
pub(crate) fn open_in(directory: &Path) -> Result<Database, EmbeddedError> {
    open_file(directory, FILE_NAME, CACHE_BYTES_MAX, make_tables)
}

/// Opens a file in `directory`, and makes both if they are not there.
pub(crate) fn open_file(
    directory: &Path,
    name: &str,
    pages_bytes_max: usize,
    make_tables: impl FnOnce(&Database) -> Result<(), redb::Error>,
) -> Result<Database, EmbeddedError> {
    let file = directory.join(name);
    let is_new = !file.exists();
    if is_new {
        make_directory(directory).map_err(|source| EmbeddedError::Directory {
            directory: directory.to_owned(),
            source,
        })?;
    }
    let opened = guarded(|| {
        redb::Builder::new()
            .set_cache_size(pages_bytes_max)
            .set_repair_callback(|_| tracing::debug!("repairing the embedded store"))
            .create(&file)
    });
    let database = match opened {
        Ok(opened) => opened.map_err(|error| EmbeddedError::from_database(file.clone(), error))?,
        Err(panic) => {
            return Err(EmbeddedError::Corrupt {
                file,
                source: panic.into(),
            });
        }
    };
    if is_new {
        protect(directory, &file).map_err(|source| EmbeddedError::NotWritable {
            file: file.clone(),
            source,
        })?;
    }
    make_tables(&database).map_err(|error| EmbeddedError::Open {
        file,
        source: error.into(),
    })?;
    Ok(database)
}

/// redb may panic over a file that something else has written to.
fn guarded(
    open: impl FnOnce() -> Result<Database, DatabaseError>,
) -> Result<Result<Database, DatabaseError>, &'static str> {
    catch_unwind(AssertUnwindSafe(open)).map_err(|_| "the database gave up reading it")
}

pub(crate) fn make_tables(database: &Database) -> Result<(), redb::Error> {
    {
        let transaction = database.begin_read()?;
        if transaction.open_table(RECORDS).is_ok() && transaction.open_table(EXPIRIES).is_ok() {
            return Ok(());
        }
    }
    let transaction = database.begin_write()?;
    transaction.open_table(RECORDS)?;
    transaction.open_table(EXPIRIES)?;
    transaction.commit()?;
    Ok(())
}

/// Sessions are nobody else's business: only this user may look.
fn make_directory(directory: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

fn protect(directory: &Path, file: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;

        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600))?;
        // The file's name has to survive a power cut as well as its contents.
        std::fs::File::open(directory)?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = (directory, file);
    Ok(())
}
