//! A primary, a replica, and the sentinels that watch them.

use crate::redis::{RedisOptions, RedisServer, wait_until};

/// How many sentinels watch: two of them must agree that the primary is gone.
const SENTINELS: usize = 3;

/// The name under which sentinels know the primary.
const SERVICE: &str = "primary";

/// Two servers, one of which follows the other, and three sentinels. A primary that does not
/// answer for half a second is replaced.
#[derive(Debug)]
pub struct RedisSentinel {
    /// The sentinels.
    pub sentinels: Vec<RedisServer>,
    /// The primary, until it is replaced.
    pub primary: RedisServer,
    /// Its replica.
    pub replica: RedisServer,
}

impl RedisSentinel {
    /// Starts all of them and waits until the sentinels know each other and the replica.
    ///
    /// # Panics
    ///
    /// As [`RedisOptions::start`], or they do not find each other.
    pub fn start() -> Self {
        Self::start_with(RedisServer::options(), RedisServer::options())
    }

    /// As [`start`](Self::start), with options of the two servers and of the sentinels, each of
    /// which may have a password. With TLS both must have the same authority, as they speak with
    /// each other.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn start_with(servers: RedisOptions, sentinels: RedisOptions) -> Self {
        Self::start_at("127.0.0.1", servers, sentinels)
    }

    /// As [`start_with`](Self::start_with), but all of them announce themselves as `localhost`
    /// and not by their address.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn start_by_name(servers: RedisOptions, sentinels: RedisOptions) -> Self {
        let name = "localhost";
        // On some machines the name is this address first.
        let bind = "bind 127.0.0.1 -::1";
        let servers = servers.config(bind);
        let servers = servers.config(&format!("replica-announce-ip {name}"));
        let sentinels = sentinels
            .config(bind)
            .config("sentinel resolve-hostnames yes")
            .config("sentinel announce-hostnames yes")
            .config(&format!("sentinel announce-ip {name}"));
        Self::start_at(name, servers, sentinels)
    }

    fn start_at(host: &str, servers: RedisOptions, sentinels: RedisOptions) -> Self {
        let password = servers.default_password().map(str::to_owned);
        let servers = match &password {
            Some(password) => servers.config(&format!("masterauth {password}")),
            None => servers,
        };
        let primary = servers.clone().start();
        let port = primary.port();
        let replica = servers.config(&format!("replicaof {host} {port}")).start();
        wait_until("replication", || {
            replica
                .command(&["INFO", "replication"])
                .contains("master_link_status:up")
        });
        let sentinels: Vec<_> = (0..SENTINELS)
            .map(|_| sentinel(sentinels.clone(), host, port, password.as_deref()))
            .collect();
        for sentinel in &sentinels {
            let others = format!("sentinels={SENTINELS}");
            wait_until("the sentinels' acquaintance", || {
                let info = sentinel.command(&["INFO", "sentinel"]);
                info.contains("slaves=1") && info.contains(&others)
            });
        }
        Self {
            sentinels,
            primary,
            replica,
        }
    }

    /// The name under which sentinels know the primary.
    pub fn service(&self) -> &'static str {
        SERVICE
    }

    /// The port of whom this moment's first sentinel calls the primary.
    pub fn primary_port(&self) -> u16 {
        let answer = self.sentinels[0].command(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE]);
        let port = answer.lines().nth(1).expect("an address and a port");
        port.parse().expect("a port")
    }

    /// Waits until the sentinels have made the replica the primary.
    ///
    /// # Panics
    ///
    /// They do not.
    pub fn wait_for_failover(&self) {
        wait_until("the failover", || {
            self.primary_port() == self.replica.port()
        });
    }
}

fn sentinel(
    options: RedisOptions,
    host: &str,
    primary: u16,
    password: Option<&str>,
) -> RedisServer {
    let sentinel = options.sentinel().start();
    sentinel.command(&[
        "SENTINEL",
        "MONITOR",
        SERVICE,
        host,
        &primary.to_string(),
        "2",
    ]);
    let set = |name: &str, value: &str| {
        let answer = sentinel.command(&["SENTINEL", "SET", SERVICE, name, value]);
        assert_eq!(answer, "OK", "{name}");
    };
    if let Some(password) = password {
        set("auth-pass", password);
    }
    set("down-after-milliseconds", "500");
    set("failover-timeout", "3000");
    // Sentinels look at each other every few seconds by default; a test has no time for it.
    // A replica is promoted only if it was heard of in the last five periods of pings, and while
    // its primary is down it is asked every second, whatever is set here.
    let answer = sentinel.command(&[
        "SENTINEL",
        "DEBUG",
        "info-period",
        "100",
        "publish-period",
        "100",
        "ping-period",
        "300",
        "ask-period",
        "100",
    ]);
    assert_eq!(answer, "OK");
    sentinel
}
