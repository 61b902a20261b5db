use std::time::{Duration, SystemTime};

use serde_json::json;
use sinew_verifier::rails::{CookieMetadata, SessionCookie, SessionCookieError};
use sinew_verifier::{Digest, SecretKeyBase};
use test_servers::Rails;

fn cookie(digest: Digest) -> SessionCookie {
    SessionCookie::new(Rails::COOKIE, &SecretKeyBase::new(Rails::SECRET), digest)
}

/// Rails writes, Sinew reads and writes, Rails reads.
#[track_caller]
fn check(settings: &[(&str, &str)], cookie: &SessionCookie) {
    let mut rails = Rails::start(settings);
    assert_eq!(rails.get("/login?user_id=42").status, 204);
    let token = rails.get("/token").body;

    let value = rails.cookie.take().expect("Rails has set its cookie");
    let opened = cookie.open(&value, SystemTime::now()).expect("opens");
    let mut session = opened.session;
    assert_eq!(session.get("user_id"), Some("42"));
    let kept = |name: &str| session.get(name).expect("there").to_owned();
    let (id, csrf) = (kept("session_id"), kept("_csrf_token"));
    session.set("theme", r#""dark""#).expect("JSON");
    session.set("user_id", "43").expect("JSON");
    rails.cookie = Some(cookie.seal(&session, opened.expires_at).expect("seals"));

    let fields = rails.fields();
    assert_eq!(fields["user_id"], 43);
    assert_eq!(fields["theme"], "dark");
    assert_eq!(fields["session_id"].to_string(), id);
    assert_eq!(fields["_csrf_token"].to_string(), csrf);
    // A form that Rails rendered before is still accepted, and one with another token is not.
    let submit = |rails: &mut Rails, token: &str| {
        let params = json!({"authenticity_token": token});
        rails.ask("POST", "/protected", params).status
    };
    assert_eq!(submit(&mut rails, &token), 200);
    assert_eq!(submit(&mut rails, "another"), 422);

    // And back again: what Rails changed is found, what Sinew wrote is still there.
    rails.get("/remove?name=user_id");
    let value = rails.cookie.take().expect("a cookie");
    let opened = cookie.open(&value, SystemTime::now()).expect("opens");
    assert_eq!(opened.session.get("user_id"), None);
    assert_eq!(opened.session.get("theme"), Some(r#""dark""#));
}

#[test]
fn a_login_is_shared_with_keys_by_sha1() {
    check(&[("DIGEST", "SHA1")], &cookie(Digest::Sha1));
}

#[test]
fn a_login_is_shared_with_keys_by_sha256() {
    check(&[("DIGEST", "SHA256")], &cookie(Digest::Sha256));
}

#[test]
fn a_login_is_shared_without_metadata() {
    let cookie = cookie(Digest::Sha1).metadata(CookieMetadata::Absent);
    check(&[("METADATA", "false")], &cookie);
    check(&[("METADATA", "false"), ("EXPIRE_AFTER", "3600")], &cookie);
}

#[test]
fn a_login_is_shared_for_as_long_as_the_cookie_lives() {
    check(&[("EXPIRE_AFTER", "3600")], &cookie(Digest::Sha1));

    let mut rails = Rails::start(&[("EXPIRE_AFTER", "3600")]);
    rails.get("/login?user_id=42");
    let value = rails.cookie.take().expect("a cookie");
    let later = SystemTime::now() + Duration::from_secs(3700);
    assert!(cookie(Digest::Sha1).open(&value, later).is_err());

    // The other way round: Rails takes no cookie whose time is over.
    let session = cookie(Digest::Sha1)
        .open(&value, SystemTime::now())
        .expect("opens")
        .session;
    let past = SystemTime::now() - Duration::from_secs(1);
    rails.cookie = Some(
        cookie(Digest::Sha1)
            .seal(&session, Some(past))
            .expect("seals"),
    );
    assert_eq!(rails.fields()["user_id"], json!(null));
}

#[test]
fn a_hybrid_application_reads_what_sinew_writes() {
    check(&[("SERIALIZER", "hybrid")], &cookie(Digest::Sha1));
}

#[test]
fn a_session_of_marshal_is_refused_by_name() {
    let mut rails = Rails::start(&[("SERIALIZER", "marshal")]);
    rails.get("/login?user_id=42");
    let value = rails.cookie.take().expect("a cookie");
    let error = cookie(Digest::Sha1)
        .open(&value, SystemTime::now())
        .expect_err("refused");
    let SessionCookieError::Session(error) = error else {
        panic!("{error:?}")
    };
    assert!(error.to_string().contains("Marshal"), "{error}");
}

#[test]
fn rails_takes_nothing_that_another_secret_or_name_has_sealed() {
    let mut rails = Rails::start(&[]);
    rails.get("/login?user_id=42");
    let value = rails.cookie.take().expect("a cookie");
    let session = cookie(Digest::Sha1)
        .open(&value, SystemTime::now())
        .expect("opens")
        .session;
    let (ours, theirs) = (
        SecretKeyBase::new(Rails::SECRET),
        SecretKeyBase::new("another"),
    );
    for foreign in [
        SessionCookie::new(Rails::COOKIE, &theirs, Digest::Sha1),
        SessionCookie::new(Rails::COOKIE, &ours, Digest::Sha256),
        SessionCookie::new("_other_session", &ours, Digest::Sha1),
    ] {
        rails.cookie = Some(foreign.seal(&session, None).expect("seals"));
        assert_eq!(rails.fields()["user_id"], json!(null), "{foreign:?}");
    }
}
