//! English words, inflected as Rails does by default.
//!
//! `data-reflex-dataset-all` offers its values under plural names, and a page that moves here must find them under
//! the same ones; so this follows the rules of Rails, the odd ones included (`german` gives `germen` there too).

/// Endings that are irregular, whatever stands in front of them: singular, plural.
const IRREGULAR: [(&str, &str); 6] = [
    ("person", "people"),
    ("man", "men"),
    ("child", "children"),
    ("sex", "sexes"),
    ("move", "moves"),
    ("zombie", "zombies"),
];

/// Words without a plural, as the last whole word of a name.
const UNCOUNTABLE: [&str; 10] = [
    "equipment",
    "information",
    "rice",
    "money",
    "species",
    "series",
    "fish",
    "sheep",
    "jeans",
    "police",
];

/// The plural of `word`; a word that already is one stays. Only ASCII endings are known.
pub(crate) fn pluralize(word: &str) -> String {
    let lower = word.to_ascii_lowercase();
    if lower.is_empty() || ends_in_uncountable(&lower) {
        return word.to_owned();
    }
    // Cuts as many bytes as the ASCII ending has, and puts another there.
    let swap = |cut: usize, ending: &str| format!("{}{ending}", &word[..word.len() - cut]);
    let ends = |endings: &[&str]| endings.iter().any(|ending| lower.ends_with(ending));

    for (singular, plural) in IRREGULAR {
        if lower.ends_with(plural) {
            return word.to_owned();
        }
        if lower.ends_with(singular) {
            // The first letter is kept, so that its case is.
            return swap(singular.len() - 1, &plural[1..]);
        }
    }
    if ends(&["quiz"]) {
        return swap(0, "zes");
    }
    match lower.as_str() {
        "ox" => return swap(0, "en"),
        "oxen" | "mice" | "lice" => return word.to_owned(),
        "mouse" | "louse" => return swap(4, "ice"),
        "axis" | "testis" => return swap(2, "es"),
        _ => {}
    }
    if ends(&["matrix", "vertix", "indix", "matrex", "vertex", "index"]) {
        return swap(2, "ices");
    }
    if ends(&["x", "ch", "ss", "sh"]) {
        return swap(0, "es");
    }
    if let Some(stem) = lower.strip_suffix('y')
        && (stem.ends_with("qu")
            || stem
                .chars()
                .next_back()
                .is_some_and(|before| !"aeiouy".contains(before)))
    {
        return swap(1, "ies");
    }
    if ends(&["hive"]) {
        return swap(0, "s");
    }
    if let Some(stem) = lower.strip_suffix("fe")
        && stem.chars().next_back().is_some_and(|before| before != 'f')
    {
        return swap(2, "ves");
    }
    if ends(&["lf", "rf"]) {
        return swap(1, "ves");
    }
    if ends(&["sis"]) {
        return swap(2, "es");
    }
    if ends(&["ta", "ia", "octopi", "viri"]) {
        return word.to_owned();
    }
    if ends(&["tum", "ium"]) {
        return swap(2, "a");
    }
    if ends(&["buffalo", "tomato"]) {
        return swap(0, "es");
    }
    if ends(&["bus"]) {
        return swap(0, "es");
    }
    if ends(&["alias", "status"]) {
        return swap(0, "es");
    }
    if ends(&["octopus", "virus"]) {
        return swap(2, "i");
    }
    if ends(&["s"]) {
        return word.to_owned();
    }
    swap(0, "s")
}

fn ends_in_uncountable(lower: &str) -> bool {
    UNCOUNTABLE.iter().any(|word| {
        lower.strip_suffix(word).is_some_and(|before| {
            !before.ends_with(|character: char| character.is_alphanumeric() || character == '_')
        })
    })
}

/// `viewBox` → `view_box`, `post-id` → `post_id`; `None` if the name is in snake case already.
pub(crate) fn underscore(name: &str) -> Option<String> {
    if !name
        .bytes()
        .any(|byte| byte == b'-' || byte.is_ascii_uppercase() || byte == b':')
    {
        return None;
    }
    let name = name.replace("::", "/");
    let bytes = name.as_bytes();
    let mut out = String::with_capacity(name.len() + 4);
    for (index, character) in name.char_indices() {
        if character.is_ascii_uppercase() && index > 0 {
            let before = bytes[index - 1];
            let lower_follows = bytes.get(index + 1).is_some_and(u8::is_ascii_lowercase);
            if before.is_ascii_lowercase()
                || before.is_ascii_digit()
                || (before.is_ascii_uppercase() && lower_follows)
            {
                out.push('_');
            }
        }
        out.push(if character == '-' {
            '_'
        } else {
            character.to_ascii_lowercase()
        });
    }
    (out != name).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plurals_are_those_of_rails() {
        for (singular, plural) in [
            ("post-id", "post-ids"),
            ("post_id", "post_ids"),
            ("own", "owns"),
            ("reflex", "reflexes"),
            ("reflex-dataset-all", "reflex-dataset-alls"),
            ("child", "children"),
            ("man", "men"),
            ("woman", "women"),
            ("person", "people"),
            ("library", "libraries"),
            ("day", "days"),
            ("soliloquy", "soliloquies"),
            ("status", "statuses"),
            ("bus", "buses"),
            ("address", "addresses"),
            ("box", "boxes"),
            ("index", "indices"),
            ("matrix", "matrices"),
            ("datum", "data"),
            ("medium", "media"),
            ("analysis", "analyses"),
            ("axis", "axes"),
            ("octopus", "octopi"),
            ("tomato", "tomatoes"),
            ("half", "halves"),
            ("wife", "wives"),
            ("safe", "saves"),
            ("hive", "hives"),
            ("move", "moves"),
            ("mouse", "mice"),
            ("ox", "oxen"),
            ("quiz", "quizzes"),
            ("sheep", "sheep"),
            ("line-series", "line-series"),
            ("aircraft_money", "aircraft_moneys"),
            ("Child", "Children"),
            ("", ""),
        ] {
            assert_eq!(pluralize(singular), plural, "{singular}");
        }
    }

    #[test]
    fn a_plural_stays() {
        for plural in [
            "ids",
            "people",
            "children",
            "libraries",
            "reflexes",
            "mice",
            "data",
            "men",
        ] {
            assert_eq!(pluralize(plural), plural);
        }
    }

    #[test]
    fn snake_case() {
        for (name, snake) in [
            ("post-id", Some("post_id")),
            ("viewBox", Some("view_box")),
            ("HTMLPage", Some("html_page")),
            ("Admin::Users", Some("admin/users")),
            ("tag_name", None),
            ("xlink:href", None),
        ] {
            assert_eq!(underscore(name).as_deref(), snake, "{name}");
        }
    }
}
