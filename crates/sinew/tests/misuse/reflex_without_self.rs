use sinew::prelude::*;

struct Counter;

#[reflex]
impl Counter {
    async fn increment(_cx: &mut Reflex) -> Result {
        Ok(())
    }
}

fn main() {}
