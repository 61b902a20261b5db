use sinew::prelude::*;

struct RoomChannel;

#[channel]
impl RoomChannel {
    async fn say(&self, _cx: &mut Subscription) -> &'static str {
        "text"
    }
}

fn main() {}
