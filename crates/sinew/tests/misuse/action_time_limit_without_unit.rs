use sinew::prelude::*;

struct Counter;

#[reflex]
impl Counter {
    #[action(timeout = "5")]
    async fn increment(&self, _cx: &mut Reflex) -> Result {
        Ok(())
    }
}

fn main() {}
