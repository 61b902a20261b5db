use sinew::prelude::*;

struct Counter;

#[reflex(nmae = "Meter")]
impl Counter {
    async fn increment(&self, _cx: &mut Reflex) -> Result {
        Ok(())
    }
}

fn main() {}
