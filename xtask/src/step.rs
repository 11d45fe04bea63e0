//! A step: a command that is announced before it runs and must succeed.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

use crate::Result;

/// The root of the workspace.
///
/// # Errors
///
/// When cargo did not start this program.
pub(crate) fn root() -> Result<PathBuf> {
    let here = env::var_os("CARGO_MANIFEST_DIR").ok_or("start this with `cargo xtask`")?;
    Ok(Path::new(&here).parent().ok_or("the xtask package has no workspace around it")?.to_owned())
}

/// Where cargo puts what it builds: this program was built there, too.
///
/// # Errors
///
/// When this program lies somewhere else.
pub(crate) fn target() -> Result<PathBuf> {
    let program = env::current_exe()?;
    let target = program.ancestors().nth(2).ok_or("this program is outside of a target folder")?;
    Ok(target.to_owned())
}

/// Says what comes now.
pub(crate) fn announce(name: &str) {
    println!("\n==> {name}");
}

/// A command in the root of the workspace.
///
/// # Errors
///
/// When the root is unknown.
pub(crate) fn command(program: impl AsRef<OsStr>, args: &[&str]) -> Result<Command> {
    let mut command = Command::new(program);
    command.args(args).current_dir(root()?);
    Ok(command)
}

/// The cargo that started this program.
///
/// # Errors
///
/// When the root is unknown.
pub(crate) fn cargo(args: &[&str]) -> Result<Command> {
    command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), args)
}

/// Announces and runs `command`.
///
/// # Errors
///
/// When it cannot be started or does not succeed.
pub(crate) fn run(name: &str, command: &mut Command) -> Result {
    announce(name);
    let status = command.status().map_err(|error| format!("{name}: {error}"))?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("{name}: {status}").into()),
    }
}
