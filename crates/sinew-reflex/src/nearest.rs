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

/// How many letters must be put in, taken out, replaced or exchanged with their neighbour to make
/// one text of the other.
fn distance(one: &[char], other: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for (i, letter) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, another) in other.iter().enumerate() {
            let replaced = above[j] + usize::from(letter != another);
            let mut least = replaced.min(above[j + 1] + 1).min(row[j] + 1);
            let is_exchanged = i > 0 && j > 0 && one[i - 1] == *another && other[j - 1] == *letter;
            if is_exchanged {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[other.len()]
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
        check("Tdoos", Some("Todos"));
        check("Form", None);
        check("", None);
        check("ä", None);
    }
}
