//! Environment variables that are nearly right.

use sinew_web::config::VARIABLES;

use super::kinds::UNKNOWN_VARIABLE;
use super::{Finding, left_out};

/// What our variables begin with.
const PREFIX: &str = "SINEW_";

/// How names end that cargo sets for the tests of this crate, since its build script sets them for
/// the compiler.
const SET_BY_CARGO: [&str; 2] = ["_FINGERPRINT", "_INTEGRITY"];

/// How many letters a name may be off to be taken for another one.
const DISTANCE_MAX: usize = 3;

/// Those of `names` that begin as ours do and that nobody reads.
pub(super) fn unknown(names: impl Iterator<Item = String>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = names
        .filter(|name| {
            name.starts_with(PREFIX) && !SET_BY_CARGO.iter().any(|end| name.ends_with(end))
        })
        .filter(|name| known().all(|known| known != name) && !left_out::has_variable(name))
        .map(|name| {
            let fix = match nearest(&name) {
                Some(nearest) => format!("write {nearest} if that is meant, or unset it"),
                None => "unset it, or look for its name in the documentation of sinew_web::config::VARIABLES".to_owned(),
            };
            let what = format!("the environment variable {name} is unknown");
            UNKNOWN_VARIABLE.found(name).what(what).fix(fix)
        })
        .collect();
    // The environment has no order.
    findings.sort_by(|one, other| one.subject.cmp(&other.subject));
    findings
}

/// The names of all variables that are read.
fn known() -> impl Iterator<Item = &'static str> {
    let edge = VARIABLES.iter().map(|variable| variable.name);
    #[cfg(feature = "redis")]
    let edge = edge.chain(sinew_redis::VARIABLES.iter().map(|variable| variable.name));
    #[cfg(feature = "postgres")]
    let edge = edge.chain(
        sinew_postgres::VARIABLES
            .iter()
            .map(|variable| variable.name),
    );
    edge
}

fn nearest(name: &str) -> Option<&'static str> {
    // `PORT` is the one without the prefix.
    let bare = name.strip_prefix(PREFIX).unwrap_or(name);
    known()
        .map(|known| (distance(name, known).min(distance(bare, known)), known))
        .filter(|(distance, _)| *distance <= DISTANCE_MAX)
        .min()
        .map(|(_, name)| name)
}

/// How many letters must be put in, taken out or replaced to make one text of the other.
fn distance(one: &str, other: &str) -> usize {
    let other = other.as_bytes();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, byte) in one.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, known) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(byte != *known);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_proposed() {
        for (name, expected) in [
            ("SINEW_SECRETS", Some("SINEW_SECRET")),
            ("SINEW_DATADIR", Some("SINEW_DATA_DIR")),
            ("SINEW_ALLOWED_ORIGIN", Some("SINEW_ALLOWED_ORIGINS")),
            ("SINEW_PORT", Some("PORT")),
            ("SINEW_COLOUR_OF_THE_SKY", None),
        ] {
            assert_eq!(nearest(name), expected, "{name}");
        }
    }

    #[test]
    fn what_is_known_and_what_is_not_ours_is_no_finding() {
        let names = VARIABLES.iter().map(|known| known.name.to_owned());
        let others = ["PATH", "SINEWY_THING"].map(str::to_owned);
        assert_eq!(unknown(names.chain(others)), []);
    }
}
