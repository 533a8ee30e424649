//! A report of a measurement: figures, and whether they meet their targets.

use std::fmt::Write;

/// A figure, and whether it meets its target.
struct Row {
    what: String,
    found: String,
    wanted: String,
    is_met: Option<bool>,
}

/// A report.
pub struct Report {
    head: String,
    rows: Vec<Row>,
}

impl Report {
    /// One that begins with this text, and then facts, a line each.
    pub fn new(text: &str, facts: &[String]) -> Report {
        let mut head = format!("{text}\n\n");
        for fact in facts {
            writeln!(head, "- {fact}").unwrap();
        }
        Report { head, rows: Vec::new() }
    }

    /// A figure that is only reported.
    pub fn note(&mut self, what: impl Into<String>, found: impl Into<String>) {
        self.push(what.into(), found.into(), String::new(), None);
    }

    /// A figure with a bar.
    pub fn judge(
        &mut self,
        what: impl Into<String>,
        found: impl Into<String>,
        wanted: impl Into<String>,
        is_met: bool,
    ) {
        self.push(what.into(), found.into(), wanted.into(), Some(is_met));
    }

    fn push(&mut self, what: String, found: String, wanted: String, is_met: Option<bool>) {
        println!("{what}: {found} {wanted}");
        self.rows.push(Row { what, found, wanted, is_met });
    }

    /// Whether all targets are met.
    pub fn is_met(&self) -> bool {
        self.rows.iter().all(|row| row.is_met != Some(false))
    }

    /// The figures, as a table.
    pub fn table(&self) -> String {
        let mut table = String::from("| what | measured | target | |\n|---|---:|---:|---|\n");
        for Row { what, found, wanted, is_met } in &self.rows {
            let is_met = match is_met {
                Some(true) => "met",
                Some(false) => "**not met**",
                None => "",
            };
            writeln!(table, "| {what} | {found} | {wanted} | {is_met} |").unwrap();
        }
        table
    }

    /// All of it.
    pub fn text(&self) -> String {
        format!("{}\n{}", self.head, self.table())
    }
}
