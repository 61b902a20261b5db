//! The reflexes under measurement.

use std::sync::atomic::{AtomicU64, Ordering};

use sinew::Sessions;
use sinew::prelude::*;
use sinew_store::SessionId;

use crate::page;

/// One action for each way a reflex can end, and one that writes.
#[derive(Default)]
pub(crate) struct Bench {
    writes: AtomicU64,
}

#[reflex]
impl Bench {
    async fn nothing(&self, cx: &mut Reflex) -> Result {
        cx.morph_nothing();
        Ok(())
    }

    /// A partial of one row.
    async fn selector(&self, cx: &mut Reflex) -> Result {
        cx.morph("#row-1", page::row(1, 1));
        Ok(())
    }

    /// Says nothing, so the page is rendered again.
    async fn page(&self, _cx: &mut Reflex) -> Result {
        Ok(())
    }

    /// Writes one field to the embedded store, a new value each time.
    async fn session(&self, cx: &mut Reflex) -> Result {
        cx.morph_nothing();
        let number = self.writes.fetch_add(1, Ordering::Relaxed);
        if let Some(session) = cx.try_session() {
            // It is saved before the reply leaves.
            session.set("clicked", &number).await?;
            return Ok(());
        }
        // An anonymous connection has no session. So that it, too, measures the store, it gets one under its identity.
        let identity = cx.identifier("anonymous").unwrap_or_default();
        let session = cx.state::<Sessions>().open(identity.parse::<SessionId>()?);
        session.set("clicked", &number).await?;
        session.commit().await?;
        Ok(())
    }
}
