//! Tests that the snippets in the documents can be pasted.

use super::*;

const GUIDE: &str = include_str!("../../../../docs/user-guide.md");
const README: &str = include_str!("../../../../README.md");

/// The blocks of YAML in a document, and what its text has between backticks that begins with a section.
fn snippets(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut block: Option<String> = None;
    for line in text.lines() {
        match (&mut block, line.trim_start()) {
            (None, "```yaml") => block = Some(String::new()),
            (None, _) => {
                let quoted = line.split('`').skip(1).step_by(2);
                let is_snippet = |quoted: &&str| {
                    let section = quoted.split_once(": ").map(|(section, _)| section);
                    section.is_some_and(|section| environment::SECTIONS.contains(&section))
                };
                found.extend(quoted.filter(is_snippet).map(str::to_owned));
            }
            (Some(_), "```") => found.extend(block.take()),
            (Some(text), _) => *text += &format!("{line}\n"),
        }
    }
    found
}

#[test]
fn every_snippet_of_the_documents_loads_as_it_is() {
    let all: Vec<String> = [GUIDE, README].into_iter().flat_map(snippets).collect();
    assert!(all.len() >= 7, "{all:#?}");
    for snippet in all {
        if let Err(error) = load_text(&snippet, &[]) {
            panic!("{snippet}\n{error}");
        }
    }
}

#[test]
fn snippets_are_found() {
    let text = "text `log: { level: info }` and `name: x`\n\n```sh\nlog: x\n```\n```yaml\na: 1\nb: 2\n```\n";
    assert_eq!(snippets(text), ["log: { level: info }", "a: 1\nb: 2\n"]);
}

#[test]
fn the_guide_tells_the_sum_of_the_caches() {
    let config = defaults();
    let redb = dittofs_redb::RedbOptions::CACHE_BYTES_USUAL + dittofs_redb::RedbOptions::ROW_CACHE_BYTES_USUAL;
    let caches = config.cache.memory.0 + config.cache.readahead.0 + nfs_of(&config).limits.reply_cache as u64;
    let sum = (caches + redb as u64) >> 20;
    assert!(GUIDE.contains(&format!("The caches come to {sum} MiB")), "{sum}");
}
