use sinew::prelude::*;

struct Counter;

#[reflex]
impl Counter {
    fn increment(&self, _cx: &mut Reflex) -> Result {
        Ok(())
    }
}

fn main() {}
