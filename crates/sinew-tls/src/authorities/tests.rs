use proptest::prelude::*;

use super::*;

fn certificate() -> String {
    let made = rcgen::generate_simple_self_signed(["db.example.com".to_owned()]);
    made.expect("a certificate").cert.pem()
}

#[test]
fn a_file_may_hold_several_with_words_between_them() {
    let pem = format!("# Ours\n{}\n# Theirs\n{}", certificate(), certificate());
    assert_eq!(parse(pem.as_bytes()).unwrap().len(), 2);
}

#[test]
fn what_is_wrong_is_said() {
    let problem = |pem: &str| parse(pem.as_bytes()).unwrap_err();
    assert_eq!(problem(""), "it holds no certificate");
    assert_eq!(problem("no certificate"), "it holds no certificate");
    // Those before the broken one are not taken alone.
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let problem_of_broken = problem(&format!("{}{broken}", certificate()));
    assert!(
        problem_of_broken.contains("certificate"),
        "{problem_of_broken}"
    );
    let large = certificate() + &"\n".repeat(CA_FILE_BYTES_MAX as usize);
    assert_eq!(problem(&large), "it is larger than 1 MiB");
}

#[test]
fn a_directory_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let error = Authorities::File(folder.path().to_owned())
        .read()
        .unwrap_err();
    assert_eq!(error.file(), Some(folder.path()));
}

proptest! {
    #[test]
    fn nothing_but_certificates_is_believed(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(parse(&bytes).is_err());
        let mut pem = b"-----BEGIN CERTIFICATE-----\n".to_vec();
        pem.extend(&bytes);
        pem.extend(b"\n-----END CERTIFICATE-----\n");
        prop_assert!(parse(&pem).is_err());
    }

    #[test]
    fn a_certificate_that_was_cut_is_no_authority(keep in 0.0..0.95_f64) {
        let pem = certificate();
        let cut = &pem[..(pem.len() as f64 * keep) as usize];
        prop_assert!(parse(cut.as_bytes()).is_err());
    }
}
