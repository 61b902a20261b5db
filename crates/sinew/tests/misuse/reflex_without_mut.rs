use sinew::prelude::*;

struct Counter;

#[reflex]
impl Counter {
    async fn increment(&self, _cx: &Reflex) -> Result {
        Ok(())
    }
}

fn main() {}
