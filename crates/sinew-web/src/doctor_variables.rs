//! The settings of the examination that `sinew doctor` asks for.

use std::num::NonZeroU32;

use crate::error::ConfigError;

/// How the findings of an examination are written.
///
/// ```
/// use sinew_web::config::ReportFormat;
///
/// let of = |value: &'static str| ReportFormat::from_lookup(|_| Some(value.to_owned()));
/// assert_eq!(of("1")?, Some(ReportFormat::Text));
/// assert_eq!(of("json")?, Some(ReportFormat::Json));
/// assert_eq!(of("0")?, None);
/// assert!(of("please").is_err());
/// # Ok::<(), sinew_web::error::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReportFormat {
    /// For people.
    Text,
    /// One line of JSON.
    Json,
}

impl ReportFormat {
    /// The variable that asks for an examination in place of a start.
    pub const VARIABLE: &'static str = "SINEW_DOCTOR";

    /// What the variable says: `1` is text, `json` is JSON; `0` and nothing are no examination.
    ///
    /// # Errors
    ///
    /// Any other word is refused.
    pub fn from_lookup(
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, ConfigError> {
        let value = lookup(Self::VARIABLE).unwrap_or_default();
        match value.trim().to_ascii_lowercase().as_str() {
            "" | "0" | "off" => Ok(None),
            "1" | "on" | "text" => Ok(Some(Self::Text)),
            "json" => Ok(Some(Self::Json)),
            other => Err(ConfigError::new(
                Self::VARIABLE,
                other,
                "`1`, `json` or `0`",
            )),
        }
    }
}

/// What variables say about examinations of the application, and of what surrounds it that no program can see.
///
/// ```
/// use sinew_web::EdgeConfig;
/// use sinew_web::config::{DoctorVariables, ReportFormat};
///
/// let variables: DoctorVariables = EdgeConfig::from_lookup(|name| match name {
///     "SINEW_NODES" => Some("3".to_owned()),
///     "SINEW_DOCTOR" => Some("json".to_owned()),
///     "SINEW_DOCTOR_IGNORE" => Some("url-unset, redis-not-persistent".to_owned()),
///     _ => None,
/// })?
/// .doctor;
/// assert_eq!(variables.nodes.map(u32::from), Some(3));
/// assert_eq!(variables.format, Some(ReportFormat::Json));
/// assert_eq!(variables.ignored, ["url-unset", "redis-not-persistent"]);
/// # Ok::<(), sinew_web::error::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DoctorVariables {
    /// Processes of the application that run at the same time, of `SINEW_NODES`; unknown by default.
    pub nodes: Option<NonZeroU32>,
    /// Whether the application is to be examined in place of being served, of `SINEW_DOCTOR`.
    pub format: Option<ReportFormat>,
    /// Codes of findings that are meant as they are, of `SINEW_DOCTOR_IGNORE`.
    pub ignored: Vec<String>,
}

impl DoctorVariables {
    pub(crate) fn read(get: impl Fn(&'static str) -> Option<String>) -> Result<Self, ConfigError> {
        const NODES: &str = "SINEW_NODES";
        let nodes = get(NODES).map(|text| {
            let expected = "a number of processes from 1 to 4294967295";
            text.parse()
                .map_err(|_| ConfigError::new(NODES, &text, expected))
        });
        let nodes = nodes.transpose()?;
        let format = ReportFormat::from_lookup(|_| get(ReportFormat::VARIABLE))?;
        let ignored = get("SINEW_DOCTOR_IGNORE").unwrap_or_default();
        let codes = ignored.split(',').map(str::trim);
        Ok(Self {
            nodes,
            format,
            ignored: codes
                .filter(|code| !code.is_empty())
                .map(str::to_owned)
                .collect(),
        })
    }
}
