//! The forms of a Redis URL.

use std::path::PathBuf;

use percent_encoding::percent_decode_str;

/// Bytes of a URL. A longer one is refused.
pub(crate) const URL_BYTES_MAX: usize = 4096;

/// Hosts of a URL. More are refused.
pub(crate) const HOSTS_MAX: usize = 64;

const PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Who is asked for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Topology {
    /// One server.
    Server(Address),
    /// One server on this machine.
    Socket(PathBuf),
    /// Whoever the sentinels call the primary of `service`.
    Sentinel {
        sentinels: Vec<Address>,
        service: String,
        credentials: Credentials,
    },
    /// The nodes of a cluster; some of them are named.
    Cluster(Vec<Address>),
}

/// Who one is to the server.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hidden = |it: &Option<String>| it.as_ref().map(|_| "...");
        f.debug_struct("Credentials")
            .field("username", &hidden(&self.username))
            .field("password", &hidden(&self.password))
            .finish()
    }
}

/// A Redis URL, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RedisUrl {
    pub(crate) topology: Topology,
    pub(crate) is_tls: bool,
    pub(crate) credentials: Credentials,
    pub(crate) database: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Server,
    Sentinel,
    Cluster,
}

/// What is wrong with a URL, in words that hold nothing of it.
type Problem = &'static str;

impl RedisUrl {
    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        if text.len() > URL_BYTES_MAX {
            return Err("it is longer than 4096 bytes");
        }
        let (scheme, rest) = text.split_once("://").ok_or(
            "it does not begin with `redis://`, `rediss://`, `unix://`, `redis-sentinel://` or \
             `redis-cluster://`",
        )?;
        if rest.contains('#') {
            return Err("it has a `#`; in a password that is written `%23`");
        }
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Query::parse(query)?),
            None => (rest, Query::default()),
        };
        let (form, is_tls) = match scheme.to_ascii_lowercase().as_str() {
            "redis" | "valkey" => (Form::Server, false),
            "rediss" | "valkeys" => (Form::Server, true),
            "redis-sentinel" => (Form::Sentinel, false),
            "rediss-sentinel" => (Form::Sentinel, true),
            "redis-cluster" => (Form::Cluster, false),
            "rediss-cluster" => (Form::Cluster, true),
            "unix" | "redis+unix" | "valkey+unix" => return Self::parse_socket(rest, query),
            _ => {
                return Err(
                    "its scheme is none of `redis`, `rediss`, `unix`, `redis+unix`, \
                     `redis-sentinel`, `rediss-sentinel`, `redis-cluster`, `rediss-cluster`",
                );
            }
        };
        Self::parse_hosts(form, is_tls, rest, query)
    }

    fn parse_socket(rest: &str, query: Query) -> Result<Self, Problem> {
        let (credentials, path) = match rest.find('/') {
            Some(0) => (Credentials::default(), rest),
            Some(slash) if rest[..slash].ends_with('@') => {
                (credentials(&rest[..slash - 1])?, &rest[slash..])
            }
            _ => return Err("the path of its socket does not begin with `/`"),
        };
        query.only_for(Form::Server)?;
        Ok(Self {
            topology: Topology::Socket(decode(path)?.into()),
            is_tls: false,
            credentials: query.credentials_or(credentials),
            database: query.database.unwrap_or(0),
        })
    }

    fn parse_hosts(form: Form, is_tls: bool, rest: &str, query: Query) -> Result<Self, Problem> {
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (credentials, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (credentials(user)?, hosts),
            None => (Credentials::default(), authority),
        };
        let form = match (form, query.cluster) {
            (Form::Server, Some(true)) => Form::Cluster,
            (form, _) => form,
        };
        query.only_for(form)?;
        let default_port = match form {
            Form::Sentinel => SENTINEL_PORT,
            _ => PORT,
        };
        let mut addresses = hosts
            .split(',')
            .map(|host| address(host, default_port))
            .collect::<Result<Vec<_>, _>>()?;
        if addresses.len() > HOSTS_MAX {
            return Err("it names more than 64 hosts");
        }
        let (service, database) = match form {
            Form::Sentinel => path.split_once('/').unwrap_or((path, "")),
            _ => ("", path),
        };
        let database = match (database.trim_end_matches('/'), query.database) {
            ("", database) => database.unwrap_or(0),
            (_, Some(_)) => return Err("it names a database twice"),
            (database, None) => database_number(database)?,
        };
        let topology = match form {
            Form::Sentinel if service.is_empty() => {
                return Err(
                    "it does not say which primary the sentinels are asked for: \
                     `redis-sentinel://host1,host2/name-of-the-primary`",
                );
            }
            Form::Sentinel => Topology::Sentinel {
                sentinels: addresses,
                service: decode(service)?,
                credentials: query.sentinel.clone(),
            },
            Form::Cluster if database != 0 => return Err("a cluster has database 0 only"),
            Form::Cluster => Topology::Cluster(addresses),
            Form::Server if addresses.len() > 1 => {
                return Err(
                    "it names several hosts: add `?cluster=true`, or begin it with \
                     `redis-sentinel://`",
                );
            }
            Form::Server => Topology::Server(addresses.remove(0)),
        };
        Ok(Self {
            topology,
            is_tls,
            credentials: query.credentials_or(credentials),
            database,
        })
    }
}

