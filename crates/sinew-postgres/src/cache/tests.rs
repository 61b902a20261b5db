use proptest::prelude::*;

use super::*;

/// How PostgreSQL reads a pattern of `LIKE`.
fn is_like(text: &[char], like: &[char]) -> bool {
    match like {
        [] => text.is_empty(),
        ['%', rest @ ..] => (0..=text.len()).any(|skipped| is_like(&text[skipped..], rest)),
        ['_', rest @ ..] => !text.is_empty() && is_like(&text[1..], rest),
        ['\\', literal, rest @ ..] | [literal, rest @ ..] => {
            text.first() == Some(literal) && is_like(&text[1..], rest)
        }
    }
}

proptest! {
    #[test]
    fn like_matches_what_the_glob_does(
        prefix in r"[a%_*\\é]{0,3}",
        pattern in r"[a%_*?\\é]{0,5}",
        text in r"[a%_*?\\é]{0,7}",
    ) {
        let glob = Glob::new(&pattern);
        let like: Vec<char> = like(&prefix, &glob).chars().collect();
        let expected = text.strip_prefix(&prefix).is_some_and(|rest| glob.matches(rest));
        let text: Vec<char> = text.chars().collect();
        prop_assert_eq!(is_like(&text, &like), expected);
    }

    #[test]
    fn rounds_are_all_entries_in_order(
        entries in proptest::collection::vec((0..5_u8, any::<bool>()), 0..20),
    ) {
        let entries: Vec<CacheEntry> = entries
            .into_iter()
            .map(|(key, shy)| {
                let mut entry = CacheEntry::new(Key::new(key.to_string()), "");
                entry.only_if_absent = shy;
                entry
            })
            .collect();
        let rounds = rounds(&entries);
        prop_assert_eq!(&rounds.concat(), &entries);
        for round in rounds {
            let keys: HashSet<&Key> = round.iter().map(|it| &it.key).collect();
            prop_assert_eq!(keys.len(), round.len());
            prop_assert!(round.iter().all(|it| it.only_if_absent == round[0].only_if_absent));
        }
    }
}

#[test]
fn a_round_is_bounded() {
    let large = vec![0; STATEMENT_BYTES_MAX / 2 + 1];
    let mut entries: Vec<CacheEntry> = (0..2)
        .map(|key| CacheEntry::new(Key::new(format!("large {key}")), large.clone()))
        .collect();
    let many = 0..STATEMENT_ENTRIES_MAX + 1;
    entries.extend(many.map(|key| CacheEntry::new(Key::new(key.to_string()), "")));
    let sizes: Vec<usize> = rounds(&entries).iter().map(|round| round.len()).collect();
    assert_eq!(sizes, [1, STATEMENT_ENTRIES_MAX, 2]);
}
