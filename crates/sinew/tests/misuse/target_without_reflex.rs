use sinew::prelude::*;

struct Counter;

#[reflex]
impl Counter {
    async fn increment(&self, _cx: &mut Reflex) -> Result {
        Ok(())
    }
}

fn main() {
    let _ = sinew::reflex!(increment);
}
