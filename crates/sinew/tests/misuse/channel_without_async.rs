use sinew::prelude::*;

struct RoomChannel;

#[channel]
impl RoomChannel {
    fn say(&self, _cx: &mut Subscription) {}
}

fn main() {}
