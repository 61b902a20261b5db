//! One connection that is opened again whenever it is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{RedisResult, Value};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Duration, Instant, sleep, timeout};

use crate::backoff::Backoff;
use crate::dial::Dial;
use crate::error::RedisError;
use crate::link::Times;
use crate::status::{Board, RedisStatus};
use crate::target::{Connected, Target, moved, ping};

/// A connection that lived shorter than this does not count as one that came back.
const STABLE_AFTER: Duration = Duration::from_secs(1);

/// What is known of a connection.
#[derive(Clone)]
pub(crate) enum WireState {
    /// Nobody knows yet, or it was lost a moment ago.
    Connecting,
    Up(MultiplexedConnection),
    /// The last attempt failed, and this is why.
    Away(RedisError),
}

/// Counts the reasons to believe that the server does not answer, or is not the primary. All
/// connections to it look then.
pub(crate) type Suspicion = Arc<watch::Sender<u64>>;

/// One connection and the task that keeps it.
pub(crate) struct Wire {
    shared: Arc<Shared>,
    target: Target,
    dial: Dial,
    times: Times,
    task: Mutex<Option<AbortHandle>>,
}

struct Shared {
    state: watch::Sender<WireState>,
    suspicion: Suspicion,
    is_kept: AtomicBool,
    board: Arc<Board>,
    /// Which part of the board, and which connection of it.
    place: (u64, usize),
}

impl Wire {
    pub(crate) fn new(
        target: Target,
        dial: Dial,
        times: Times,
        suspicion: Suspicion,
        board: Arc<Board>,
        place: (u64, usize),
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                state: watch::Sender::new(WireState::Connecting),
                suspicion,
                is_kept: AtomicBool::new(false),
                board,
                place,
            }),
            target,
            dial,
            times,
            task: Mutex::new(None),
        }
    }

    pub(crate) fn start(&self) {
        if self.shared.is_kept.load(Ordering::Acquire) {
            return;
        }
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        if self.shared.is_kept.swap(true, Ordering::AcqRel) {
            return;
        }
        let keeper = Keeper {
            shared: Arc::clone(&self.shared),
            target: self.target.clone(),
            dial: self.dial.clone(),
            times: self.times,
        };
        let task = runtime.spawn(keeper.run());
        *self.task.lock() = Some(task.abort_handle());
    }

    pub(crate) fn state(&self) -> WireState {
        self.shared.state.borrow().clone()
    }

    /// Waits for the end of the attempt that is under way.
    pub(crate) async fn decided(&self) -> Result<MultiplexedConnection, RedisError> {
        let mut state = self.shared.state.subscribe();
        let decided = state.wait_for(|state| !matches!(state, WireState::Connecting));
        match decided.await.as_deref() {
            Ok(WireState::Up(connection)) => Ok(connection.clone()),
            Ok(WireState::Away(error)) => Err(error.clone()),
            _ => Err(RedisError::unavailable("not connected")),
        }
    }

    /// What an answer, or its absence, says to the caller and of the connection.
    pub(crate) fn judge(&self, answer: RedisResult<Value>) -> Result<Value, RedisError> {
        let error = match answer {
            Ok(Value::ServerError(error)) => RedisError::from_server(&error),
            Ok(value) => return Ok(value),
            Err(error) if error.code().is_some() => RedisError::from_library(&error),
            Err(error) => {
                self.shared.suspect();
                RedisError::from_library(&error).sent()
            }
        };
        // The server follows another by now.
        if error.code() == Some("READONLY") {
            self.shared.suspect();
        }
        Err(error)
    }

    /// Time was up before the answer came.
    pub(crate) fn late(&self) -> RedisError {
        self.shared.suspect();
        RedisError::unavailable("no answer in time").sent()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if let Some(task) = self.task.lock().take() {
            task.abort();
        }
    }
}

/// Opens the connection, watches it, and opens it again: for ever.
struct Keeper {
    shared: Arc<Shared>,
    target: Target,
    dial: Dial,
    times: Times,
}

impl Keeper {
    async fn run(self) {
        let mut backoff = Backoff::default();
        loop {
            let attempt = timeout(self.dial.timeout, self.target.connect(&self.dial));
            let error = match attempt.await {
                Ok(Ok(connected)) => {
                    let since = Instant::now();
                    let why = self.serve(connected).await;
                    self.shared
                        .board
                        .connections_lost
                        .fetch_add(1, Ordering::Relaxed);
                    if since.elapsed() >= STABLE_AFTER {
                        backoff.reset();
                        self.report(WireState::Connecting, &why.to_string());
                        continue;
                    }
                    why
                }
                Ok(Err(error)) => error,
                Err(_) => RedisError::unavailable("connecting took too long"),
            };
            let why = error.to_string();
            tracing::debug!(why, "no connection to Redis");
            self.report(WireState::Away(error), &why);
            sleep(backoff.next()).await;
        }
    }

    /// Holds a connection until it is lost or not to be trusted any more.
    async fn serve(&self, connected: Connected) -> RedisError {
        let Connected {
            mut connection,
            driver,
            endpoint,
        } = connected;
        let mut driver = Driving(tokio::spawn(driver));
        let mut suspicion = self.shared.suspicion.subscribe();
        self.shared
            .board
            .connections_opened
            .fetch_add(1, Ordering::Relaxed);
        self.report(WireState::Up(connection.clone()), "");
        loop {
            tokio::select! {
                _ = &mut driver.0 => return RedisError::unavailable("the connection was lost"),
                _ = suspicion.changed() => {}
                () = sleep(self.times.health) => {}
            }
            match timeout(self.times.command, ping(&mut connection)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return error,
                Err(_) => return RedisError::unavailable("the server does not answer"),
            }
            if self.target.has_moved(&self.dial, &endpoint).await {
                return moved();
            }
        }
    }

    fn report(&self, state: WireState, why: &str) {
        self.shared.report(state, why);
    }
}

impl Shared {
    fn suspect(&self) {
        self.suspicion
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    fn report(&self, state: WireState, why: &str) {
        let status = match state {
            WireState::Connecting => RedisStatus::Connecting,
            WireState::Up(_) => RedisStatus::Available,
            WireState::Away(_) => RedisStatus::Away,
        };
        self.state.send_replace(state);
        self.board.report(self.place.0, self.place.1, status, why);
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // The runtime has ended, or nobody wants the connection any more. Whoever asks in
        // another runtime begins anew.
        self.shared.report(WireState::Connecting, "");
        self.shared.is_kept.store(false, Ordering::Release);
    }
}

/// Ends what carries a connection together with whoever keeps it.
struct Driving(tokio::task::JoinHandle<()>);

impl Drop for Driving {
    fn drop(&mut self) {
        self.0.abort();
    }
}
