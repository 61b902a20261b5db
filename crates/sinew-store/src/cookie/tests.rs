use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use sha2::Digest as _;

use super::*;
use crate::clock::ManualClock;
use crate::contract;
use crate::error::SessionError;
use crate::session::{Session, SessionId, Sessions};

/// One process.
struct Node {
    store: CookieStore,
    sessions: Sessions,
    clock: Arc<ManualClock>,
}

impl Node {
    fn new() -> Node {
        Node::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut CookieStoreConfig)) -> Node {
        let clock = Arc::new(ManualClock::new());
        let mut config = CookieStoreConfig::default();
        change(&mut config);
        let store = CookieStore::with_clock(config, clock.clone());
        let sessions = Sessions::new(Arc::new(store.clone()));
        Node {
            store,
            sessions,
            clock,
        }
    }

    /// A visitor's first request: what its cookie holds afterwards.
    async fn visit(&self, fields: &[(&str, i64)]) -> CookieState {
        self.clock.advance(Duration::from_millis(1));
        let session = self.sessions.create();
        session.ensure();
        write(&session, fields).await;
        self.store.handed_out(session.id()).unwrap()
    }

    /// A request that writes: what its cookie holds afterwards.
    async fn request(&self, cookie: &CookieState, fields: &[(&str, i64)]) -> CookieState {
        self.store.learn(cookie.clone());
        let session = self.sessions.claim(cookie.id());
        write(&session, fields).await;
        self.store.handed_out(session.id()).unwrap()
    }

    /// A reflex that writes.
    async fn reflex(&self, id: SessionId, fields: &[(&str, i64)]) {
        write(&self.sessions.open(id), fields).await;
    }

    fn ticket(&self, id: SessionId) -> Ticket {
        self.store.offer(id).unwrap().ticket().clone()
    }
}

async fn write(session: &Session, fields: &[(&str, i64)]) {
    for (name, value) in fields {
        session.set(name, value).await.unwrap();
    }
    session.commit().await.unwrap();
}

fn fields(state: &CookieState) -> Vec<(&str, i64)> {
    let fields = state.fields.iter();
    fields
        .map(|(name, value)| (name.as_str(), serde_json::from_slice(value).unwrap()))
        .collect()
}

fn applied(redeemed: Redeemed) -> CookieState {
    match redeemed {
        Redeemed::Applied(state) => state,
        other => panic!("{other:?}"),
    }
}

