//! Running the cases, and what became of them.

use std::{any::Any, fmt, panic::AssertUnwindSafe, time::Duration};

use futures_util::{FutureExt, StreamExt, stream};

use crate::{
    cases::{Case, cases},
    door::{Door, Need},
    kit::Kit,
};

/// How long one case may take. Hanging is a failure too.
const CASE: Duration = Duration::from_secs(60);

/// How many cases run at a time: most of the time they wait.
const AT_ONCE: usize = 8;

/// What became of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It holds.
    Passed,
    /// The door cannot show it, for want of this.
    Skipped(Need),
    /// It does not hold.
    Failed(String),
}

/// What became of all cases.
#[derive(Clone, Debug, Default)]
#[must_use = "a report that nobody looks at proves nothing: call assert()"]
pub struct Report(Vec<(&'static str, Verdict)>);

/// Runs every case, each on a server of its own. One that fails or hangs does not stop the others.
pub async fn run(door: &dyn Door) -> Report {
    let verdicts = stream::iter(cases())
        .map(|case| async move { (case.name(), run_case(&case, door).await) })
        .buffered(AT_ONCE);
    Report(verdicts.collect().await)
}

/// Runs one case.
pub async fn run_case(case: &Case, door: &dyn Door) -> Verdict {
    let shows = door.shows();
    if let Some(&need) = case.needs().iter().find(|&&need| !shows.has(need)) {
        return Verdict::Skipped(need);
    }
    let running = AssertUnwindSafe(case.start(Kit::new(door))).catch_unwind();
    match tokio::time::timeout(CASE, running).await {
        Err(_) => Verdict::Failed("it hangs".to_owned()),
        Ok(Err(panic)) => Verdict::Failed(format!("it panicked: {}", text(&*panic))),
        Ok(Ok(Err(fail))) => Verdict::Failed(fail.to_string()),
        Ok(Ok(Ok(()))) => Verdict::Passed,
    }
}

fn text(panic: &(dyn Any + Send)) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no text")
}

impl Report {
    /// The cases in their order, with their verdicts.
    pub fn verdicts(&self) -> impl Iterator<Item = (&'static str, &Verdict)> {
        self.0.iter().map(|(name, verdict)| (*name, verdict))
    }

    /// How many passed.
    pub fn passed(&self) -> usize {
        self.count(|verdict| *verdict == Verdict::Passed)
    }

    /// How many the door cannot show.
    pub fn skipped(&self) -> usize {
        self.count(|verdict| matches!(verdict, Verdict::Skipped(_)))
    }

    /// How many failed.
    pub fn failed(&self) -> usize {
        self.count(|verdict| matches!(verdict, Verdict::Failed(_)))
    }

    fn count(&self, is: impl Fn(&Verdict) -> bool) -> usize {
        self.0.iter().filter(|(_, verdict)| is(verdict)).count()
    }

    /// Does nothing where no case failed.
    ///
    /// # Panics
    /// With the whole report where one did.
    #[track_caller]
    pub fn assert(&self) {
        assert!(self.failed() == 0, "{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} passed, {} skipped, {} failed", self.passed(), self.skipped(), self.failed())?;
        for (name, verdict) in self.verdicts() {
            match verdict {
                Verdict::Passed => {}
                Verdict::Skipped(need) => writeln!(f, "skipped (needs {need}): {name}")?,
                Verdict::Failed(why) => writeln!(f, "FAILED: {name}\n    {why}")?,
            }
        }
        Ok(())
    }
}