/// What may follow the question mark.
#[derive(Clone, Default)]
struct Query {
    cluster: Option<bool>,
    database: Option<u32>,
    credentials: Credentials,
    sentinel: Credentials,
}

impl Query {
    fn parse(text: &str) -> Result<Self, Problem> {
        let mut query = Self::default();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let secret = || decode(value).map(Some);
            match name {
                "cluster" => {
                    query.cluster = Some(match value {
                        "true" | "1" | "" => true,
                        "false" | "0" => false,
                        _ => return Err("its `cluster` is neither `true` nor `false`"),
                    });
                }
                "db" => query.database = Some(database_number(value)?),
                "user" | "username" => query.credentials.username = secret()?,
                "pass" | "password" => query.credentials.password = secret()?,
                "sentinel_username" => query.sentinel.username = secret()?,
                "sentinel_password" => query.sentinel.password = secret()?,
                // The name may be the end of a password that holds a question mark.
                _ => {
                    return Err(
                        "it has a parameter that is none of `cluster`, `db`, `username`, \
                         `password`, `sentinel_username`, `sentinel_password`; in a password `?` \
                         is written `%3F`",
                    );
                }
            }
        }
        Ok(query)
    }

    fn only_for(&self, form: Form) -> Result<(), Problem> {
        if self.sentinel != Credentials::default() && form != Form::Sentinel {
            return Err("it has a sentinel's password but does not begin with `redis-sentinel`");
        }
        if self.cluster == Some(true) && form == Form::Sentinel {
            return Err("sentinels watch no cluster");
        }
        Ok(())
    }

    fn credentials_or(&self, authority: Credentials) -> Credentials {
        let own = self.credentials.clone();
        Credentials {
            username: authority.username.or(own.username),
            password: authority.password.or(own.password),
        }
    }
}

fn credentials(text: &str) -> Result<Credentials, Problem> {
    let (username, password) = match text.split_once(':') {
        Some((username, password)) => (username, Some(decode(password)?)),
        None => (text, None),
    };
    Ok(Credentials {
        username: Some(decode(username)?).filter(|name| !name.is_empty()),
        password: password.filter(|password| !password.is_empty()),
    })
}

fn address(text: &str, default_port: u16) -> Result<Address, Problem> {
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest
            .split_once(']')
            .ok_or("the `[` of an IPv6 address is not closed")?;
        (host, rest.strip_prefix(':').unwrap_or(rest))
    } else {
        text.split_once(':').unwrap_or((text, ""))
    };
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:%".contains(&byte);
    if host.is_empty() {
        return Err("it names no host; in a password `/` is written `%2F`");
    }
    if !host.bytes().all(is_host) {
        return Err("its host has a character that no host has");
    }
    let port = match port {
        "" => default_port,
        port => port
            .parse()
            .ok()
            .filter(|port| *port != 0)
            .ok_or("its port is no number between 1 and 65535; in a password `/`, `?`, `#` and `@` are written `%2F`, `%3F`, `%23` and `%40`")?,
    };
    Ok(Address {
        host: host.to_owned(),
        port,
    })
}

fn database_number(text: &str) -> Result<u32, Problem> {
    text.parse()
        .map_err(|_| "its database is no number; in a password `/` is written `%2F`")
}

fn decode(text: &str) -> Result<String, Problem> {
    percent_decode_str(text)
        .decode_utf8()
        .map(|text| text.into_owned())
        .map_err(|_| "a part of it that is written with `%` is not UTF-8")
}

#[cfg(test)]
mod tests;
