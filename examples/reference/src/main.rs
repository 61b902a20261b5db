//! The reference application: the pages, reflexes and channels with which the compatibility
//! recordings in `spec/golden` were made, written with Sinew.
//!
//! It binds `127.0.0.1:$PORT`, runs as production with a fixed secret of its own, and needs no
//! other setting. `SESSION` (`cache`, in the embedded store, or `cookie`), `SANITY` (`exit`, `warn`
//! or `ignore`) and `SINEW_DATA_DIR` are honoured.

mod channels;
mod pages;
mod reflexes;
mod templates;

use std::env;

use sinew::prelude::*;
use sinew::{
    Config,
    cable::{ConnectionIdentifiers, Refusal},
    config::{Digest, Environment, Secret, VersionCheck},
};

use crate::channels::{EchoChannel, LoadChannel, RejectChannel};
use crate::reflexes::{
    ApplicationReflex, Args, Callback, Counter, Dataset, ErrorReflex, Flashes, Form, Halt, Html,
    Load, Nothing, Ops, Permanent, Selector, Sess, Slow,
};

#[tokio::main]
async fn main() -> Result {
    let sinew = Sinew::new(pages::router()).config(config()?);
    let sinew = match env::var("SESSION").as_deref() {
        Err(_) | Ok("cache") => sinew,
        Ok("cookie") => sinew.cookie_sessions(),
        Ok(other) => return Err(format!("SESSION is `{other}`; it can be cache or cookie").into()),
    };
    sinew
        // As the recorded application: a cookie that names no stored session is an identity too.
        .identify(async |visitor| {
            let id = visitor
                .presented_session_id()
                .ok_or(Refusal::unauthorized())?;
            Ok(ConnectionIdentifiers::new().with("session_id", id.label()))
        })
        .application_reflex(ApplicationReflex)
        .reflex(Counter)
        .reflex(Selector)
        .reflex(Nothing)
        .reflex(Args)
        .reflex(Form)
        .reflex(Dataset)
        .reflex(Callback)
        .reflex(Halt)
        .reflex(ErrorReflex)
        .reflex(Ops)
        .reflex(Sess)
        .reflex(Flashes)
        .reflex(Permanent)
        .reflex(Slow)
        .reflex(Load)
        .reflex(Html)
        .channel(EchoChannel)
        .channel(LoadChannel)
        .channel(RejectChannel)
        .serve()
        .await?;
    Ok(())
}

fn config() -> Result<Config> {
    let mut config = Config::from_env()?;
    if std::env::var_os("SINEW_DATA_DIR").is_none() {
        // One for each port, since several of them run side by side.
        let port = config.edge.listen.port();
        config.edge.data_directory.push(format!("reference-{port}"));
    }
    config.edge.environment = Environment::Production;
    // The key for signed streams is derived from it as in the recordings.
    config.edge.configured_secret = Some(Secret::new("reference-peer-not-a-secret-".repeat(4))?);
    config.key_digest = Digest::Sha1;
    config.edge.cookie.name = "_ref_session".to_owned();
    config.reflex.version_check = match env::var("SANITY").as_deref() {
        Err(_) | Ok("exit") => VersionCheck::Exit,
        Ok("warn") => VersionCheck::Warn,
        Ok("ignore") => VersionCheck::Ignore,
        Ok(other) => {
            return Err(format!("SANITY is `{other}`; it can be exit, warn or ignore").into());
        }
    };
    Ok(config)
}
