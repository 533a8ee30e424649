//! The files of the project.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use crate::lexer;

/// A Rust file, with its text and its bare code.
pub(crate) struct Source {
    /// Relative to the root of the project.
    pub(crate) path: String,
    pub(crate) text: String,
    /// The text with comments and the insides of literals blanked; lines are kept.
    pub(crate) code: String,
}

impl Source {
    /// Whether the file is there for tests only.
    pub(crate) fn is_test(&self) -> bool {
        let parts: Vec<&str> = self.path.split('/').collect();
        parts.iter().any(|part| matches!(*part, "tests" | "tests.rs" | "benches" | "examples"))
    }

    pub(crate) fn is_below(&self, folder: &str) -> bool {
        self.path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
    }

    pub(crate) fn lines(&self) -> usize {
        self.text.lines().count()
    }
}

/// The root of the project.
pub(crate) static ROOT: LazyLock<PathBuf> =
    LazyLock::new(|| Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests crate has a parent").to_owned());

/// Every file that git tracks or would take, relative to the root.
pub(crate) static FILES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(&*ROOT)
        .output()
        .expect("git can be run");
    assert!(listed.status.success(), "git ls-files: {}", String::from_utf8_lossy(&listed.stderr));
    let names = String::from_utf8(listed.stdout).expect("file names are UTF-8");
    let mut names: Vec<String> = names.split_terminator('\0').map(str::to_owned).collect();
    // A file that is deleted but not yet committed is still listed.
    names.retain(|name| ROOT.join(name).is_file());
    names.sort_unstable();
    names.dedup();
    names
});

/// Every Rust file.
pub(crate) static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| {
    let rust = FILES.iter().filter(|name| name.ends_with(".rs"));
    rust.map(|name| {
        let text = read(name);
        let code = lexer::bare_code(&text);
        Source { path: name.clone(), text, code }
    })
    .collect()
});

/// The text of a file; bytes that are not UTF-8 are replaced.
pub(crate) fn read(name: &str) -> String {
    let bytes = std::fs::read(ROOT.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The positions at which `word` stands in `code` by itself, not as a part of a longer word.
pub(crate) fn positions<'c>(code: &'c str, word: &'c str) -> impl Iterator<Item = usize> + 'c {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let before = code[..*at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        let ends_open = !word.ends_with(is_word);
        !(word.starts_with(is_word) && before.is_some_and(is_word)) && (ends_open || !after.is_some_and(is_word))
    })
}

/// The number of the line at a position, from 1.
pub(crate) fn line_at(text: &str, position: usize) -> usize {
    text[..position].matches('\n').count() + 1
}
