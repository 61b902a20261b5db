//! The reflexes under measurement.

use std::sync::atomic::{AtomicU64, Ordering};

use sinew::prelude::*;

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

    /// Writes one field to the embedded store, a new value each time. It is saved before the reply leaves.
    async fn session(&self, cx: &mut Reflex) -> Result {
        let number = self.writes.fetch_add(1, Ordering::Relaxed);
        cx.session().set("clicked", &number).await?;
        cx.morph_nothing();
        Ok(())
    }
}
