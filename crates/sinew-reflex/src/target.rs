//! How a target names a class: the rules of the original.

use std::borrow::Cow;

/// The class every other one descends from; only its `default_reflex` can be called.
pub(crate) const BASE: &str = "StimulusReflex::";

/// The action every reflex has: nothing is done, so the page is morphed.
pub(crate) const DEFAULT_ACTION: &str = "default_reflex";

/// Splits `Class#method`; nothing when either half is missing.
pub(crate) fn split(target: &str) -> Option<(&str, &str)> {
    let (class, rest) = target.split_once('#')?;
    let action = rest.split('#').next().unwrap_or_default();
    (!class.is_empty() && !action.is_empty()).then_some((class, action))
}

/// The key under which a class is registered: camelised, without the ending `Reflex`.
///
/// `Counter`, `CounterReflex`, `counter` and `counter_reflex` are one class; so are `Admin::Users` and `admin/users`.
pub(crate) fn class_key(name: &str) -> Cow<'_, str> {
    let camelised = if name.starts_with(|c: char| c.is_ascii_uppercase())
        && memchr::memchr2(b'_', b'/', name.as_bytes()).is_none()
    {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(camelise(name))
    };
    match camelised {
        Cow::Borrowed(name) => Cow::Borrowed(name.strip_suffix("Reflex").unwrap_or(name)),
        Cow::Owned(mut name) => {
            if name.ends_with("Reflex") {
                name.truncate(name.len() - "Reflex".len());
            }
            Cow::Owned(name)
        }
    }
}

fn camelise(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 2);
    let mut capital = true;
    for character in name.chars() {
        match character {
            '_' => capital = true,
            '/' => {
                out.push_str("::");
                capital = true;
            }
            _ if capital => {
                out.extend(character.to_uppercase());
                capital = false;
            }
            _ => out.push(character),
        }
    }
    out
}

/// What a client wrote, fit for a log: not longer than a line, without line breaks of its own.
pub(crate) fn brief(text: &str) -> Cow<'_, str> {
    const CHARACTERS_MAX: usize = 200;
    let cut = text
        .char_indices()
        .nth(CHARACTERS_MAX)
        .map_or(text.len(), |(index, _)| index);
    let short = &text[..cut];
    if cut == text.len() && !short.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let more = if cut < text.len() { "…" } else { "" };
    Cow::Owned(format!("{}{more}", short.escape_debug()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_keeps_its_lines() {
        assert_eq!(brief("#a[b=\"c\"]"), "#a[b=\"c\"]");
        assert_eq!(brief("a\nb"), "a\\nb");
        assert_eq!(brief(&"x".repeat(5_000)).chars().count(), 201);
    }

    #[test]
    fn a_class_answers_to_all_its_names() {
        for (name, key) in [
            ("Counter", "Counter"),
            ("CounterReflex", "Counter"),
            ("counter", "Counter"),
            ("counter_reflex", "Counter"),
            ("error_reflex", "Error"),
            ("Admin::Users", "Admin::Users"),
            ("admin/users", "Admin::Users"),
            ("admin/users_reflex", "Admin::Users"),
            ("admin/super_users", "Admin::SuperUsers"),
            ("StimulusReflex::Reflex", BASE),
            ("StimulusReflex", "Stimulus"),
        ] {
            assert_eq!(class_key(name), key, "{name}");
        }
    }

    #[test]
    fn a_target_has_two_halves() {
        assert_eq!(split("A#b"), Some(("A", "b")));
        assert_eq!(split("A#b#c"), Some(("A", "b")));
        for malformed in ["", "#", "A", "A#", "#b", "A##b"] {
            assert_eq!(split(malformed), None, "{malformed}");
        }
    }
}
