//! Everything that can be found.

use super::{Finding, Severity};

/// A kind of finding, as the documentation lists it. A [`Finding`] says the same of the case at hand.
///
/// ```
/// use sinew::doctor::{KINDS, Kind, Severity};
///
/// let kind: &Kind = KINDS.iter().find(|kind| kind.code == "any-origin").expect("one of them");
/// assert_eq!(kind.severity, Severity::Warning);
/// assert_eq!(kind.what, "the origin check is off");
/// assert_eq!(kind.why, "any web page can open a socket with its visitor's session");
/// assert!(kind.fix.contains("SINEW_ALLOWED_ORIGINS"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kind {
    /// Its name, which does not change: for `SINEW_DOCTOR_IGNORE` and for programs that read the JSON.
    pub code: &'static str,
    /// How bad it is at most.
    pub severity: Severity,
    /// When it is found.
    pub what: &'static str,
    /// Why it hurts.
    pub why: &'static str,
    /// What to do about it.
    pub fix: &'static str,
}

impl Kind {
    /// It was found: about what, and in the words of the case, which default to those of the kind.
    pub(crate) fn found(&self, subject: impl Into<String>) -> Finding {
        Finding {
            code: self.code,
            severity: self.severity,
            subject: subject.into(),
            what: self.what.to_owned(),
            why: self.why.to_owned(),
            fix: self.fix.to_owned(),
        }
    }
}

/// Every kind of finding, in the order in which the documentation has them.
pub const KINDS: &[Kind] = ALL;

macro_rules! kinds {
    ($($name:ident = $code:literal $severity:ident: $what:literal, $why:literal, $fix:literal;)*) => {
        $(pub(crate) const $name: Kind = Kind {
            code: $code,
            severity: Severity::$severity,
            what: $what,
            why: $why,
            fix: $fix,
        };)*

        const ALL: &[Kind] = &[$($name),*];
    };
}

