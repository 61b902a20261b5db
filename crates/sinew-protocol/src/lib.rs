//! Action Cable wire words: commands, messages, identifiers, disconnect reasons
