//! Where and with what numbers were taken: it belongs to them.

use std::{env, fs, process::Command, thread::available_parallelism};

use serde_json::{Map, Value, json};
use time::OffsetDateTime;

/// What is measured, and what it is built on.
const CRATES: [&str; 10] = [
    "narthex",
    "tokio",
    "hyper",
    "tungstenite",
    "tokio-tungstenite",
    "serde_json",
    "axum",
    "fastwebsockets",
    "socketioxide",
    "engineioxide",
];

/// How the command is handed over by who wraps it.
const COMMAND: &str = "NARTHEX_BENCH_COMMAND";

/// The command, the date (UTC), the machine and the versions.
pub(crate) fn describe() -> Map<String, Value> {
    let entries = [
        ("command", command().into()),
        ("date", OffsetDateTime::now_utc().date().to_string().into()),
        ("machine", machine()),
        ("rustc", rustc().into()),
        ("versions", versions(include_str!("../../Cargo.lock")).into()),
    ];
    entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn command() -> String {
    env::var(COMMAND).unwrap_or_else(|_| {
        let options = env::args().skip(1);
        ["narthex-benches".to_owned()].into_iter().chain(options).collect::<Vec<_>>().join(" ")
    })
}

fn machine() -> Value {
    let field = |file: &str, name: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_owned())
    };
    let memory = field("/proc/meminfo", "MemTotal");
    let kilobytes = memory.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    json!({
        "cores": available_parallelism().map(usize::from).ok(),
        "processor": field("/proc/cpuinfo", "model name"),
        "memory_gib": kilobytes.map(|kilobytes| (kilobytes / 1024.0 / 1024.0).round()),
        "kernel": fs::read_to_string("/proc/sys/kernel/osrelease").ok().map(|text| text.trim().to_owned()),
    })
}

/// The compiler of this path; it is the one that built this program where `cargo` started both.
fn rustc() -> Option<String> {
    let version = Command::new("rustc").arg("--version").output().ok()?;
    Some(String::from_utf8(version.stdout).ok()?.trim().to_owned())
}

/// The versions of [`CRATES`] in a lock file. Of several versions of one crate the last is named.
fn versions(lock: &str) -> Map<String, Value> {
    let mut versions = Map::new();
    let mut name = "";
    for line in lock.lines() {
        let quoted = |key: &str| line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"');
        if let Some(of) = quoted("name") {
            name = of;
        } else if let Some(version) = quoted("version")
            && CRATES.contains(&name)
        {
            versions.insert(name.to_owned(), version.into());
        }
    }
    versions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_of_the_lock_file() {
        let lock = "[[package]]\nname = \"tokio\"\nversion = \"1.2.3\"\n\n[[package]]\nname = \"other\"\nversion = \"4.0.0\"\n";
        assert_eq!(Value::from(versions(lock)), json!({ "tokio": "1.2.3" }));
    }

    #[test]
    fn numbers_carry_their_machine_and_date() {
        let all = describe();
        assert!(all["machine"]["cores"].as_u64().is_some_and(|cores| cores > 0));
        assert!(all["date"].as_str().is_some_and(|date| date.starts_with("20")));
        assert!(all["versions"]["tokio-tungstenite"].is_string());
    }
}
