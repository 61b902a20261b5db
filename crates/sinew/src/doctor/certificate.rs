//! The certificate of an application that ends TLS itself.

use std::error::Error as _;
use std::time::{Duration, SystemTime};

use sinew_web::server::{Tls, TlsFiles};

use super::kinds::{CERTIFICATE_EXPIRES, CERTIFICATE_UNUSABLE};
use super::{Finding, Severity};

/// So long before its end a certificate should have been renewed, 14 days: what renews them by itself does so a month
/// before.
const RENEWAL: Duration = Duration::from_secs(14 * SECONDS_OF_DAY);

const SECONDS_OF_DAY: u64 = 24 * 60 * 60;

/// What is wrong with these files, if anything is.
pub(super) fn finding(files: &TlsFiles, now: SystemTime) -> Option<Finding> {
    let tls = match Tls::from_files(files.clone()) {
        Ok(tls) => tls,
        Err(error) => {
            let cause = error.source().map(|cause| format!(" ({cause})"));
            let what = format!("{error}{}", cause.unwrap_or_default());
            let subject = files.certificate.display().to_string();
            return Some(CERTIFICATE_UNUSABLE.found(subject).what(what));
        }
    };
    expiring(files, tls.expires()?, now)
}

fn expiring(files: &TlsFiles, expires: SystemTime, now: SystemTime) -> Option<Finding> {
    let file = files.certificate.display().to_string();
    let found = CERTIFICATE_EXPIRES.found(&file);
    match expires.duration_since(now) {
        Err(_) => Some(found.what(format!(
            "the certificate {file}, or one that leads from it to a root, has expired"
        ))),
        Ok(left) if left < RENEWAL => {
            let days = left.as_secs() / SECONDS_OF_DAY;
            let what = format!(
                "the certificate {file}, or one that leads from it to a root, expires in {days} days"
            );
            Some(found.what(what).only(Severity::Warning))
        }
        Ok(_) => None,
    }
}
