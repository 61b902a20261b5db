//! Places for values that do not move, in chunks: growing copies nothing and leaves no large slack.

const CHUNK: usize = 1024;

/// Values by number. A number is used again when its value was removed.
pub(super) struct Slots<T> {
    chunks: Vec<Box<[Option<T>]>>,
    free: Vec<u32>,
    /// How many places were ever used.
    used: u32,
    count: usize,
}

impl<T> Slots<T> {
    pub(super) fn new() -> Self {
        Self {
            chunks: Vec::new(),
            free: Vec::new(),
            used: 0,
            count: 0,
        }
    }

    /// The number that the next value gets.
    pub(super) fn next(&self) -> u32 {
        self.free.last().copied().unwrap_or(self.used)
    }

    pub(super) fn insert(&mut self, value: T) -> u32 {
        let number = match self.free.pop() {
            Some(number) => number,
            None => {
                let number = self.used;
                self.used += 1;
                if number as usize / CHUNK == self.chunks.len() {
                    self.chunks.push((0..CHUNK).map(|_| None).collect());
                }
                number
            }
        };
        self.chunks[number as usize / CHUNK][number as usize % CHUNK] = Some(value);
        self.count += 1;
        number
    }

    pub(super) fn get(&self, number: u32) -> Option<&T> {
        self.chunks
            .get(number as usize / CHUNK)?
            .get(number as usize % CHUNK)?
            .as_ref()
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.chunks
            .get_mut(number as usize / CHUNK)?
            .get_mut(number as usize % CHUNK)?
            .as_mut()
    }

    pub(super) fn remove(&mut self, number: u32) -> Option<T> {
        let value = self
            .chunks
            .get_mut(number as usize / CHUNK)?
            .get_mut(number as usize % CHUNK)?
            .take()?;
        self.free.push(number);
        self.count -= 1;
        if self.count == 0 {
            // After a crowd has left, its memory is given back.
            *self = Self::new();
        }
        Some(value)
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// The numbers in use.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> {
        (0..self.used).filter(|number| self.get(*number).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_used_again_and_values_stay() {
        let mut slots = Slots::new();
        for value in 0..3000_u32 {
            assert_eq!(slots.next(), value);
            assert_eq!(slots.insert(value), value);
        }
        assert_eq!(slots.remove(5), Some(5));
        assert_eq!(slots.remove(5), None);
        assert_eq!((slots.next(), slots.insert(7000)), (5, 5));
        assert_eq!(slots.get(2999), Some(&2999));
        assert_eq!(slots.get(3000), None);
        assert_eq!(slots.numbers().count(), 3000);
        for number in 0..3000 {
            slots.remove(number);
        }
        assert_eq!((slots.len(), slots.next()), (0, 0));
        assert!(slots.chunks.is_empty(), "given back");
    }
}
