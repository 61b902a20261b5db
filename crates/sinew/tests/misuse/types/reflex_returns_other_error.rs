use sinew::prelude::*;

struct Counter;

#[reflex]
impl Counter {
    async fn increment(&self, _cx: &mut Reflex) -> std::result::Result<(), u8> {
        Ok(())
    }
}

fn main() {}