fn merged(redeemed: Redeemed) -> CookieState {
    match redeemed {
        Redeemed::Merged(state) => state,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn it_keeps_the_contract_of_stores() {
    let clock = Arc::new(ManualClock::new());
    let moved = Arc::clone(&clock);
    let config = CookieStoreConfig {
        packed_bytes_max: 100_000,
        remembered_for: Duration::MAX,
        ..CookieStoreConfig::default()
    };
    let store = CookieStore::with_clock(config, clock);
    let subject = contract::Subject::new(Arc::new(store), move |by| moved.advance(by));
    contract::run(&subject).await;
}

#[tokio::test]
async fn a_hundred_writers_of_different_fields_lose_nothing() {
    let node = Node::new();
    let cookie = node.visit(&[]).await;
    let hold = node.store.hold(cookie.id());
    for writer in 0..100 {
        let name = format!("f{writer:02}");
        if writer % 2 == 0 {
            // Requests that were all sent before the first answer came.
            node.request(&cookie, &[(&name, writer)]).await;
        } else {
            node.reflex(hold.id(), &[(&name, writer)]).await;
        }
    }
    let newest = node.store.handed_out(cookie.id()).unwrap();
    assert_eq!(newest.keys().count(), 100);
}

#[tokio::test]
async fn a_ticket_is_good_once_and_in_every_process() {
    let (node, other) = (Node::new(), Node::new());
    let cookie = node.visit(&[("a", 1)]).await;
    let hold = node.store.hold(cookie.id());
    node.reflex(hold.id(), &[("a", 2)]).await;
    let offer = node.store.offer(hold.id()).unwrap();

    let next = applied(other.store.redeem(offer.ticket().clone(), cookie));
    assert_eq!(fields(&next), [("a", 2)]);
    assert!(offer.redeemed().now_or_never().is_none());
    node.store.learn(next.clone());
    assert!(offer.redeemed().now_or_never().is_some());
    assert!(node.store.offer(hold.id()).is_none(), "it has arrived");

    let later = other.request(&next, &[("a", 1)]).await;
    for holder in [next, later] {
        for store in [&node.store, &other.store] {
            let again = store.redeem(offer.ticket().clone(), holder.clone());
            assert_eq!(again, Redeemed::Replayed);
        }
    }
}

#[tokio::test]
async fn an_older_ticket_changes_nothing_after_a_newer_one() {
    let (node, other) = (Node::new(), Node::new());
    let cookie = node.visit(&[]).await;
    let hold = node.store.hold(cookie.id());
    node.reflex(hold.id(), &[("a", 1)]).await;
    let older = node.ticket(hold.id());
    node.reflex(hold.id(), &[("a", 2), ("b", 2)]).await;
    let newer = node.ticket(hold.id());

    let next = applied(other.store.redeem(newer.clone(), cookie.clone()));
    assert_eq!(fields(&next), [("a", 2), ("b", 2)]);
    assert_eq!(other.store.redeem(older.clone(), next), Redeemed::Replayed);

    // In their order both apply.
    let another = Node::new();
    let first = applied(another.store.redeem(older, cookie));
    assert_eq!(fields(&first), [("a", 1)]);
    let second = applied(another.store.redeem(newer, first));
    assert_eq!(fields(&second), [("a", 2), ("b", 2)]);
}

#[tokio::test]
async fn a_lost_ticket_goes_out_again_with_what_was_written_since() {
    let node = Node::new();
    let cookie = node.visit(&[]).await;
    let hold = node.store.hold(cookie.id());
    node.reflex(hold.id(), &[("a", 1)]).await;
    let first = node.store.offer(hold.id()).unwrap();
    assert!(!first.is_again());
    assert!(node.store.offer(hold.id()).is_none(), "it is on its way");
    drop(first);
    assert!(node.store.offer(hold.id()).unwrap().is_again());
    node.reflex(hold.id(), &[("b", 1)]).await;
    let offer = node.store.offer(hold.id()).unwrap();
    assert!(!offer.is_again());
    let next = applied(Node::new().store.redeem(offer.ticket().clone(), cookie));
    assert_eq!(fields(&next), [("a", 1), ("b", 1)]);
}

#[tokio::test]
async fn however_many_tickets_are_lost_the_next_one_counts() {
    let node = Node::new();
    let cookie = node.visit(&[]).await;
    let hold = node.store.hold(cookie.id());
    for count in 0..version::LINEAGE_MAX as i64 + 3 {
        node.reflex(hold.id(), &[("a", count)]).await;
        node.ticket(hold.id());
    }
    let newest = node.store.state(hold.id()).unwrap();
    assert_eq!(node.store.learn(cookie.clone()), Learned::Known);
    let ticket = node.ticket(hold.id());
    for store in [&Node::new().store, &node.store] {
        let next = applied(store.redeem(ticket.clone(), cookie.clone()));
        assert_eq!(next, newest);
    }
}

#[tokio::test]
async fn the_next_request_brings_along_what_a_ticket_did_not() {
    let node = Node::new();
    let cookie = node.visit(&[]).await;
    node.reflex(cookie.id(), &[("a", 1)]).await;
    let offer = node.store.offer(cookie.id()).unwrap();
    let next = node.request(&cookie, &[("b", 2)]).await;
    assert_eq!(fields(&next), [("a", 1), ("b", 2)]);
    assert!(offer.redeemed().now_or_never().is_some());
    let late = node.store.redeem(offer.ticket().clone(), next);
    assert_eq!(late, Redeemed::Replayed);
}

#[tokio::test]
async fn two_who_write_different_fields_are_merged_wherever_they_meet() {
    let (node, other) = (Node::new(), Node::new());
    let cookie = node.visit(&[("a", 0), ("b", 0), ("c", 0)]).await;
    let hold = node.store.hold(cookie.id());
    let session = node.sessions.open(hold.id());
    session.remove("c").await.unwrap();
    write(&session, &[("a", 1)]).await;
    let ticket = node.ticket(hold.id());
    let by_http = other.request(&cookie, &[("b", 1)]).await;

    // At the process that redeems.
    let state = merged(Node::new().store.redeem(ticket.clone(), by_http.clone()));
    assert_eq!(fields(&state), [("a", 1), ("b", 1)]);
    assert_eq!(node.store.learn(state.clone()), Learned::Newer);
    assert!(node.store.offer(hold.id()).is_none());

    // At the process of the connection, which hears of the other's cookie.
    let node = Node::new();
    node.store.learn(cookie.clone());
    node.store.learn(ticket.state().clone());
    let node = Node::new();
    node.store.learn(cookie.clone());
    let hold = node.store.hold(cookie.id());
    node.reflex(hold.id(), &[("a", 1)]).await;
    assert_eq!(node.store.learn(by_http.clone()), Learned::Merged);
    let state = applied(other.store.redeem(node.ticket(hold.id()), by_http));
    assert_eq!(fields(&state), [("a", 1), ("b", 1), ("c", 0)]);
    assert_eq!(node.store.statistics().merged, 1);
}

#[tokio::test]
async fn of_two_who_write_one_field_the_cookie_s_wins() {
    let (node, other) = (Node::new(), Node::new());
    let cookie = node.visit(&[("a", 0)]).await;
    let hold = node.store.hold(cookie.id());
    node.reflex(hold.id(), &[("a", 1), ("mine", 1)]).await;
    let ticket = node.ticket(hold.id());
    let by_http = other.request(&cookie, &[("a", 2)]).await;

    let third = Node::new();
    let state = merged(third.store.redeem(ticket, by_http.clone()));
    assert_eq!(fields(&state), [("a", 2), ("mine", 1)]);
    assert_eq!(third.store.statistics().conflicts, 1);

    assert_eq!(node.store.learn(by_http), Learned::Merged);
    let session = node.sessions.open(hold.id());
    assert_eq!(session.get("a").await.unwrap(), Some(2));
    assert_eq!(session.get("mine").await.unwrap(), Some(1));
    assert_eq!(node.store.statistics().conflicts, 1);
}

#[tokio::test]
async fn a_ticket_of_another_session_is_refused() {
    let node = Node::new();
    let (mine, other) = (node.visit(&[]).await, node.visit(&[("a", 7)]).await);
    node.reflex(mine.id(), &[("a", 1)]).await;
    let ticket = node.ticket(mine.id());
    assert_eq!(node.store.redeem(ticket, other.clone()), Redeemed::Foreign);
    assert_eq!(fields(&node.store.state(other.id()).unwrap()), [("a", 7)]);
}

#[tokio::test]
async fn a_ticket_from_a_version_that_nobody_remembers_is_refused() {
    let (node, other) = (Node::new(), Node::new());
    let cookie = node.visit(&[]).await;
    node.reflex(cookie.id(), &[("a", 1)]).await;
    let ticket = node.ticket(cookie.id());
    let mut by_http = cookie;
    for count in 0..version::LINEAGE_MAX as i64 + 1 {
        by_http = other.request(&by_http, &[("b", count)]).await;
    }
    let third = Node::new();
    assert_eq!(third.store.redeem(ticket, by_http), Redeemed::Unknown);
}

#[tokio::test]
async fn what_would_not_fit_is_refused_at_the_write() {
    let node = Node::with(|config| config.packed_bytes_max = 290);
    let cookie = node.visit(&[("a", 1)]).await;
    let noise = |seed: u8| -> String {
        let digest = sha2::Sha256::digest([seed]);
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let session = node.sessions.open(cookie.id());
    session.set("x", &noise(1)).await.unwrap();
    session.set("y", &noise(2)).await.unwrap();
    let refused = session.set("z", &noise(3)).await;
    assert!(matches!(
        refused,
        Err(SessionError::CookieTooLarge { bytes_max: 290 })
    ));
    session.commit().await.unwrap();
    assert_eq!(session.keys().await.unwrap(), ["a", "x", "y"]);

    // Each fits, both together do not.
    let (one, other) = (Node::with(|c| c.packed_bytes_max = 290), Node::new());
    let cookie = one.visit(&[]).await;
    let session = one.sessions.open(cookie.id());
    session.set("x", &(noise(1) + &noise(2))).await.unwrap();
    session.commit().await.unwrap();
    let ticket = one.ticket(cookie.id());
    other.store.learn(cookie.clone());
    let session = other.sessions.open(cookie.id());
    session.set("y", &(noise(3) + &noise(4))).await.unwrap();
    session.commit().await.unwrap();
    let by_http = other.store.handed_out(cookie.id()).unwrap();
    let third = Node::with(|config| config.packed_bytes_max = 290);
    let refused = third.store.redeem(ticket, by_http.clone());
    assert_eq!(refused, Redeemed::TooLarge);
    one.store.learn(by_http);
    let session = one.sessions.open(cookie.id());
    assert_eq!(session.keys().await.unwrap(), ["y"]);
}

#[tokio::test]
async fn compression_makes_room() {
    let node = Node::new();
    let session = node.sessions.create();
    session.set("text", &"tea ".repeat(5_000)).await.unwrap();
    session.commit().await.unwrap();
    let state = node.store.state(session.id()).unwrap();
    let bytes = state.pack(512);
    assert!(bytes.len() < 500, "{}", bytes.len());
    assert_eq!(CookieState::unpack(&bytes), Some(state));
}

#[tokio::test]
async fn a_login_elsewhere_is_followed_by_whoever_may() {
    let (node, other) = (Node::new(), Node::new());
    let cookie = node.visit(&[("cart", 3)]).await;
    let (mine, stranger) = (node.store.hold(cookie.id()), node.store.hold(cookie.id()));
    other.store.learn(cookie.clone());
    let session = other.sessions.claim(cookie.id());
    session.renew_id();
    write(&session, &[("user", 1)]).await;
    let after = other.store.handed_out(session.id()).unwrap();

    node.store.renewed(cookie.id(), after.clone());
    mine.follow(after.id());
    let session = node.sessions.open(mine.id());
    assert_eq!(session.keys().await.unwrap(), ["cart", "user"]);
    let ended = node.sessions.open(stranger.id());
    assert!(matches!(ended.set("a", &1).await, Err(SessionError::Ended)));
    assert_eq!(node.store.learn(cookie), Learned::Over);
}

#[tokio::test]
async fn a_login_in_a_reflex_is_handed_over_by_its_ticket() {
    let (node, other) = (Node::new(), Node::new());
    let cookie = node.visit(&[("cart", 3)]).await;
    let hold = node.store.hold(cookie.id());
    let session = node.sessions.open(hold.id());
    session.renew_id();
    write(&session, &[("user", 1)]).await;
    hold.follow(session.id());

    let offer = node.store.offer(hold.id()).unwrap();
    assert_eq!(offer.ticket().from(), cookie.id());
    assert_eq!(node.store.learn(cookie.clone()), Learned::Over);
    let next = applied(other.store.redeem(offer.ticket().clone(), cookie.clone()));
    assert_eq!(next.id(), session.id());
    let again = other.store.redeem(offer.ticket().clone(), next.clone());
    assert_eq!(again, Redeemed::Replayed);
    let late = other.store.redeem(offer.ticket().clone(), cookie.clone());
    assert_eq!(late, Redeemed::Over);
    let here = applied(node.store.redeem(offer.ticket().clone(), cookie.clone()));
    assert_eq!(here, next);
    assert!(offer.redeemed().now_or_never().is_some());
    let late = node.store.redeem(offer.ticket().clone(), cookie);
    assert_eq!(late, Redeemed::Over);
}

#[tokio::test]
async fn a_login_after_a_ticket_is_handed_over_too() {
    let node = Node::new();
    let cookie = node.visit(&[("cart", 3)]).await;
    let hold = node.store.hold(cookie.id());
    node.reflex(hold.id(), &[("a", 1)]).await;
    let cookie = applied(node.store.redeem(node.ticket(hold.id()), cookie));
    let session = node.sessions.open(hold.id());
    session.get::<i64>("a").await.unwrap();
    session.renew_id();
    write(&session, &[("user", 1)]).await;
    hold.follow(session.id());
    session.commit().await.unwrap();
    let offer = node.store.offer(hold.id()).unwrap();
    node.store.learn(cookie.clone());
    applied(node.store.redeem(offer.ticket().clone(), cookie));
}

#[tokio::test]
async fn an_ended_session_stays_so() {
    let node = Node::new();
    let cookie = node.visit(&[("user", 1)]).await;
    node.reflex(cookie.id(), &[("a", 1)]).await;
    let offer = node.store.offer(cookie.id()).unwrap();
    let session = node.sessions.claim(cookie.id());
    session.destroy();
    session.commit().await.unwrap();
    assert!(offer.redeemed().now_or_never().is_some(), "nobody waits");
    assert_eq!(node.store.learn(cookie.clone()), Learned::Over);
    let late = node.store.redeem(offer.ticket().clone(), cookie.clone());
    assert_eq!(late, Redeemed::Over);
    assert_eq!(node.store.state(cookie.id()), None);
}

#[tokio::test]
async fn sessions_are_forgotten_when_nobody_holds_them() {
    let node = Node::with(|config| config.remembered_max = 3);
    let held = node.visit(&[]).await;
    let hold = node.store.hold(held.id());
    let pending = node.visit(&[]).await;
    node.reflex(pending.id(), &[("a", 1)]).await;
    node.visit(&[]).await;
    assert_eq!(node.store.statistics().known, 3);
    node.clock.advance(Duration::from_secs(61));
    node.visit(&[]).await;
    assert_eq!(node.store.statistics().known, 3);
    assert!(node.store.state(held.id()).is_some());
    assert!(node.store.state(pending.id()).is_some());
    for _ in 0..10 {
        node.visit(&[]).await;
    }
    assert_eq!(
        node.store.statistics().known,
        4,
        "three, and one that is held"
    );
    drop(hold);
    node.clock.advance(Duration::from_secs(60 * 60));
    node.visit(&[]).await;
    node.visit(&[]).await;
    assert_eq!(node.store.statistics().known, 2);
}

#[tokio::test]
async fn renewing_a_life_makes_no_version_and_no_ticket() {
    let node = Node::with(|config| config.remembered_for = Duration::MAX);
    let cookie = node.visit(&[("a", 1)]).await;
    node.clock.advance(Duration::from_secs(10 * 24 * 60 * 60));
    let session = node.sessions.open(cookie.id());
    assert_eq!(session.get("a").await.unwrap(), Some(1));
    assert_eq!(session.commit().await.unwrap(), crate::Saved::Renewed);
    let state = node.store.state(cookie.id()).unwrap();
    assert_eq!(state.version(), cookie.version());
    assert!(state.issued_at() > cookie.issued_at());
    assert!(node.store.offer(cookie.id()).is_none());
}

fn any_fields() -> impl Strategy<Value = state::Fields> {
    btree_map("[a-z:]{0,12}", vec(any::<u8>(), 0..300), 0..6).prop_map(|fields| {
        let fields = fields.into_iter();
        fields.map(|(name, value)| (name, value.into())).collect()
    })
}

proptest! {
    #[test]
    fn bytes_from_outside_never_panic(bytes in vec(any::<u8>(), 0..400), format in 0_u8..4) {
        let mut framed = vec![format];
        framed.extend_from_slice(&bytes);
        for bytes in [&bytes, &framed] {
            if let Some(state) = CookieState::unpack(bytes) {
                let _ = state.issued_at();
                prop_assert_eq!(CookieState::unpack(&state.pack(usize::MAX)), Some(state));
            }
            let _ = Ticket::unpack(bytes);
        }
    }

    #[test]
    fn states_come_back(fields in any_fields(), number in 0_u64..1 << 40, issued in 0_u64..1 << 35, over in 0_usize..600) {
        let state = CookieState {
            id: SessionId::generate(),
            version: Version::new(number),
            lineage: version::Lineage::after(Version::new(number), &version::Lineage::default()),
            issued,
            fields,
            is_foreign: false,
        };
        let bytes = state.pack(over);
        let known = state.fields.iter().map(|(name, value)| (name.as_str(), value));
        prop_assert!(bytes.len() <= state::packed_bytes(known, over));
        prop_assert_eq!(CookieState::unpack(&bytes), Some(state));
        // All that stands before the fields.
        for cut in 0..1 + 16 + Version::BYTES + 8 + 1 + 4 {
            prop_assert_eq!(CookieState::unpack(&bytes[..cut]), None);
        }
    }

    #[test]
    fn merging_loses_no_field_that_only_one_has_changed(before in any_fields(), mine in any_fields(), theirs in any_fields()) {
        let changed = ticket::changes(&before, &mine);
        let merged = ticket::merge(&theirs, &changed, &mine).fields;
        for name in before.keys().chain(mine.keys()).chain(theirs.keys()) {
            let (was, my, their) = (before.get(name), mine.get(name), theirs.get(name));
            let expected = if their == was { my } else { their };
            prop_assert_eq!(merged.get(name), expected);
        }
    }
}
