use sinew::prelude::*;

struct Counter;

#[reflex]
impl Counter {
    async fn add(&self, _step: i64, _cx: &mut Reflex) -> Result {
        Ok(())
    }
}

fn main() {}
