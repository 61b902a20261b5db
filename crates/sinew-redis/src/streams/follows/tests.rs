use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

type Told = oneshot::Receiver<Result<(), RedisError>>;

fn follow(follows: &mut Follows, stream: &str) -> Told {
    let (waiter, told) = oneshot::channel();
    follows.follow(&stream.into(), waiter, Instant::now());
    told
}

/// What was heard: nothing yet, that it is followed, or that it is not.
fn heard(told: &mut Told) -> Option<bool> {
    told.try_recv().ok().map(|outcome| outcome.is_ok())
}

fn subscribe(streams: &[&str]) -> Option<Change> {
    Some(Change {
        subscribe: streams.iter().map(|it| (*it).into()).collect(),
        unsubscribe: Vec::new(),
    })
}

#[test]
fn followed_when_the_server_says_so() {
    let mut follows = Follows::default();
    let mut one = follow(&mut follows, "news");
    assert_eq!(follows.take(), subscribe(&["news"]));
    let mut two = follow(&mut follows, "news");
    assert_eq!((heard(&mut one), heard(&mut two)), (None, None));
    assert_eq!((follows.len(), follows.waiting()), (1, 2));

    follows.confirm(&"news".into());
    assert_eq!((heard(&mut one), heard(&mut two)), (Some(true), Some(true)));
    assert_eq!(heard(&mut follow(&mut follows, "news")), Some(true));
    assert_eq!((follows.take(), follows.waiting()), (None, 0));
}

#[test]
fn a_stream_that_came_and_went_is_not_spoken_of() {
    let mut follows = Follows::default();
    let mut told = follow(&mut follows, "news");
    follows.unfollow(&"news".into());
    assert_eq!(heard(&mut told), Some(false));
    assert_eq!(follows.take(), None);
    assert!(follows.streams.is_empty());
}

#[test]
fn left_and_followed_again_while_it_is_being_subscribed_to() {
    let mut follows = Follows::default();
    let mut before = follow(&mut follows, "news");
    follows.take();
    follows.unfollow(&"news".into());
    let mut after = follow(&mut follows, "news");
    follows.confirm(&"news".into());
    assert_eq!(
        (heard(&mut before), heard(&mut after)),
        (Some(false), Some(true))
    );
    assert_eq!(follows.take(), None);
}

#[test]
fn after_a_lost_connection_everything_wanted_is_told_anew() {
    let mut follows = Follows::default();
    let _followed = ["a", "b"].map(|stream| follow(&mut follows, stream));
    follows.take();
    follows.confirm(&"a".into());
    follows.confirm(&"b".into());
    follows.unfollow(&"b".into());
    let mut waits = follow(&mut follows, "c");
    assert_eq!(follows.forget_connection(), 2);
    let again = follows.take().expect("all that is wanted");
    let again: HashSet<StreamName> = again.subscribe.into_iter().collect();
    assert_eq!(again, HashSet::from(["a".into(), "c".into()]));
    follows.confirm(&"c".into());
    assert_eq!(heard(&mut waits), Some(true));
}

#[test]
fn who_waits_too_long_is_told_and_what_was_promised_stays() {
    let mut follows = Follows::default();
    let _followed = follow(&mut follows, "old");
    follows.take();
    follows.confirm(&"old".into());
    follows.forget_connection();

    let (mut old, mut new) = (follow(&mut follows, "old"), follow(&mut follows, "new"));
    let patience = Duration::from_secs(5);
    follows.give_up(Instant::now(), patience);
    assert_eq!((heard(&mut old), heard(&mut new)), (None, None));
    follows.give_up(Instant::now() + patience, patience);
    assert_eq!(
        (heard(&mut old), heard(&mut new)),
        (Some(false), Some(false))
    );
    assert_eq!(follows.waiting(), 0);
    assert_eq!(follows.take(), subscribe(&["old"]));
}

#[test]
fn a_gap_is_counted_and_a_new_counter_is_none() {
    let mut follows = Follows::default();
    let _followed = follow(&mut follows, "news");
    let mut lost = |position, begins| {
        let received = follows.receive("news", position, begins);
        received.expect("wanted").1
    };
    assert_eq!(lost(7, false), 0);
    assert_eq!(lost(8, false), 0);
    assert_eq!(lost(12, false), 3);
    assert_eq!(lost(900, true), 0);
    assert_eq!(lost(5, false), 0);
    assert_eq!(follows.receive("other", 1, false), None);
}

#[derive(Debug, Clone)]
enum Step {
    Follow(u8),
    Unfollow(u8),
    Tell,
    Lose,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..4u8).prop_map(Step::Follow),
        (0..4u8).prop_map(Step::Unfollow),
        Just(Step::Tell),
        Just(Step::Lose),
    ]
}

proptest! {
    /// Whatever happens, the server ends up with what is wanted, and each waiter hears once.
    #[test]
    fn the_server_ends_up_with_what_is_wanted(steps in proptest::collection::vec(step(), 0..60)) {
        let mut follows = Follows::default();
        let (mut wanted, mut server) = (HashSet::new(), HashSet::new());
        let mut told = Vec::new();
        let name = |stream: u8| StreamName::from(stream.to_string());
        let tell = |follows: &mut Follows, server: &mut HashSet<StreamName>| {
            let Some(change) = follows.take() else { return };
            for stream in &change.unsubscribe {
                server.remove(stream);
            }
            for stream in change.subscribe {
                server.insert(stream.clone());
                follows.confirm(&stream);
            }
        };
        for step in steps {
            match step {
                Step::Follow(stream) => {
                    told.push(follow(&mut follows, &stream.to_string()));
                    wanted.insert(name(stream));
                }
                Step::Unfollow(stream) => {
                    follows.unfollow(&name(stream));
                    wanted.remove(&name(stream));
                }
                Step::Tell => tell(&mut follows, &mut server),
                Step::Lose => {
                    server.clear();
                    follows.forget_connection();
                }
            }
        }
        tell(&mut follows, &mut server);
        prop_assert_eq!(&server, &wanted);
        prop_assert_eq!(follows.len(), wanted.len());
        prop_assert_eq!(follows.waiting(), 0);
        for mut told in told {
            prop_assert!(heard(&mut told).is_some());
        }
    }
}
