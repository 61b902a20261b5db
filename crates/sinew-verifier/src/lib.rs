//! Sign and verify: Rails-style message verifier, key derivation, signed stream names
