use sinew::prelude::*;

struct Counter;

#[reflex]
impl Counter {
    async fn increment(&self, cx: &mut String) -> Result {
        cx.clear();
        Ok(())
    }
}

fn main() {}
