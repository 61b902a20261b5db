//! How far away a server is, as its name tells.

use std::net::IpAddr;

/// How far away a server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Distance {
    /// This machine.
    Here,
    /// A network of one's own: a private address, a name without a dot, or one that only such a network knows.
    Private,
    /// Anywhere else.
    Public,
}

/// What names end with that no public server of names knows.
const PRIVATE_ENDS: [&str; 5] = [".internal", ".local", ".lan", ".home.arpa", ".flycast"];

impl Distance {
    /// Of the farthest of these: hosts with their ports, or paths of Unix sockets.
    pub(super) fn of(hosts: &[String]) -> Self {
        let distances = hosts.iter().map(|host| Self::of_host(host));
        distances.max().unwrap_or(Self::Here)
    }

    fn of_host(host: &str) -> Self {
        if host.starts_with('/') {
            return Self::Here;
        }
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let name = name.trim_start_matches('[').trim_end_matches(']');
        let Ok(address) = name.parse::<IpAddr>() else {
            return Self::of_name(&name.trim_end_matches('.').to_ascii_lowercase());
        };
        match address.to_canonical() {
            address if address.is_loopback() => Self::Here,
            IpAddr::V4(address) if address.is_private() || address.is_link_local() => Self::Private,
            IpAddr::V6(address) if address.is_unique_local() || address.is_unicast_link_local() => {
                Self::Private
            }
            _ => Self::Public,
        }
    }

    fn of_name(name: &str) -> Self {
        if name == "localhost" || name.ends_with(".localhost") {
            Self::Here
        } else if !name.contains('.') || PRIVATE_ENDS.iter().any(|end| name.ends_with(end)) {
            Self::Private
        } else {
            Self::Public
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_farthest_counts() {
        for (hosts, expected) in [
            (&["/run/redis/redis.sock"][..], Distance::Here),
            (&["localhost:6379"], Distance::Here),
            (&["127.0.0.7:6379"], Distance::Here),
            (&["[::1]:6379"], Distance::Here),
            (&["[::ffff:127.0.0.1]:6379"], Distance::Here),
            (&["10.0.0.7:6379"], Distance::Private),
            (&["[fd00::7]:6379"], Distance::Private),
            (&["redis:6379"], Distance::Private),
            (&["cache.shop.svc.cluster.local:6379"], Distance::Private),
            (&["Redis.Example.com.:6379"], Distance::Public),
            (&["192.0.2.7:6379"], Distance::Public),
            (&["localhost:6379", "redis:6379"], Distance::Private),
            (&[], Distance::Here),
        ] {
            let hosts: Vec<_> = hosts.iter().map(|host| (*host).to_owned()).collect();
            assert_eq!(Distance::of(&hosts), expected, "{hosts:?}");
        }
    }
}
