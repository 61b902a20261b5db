//! Masking: what a client does to its payloads, and a server undoes.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Applies `key` in place to bytes that stand `offset` bytes into their frame's payload.
///
/// Masking and unmasking are the same operation.
pub(crate) fn apply(payload: &mut [u8], key: [u8; 4], offset: usize) {
    let mut turned = key;
    turned.rotate_left(offset % 4);
    let [a, b, c, d] = turned;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = payload.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip([a, b, c, d, a, b, c]) {
        *byte ^= key;
    }
}

/// A masking key that a peer cannot foresee, for a client's frames.
///
/// It comes from the standard library's randomly keyed hasher: no system call after the first in
/// a thread, and no two in a row alike but by chance.
///
/// ```
/// use sinew_websocket::{Opcode, masked_frame_into, random_mask_key};
///
/// let key = random_mask_key();
/// let mut out = Vec::new();
/// masked_frame_into(&mut out, Opcode::Text, &[0], key);
/// assert_eq!(out[2..6], key);
/// assert_eq!(out[6], key[0], "zero, masked");
/// ```
#[must_use]
pub fn random_mask_key() -> [u8; 4] {
    let [a, b, c, d, ..] = random_bytes();
    [a, b, c, d]
}

/// Eight bytes from a freshly keyed hasher.
pub(crate) fn random_bytes() -> [u8; 8] {
    RandomState::new().build_hasher().finish().to_ne_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_and_offset_agrees_with_the_byte_by_byte_rule() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        for length in 0..40u8 {
            for offset in 0..9 {
                let plain: Vec<u8> = (0..length).map(|byte: u8| byte.wrapping_mul(7)).collect();
                let slow: Vec<u8> = plain
                    .iter()
                    .enumerate()
                    .map(|(at, byte)| byte ^ key[(at + offset) % 4])
                    .collect();
                let mut fast = plain.clone();
                apply(&mut fast, key, offset);
                assert_eq!(fast, slow, "length {length}, offset {offset}");
            }
        }
    }

    #[test]
    fn random_keys_differ() {
        let keys: std::collections::HashSet<_> = (0..100).map(|_| random_mask_key()).collect();
        assert!(keys.len() > 95, "{keys:?}");
    }
}
