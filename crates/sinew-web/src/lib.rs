//! The edge: WebSocket endpoint, origin check, trusted proxies, session cookie layer
