use sinew::prelude::*;

struct Counter;

#[reflex]
impl Counter {
    async fn increment(&self, _cx: &mut Reflex) -> String {
        String::new()
    }
}

fn main() {}
