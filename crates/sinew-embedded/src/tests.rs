//! What a disk can do, done to the store: power cuts and failing writes.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Waker};

use parking_lot::Mutex;
use redb::{Builder, StorageBackend};
use sinew_store::{Commit, Committed, Key, Store, StoreErrorKind, SystemClock};

use crate::EmbeddedStore;
use crate::database::{File, make_tables};

/// A disk with a write cache that a power cut empties.
#[derive(Debug, Default)]
struct Disk {
    cached: Mutex<Vec<u8>>,
    durable: Mutex<Vec<u8>>,
    syncs: AtomicUsize,
    failing: AtomicBool,
}

#[derive(Debug, Clone)]
struct Attached(Arc<Disk>);

impl Disk {
    fn check(&self) -> io::Result<()> {
        match self.failing.load(Ordering::SeqCst) {
            true => Err(io::Error::other("the disk fails")),
            false => Ok(()),
        }
    }

    /// The disk as it is found after the power has come back.
    fn after_power_cut(&self) -> Arc<Disk> {
        let durable = self.durable.lock().clone();
        Arc::new(Disk {
            cached: Mutex::new(durable.clone()),
            durable: Mutex::new(durable),
            ..Disk::default()
        })
    }
}

impl StorageBackend for Attached {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.cached.lock().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let start = offset as usize;
        let cached = self.0.cached.lock();
        let found = cached.get(start..start + out.len());
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.check()?;
        self.0.cached.lock().resize(len as usize, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.check()?;
        self.0.syncs.fetch_add(1, Ordering::SeqCst);
        let cached = self.0.cached.lock().clone();
        *self.0.durable.lock() = cached;
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.check()?;
        let start = offset as usize;
        self.0.cached.lock()[start..start + data.len()].copy_from_slice(data);
        Ok(())
    }
}

fn store_on(disk: &Arc<Disk>) -> EmbeddedStore {
    let disk = Arc::clone(disk);
    let open = Box::new(move || {
        let attached = Attached(Arc::clone(&disk));
        let database = Builder::new().create_with_backend(attached);
        let database =
            database.map_err(|error| crate::EmbeddedError::from_database("disk".into(), error))?;
        make_tables(&database).expect("a disk that opens can be written");
        Ok(database)
    });
    let file = File::open(open, Box::new(SystemClock)).expect("the disk opens");
    EmbeddedStore::start(file)
}

fn set(value: usize) -> Commit {
    let mut commit = Commit::new();
    commit.create = true;
    commit.set = vec![("value".into(), value.to_string().into())];
    commit
}

#[tokio::test]
async fn a_power_cut_after_the_answer_loses_nothing() {
    let disk = Arc::new(Disk::default());
    let store = store_on(&disk);
    for value in 0..20 {
        let key = Key::new(format!("key {value}"));
        let committed = store.commit(&key, set(value)).await.unwrap();
        assert_eq!(committed, Committed::Applied);

        let survivor = store_on(&disk.after_power_cut());
        for earlier in 0..=value {
            let key = Key::new(format!("key {earlier}"));
            let record = survivor.load(&key).await.unwrap();
            assert_eq!(record.unwrap().fields["value"], earlier.to_string());
        }
    }
}

#[test]
fn those_who_wait_together_share_a_sync() {
    let disk = Arc::new(Disk::default());
    let store = store_on(&disk);
    let before = disk.syncs.load(Ordering::SeqCst);
    let keys: Vec<Key> = (0..200).map(|it| Key::new(it.to_string())).collect();
    let commits: Vec<_> = {
        // All are handed over while the writer is held at its first sync; outside of a runtime,
        // because one task may not do so much at a time.
        let _held = disk.durable.lock();
        let mut cx = Context::from_waker(Waker::noop());
        let hand_over = |(value, key)| {
            let mut commit = store.commit(key, set(value));
            assert!(commit.as_mut().poll(&mut cx).is_pending());
            commit
        };
        keys.iter().enumerate().map(hand_over).collect()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("a runtime without drivers");
    for commit in commits {
        assert_eq!(runtime.block_on(commit).unwrap(), Committed::Applied);
    }
    let syncs = disk.syncs.load(Ordering::SeqCst) - before;
    assert!(syncs <= 2, "{syncs} syncs for 200 commits");
}

#[tokio::test]
async fn a_disk_that_fails_for_a_while_fails_the_commits_of_that_while() {
    let disk = Arc::new(Disk::default());
    let store = store_on(&disk);
    let (first, second) = (Key::new("first"), Key::new("second"));
    store.commit(&first, set(1)).await.unwrap();

    disk.failing.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        let error = store.commit(&second, set(2)).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(error.is_retryable());
    }
    disk.failing.store(false, Ordering::SeqCst);

    assert!(store.load(&first).await.unwrap().is_some());
    assert_eq!(store.load(&second).await.unwrap(), None);
    let committed = store.commit(&second, set(2)).await.unwrap();
    assert_eq!(committed, Committed::Applied);
}
