//! The application under measurement, and what is asked of it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Error, Result, ensure};
use sinew::cable::{ConnectionIdentifiers, InProcessStreams, Streams};
use sinew::config::Environment;
use sinew::prelude::*;
use sinew::{App, Config};
use sinew_cable::{Answer, Broadcaster, Cable, Confirmation, DirectChannel, DirectSubscription};

use crate::driver::{Driver, command, masked};
use crate::message::Scenario;
use crate::{channel, page, reflexes};

/// What a broadcast of the scenario goes to.
pub(crate) const RECEIVERS: usize = 1000;
/// What others of the same stream the subscriber has.
const NEIGHBOURS: usize = 10;
const ROOM: &str = r#"{"channel":"Direct","room":"tea"}"#;

pub(crate) struct Application {
    app: App,
    streams: Arc<dyn Streams>,
}

/// Echoes on the thread that drives connections.
struct Direct;

impl DirectChannel for Direct {
    fn name(&self) -> &str {
        "Direct"
    }

    fn subscribed(&self, _: DirectSubscription<'_>) -> Answer {
        Confirmation::new().stream_from("tea").into()
    }

    fn perform(&self, subscription: DirectSubscription<'_>, data: &str) {
        subscription.transmit_json(data);
    }
}

impl Application {
    /// As production, without a disk, a log, or a ping that comes while something is counted.
    pub(crate) fn start() -> Result<Self> {
        let mut config = Config::default();
        config.edge.environment = Environment::Production;
        config.anonymous = true;
        config.reflex.log = false;
        config.cable.ping_interval = Duration::from_secs(24 * 3600);
        let streams: Arc<dyn Streams> = Arc::new(InProcessStreams::new());
        let app = Sinew::new(page::router())
            .config(config)
            .in_memory()
            .streams(Arc::clone(&streams))
            .reflex(reflexes::Bench::default())
            .channel(channel::BenchChannel::new(Arc::clone(&streams)))
            .build()
            .map_err(Error::from)?;
        Ok(Self { app, streams })
    }

    pub(crate) fn cable(&self) -> Cable {
        self.app.handle().cable()
    }

    pub(crate) fn streams(&self) -> Arc<dyn Streams> {
        Arc::clone(&self.streams)
    }

    /// A cable beside the application's, with the direct channel on it.
    fn direct(&self) -> Result<Driver> {
        let hook = async |_| Ok(ConnectionIdentifiers::new());
        let application = sinew_cable::Application::new(hook).direct_channel(Arc::new(Direct));
        let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new()))
            .config(self.app.config().cable.clone())
            .build()?;
        Ok(Driver::new(cable))
    }

    /// From the handshake to the welcome, and the end of it.
    pub(crate) async fn connect(&self, count: usize) -> Result<()> {
        let mut driver = Driver::new(self.cable());
        // When the last one leaves, the shard gives its memory back.
        driver.open().await?;
        for _ in 0..count {
            let key = driver.open().await?;
            driver.leave(key);
        }
        Ok(())
    }

    /// A subscription with one stream, which others follow as well.
    pub(crate) async fn subscribe(&self, count: usize) -> Result<()> {
        let mut driver = self.direct()?;
        let subscribe = command("subscribe", ROOM, "");
        let unsubscribe = command("unsubscribe", ROOM, "");
        for _ in 0..NEIGHBOURS {
            let key = driver.open().await?;
            driver.ask(key, &subscribe, 1).await?;
        }
        let key = driver.open().await?;
        for _ in 0..count {
            driver.ask(key, &subscribe, 1).await?;
            driver.receive(key, &unsubscribe)?;
        }
        Ok(())
    }

    pub(crate) async fn echo_direct(&self, count: usize) -> Result<()> {
        let mut driver = self.direct()?;
        let key = driver.open().await?;
        driver.ask(key, &command("subscribe", ROOM, ""), 1).await?;
        let message = command("message", ROOM, r#"{"action":"echo","text":"hello"}"#);
        for _ in 0..count {
            driver.ask(key, &message, 1).await?;
        }
        Ok(())
    }

    /// A message that is answered by one: an action of a channel, or a reflex.
    pub(crate) async fn call(&self, scenario: Scenario, count: usize) -> Result<()> {
        let mut driver = Driver::new(self.cable());
        let key = driver.open().await?;
        let identifier = scenario.identifier().unwrap_or_default();
        let subscribe = command("subscribe", identifier, "");
        driver.ask(key, &subscribe, 1).await?;
        let message = masked(&scenario.message().text);
        for _ in 0..count {
            driver.ask(key, &message, 1).await?;
        }
        Ok(())
    }

    /// So many receivers in all, a thousand at a time.
    pub(crate) async fn broadcast(&self, count: usize) -> Result<()> {
        ensure!(count.is_multiple_of(RECEIVERS), "thousands of receivers");
        let mut driver = Driver::new(self.cable());
        let subscribe = command("subscribe", r#"{"channel":"BenchChannel"}"#, "");
        for _ in 0..RECEIVERS {
            let key = driver.open().await?;
            driver.ask(key, &subscribe, 1).await?;
        }
        let broadcaster = Broadcaster::new(self.streams());
        for _ in 0..count / RECEIVERS {
            broadcaster.broadcast("bench", "hello, everybody").await?;
            driver.written(RECEIVERS).await?;
        }
        Ok(())
    }
}
