use sinew::prelude::*;

struct Counter;

#[reflex]
impl Counter {
    async fn add<T>(&self, _cx: &mut Reflex, _step: T) -> Result {
        Ok(())
    }
}

fn main() {}
