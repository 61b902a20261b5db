use std::future::Future;

use tokio::sync::watch;

/// The end of a process, as those see it who have something to bring to an end. Clones are one drain.
///
/// Whoever holds a connection of its own, such as a socket that a handler upgraded, takes a [guard](Self::guard) with it:
/// the guard says when the process ends, and the process waits for the guard, within its time.
///
/// ```
/// use sinew_web::server::{Drain, DrainGuard};
/// use tokio::sync::mpsc;
///
/// async fn talk(guard: DrainGuard, mut messages: mpsc::Receiver<String>) -> Vec<String> {
///     let mut said = Vec::new();
///     loop {
///         tokio::select! {
///             () = guard.draining() => break,
///             message = messages.recv() => said.extend(message),
///         }
///     }
///     said.push("Goodbye".to_owned());
///     said
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let drain = Drain::new();
/// let (_messages, received) = mpsc::channel(1);
/// let talks = tokio::spawn(talk(drain.guard(), received));
/// assert!(!drain.has_begun());
///
/// drain.begin();
/// drain.finished().await;
/// assert_eq!(talks.await?, ["Goodbye"]);
/// // For whoever need not be waited for.
/// drain.begun().await;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Drain {
    has_begun: watch::Sender<bool>,
    /// Its receivers are the guards.
    guards: watch::Sender<()>,
}

impl Default for Drain {
    fn default() -> Self {
        Self::new()
    }
}

impl Drain {
    /// One that has not begun.
    pub fn new() -> Self {
        Self {
            has_begun: watch::Sender::new(false),
            guards: watch::Sender::new(()),
        }
    }

    /// The process ends: tells everybody.
    pub fn begin(&self) {
        self.has_begun.send_replace(true);
    }

    /// Whether the process ends.
    pub fn has_begun(&self) -> bool {
        *self.has_begun.borrow()
    }

    /// Resolves when the process ends; at once if it does already.
    pub fn begun(&self) -> impl Future<Output = ()> + Send + use<> {
        begun(self.has_begun.subscribe())
    }

    /// Something that the process waits for, until it is dropped.
    pub fn guard(&self) -> DrainGuard {
        DrainGuard {
            has_begun: self.has_begun.subscribe(),
            _counted: self.guards.subscribe(),
        }
    }

    /// Resolves when no guard is left.
    pub async fn finished(&self) {
        self.guards.closed().await;
    }
}

/// Something that the process waits for when it is told to stop; see [`Drain`].
///
/// ```
/// use sinew_web::server::{Drain, DrainGuard};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let drain = Drain::new();
/// let guard: DrainGuard = drain.guard();
/// let ends = tokio::spawn(async move { guard.draining().await });
/// drain.begin();
/// drain.finished().await;
/// assert!(ends.await.is_ok());
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "the process waits as long as this is kept"]
pub struct DrainGuard {
    has_begun: watch::Receiver<bool>,
    _counted: watch::Receiver<()>,
}

impl DrainGuard {
    /// Resolves when the process ends; at once if it does already. May be asked again and again.
    pub fn draining(&self) -> impl Future<Output = ()> + Send + use<> {
        begun(self.has_begun.clone())
    }
}

async fn begun(mut has_begun: watch::Receiver<bool>) {
    if has_begun.wait_for(|it| *it).await.is_err() {
        // Nobody is left who could begin it.
        std::future::pending().await
    }
}
