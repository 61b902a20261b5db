use sinew::prelude::*;

struct Counter;

#[reflex]
impl Counter {
    #[before]
    async fn load(&self, _cx: &mut Reflex, id: u64) -> Result {
        let _ = id;
        Ok(())
    }
}

fn main() {}
