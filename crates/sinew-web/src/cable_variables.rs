//! The settings of the cable that have variables.

use std::time::Duration;

use crate::config::number;
use crate::error::ConfigError;

/// What variables say about the cable's own settings. Those that are not set leave its defaults as they are.
///
/// ```
/// use std::time::Duration;
/// use sinew_web::EdgeConfig;
/// use sinew_web::config::CableVariables;
///
/// let edge = EdgeConfig::from_lookup(|name| (name == "SINEW_PING_SECONDS").then(|| "5".to_owned()))?;
/// let variables: CableVariables = edge.cable_variables;
/// assert_eq!(variables.ping_interval, Some(Duration::from_secs(5)));
/// assert_eq!((variables.pong_timeout, variables.incoming_messages_per_second), (None, None));
/// assert_eq!(variables.incoming_bytes_per_second, None);
///
/// let mut cable = sinew_cable::Config::default();
/// variables.apply_to(&mut cable);
/// assert_eq!(cable.ping_interval, Duration::from_secs(5));
/// assert_eq!(cable.pong_timeout, sinew_cable::Config::default().pong_timeout);
/// # Ok::<(), sinew_web::error::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CableVariables {
    /// [`ping_interval`](sinew_cable::Config::ping_interval), of `SINEW_PING_SECONDS`.
    pub ping_interval: Option<Duration>,
    /// [`pong_timeout`](sinew_cable::Config::pong_timeout), of `SINEW_PONG_SECONDS`.
    pub pong_timeout: Option<Duration>,
    /// [`incoming_messages_per_second`](sinew_cable::Config::incoming_messages_per_second), of
    /// `SINEW_INCOMING_MESSAGES_PER_SECOND`.
    pub incoming_messages_per_second: Option<u32>,
    /// [`incoming_bytes_per_second`](sinew_cable::Config::incoming_bytes_per_second), of
    /// `SINEW_INCOMING_BYTES_PER_SECOND`.
    pub incoming_bytes_per_second: Option<u64>,
}

impl CableVariables {
    pub(crate) fn read(get: impl Fn(&'static str) -> Option<String>) -> Result<Self, ConfigError> {
        Ok(Self {
            ping_interval: seconds(&get, "SINEW_PING_SECONDS", 1)?,
            pong_timeout: seconds(&get, "SINEW_PONG_SECONDS", 0)?,
            incoming_messages_per_second: per_second(
                &get,
                "SINEW_INCOMING_MESSAGES_PER_SECOND",
                "a number of messages from 0 to 4294967295",
            )?,
            incoming_bytes_per_second: per_second(
                &get,
                "SINEW_INCOMING_BYTES_PER_SECOND",
                "a number of bytes",
            )?,
        })
    }

    /// Changes the settings for which there is a variable.
    pub fn apply_to(&self, config: &mut sinew_cable::Config) {
        fn set<T: Copy>(setting: &mut T, variable: Option<T>) {
            *setting = variable.unwrap_or(*setting);
        }
        set(&mut config.ping_interval, self.ping_interval);
        set(&mut config.pong_timeout, self.pong_timeout);
        set(
            &mut config.incoming_messages_per_second,
            self.incoming_messages_per_second,
        );
        set(
            &mut config.incoming_bytes_per_second,
            self.incoming_bytes_per_second,
        );
    }
}

/// The longest time between two pings, and without a sign of life: a day says nothing more than an hour.
const SECONDS_MAX: u64 = 3600;

fn seconds(
    get: impl Fn(&'static str) -> Option<String>,
    name: &'static str,
    min: u64,
) -> Result<Option<Duration>, ConfigError> {
    let Some(text) = get(name) else {
        return Ok(None);
    };
    let expected = format!("a number of seconds from {min} to {SECONDS_MAX}");
    let seconds: u64 = number(name, &text, &expected)?;
    if !(min..=SECONDS_MAX).contains(&seconds) {
        return Err(ConfigError::new(name, &text, &expected));
    }
    Ok(Some(Duration::from_secs(seconds)))
}

fn per_second<N: std::str::FromStr>(
    get: impl Fn(&'static str) -> Option<String>,
    name: &'static str,
    expected: &str,
) -> Result<Option<N>, ConfigError>
where
    N::Err: std::error::Error + Send + Sync + 'static,
{
    get(name)
        .map(|text| number(name, &text, expected))
        .transpose()
}
