use sinew::prelude::*;

struct Counter;

#[reflex]
impl Counter {
    async fn increment(&self, _cx: &mut Reflex) -> Result {
        let _ = sinew::reflex!(Self::increment);
        Ok(())
    }
}

fn main() {}
