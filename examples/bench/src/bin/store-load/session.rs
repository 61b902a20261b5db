//! A session opened, read, changed and saved, by a task each.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use sinew_store::{Session, SessionId, Sessions, Store};

use crate::VALUE_BYTES;
use crate::stores::Stores;
use crate::turns::{self, Measured};

pub(crate) async fn measure(
    stores: &Stores,
    tasks: usize,
    time: Duration,
) -> Result<Vec<(&'static str, Measured)>> {
    let mut measured = Vec::new();
    for (name, store) in &stores.sessions {
        measured.push((*name, count(store.clone(), tasks, time).await?));
    }
    Ok(measured)
}

async fn count(store: Arc<dyn Store>, tasks: usize, time: Duration) -> Result<Measured> {
    let sessions = Sessions::new(store);
    let mut ids: Vec<SessionId> = Vec::new();
    for _ in 0..tasks {
        let session: Session = sessions.create();
        session.set("user", "ada").await?;
        session.set("cart", &"x".repeat(VALUE_BYTES)).await?;
        session.commit().await?;
        ids.push(session.id());
    }
    let ids = Arc::new(ids);
    let (counted, opened) = (sessions.clone(), ids.clone());
    let measured = turns::run(tasks, time, move |task, _| {
        let session = counted.open(opened[task]);
        async move {
            session.update("count", |count: u64| count + 1).await?;
            session.commit().await?;
            Ok(())
        }
    })
    .await?;
    let mut total = 0;
    for id in ids.iter() {
        total += sessions.open(*id).get_or_default::<u64>("count").await?;
    }
    ensure!(total > 0, "nothing was counted");
    Ok(measured)
}
