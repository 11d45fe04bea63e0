//! Where results go besides the terminal.

use std::{fs, path::PathBuf};

use serde_json::Value;

use crate::{Result, machine, plot};

/// Files for the results.
#[derive(Debug, clap::Args)]
pub(crate) struct Output {
    /// Also write every number to this file.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Also draw the results into this file.
    #[arg(long)]
    svg: Option<PathBuf>,
}

impl Output {
    /// Writes `results`, with where they come from, to the files that were asked for.
    ///
    /// # Errors
    ///
    /// When a file cannot be written.
    pub(crate) fn write(&self, mut results: Value) -> Result {
        if let Value::Object(results) = &mut results {
            results.extend(machine::describe());
        }
        if let Some(file) = &self.json {
            fs::write(file, format!("{results:#}\n"))?;
        }
        match &self.svg {
            Some(file) => Ok(fs::write(file, plot::svg(&results)?)?),
            None => Ok(()),
        }
    }
}
