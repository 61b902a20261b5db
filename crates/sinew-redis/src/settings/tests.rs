use super::*;

fn find(
    role: RedisRole,
    variables: &[(&str, &str)],
) -> Result<Option<RedisSettings>, RedisSettingsError> {
    RedisSettings::from_lookup(role, |name| {
        let found = variables.iter().find(|(other, _)| *other == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

#[test]
fn each_role_falls_back_in_order() {
    let all = [
        ("HEROKU_REDIS_ROSE_URL", "redis://e"),
        ("REDIS_URL", "redis://d"),
        ("REDIS_TLS_URL", "rediss://c"),
        ("SINEW_REDIS_URL", "redis://b"),
        ("SINEW_CABLE_REDIS_URL", "redis://a"),
    ];
    let expected = ["rose", "d", "c", "b", "a"];
    for (count, _) in expected.iter().enumerate() {
        let settings = find(RedisRole::Cable, &all[..=count]).unwrap().unwrap();
        assert_eq!(settings.variable(), all[count].0);
    }
    let settings = find(RedisRole::Jobs, &all).unwrap().unwrap();
    assert_eq!(settings.variable(), "SINEW_REDIS_URL");
    assert!(find(RedisRole::Cache, &[]).unwrap().is_none());
    assert!(
        find(RedisRole::Cache, &[("REDIS_URL", " ")])
            .unwrap()
            .is_none()
    );
}

#[test]
fn a_colour_prefers_its_tls_url() {
    let variables = [
        ("HEROKU_REDIS_TEAL_URL", "redis://:secret@a"),
        ("HEROKU_REDIS_TEAL_TLS_URL", "rediss://:secret@a"),
    ];
    let settings = find(RedisRole::Cache, &variables).unwrap().unwrap();
    assert_eq!(settings.variable(), "HEROKU_REDIS_TEAL_TLS_URL");
    assert!(settings.is_tls());
}

#[test]
fn several_colours_are_ambiguous() {
    let variables = [
        ("HEROKU_REDIS_TEAL_URL", "redis://:secret@a"),
        ("HEROKU_REDIS_ROSE_URL", "redis://:secret@b"),
    ];
    let error = find(RedisRole::Cache, &variables).unwrap_err().to_string();
    assert!(error.starts_with("HEROKU_REDIS_ROSE_URL, HEROKU_REDIS_TEAL_URL are all set"));
    assert!(!error.contains("secret"));
}

#[test]
fn numbers_have_bounds() {
    for (name, value) in [
        ("SINEW_REDIS_POOL_SIZE", "0"),
        ("SINEW_REDIS_POOL_SIZE", "1025"),
        ("SINEW_REDIS_POOL_SIZE", "two"),
        ("SINEW_REDIS_CONNECT_TIMEOUT_MS", "0"),
        ("SINEW_REDIS_COMMAND_TIMEOUT_MS", "600001"),
        ("SINEW_REDIS_HEALTH_INTERVAL_MS", "1s"),
    ] {
        let error = find(
            RedisRole::Cache,
            &[("REDIS_URL", "redis://a"), (name, value)],
        );
        let error = error.unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("{name} is `{value}`, expected ")),
            "{error}"
        );
    }
    let variables = [
        ("REDIS_URL", "redis://a"),
        ("SINEW_REDIS_POOL_SIZE", "1024"),
    ];
    let settings = find(RedisRole::Cache, &variables).unwrap().unwrap();
    assert_eq!(settings.pool_size.get(), 1024);
}

#[test]
fn each_variable_is_described() {
    for role in RedisRole::ALL {
        assert!(crate::VARIABLES.iter().any(|it| it.name == role.variable()));
    }
}

#[test]
fn what_is_shown_has_no_secret() {
    for (url, shown) in [
        ("redis://u:secret@a/2", "redis://a:6379/2"),
        (
            "unix://u:secret@/run/r.sock?db=1",
            "unix:///run/r.sock?db=1",
        ),
        (
            "rediss-cluster://:secret@a,b",
            "rediss-cluster://a:6379,b:6379",
        ),
        (
            "redis-sentinel://:secret@a/m?sentinel_password=secret",
            "redis-sentinel://a:26379/m",
        ),
    ] {
        let settings = RedisSettings::from_url(url).unwrap();
        assert_eq!(settings.to_string(), shown);
        assert!(!format!("{settings:?}").contains("secret"));
    }
}
