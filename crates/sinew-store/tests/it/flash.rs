//! Messages for the next page.

use std::sync::Arc;

use sinew_store::{Flash, MemoryStore, Session, SessionError, Sessions};

fn request(sessions: &Sessions, visitor: &Session) -> (Session, Flash) {
    let session = sessions.open(visitor.id());
    (session.clone(), Flash::for_request(session))
}

fn start() -> (Sessions, Session) {
    let sessions = Sessions::new(Arc::new(MemoryStore::new()));
    let visitor = sessions.create();
    (sessions, visitor)
}

async fn notice(flash: &Flash) -> Option<String> {
    flash.get("notice").await.unwrap()
}

#[tokio::test]
async fn a_message_is_seen_by_its_own_request_and_the_next() {
    let (sessions, visitor) = start();
    let (session, flash) = request(&sessions, &visitor);
    flash.set("notice", "saved").await.unwrap();
    assert_eq!(notice(&flash).await.as_deref(), Some("saved"));
    session.commit().await.unwrap();

    // A request that does not ask leaves it alone.
    let (session, _) = request(&sessions, &visitor);
    session.set("other", &1).await.unwrap();
    session.commit().await.unwrap();

    let (session, flash) = request(&sessions, &visitor);
    assert_eq!(flash.keys().await.unwrap(), ["notice"]);
    session.commit().await.unwrap();
    let (_, flash) = request(&sessions, &visitor);
    assert_eq!(notice(&flash).await, None);
}

#[tokio::test]
async fn now_is_not_stored_and_keep_keeps() {
    let (sessions, visitor) = start();
    let (session, flash) = request(&sessions, &visitor);
    flash.set("notice", "next").await.unwrap();
    flash.now("alert", "now").await.unwrap();
    session.commit().await.unwrap();

    let (session, flash) = request(&sessions, &visitor);
    assert_eq!(flash.get::<String>("alert").await.unwrap(), None);
    flash.keep("notice").await.unwrap();
    flash.keep("never there").await.unwrap();
    session.commit().await.unwrap();

    let (_, flash) = request(&sessions, &visitor);
    assert_eq!(notice(&flash).await.as_deref(), Some("next"));
}

#[tokio::test]
async fn now_only_does_not_write_the_session() {
    let (sessions, visitor) = start();
    let (session, flash) = request(&sessions, &visitor);
    flash.now("notice", "now").await.unwrap();
    assert!(!session.is_dirty());
}

#[tokio::test]
async fn two_requests_at_once_keep_each_others_messages() {
    let (sessions, visitor) = start();
    let (session, flash) = request(&sessions, &visitor);
    flash.set("shown", &1).await.unwrap();
    session.commit().await.unwrap();

    let (reading, page) = request(&sessions, &visitor);
    let (writing, post) = request(&sessions, &visitor);
    page.keys().await.unwrap();
    post.set("left", &2).await.unwrap();
    writing.commit().await.unwrap();
    reading.commit().await.unwrap();

    let (_, flash) = request(&sessions, &visitor);
    assert_eq!(flash.keys().await.unwrap(), ["left"]);
}

#[tokio::test]
async fn a_reflex_shows_its_flash_to_its_own_page_only() {
    let flash = Flash::for_reflex();
    flash.set("notice", "from the reflex").await.unwrap();
    flash.now("alert", "now").await.unwrap();
    flash.keep("notice").await.unwrap();
    let page = flash.clone();
    assert_eq!(page.keys().await.unwrap(), ["alert", "notice"]);
    assert_eq!(Flash::for_reflex().keys().await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn a_message_of_another_type_is_an_error_that_names_it() {
    let flash = Flash::for_reflex();
    flash.set("notice", "text").await.unwrap();
    let error = flash.get::<u8>("notice").await.unwrap_err();
    assert!(matches!(&error, SessionError::Decode { field, .. } if field == "flash.notice"));
}
