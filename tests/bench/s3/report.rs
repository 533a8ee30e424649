//! The report.

use std::fmt::Write;

use crate::Options;

/// A figure, and whether it meets its target.
struct Row {
    what: String,
    found: String,
    wanted: String,
    is_met: Option<bool>,
}

pub(crate) struct Report {
    head: String,
    rows: Vec<Row>,
}

impl Report {
    pub(crate) fn new(options: &Options) -> Report {
        let mut head = String::from(
            "# Performance with content in S3\n\nWritten by `tests/bench/s3.sh`; do not edit.\n\n\
             The server is a release build, with its content in an S3 server (`s3s-fs`) on the same machine. A\n\
             proxy between them delays each request, then passes on the whole request, and later the whole\n\
             answer. Client, server, proxy and store share the machine's cores, which limit the rates. The limits\n\
             are the rates of the same store through the same proxy to the same HTTP client without the server,\n\
             at the best of several depths.\n\n",
        );
        for fact in &options.fact {
            writeln!(head, "- {fact}").unwrap();
        }
        writeln!(head, "- Each request waits {} ms", options.delay).unwrap();
        Report { head, rows: Vec::new() }
    }

    /// A figure that is only reported.
    pub(crate) fn note(&mut self, what: impl Into<String>, found: impl Into<String>) {
        self.push(what.into(), found.into(), String::new(), None);
    }

    /// A figure with a bar.
    pub(crate) fn judge(
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

    pub(crate) fn is_met(&self) -> bool {
        self.rows.iter().all(|row| row.is_met != Some(false))
    }

    pub(crate) fn table(&self) -> String {
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

    pub(crate) fn text(&self) -> String {
        format!("{}\n{}", self.head, self.table())
    }
}
