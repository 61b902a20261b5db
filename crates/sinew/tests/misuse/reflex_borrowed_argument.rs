use sinew::prelude::*;

struct Counter;

#[reflex]
impl Counter {
    async fn rename(&self, _cx: &mut Reflex, _name: &str) -> Result {
        Ok(())
    }
}

fn main() {}
