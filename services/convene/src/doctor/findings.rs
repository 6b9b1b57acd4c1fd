//! What `convene doctor` may find besides the provider's: a closed list.

use convene_kit::finding::{
    Kind,
    Severity::{Failure, Ok, Warning},
};

const CONFIGURATION: &str = "CONFIGURATION";
const ADDRESS: &str = "ADDRESS";
const FILE: &str = "FILE";
const DATABASE: &str = "DATABASE";
const ROLE: &str = "ROLE";
const PROVIDER: &str = "PROVIDER";

macro_rules! kinds {
    ($($name:ident: $severity:ident $about:ident, $says:literal, $remedy:literal;)+) => {
        $(pub(super) const $name: Kind = Kind {
            code: stringify!($name),
            severity: $severity,
            about: $about,
            says: $says,
            remedy: $remedy,
        };)+

        /// All of them.
        pub const FINDINGS: &[Kind] = &[$($name),+];
    };
}

kinds! {
    CONFIGURATION_LOADS: Ok CONFIGURATION, "can be used", "";
    CONFIGURATION_UNUSABLE: Failure CONFIGURATION, "cannot be used: {detail}",
        "Mend the place that is named; schema/config.schema.json has every member, `convene config check FILE` says when it is right.";
    DEVELOPMENT_IN_PUBLIC: Failure CONFIGURATION, "development = true, and {detail} can be reached from elsewhere: whoever holds an admin key moves the clock, and a first key was made by itself",
        "Set development = false; keys come from `convene tenant create`.";
    ADDRESS_NOT_ALLOWED: Failure ADDRESS, "{detail} can be reached from elsewhere and is not allowed: the process does not start",
        "Use 127.0.0.1 behind a proxy with TLS, or set allow_public = true beside listen in a network of your own.";
    ADDRESS_PUBLIC: Warning ADDRESS, "{detail} can be reached from elsewhere, without TLS of its own",
        "Let others in through a proxy with TLS only.";
    TLS_MISSING: Failure ADDRESS, "{detail} is not loopback, and there is no [tls]: the process does not start",
        "Name ca, certificate and key in [tls] (`convene certificates --dir DIR` makes some for development), or use 127.0.0.1.";
    ADDRESS_NOT_ENCRYPTED: Failure ADDRESS, "{detail} is neither https nor loopback: secrets go over the wire as they are",
        "Use https.";
    KEY_FILE_GOOD: Ok FILE, "readable for its owner only, with the keys of {roles}", "";
    KEY_FILE_ABSENT: Ok FILE, "not there yet; the first start makes it", "";
    KEY_FILE_UNUSABLE: Failure FILE, "{detail}",
        "Put the file there with `convene keys export --roles ROLE --out FILE` from the installation's own, owned by the user of the process, and chmod 600 it.";
    KEY_MISSING: Failure FILE, "{detail}",
        "Export it anew from the installation's own file: convene keys export --roles '{roles}' --out '{subject}'.";
    CERTIFICATE_GOOD: Ok FILE, "good until {until}", "";
    CERTIFICATE_ENDS_SOON: Warning FILE, "ends on {until}, in {days} days",
        "Have it issued anew, put it there, and restart the process.";
    CERTIFICATE_ENDED: Failure FILE, "ended on {until}: no other role is reached", "Have it issued anew, put it there, and restart the process.";
    CERTIFICATE_NOT_BEGUN: Failure FILE, "begins on {from} only", "Check the machine's clock, or have it issued anew.";
    CERTIFICATE_UNUSABLE: Failure FILE, "{detail}",
        "Put PEM files there that belong together, the key with mode 0600; `convene certificates --dir DIR` makes some for development.";
    CERTIFICATE_WITHOUT_ROLE: Failure FILE, "does not name {roles}: callers look for the role's name and turn away",
        "Have it issued with the DNS names {roles} besides the host's.";
    DATABASE_READY: Ok DATABASE, "{version}, up to date, answers in {ms} ms", "";
    DATABASE_ABSENT: Ok DATABASE, "not there yet; the first start makes it", "";
    DATABASE_NOT_MADE: Failure DATABASE, "not there, and database.migrate_at_start = false: the process does not start",
        "Run `convene migrate` with the same configuration.";
    DATABASE_BEHIND: Ok DATABASE, "{version}; lacks {count} migrations, which the next start applies", "";
    DATABASE_OUTDATED: Failure DATABASE, "{version}; lacks {count} migrations, and database.migrate_at_start = false",
        "Run `convene migrate` with the same configuration.";
    DATABASE_NEWER: Failure DATABASE, "{version}; has {count} migrations that this program does not know: a newer one was here",
        "Run the newer program, or restore the backup that was made before it.";
    DATABASE_UNREACHABLE: Failure DATABASE, "{detail}",
        "Check database.url or the data folder, that the server runs, and that the user may connect.";
    DATABASE_TOO_OLD: Failure DATABASE, "{version}; PostgreSQL 14 or newer is needed", "Upgrade the server.";
    DATABASE_SLOW: Warning DATABASE, "takes {ms} ms for a question about nothing",
        "Bring process and server nearer to each other, or find out what keeps the server or the disk busy.";
    DATABASE_READ_ONLY: Failure DATABASE, "takes no changes: a standby, or read-only by default",
        "Name the primary in database.url.";
    DATABASE_CLOSED: Failure DATABASE, "the user may not make the schema",
        "As the database's owner: GRANT CREATE ON DATABASE … TO …; or run `convene migrate` as a user who may.";
    DATABASE_NOT_DURABLE: Failure DATABASE, "{setting} = off: an acknowledged booking is lost when the server crashes",
        "ALTER SYSTEM SET {setting} = on; SELECT pg_reload_conf();";
    DATABASE_ENDS_SESSIONS: Warning DATABASE, "idle_session_timeout = {ms} ms ends the sessions that hold leases and listen for news",
        "ALTER ROLE … SET idle_session_timeout = 0 for the user in database.url.";
    DATABASE_CONNECTIONS_FEW: Warning DATABASE, "gives {max} connections; one process with these roles takes up to {count}",
        "ALTER SYSTEM SET max_connections to what all processes take together and restart the server, or lower database.connections.";
    DATABASE_NOT_ENCRYPTED: Warning DATABASE, "the connection leaves this machine and is not encrypted",
        "Add ?sslmode=verify-full to database.url.";
    DATABASE_CLOCK_OFF: Warning DATABASE, "the server's clock is {seconds} s {direction} ours; what is due is judged by the server's",
        "Keep both machines' time by NTP.";
    ROLE_SERVES: Ok ROLE, "serves at {address}", "";
    ROLE_SILENT: Failure ROLE, "does not answer at {address}: {detail}",
        "Start it, or mend peers.{role} or the network between.";
    ROLE_NOT_READY: Failure ROLE, "answers at {address} and does not serve",
        "It waits for business time (start the gateway) or for its database; see /ready of its process.";
    ROLE_OTHER: Failure ROLE, "another role answers at {address}", "Correct peers.{role}.";
    PROVIDER_BUILT_IN: Ok PROVIDER, "the built-in simulator, which runs with the node; it is not running now", "";
    SIMULATOR_SILENT: Failure PROVIDER, "no simulator answers at {subject}", "Start it: convene simulator; or correct simulator.url.";
    PROVIDER_MISCONFIGURED: Failure PROVIDER, "{detail}", "Correct [provider].";
}
