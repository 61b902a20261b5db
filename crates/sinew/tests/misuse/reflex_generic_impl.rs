use sinew::prelude::*;

struct Counter;

struct Table<T>(T);

#[reflex]
impl<T> Table<T> {
    async fn sort(&self, _cx: &mut Reflex) -> Result {
        Ok(())
    }
}

fn main() {}
