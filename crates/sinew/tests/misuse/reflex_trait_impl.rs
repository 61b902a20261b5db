use sinew::prelude::*;

struct Counter;

#[reflex]
impl Default for Counter {
    fn default() -> Self {
        Self
    }
}

fn main() {}
