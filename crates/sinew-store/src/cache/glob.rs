//! Patterns of keys.

/// A pattern of text: `*` stands for any text, also none; `?` for any one character; a
/// backslash takes the character after it literally. Everything else means itself.
///
/// For authors of stores that have a pattern language of their own: [`pieces`](Glob::pieces)
/// is what there is to translate, and [`matches`](Glob::matches) settles what cannot be.
///
/// ```
/// use sinew_store::cache::Glob;
///
/// assert!(Glob::new("posts/*/comments").matches("posts/17/comments"));
/// assert!(!Glob::new("posts/?/comments").matches("posts/17/comments"));
/// assert!(Glob::new(r"100\*").matches("100*"));
/// assert!(!Glob::new(r"100\*").matches("1000"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    pieces: Vec<GlobPiece>,
}

/// A part of a [`Glob`].
///
/// How a store would translate it for SQL's `LIKE`:
///
/// ```
/// use sinew_store::cache::{Glob, GlobPiece};
///
/// fn like(glob: &Glob) -> String {
///     let pieces = glob.pieces().iter().map(|piece| match piece {
///         GlobPiece::AnyText => "%".to_owned(),
///         GlobPiece::AnyCharacter => "_".to_owned(),
///         GlobPiece::Character(it) if "%_\\".contains(*it) => format!("\\{it}"),
///         GlobPiece::Character(it) => it.to_string(),
///     });
///     pieces.collect()
/// }
///
/// assert_eq!(like(&Glob::new("50%_*?")), r"50\%\_%_");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GlobPiece {
    /// Any text, also none. Never twice in a row.
    AnyText,
    /// Any one character.
    AnyCharacter,
    /// This character.
    Character(char),
}

impl Glob {
    /// The pattern as it is written. Every text is one: a backslash at the end means itself.
    pub fn new(pattern: &str) -> Glob {
        let mut pieces = Vec::new();
        let mut characters = pattern.chars();
        while let Some(character) = characters.next() {
            let piece = match character {
                '*' => GlobPiece::AnyText,
                '?' => GlobPiece::AnyCharacter,
                '\\' => GlobPiece::Character(characters.next().unwrap_or('\\')),
                other => GlobPiece::Character(other),
            };
            if piece != GlobPiece::AnyText || pieces.last() != Some(&piece) {
                pieces.push(piece);
            }
        }
        Glob { pieces }
    }

    /// What it consists of, in order.
    ///
    /// ```
    /// use sinew_store::cache::{Glob, GlobPiece};
    ///
    /// let pieces = [GlobPiece::Character('a'), GlobPiece::AnyText];
    /// assert_eq!(Glob::new("a**").pieces(), pieces);
    /// ```
    pub fn pieces(&self) -> &[GlobPiece] {
        &self.pieces
    }

    /// Whether the whole of `text` is as the pattern says. Takes at most as many steps as the
    /// lengths of both multiplied.
    ///
    /// ```
    /// use sinew_store::cache::Glob;
    ///
    /// assert!(Glob::new("*").matches(""));
    /// assert!(Glob::new("n?t").matches("n\u{e9}t"));
    /// ```
    pub fn matches(&self, text: &str) -> bool {
        let mut pieces = self.pieces.as_slice();
        let mut text = text.chars();
        // Where to go on when what follows the last `*` did not fit: one character later.
        let mut retry: Option<(&[GlobPiece], std::str::Chars<'_>)> = None;
        loop {
            match pieces.split_first() {
                Some((GlobPiece::AnyText, rest)) => {
                    pieces = rest;
                    retry = Some((rest, text.clone()));
                    continue;
                }
                Some((piece, rest)) => {
                    let mut ahead = text.clone();
                    let fits = ahead.next().is_some_and(|found| match piece {
                        GlobPiece::Character(wanted) => *wanted == found,
                        _ => true,
                    });
                    if fits {
                        (pieces, text) = (rest, ahead);
                        continue;
                    }
                }
                None if text.as_str().is_empty() => return true,
                None => {}
            }
            let Some((after, from)) = &mut retry else {
                return false;
            };
            if from.next().is_none() {
                return false;
            }
            (pieces, text) = (after, from.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition itself, by recursion.
    fn matches(pieces: &[GlobPiece], text: &[char]) -> bool {
        match pieces.split_first() {
            None => text.is_empty(),
            Some((GlobPiece::AnyText, rest)) => {
                (0..=text.len()).any(|skipped| matches(rest, &text[skipped..]))
            }
            Some((GlobPiece::AnyCharacter, rest)) => !text.is_empty() && matches(rest, &text[1..]),
            Some((GlobPiece::Character(wanted), rest)) => {
                text.first() == Some(wanted) && matches(rest, &text[1..])
            }
        }
    }

    proptest! {
        #[test]
        fn it_matches_as_it_is_defined(pattern in r"[ab*?\\é]{0,8}", text in r"[ab*?\\é]{0,8}") {
            let glob = Glob::new(&pattern);
            let characters: Vec<char> = text.chars().collect();
            prop_assert_eq!(glob.matches(&text), matches(glob.pieces(), &characters));
        }

        #[test]
        fn an_escaped_text_matches_itself_only(text in r"[ab*?\\]{0,6}", other in r"[ab*?\\]{0,6}") {
            let escaped: String = text.chars().flat_map(|it| ['\\', it]).collect();
            prop_assert_eq!(Glob::new(&escaped).matches(&other), text == other);
        }
    }
}
