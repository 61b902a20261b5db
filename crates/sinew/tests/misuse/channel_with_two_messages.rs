use sinew::prelude::*;

struct RoomChannel;

#[channel]
impl RoomChannel {
    async fn say(&self, _cx: &mut Subscription, _text: String, _loud: bool) {}
}

fn main() {}
