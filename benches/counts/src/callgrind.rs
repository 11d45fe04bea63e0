//! Runs one path under callgrind and reads what it counted.

use std::{
    collections::HashMap,
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{Result, section};

/// What the standard library calls for memory.
const ALLOCATORS: [&str; 4] = ["malloc", "calloc", "realloc", "posix_memalign"];

/// What one message or member cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Count {
    /// Instructions in user space.
    pub(crate) instructions: f64,
    /// Calls for memory, those to make it larger included.
    pub(crate) allocations: f64,
}

impl Count {
    /// The one with fewer instructions.
    pub(crate) fn min(self, other: Self) -> Self {
        if other.instructions < self.instructions { other } else { self }
    }
}

/// Counts the path `key`. Callgrind's file stays in `keep` where that is given.
///
/// # Errors
///
/// When valgrind is missing or the path failed.
pub(crate) fn count(key: &str, keep: Option<&Path>) -> Result<Count> {
    let file = match keep {
        Some(folder) => folder.join(format!("{key}.callgrind")),
        None => env::temp_dir().join(format!("narthex-counts-{}-{key}", std::process::id())),
    };
    let units = run(key, &file);
    let profile = fs::read_to_string(&file);
    if keep.is_none() && file.exists() {
        fs::remove_file(&file)?;
    }
    let (units, profile) = (units?, Profile::read(&profile?)?);
    let each = |total: u64| total as f64 / units as f64;
    Ok(Count { instructions: each(profile.instructions), allocations: each(profile.allocations) })
}

fn run(key: &str, file: &Path) -> Result<u64> {
    let mut callgrind = Command::new("valgrind");
    callgrind.args(["--tool=callgrind", "--quiet", "--dump-instr=yes", "--compress-pos=no"]);
    callgrind.arg(format!("--toggle-collect={}", section::TOGGLE)).arg(out_file(file));
    callgrind.arg(env::current_exe()?).args(["work", key]);
    let output = callgrind.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("valgrind: {error} (Debian has it as `valgrind`)"))?;
    if !output.status.success() {
        return Err(format!("{key}: {}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

/// Callgrind expands `%` in its argument.
fn out_file(file: &Path) -> String {
    let file = PathBuf::from(file).display().to_string();
    format!("--callgrind-out-file={}", file.replace('%', "%%"))
}

/// What is in callgrind's file.
#[derive(Debug, PartialEq, Eq)]
struct Profile {
    instructions: u64,
    allocations: u64,
}

impl Profile {
    /// Reads the total, and how often the allocator was entered: as often as its first instruction was run. What the file
    /// says of calls would not do, they are noted while nothing is counted, too. (The format is in valgrind's manual,
    /// "Callgrind Format Specification".)
    fn read(text: &str) -> Result<Self> {
        let mut instructions = None;
        let mut names = HashMap::new();
        // For each function of the allocator its first instruction, and how often that was run.
        let mut entries: HashMap<&str, (u64, u64)> = HashMap::new();
        let (mut function, mut lines) = ("", text.lines());
        while let Some(line) = lines.next() {
            if let Some(total) = line.strip_prefix("totals: ").or_else(|| line.strip_prefix("summary: ")) {
                instructions = Some(total.trim().parse()?);
            } else if let Some(name) = line.strip_prefix("fn=") {
                function = name_of(name, &mut names);
            } else if let Some(name) = line.strip_prefix("cfn=") {
                name_of(name, &mut names);
            } else if line.starts_with("calls=") {
                // What was called has cost the next line.
                lines.next();
            } else if ALLOCATORS.contains(&function)
                && let Some((address, cost)) = instruction(line)
            {
                let entry = entries.entry(function).or_insert((address, cost));
                *entry = (*entry).min((address, cost));
            }
        }
        match instructions {
            Some(instructions) if instructions > 0 => {
                let allocations = entries.values().map(|(_, cost)| cost).sum();
                Ok(Self { instructions, allocations })
            }
            _ => Err("callgrind counted nothing".into()),
        }
    }
}

/// Reads the cost of one instruction: `0xaddress line cost`.
fn instruction(line: &str) -> Option<(u64, u64)> {
    let mut parts = line.strip_prefix("0x")?.split(' ');
    let address = u64::from_str_radix(parts.next()?, 16).ok()?;
    Some((address, parts.nth(1)?.parse().ok()?))
}

/// A function is `(number) name` where it is named first, and `(number)` from then on.
fn name_of<'a>(text: &'a str, names: &mut HashMap<&'a str, &'a str>) -> &'a str {
    match text.split_once(' ') {
        Some((number, name)) => {
            names.insert(number, name);
            name
        }
        None => names.get(text).copied().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allocation_is_a_run_of_the_first_instruction_of_the_allocator() {
        let text = "positions: instr line\nevents: Ir\nfn=(1) main\n0x10 1 5\ncfn=(2) malloc\ncalls=9 0x20 0\n\
                    0x12 1 90\n0x14 1 5\nfn=(2)\n0x22 0 4\n0x20 0 3\ncfn=(3) other\ncalls=7 0x30 0\n0x21 0 40\n\
                    fn=(3)\n0x30 1 14\ntotals: 163\n";
        assert_eq!(Profile::read(text).unwrap(), Profile { instructions: 163, allocations: 3 });
    }

    #[test]
    fn a_profile_in_which_nothing_was_counted_is_refused() {
        assert!(Profile::read("events: Ir\ntotals: 0\n").is_err());
    }
}
