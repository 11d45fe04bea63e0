//! Draws results: ratios as bars, curves as lines.

mod bars;
mod curves;
mod data;
mod style;

use std::{fs, path::PathBuf};

use clap::Parser;
use serde_json::Value;

use self::data::Data;
use crate::Result;

/// What to draw.
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// Results, as `--json` writes them.
    #[arg(long)]
    json: PathBuf,
    /// The drawing.
    #[arg(long)]
    svg: PathBuf,
}

/// Draws results that were written before.
pub(crate) fn plot(args: &Args) -> Result {
    let text = fs::read(&args.json).map_err(|error| format!("{}: {error}", args.json.display()))?;
    Ok(fs::write(&args.svg, svg(&serde_json::from_slice(&text)?)?)?)
}

/// The results as an SVG: curves where there are any, else bars.
///
/// # Errors
///
/// When there is nothing to draw.
pub(crate) fn svg(results: &Value) -> Result<String> {
    let data = Data::read(results)?;
    match (data.curves.is_empty(), data.bars.is_empty()) {
        (false, _) => curves::svg(&data),
        (true, false) => bars::svg(&data),
        (true, true) => Err("there is nothing to draw".into()),
    }
}
