//! Port: key-value records with expiry and fields; sessions on top
