use sinew::prelude::*;

struct Counter;

#[reflex]
impl Counter {
    #[before]
    #[after]
    async fn load(&self, _cx: &mut Reflex) -> Result {
        Ok(())
    }
}

fn main() {}
