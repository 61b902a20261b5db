//! A ticket that is on its way, and whether it has arrived.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use futures_util::task::AtomicWaker;

use super::store::CookieStore;
use super::ticket::Ticket;
use super::version::Version;
use crate::record::Key;

/// A [`Ticket`] to be handed to the browser, made by [`CookieStore::offer`].
///
/// While it is there, no other is made of the same version. Dropped before it is redeemed, it counts as lost: the next
/// offer of that version [says so](Offer::is_again).
///
/// ```
/// # use std::sync::Arc;
/// # use sinew_store::{Sessions, cookie::{CookieStore, CookieStoreConfig, Offer}};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
/// # let store = CookieStore::new(CookieStoreConfig::default());
/// # let session = Sessions::new(Arc::new(store.clone())).create();
/// # session.ensure();
/// # session.commit().await?;
/// # let cookie = store.handed_out(session.id()).unwrap();
/// session.set("theme", "dark").await?;
/// session.commit().await?;
/// let lost: Offer = store.offer(session.id()).expect("something was written");
/// assert!(store.offer(session.id()).is_none(), "it is on its way");
/// drop(lost);
///
/// let offer = store.offer(session.id()).expect("it has not arrived");
/// assert!(offer.is_again());
/// store.redeem(offer.ticket().clone(), cookie);
/// offer.redeemed().await;
/// assert!(store.offer(session.id()).is_none());
/// # Ok(()) }
/// ```
pub struct Offer {
    store: CookieStore,
    key: Key,
    ticket: Ticket,
    is_again: bool,
    redemption: Arc<Redemption>,
}

/// Whether a version has reached the browser.
pub(super) struct Redemption {
    pub(super) version: Version,
    is_done: AtomicBool,
    waker: AtomicWaker,
}

impl Redemption {
    pub(super) fn new(version: Version) -> Redemption {
        Redemption {
            version,
            is_done: AtomicBool::new(false),
            waker: AtomicWaker::new(),
        }
    }

    pub(super) fn complete(&self) {
        self.is_done.store(true, Ordering::Release);
        self.waker.wake();
    }
}

impl Offer {
    pub(super) fn new(
        store: CookieStore,
        key: Key,
        ticket: Ticket,
        is_again: bool,
        redemption: Arc<Redemption>,
    ) -> Offer {
        Offer {
            store,
            key,
            ticket,
            is_again,
            redemption,
        }
    }

    /// What to hand over.
    pub fn ticket(&self) -> &Ticket {
        &self.ticket
    }

    /// Whether the same version was offered before, and did not arrive.
    pub fn is_again(&self) -> bool {
        self.is_again
    }

    /// Waits until the browser has this version, or one that was made from it, or the session is over.
    pub async fn redeemed(&self) {
        poll_fn(|context| {
            self.redemption.waker.register(context.waker());
            if self.redemption.is_done.load(Ordering::Acquire) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}

impl Drop for Offer {
    fn drop(&mut self) {
        if !self.redemption.is_done.load(Ordering::Acquire) {
            self.store.lost(&self.key, &self.redemption);
        }
    }
}

impl fmt::Debug for Offer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Offer")
            .field("ticket", &self.ticket)
            .field("is_again", &self.is_again)
            .finish_non_exhaustive()
    }
}
