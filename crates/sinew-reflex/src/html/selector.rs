//! Which selectors are CSS at all.

/// Whether `selector` is shaped like CSS: compounds of type, id, class, attribute and pseudo selectors with
/// combinators and commas between them.
///
/// Tells a mistake (`#[`) from a selector that a browser may know and our engine does not (`:popover-open`), so it
/// is generous inside brackets.
pub(super) fn is_plausible(selector: &str) -> bool {
    let characters: Vec<char> = selector.trim().chars().collect();
    let mut at = 0;
    if characters.is_empty() {
        return false;
    }
    // Whether a compound may end here: it has at least one part.
    let mut has_part = false;
    while at < characters.len() {
        match characters[at] {
            '#' | '.' => {
                at = match name_end(&characters, at + 1) {
                    Some(end) => end,
                    None => return false,
                };
                has_part = true;
            }
            ':' => {
                at += 1;
                if characters.get(at) == Some(&':') {
                    at += 1;
                }
                at = match name_end(&characters, at) {
                    Some(end) => end,
                    None => return false,
                };
                if characters.get(at) == Some(&'(') {
                    at = match closing(&characters, at) {
                        Some(end) => end,
                        None => return false,
                    };
                }
                has_part = true;
            }
            '[' => {
                let end = match closing(&characters, at) {
                    Some(end) => end,
                    None => return false,
                };
                let inside: String = characters[at + 1..end - 1].iter().collect();
                if !is_attribute_test(inside.trim()) {
                    return false;
                }
                at = end;
                has_part = true;
            }
            '*' | '|' | '&' => {
                at += 1;
                has_part = true;
            }
            '>' | '+' | '~' | ',' => {
                if !has_part {
                    return false;
                }
                has_part = false;
                at += 1;
            }
            space if space.is_ascii_whitespace() => at += 1,
            _ => {
                at = match name_end(&characters, at) {
                    Some(end) => end,
                    None => return false,
                };
                has_part = true;
            }
        }
    }
    has_part
}

/// The end of a CSS name that starts at `at`.
fn name_end(characters: &[char], at: usize) -> Option<usize> {
    let mut end = at;
    while let Some(&character) = characters.get(end) {
        match character {
            '\\' => end += 2,
            '-' | '_' => end += 1,
            _ if character.is_ascii_digit() && end == at => return None,
            _ if character.is_ascii_alphanumeric() || !character.is_ascii() => end += 1,
            _ => break,
        }
    }
    (end > at && end <= characters.len()).then_some(end)
}

/// The place after the bracket that closes the one at `at`; brackets inside must be balanced, quotes closed.
fn closing(characters: &[char], at: usize) -> Option<usize> {
    let mut open = Vec::new();
    let mut here = at;
    while let Some(&character) = characters.get(here) {
        match character {
            '\\' => here += 1,
            '"' | '\'' => {
                here += 1;
                loop {
                    match characters.get(here)? {
                        '\\' => here += 1,
                        quote if *quote == character => break,
                        _ => {}
                    }
                    here += 1;
                }
            }
            '(' => open.push(')'),
            '[' => open.push(']'),
            ')' | ']' => {
                if open.pop() != Some(character) {
                    return None;
                }
                if open.is_empty() {
                    return Some(here + 1);
                }
            }
            _ => {}
        }
        here += 1;
    }
    None
}

/// `name`, `name=value`, `name^="value" i`.
fn is_attribute_test(inside: &str) -> bool {
    let characters: Vec<char> = inside.chars().collect();
    let start = match characters.iter().position(|&character| character == '|') {
        // A namespace in front; `|=` is an operator.
        Some(bar) if characters.get(bar + 1) != Some(&'=') => bar + 1,
        _ => 0,
    };
    let Some(end) = name_end(&characters, start) else {
        return false;
    };
    let rest: String = characters[end..].iter().collect();
    let rest = rest.trim_start();
    if rest.is_empty() {
        return true;
    }
    let Some(value) = ["=", "~=", "|=", "^=", "$=", "*="]
        .iter()
        .find_map(|operator| rest.strip_prefix(operator))
    else {
        return false;
    };
    let value = value.trim();
    let value = value.strip_suffix([' ', '\t']).unwrap_or(value);
    match value.chars().next() {
        Some(quote @ ('"' | '\'')) => value[1..].contains(quote),
        Some(_) => name_end(&value.chars().collect::<Vec<_>>(), 0).is_some(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_plausible;

    #[test]
    fn tells_css_from_mistakes() {
        for css in [
            "#a",
            "body",
            "ul > li.x",
            "a, b",
            "[data-x='1']",
            "[data-x=\"]\"]",
            ":is(a, b)",
            "*",
            "p::part(x)",
            ":popover-open",
            "#a\\:b",
            "li:nth-child(2n+1)",
            "é",
            "svg|a",
            "a ~ b + c",
            "[data-x]",
            "[lang|=en]",
            "[type=a i]",
            "--x",
            "a:not([b]):hover",
        ] {
            assert!(is_plausible(css), "{css}");
        }
        for mistake in [
            "#[", "", "  ", ">", "a >", "a,,b", "#", ".", "a[", "a[]", "[=x]", ":", "a:not(", "#1",
            "a)", "!", "[a='b]", "a{",
        ] {
            assert!(!is_plausible(mistake), "{mistake}");
        }
    }
}
