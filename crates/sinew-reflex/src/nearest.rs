//! The name that somebody probably meant.

/// Of the candidates the one most like `name`, if one is: at most a third of its letters differ.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let name: Vec<char> = name.chars().flat_map(char::to_lowercase).collect();
    let most = name.len().max(3) / 3;
    let distances = candidates.into_iter().filter_map(|candidate| {
        let letters: Vec<char> = candidate.chars().flat_map(char::to_lowercase).collect();
        // A name that is so much longer or shorter needs no closer look.
        (letters.len().abs_diff(name.len()) <= most).then(|| (distance(&name, &letters), candidate))
    });
    // Of equals the first by name, so that the same mistake gets the same answer.
    distances
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, candidate)| candidate)
}

/// How many letters must be put in, taken out or replaced to make one text of the other.
fn distance(one: &[char], other: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, letter) in one.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, another) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != another);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[track_caller]
    fn check(name: &str, expected: Option<&str>) {
        let names = ["Counter", "Todos", "LiveSearch", "add", "Counters"];
        assert_eq!(nearest(name, names), expected, "{name}");
    }

    #[test]
    fn a_slip_of_the_finger_is_recognized_and_another_name_is_not() {
        check("Countr", Some("Counter"));
        check("Ounter", Some("Counter"));
        check("counter", Some("Counter"));
        check("livesaerch", Some("LiveSearch"));
        check("ad", Some("add"));
        check("Form", None);
        check("", None);
        check("ä", None);
    }
}
