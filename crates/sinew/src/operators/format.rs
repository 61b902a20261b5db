//! Numbers as an operator reads them.

use std::time::Duration;

use super::list::Unit;

/// A value with its unit; a dash for what is not a number.
pub(super) fn value(unit: Unit, value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    match unit {
        Unit::Count | Unit::Rate => scaled(value, 1000.0, &["", "k", "M", "G"]),
        Unit::Bytes => scaled(value, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB"]),
        Unit::Seconds => seconds(value),
    }
}

fn scaled(mut value: f64, step: f64, names: &[&str]) -> String {
    let mut name = 0;
    // Just below the step it would be written as the step itself.
    while value >= step - 0.5 && name + 1 < names.len() {
        value /= step;
        name += 1;
    }
    let number = short(value);
    match names[name] {
        "" => number,
        name => format!("{number} {name}"),
    }
}

pub(super) fn seconds(value: f64) -> String {
    if value < 1.0 {
        format!("{} ms", short(value * 1000.0))
    } else {
        format!("{} s", short(value))
    }
}

/// Three digits at most, unless there are more before the point.
fn short(value: f64) -> String {
    let digits = match value.abs() {
        value if value >= 100.0 || value.fract() == 0.0 => 0,
        value if value >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.digits$}")
}

/// How long something has lasted: `3 d 4 h`.
pub(super) fn age(age: Duration) -> String {
    let seconds = age.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// A number with its thousands apart.
pub(super) fn whole(number: u64) -> String {
    let digits = number.to_string();
    let mut apart = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            apart.push(',');
        }
        apart.push(digit);
    }
    apart
}
