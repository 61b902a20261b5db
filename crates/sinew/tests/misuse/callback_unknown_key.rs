use sinew::prelude::*;

struct Counter;

#[reflex]
impl Counter {
    #[before(onyl(increment))]
    async fn load(&self, _cx: &mut Reflex) -> Result {
        Ok(())
    }
}

fn main() {}