kinds! {
    // What does not start.
    SETTING_INVALID = "setting-invalid" Error:
        "an environment variable has a value that cannot be used",
        "the application does not start",
        "set it to what the finding says it may be";
    SECRET_MISSING = "secret-missing" Error:
        "there is no secret outside of development",
        "the application does not start: signed names and sealed cookies need a key that nobody else has",
        "SINEW_SECRET=$(openssl rand -hex 32), kept where the next start finds the same";
    SECRET_WEAK = "secret-weak" Error:
        "the secret has less than 32 bytes, or hardly different ones",
        "the application does not start, since such a secret can be guessed",
        "SINEW_SECRET=$(openssl rand -hex 32)";
    START_REFUSED = "start-refused" Error:
        "the application refuses to start for another reason",
        "nobody is served",
        "do what the sentence says";
    DATA_UNWRITABLE = "data-unwritable" Error:
        "the data directory cannot be written",
        "the application does not start, since sessions are kept there",
        "create it for the user that runs the program, or set SINEW_DATA_DIR to another";
    PORT_IN_USE = "port-in-use" Error:
        "something else listens at the address",
        "the application does not start",
        "stop it, or choose another address with SINEW_LISTEN";
    CERTIFICATE_UNUSABLE = "certificate-unusable" Error:
        "the TLS certificate or its key cannot be used",
        "the application does not start",
        "let SINEW_TLS_CERTIFICATE and SINEW_TLS_KEY name a certificate in PEM, with its chain, and its key";
    CERTIFICATE_EXPIRES = "certificate-expires" Error:
        "the TLS certificate has expired, or does so within 14 days (a warning)",
        "browsers refuse the site from then on",
        "renew it; new files are taken over without a restart";
    TLS_NOT_BUILT_IN = "tls-not-built-in" Error:
        "SINEW_TLS_CERTIFICATE is set, and the program was built without TLS",
        "the application does not start",
        "`cargo add sinew --features tls` and build again, or unset the variable and let a proxy end TLS";

    // Who may do what.
    SECRET_SAMPLE = "secret-sample" Error:
        "the secret looks like one of an example",
        "whoever guesses it can sign in as anybody",
        "SINEW_SECRET=$(openssl rand -hex 32)";
    ANY_ORIGIN = "any-origin" Warning:
        "the origin check is off",
        "any web page can open a socket with its visitor's session",
        "set SINEW_ALLOWED_ORIGINS to the hosts of your pages instead of `*`, or unset it if they share the host of the cable";
    DEVELOPMENT_EXPOSED = "development-exposed" Error:
        "the environment is not production, on a platform that shows the application to strangers",
        "strangers read the text of errors, and the operators' page",
        "SINEW_ENV=production, or build with `cargo build --release`";

    // Where the application is.
    URL_UNSET = "url-unset" Notice:
        "SINEW_URL is not set in production",
        "`SinewHandle::url` has no address to begin links in mails and feeds with, and the doctor cannot compare it with cookie and origins",
        "SINEW_URL=https:// and the host that visitors type";
    URL_INSECURE = "url-insecure" Warning:
        "SINEW_URL is `http` in production",
        "the session's cookie travels where everybody on the way can read it",
        "serve the site over https and set SINEW_URL to that address";
    URL_ORIGIN_REFUSED = "url-origin-refused" Error:
        "SINEW_ALLOWED_ORIGINS does not name the host of SINEW_URL",
        "the sockets of the application's own pages are refused with 403",
        "name that host in SINEW_ALLOWED_ORIGINS, or unset it";
    COOKIE_DOMAIN = "cookie-domain" Error:
        "the cookie's domain is not one of the host of SINEW_URL or SINEW_CABLE_URL",
        "browsers drop the cookie: nobody stays signed in, or the cable knows nobody",
        "set SINEW_COOKIE_DOMAIN to the part that both hosts end with, or unset it when pages and cable share a host";
    CABLE_INSECURE = "cable-insecure" Error:
        "SINEW_URL is `https` and SINEW_CABLE_URL is not encrypted",
        "browsers refuse an unencrypted socket from a page that is encrypted",
        "let SINEW_CABLE_URL begin with wss://";
    LISTENS_ON_LOOPBACK = "listens-on-loopback" Warning:
        "the application listens on this machine only, on a platform whose router comes from outside",
        "no visitor reaches it",
        "SINEW_LISTEN=0.0.0.0:$PORT";

    // How many of it there are, and where it keeps things.
    SESSIONS_IN_MEMORY = "sessions-in-memory" Warning:
        "sessions are kept in memory in production",
        "a restart signs everybody out",
        "leave `in_memory()` and SINEW_SESSION_STORE=memory away to keep them in the data directory, or pass a store to `Sinew::store`";
    SESSIONS_NOT_SHARED = "sessions-not-shared" Error:
        "there are several processes, and each keeps sessions of its own",
        "visitors are signed out whenever another process answers",
        "keep sessions where all processes find them: SINEW_SESSION_REDIS_URL (feature `redis`), SINEW_SESSION_STORE=postgres (feature `postgres`), or `Sinew::store`; or run one process, SINEW_NODES=1";
    CACHE_NOT_SHARED = "cache-not-shared" Notice:
        "there are several processes, and each has a cache of its own",
        "an entry that one of them deletes or writes is another one elsewhere, and counters count apart",
        "keep it where all processes find it: SINEW_CACHE_REDIS_URL (feature `redis`), or SINEW_CACHE_STORE=postgres (feature `postgres`)";
    STREAMS_NOT_SHARED = "streams-not-shared" Warning:
        "there are several processes, and broadcasts stay within each",
        "a change reaches only the visitors whose page is connected to the process that made it",
        "let broadcasts reach all processes: SINEW_CABLE_REDIS_URL (feature `redis`), SINEW_STREAMS=postgres (feature `postgres`), or `Sinew::streams`; or run one process, SINEW_NODES=1";
    VOLATILE_DATA = "volatile-data" Warning:
        "the data directory is on a file system in memory",
        "a reboot loses every session",
        "set SINEW_DATA_DIR to a folder on a disk";
    EPHEMERAL_DATA = "ephemeral-data" Warning:
        "the data directory is part of the container's own file system",
        "each deploy, and each restart of the container, loses every session",
        "mount a volume and set SINEW_DATA_DIR to it, or keep sessions outside of the container: SINEW_SESSION_REDIS_URL, or SINEW_SESSION_STORE=postgres";

    // The system.
    FEW_DESCRIPTORS = "few-descriptors" Warning:
        "the process may hold fewer files and sockets than visitors may come: less than 4096, or less than SINEW_CONNECTIONS_MAX and 128",
        "each open page needs one, and whoever comes beyond it is refused",
        "`LimitNOFILE=65536` in a systemd unit, `--ulimit nofile=65536` in Docker, or `ulimit -n 65536` in the shell that starts it";
    SHORT_BACKLOG = "short-backlog" Notice:
        "the system keeps fewer waiting connections than the application asks for (`net.core.somaxconn`)",
        "when everybody reconnects at once, those beyond it wait for a second and more",
        "`sysctl -w net.core.somaxconn=4096`, kept in /etc/sysctl.d; or lower `config.edge.server.backlog`";
    DEBUG_BUILD = "debug-build" Warning:
        "this is a debug build in production",
        "it is several times slower than it could be",
        "build with `cargo build --release`, or set SINEW_ENV=development if this is no production";

    // Settings and code.
    SLOW_PINGS = "slow-pings" Warning:
        "pings come more seldom than every 6 s",
        "a stock client that hears nothing for 6 s connects again",
        "set SINEW_PING_SECONDS to 5 or less, and let clients that want fewer ask for them, with `?pi=30` at the cable's address";
    UNKNOWN_VARIABLE = "unknown-variable" Warning:
        "an environment variable begins with SINEW_ and nobody reads it",
        "it has no effect",
        "write the name that is meant, or unset it";
    UNKNOWN_CODE = "unknown-code" Warning:
        "SINEW_DOCTOR_IGNORE names a finding that there is not",
        "it has no effect",
        "write one of the codes of this list, or take it away";
    NO_ACTIONS = "no-actions" Warning:
        "a reflex has no action",
        "no page can call it",
        "give its `#[reflex] impl` a method `async fn name(&self, cx: &mut Reflex)`, or do not register it";
    NO_TEMPLATES = "no-templates" Warning:
        "a folder of templates that shall be watched is not there (in development)",
        "pages do not follow its files",
        "`watch_templates` takes a path from the folder where the program is started, or a whole one, as concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/templates\") is";

    // Redis, by what each instance is used for (feature `redis`).
    REDIS_UNREACHABLE = "redis-unreachable" Error:
        "a Redis that the application uses cannot be reached",
        "what is kept there cannot be read or written, and `/ready` stays red",
        "start it, or correct the URL; `redis-cli -u URL PING` tries the same";
    REDIS_DENIED = "redis-denied" Error:
        "a Redis does not let the application in",
        "what is kept there cannot be read or written, and `/ready` stays red",
        "put user and password into the URL as they are in the server (`requirepass`, or `ACL LIST`), with what is special in a URL as `%xx`";
    REDIS_OLD = "redis-old" Error:
        "a Redis is older than 6.2",
        "it does not know commands that the stores use",
        "update it, to the version 7 of Debian for instance";
    REDIS_PLAIN = "redis-plain" Warning:
        "a Redis on another machine is spoken to without TLS; a notice within a private network",
        "whoever is on the way reads sessions and passwords, and may change them",
        "let the URL begin with rediss://, and the server listen with `tls-port`";
    REDIS_UNVERIFIED = "redis-unverified" Warning:
        "the certificate of a Redis is not verified (SINEW_REDIS_TLS=unverified)",
        "whoever puts themselves in between reads and changes everything",
        "set SINEW_REDIS_TLS to a PEM file of the authority that signed it, or to `system`";
    REDIS_OPEN = "redis-open" Warning:
        "a Redis on another machine asks for no password",
        "whoever reaches its port reads and changes everything",
        "`redis-cli CONFIG SET requirepass` with a long random password, the same in redis.conf, and in the URL: rediss://:PASSWORD@HOST";
    REDIS_EVICTS_JOBS = "redis-evicts-jobs" Error:
        "the Redis of the job queue evicts keys when its memory is full",
        "jobs vanish without a trace",
        "`redis-cli CONFIG SET maxmemory-policy noeviction`, and `maxmemory-policy noeviction` in redis.conf";
    REDIS_EVICTS_AT_RANDOM = "redis-evicts-at-random" Warning:
        "the Redis of the sessions evicts keys by chance when its memory is full",
        "visitors who are active are signed out while forgotten sessions stay",
        "`redis-cli CONFIG SET maxmemory-policy volatile-lru`, and `maxmemory-policy volatile-lru` in redis.conf";
    REDIS_REFUSES_WRITES = "redis-refuses-writes" Warning:
        "the Redis of the cache evicts nothing when its memory is full; of the sessions, a notice",
        "a full instance refuses every write: nothing new is cached, and nobody can sign in",
        "`redis-cli CONFIG SET maxmemory-policy volatile-lru` (or `allkeys-lru` where only the cache is kept), and the same in redis.conf";
    REDIS_SHARED = "redis-shared" Warning:
        "roles whose needs conflict share one instance: the cache with sessions, or with a job queue",
        "a burst of cache entries signs visitors out, or leaves no room for jobs",
        "give the cache an instance of its own, and its URL to SINEW_CACHE_REDIS_URL";
    REDIS_NO_MAXMEMORY = "redis-no-maxmemory" Warning:
        "a Redis has no bound on its memory (`maxmemory`); a notice for cable and jobs",
        "it grows until the system ends it, and what it had is gone",
        "`redis-cli CONFIG SET maxmemory 256mb`, and `maxmemory 256mb` in redis.conf, three quarters of what the machine has for it";
    REDIS_NEARLY_FULL = "redis-nearly-full" Warning:
        "a Redis that is no mere cache has used 90 % of its memory",
        "soon it refuses writes, or signs visitors out",
        "raise `maxmemory`, or shorten SINEW_SESSION_SECONDS";
    REDIS_NOT_PERSISTENT = "redis-not-persistent" Notice:
        "the Redis of the sessions keeps nothing on disk",
        "when it restarts, everybody is signed out",
        "`redis-cli CONFIG SET appendonly yes`, and `appendonly yes` in redis.conf";
    REDIS_CLOCK_SKEW = "redis-clock-skew" Warning:
        "the clock of a Redis differs from ours by more than 2 s",
        "what expires does so too early or too late",
        "let both machines keep time by NTP: `timedatectl set-ntp true`";
    REDIS_UNCHECKED = "redis-unchecked" Notice:
        "a Redis does not tell how it is configured",
        "whether its eviction policy and its memory fit is not known",
        "look in the provider's console for `maxmemory-policy`: `noeviction` for jobs, `volatile-lru` for sessions and cache";
    REDIS_NOT_BUILT_IN = "redis-not-built-in" Error:
        "a store is named that is in Redis, and the program was built without it; a warning where only variables for Redis are set, a notice where that is `REDIS_URL` alone",
        "a store that is named keeps the application from starting; an address that nothing reads leaves sessions, cache and broadcasts where they are without it",
        "`cargo add sinew --features redis` and build again, or unset what is not meant";

    // PostgreSQL, where sessions or the cache are kept there (feature `postgres`).
    POSTGRES_UNREACHABLE = "postgres-unreachable" Error:
        "the PostgreSQL of the stores cannot be reached or used",
        "what is kept there cannot be read or written, and `/ready` stays red",
        "start it, or correct SINEW_DATABASE_URL; `psql URL -c 'select 1'` tries the same";
    POSTGRES_DENIED = "postgres-denied" Error:
        "the PostgreSQL of the stores does not let the application in",
        "what is kept there cannot be read or written, and `/ready` stays red",
        "put user and password into the URL as they are in the server (`\\du` in psql), and let pg_hba.conf admit this machine";
    POSTGRES_TABLES = "postgres-tables" Error:
        "the tables of the stores are missing; a notice where the start makes them",
        "nothing can be read or written until they are there",
        "run what `Postgres::schema_sql` prints as a user who may make tables, or set SINEW_DATABASE_MIGRATE=on";
    POSTGRES_PLAIN = "postgres-plain" Warning:
        "a PostgreSQL on another machine may be spoken to without TLS; a notice within a private network",
        "whoever is on the way reads sessions and passwords, and may change them",
        "SINEW_DATABASE_SSLMODE=verify-full";
    POSTGRES_NOT_BUILT_IN = "postgres-not-built-in" Error:
        "a store is named that is in PostgreSQL, and the program was built without it; a warning where only variables for PostgreSQL are set",
        "a store that is named keeps the application from starting; an address that nothing reads leaves sessions, cache and broadcasts where they are without it",
        "`cargo add sinew --features postgres` and build again, or unset what is not meant";

    // What the first requests show; the doctor itself sees none.
    UNTRUSTED_PROXY = "untrusted-proxy" Warning:
        "a request came through a proxy that is not believed",
        "every visitor has the address of that proxy and none comes over https",
        "set SINEW_TRUSTED_PROXIES to its address, a network such as 10.0.0.0/8, or `loopback`";
    INSECURE_COOKIE = "insecure-cookie" Warning:
        "a page was asked for over http, and the session cookie is always secure",
        "browsers drop the cookie then",
        "serve the site over https and set SINEW_TRUSTED_PROXIES to the proxy that does, or leave `CookieConfig::secure` at `FromRequest`";
    PAGE_WITHOUT_CLIENT = "page-without-client" Warning:
        "a page has `data-reflex` and no script (in development)",
        "its reflexes do nothing",
        "take `client: ClientTags` as an argument of its handler and write it into its <head> (not escaped)";
    COMPRESSED_PAGE = "compressed-page" Error:
        "a page came compressed when it was rendered for a page morph",
        "a page morph cannot read it, and its reflex fails",
        "compress only for requests with `Accept-Encoding`, as tower-http's CompressionLayer does; a page morph sends none";
}
