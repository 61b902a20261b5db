//! Passwords, kept as Argon2id hashes.

use std::sync::{Arc, LazyLock};

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use sinew::Result;
use tokio::sync::Semaphore;

/// Hashes computed at once. Each takes 19 MiB and some tens of milliseconds, on purpose; who comes
/// later waits.
const AT_ONCE_MAX: usize = 4;

/// What a password is compared with when nobody has the name: the answer then takes as long.
static NOBODYS: LazyLock<String> = LazyLock::new(|| {
    let hash = Argon2::default().hash_password(b"nobody has this one");
    hash.map(|hash| hash.to_string()).unwrap_or_default()
});

/// Longer ones are refused, since each character costs time.
pub(crate) fn is_long_enough(password: &str) -> bool {
    (10..=128).contains(&password.chars().count())
}

#[derive(Clone)]
pub(crate) struct Passwords(Arc<Semaphore>);

impl Default for Passwords {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE_MAX)))
    }
}

impl Passwords {
    /// The hash, with a salt of its own and the cost it was computed at.
    pub(crate) async fn hash(&self, password: String) -> Result<String> {
        let hash = move || Argon2::default().hash_password(password.as_bytes());
        Ok(self.compute(hash).await??.to_string())
    }

    /// Whether it is the password of this hash. Without one it is not, and that takes as long.
    pub(crate) async fn verify(&self, password: String, hash: Option<String>) -> Result<bool> {
        let verify = move || {
            let known = hash.as_deref().unwrap_or(&NOBODYS);
            let fits = Argon2::default().verify_password(password.as_bytes(), known);
            hash.is_some() && fits.is_ok()
        };
        self.compute(verify).await
    }

    async fn compute<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let turn = Arc::clone(&self.0).acquire_owned().await?;
        let done = tokio::task::spawn_blocking(move || {
            // Kept until the work is done, even if nobody waits for it any more.
            let _turn = turn;
            work()
        });
        Ok(done.await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$"));
        let verify = |password: &str, hash| passwords.verify(password.into(), hash);
        assert!(verify("correct horse", Some(hash.clone())).await.unwrap());
        assert!(!verify("wrong horse", Some(hash)).await.unwrap());
        assert!(!verify("nobody has this one", None).await.unwrap());
    }
}
