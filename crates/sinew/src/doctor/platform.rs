//! What the environment variables of hosting platforms tell.

/// Where the application runs, as far as it can tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Platform {
    /// How people call it.
    pub(crate) name: Option<&'static str>,
    /// Processes of the application that there are at least.
    pub(crate) nodes_min: u32,
    /// Whether the disk never outlives the process, whatever is mounted.
    pub(crate) forgets_files: bool,
    /// Whether visitors come through a router on another machine.
    pub(crate) routes_from_outside: bool,
}

/// A variable that only one platform sets, what it is called, and whether it forgets files and routes from outside.
const PLATFORMS: [(&str, &str, bool, bool); 8] = [
    ("DYNO", "Heroku", true, true),
    ("K_SERVICE", "Cloud Run", true, true),
    ("RENDER", "Render", false, true),
    ("FLY_APP_NAME", "Fly.io", false, true),
    ("RAILWAY_PROJECT_ID", "Railway", false, true),
    ("WEBSITE_INSTANCE_ID", "Azure App Service", false, true),
    // What is beside the application in a pod, or a task, may reach it at loopback.
    ("ECS_CONTAINER_METADATA_URI_V4", "Amazon ECS", false, false),
    ("KUBERNETES_SERVICE_HOST", "Kubernetes", false, false),
];

impl Platform {
    pub(crate) fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let mut set = PLATFORMS
            .iter()
            .filter(|(variable, ..)| lookup(variable).is_some_and(|value| !value.is_empty()));
        let Some((_, name, forgets_files, routes_from_outside)) = set.next().copied() else {
            return Self {
                nodes_min: 1,
                ..Self::default()
            };
        };
        Self {
            name: Some(name),
            nodes_min: lookup("DYNO")
                .as_deref()
                .and_then(ordinal)
                .unwrap_or(1)
                .max(1),
            forgets_files,
            routes_from_outside,
        }
    }
}

/// The 2 of `web.2`: Heroku counts from 1, so that there are two.
fn ordinal(dyno: &str) -> Option<u32> {
    let (_, number) = dyno.rsplit_once('.')?;
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(variables: &[(&str, &str)]) -> Platform {
        Platform::from_lookup(|name| {
            let variable = variables.iter().find(|(known, _)| *known == name)?;
            Some(variable.1.to_owned())
        })
    }

    #[test]
    fn a_platform_is_known_by_its_variable() {
        assert_eq!(platform(&[("HOME", "/root"), ("RENDER", "")]).name, None);
        for (variable, name, ..) in PLATFORMS {
            let found = platform(&[(variable, "x")]);
            assert_eq!((found.name, found.nodes_min), (Some(name), 1));
        }
    }

    #[test]
    fn the_second_dyno_is_not_alone() {
        for (dyno, nodes) in [
            ("web.1", 1),
            ("web.2", 2),
            ("web.12", 12),
            ("run.4711x", 1),
            ("web.99999999999", 1),
            ("web.0", 1),
        ] {
            assert_eq!(platform(&[("DYNO", dyno)]).nodes_min, nodes, "{dyno}");
        }
    }
}
