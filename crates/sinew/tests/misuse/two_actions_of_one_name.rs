use sinew::prelude::*;

struct Counter;

#[reflex]
impl Counter {
    async fn increment(&self, _cx: &mut Reflex) -> Result {
        Ok(())
    }

    #[action(name = "increment")]
    async fn increase(&self, _cx: &mut Reflex) -> Result {
        Ok(())
    }
}

fn main() {}
