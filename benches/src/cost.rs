//! What a server process has used, as the kernel counts it.

use std::{fs, time::Duration};

use crate::Result;

/// CPU time of all threads of `pid` that live now.
///
/// # Errors
///
/// When the process is gone, or the kernel keeps no scheduler statistics.
pub(crate) fn cpu(pid: u32) -> Result<Duration> {
    let mut nanoseconds = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let statistics = fs::read_to_string(task?.path().join("schedstat"))?;
        let on_cpu = statistics.split_whitespace().next().ok_or("an empty schedstat")?;
        nanoseconds += on_cpu.parse::<u64>()?;
    }
    match nanoseconds {
        0 => Err("the kernel keeps no scheduler statistics (schedstat is all zero)".into()),
        some => Ok(Duration::from_nanos(some)),
    }
}

/// Resident memory of `pid` in bytes, counted page by page.
///
/// # Errors
///
/// When the process is gone or belongs to someone else.
pub(crate) fn memory(pid: u32) -> Result<u64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Rss:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()).ok_or("no Rss in smaps_rollup")?;
    Ok(kilobytes.parse::<u64>()? * 1024)
}

/// Makes sure that `sockets` fit under the limit of open files, which the servers inherit.
///
/// # Errors
///
/// Says which limit to raise when they do not.
pub(crate) fn require_files(sockets: usize) -> Result {
    let limits = fs::read_to_string("/proc/self/limits")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next()).ok_or("no limit of open files")?;
    let needed = sockets + 100;
    match soft.parse::<usize>() {
        Ok(soft) if soft < needed => Err(format!(
            "{sockets} connections need {needed} open files, the limit is {soft}: raise it with `ulimit -n {needed}`"
        )
        .into()),
        // `unlimited` is no number.
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory() {
        assert!(memory(std::process::id()).unwrap() > 0);
    }

    #[test]
    fn a_limit_that_is_too_low_is_named() {
        let error = require_files(1 << 40).map_or_else(|error| error.to_string(), |()| String::new());
        assert!(error.is_empty() || error.contains("ulimit -n"), "{error}");
    }
}
