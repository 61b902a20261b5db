//! The in-process streams keep the port's contract, also between threads.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use parking_lot::Mutex;
use sinew_streams::{InProcessStreams, Position, Sink, StreamName, Streams};

#[test]
fn keeps_the_contract() {
    sinew_streams::contract::run_all(InProcessStreams::new)
        .now_or_never()
        .expect("nothing waits in process");
}

#[derive(Default)]
struct Positions(Mutex<Vec<Position>>);

impl Sink for Positions {
    fn deliver(&self, _: &StreamName, position: Position, _: &Bytes) {
        self.0.lock().push(position);
    }
}

#[test]
fn publishers_on_several_threads_are_delivered_in_the_order_of_positions() {
    let streams = InProcessStreams::new();
    let sink = Arc::new(Positions::default());
    streams.attach(sink.clone()).expect("first sink");
    let news = StreamName::from("news");
    streams
        .follow(&news)
        .now_or_never()
        .expect("at once")
        .expect("follows");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..500 {
                    let published = streams.publish(&news, Bytes::from_static(b"1"));
                    published
                        .now_or_never()
                        .expect("at once")
                        .expect("publishes");
                }
            });
        }
    });
    let positions = sink.0.lock();
    assert_eq!(positions.len(), 2000);
    assert!(positions.is_sorted_by(|one, next| one < next));
}
