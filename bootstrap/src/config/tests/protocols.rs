//! Protocols that a program adds.

use std::sync::Arc;

use async_trait::async_trait;
use dittofs_ports::statistics::ProtocolStatistics;
use dittofs_transport::{ListenError, Protocol, Serving};

use super::*;

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct LineOptions {
    listen: std::net::SocketAddr,
    #[serde(default)]
    width: u32,
}

struct Line;

#[async_trait]
impl Protocol for Line {
    type Options = LineOptions;

    async fn bind(_: &LineOptions) -> Result<Line, ListenError> {
        Ok(Line)
    }

    fn start(&mut self, _: Serving) -> Result<(), ListenError> {
        Ok(())
    }

    fn announce(&self, _: &str) -> Vec<String> {
        Vec::new()
    }

    fn statistics(&self) -> Arc<dyn ProtocolStatistics> {
        unreachable!("it is only configured")
    }

    fn reload(&self, _: &LineOptions) -> Vec<&'static str> {
        Vec::new()
    }

    async fn drain(&self) {}
}

fn load_line(adapters: &str, name: &str) -> Result<Config, ConfigError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(file, "adapters: {adapters}").unwrap();
    let protocols = Protocols::built_in().with(name, ProtocolKind::of::<Line>());
    load_on(Some(Path::new(DATA)), Some(file.path()), [], &StoreKinds::built_in(), &protocols)
}

fn names(config: &Config) -> Vec<&str> {
    config.adapters.protocols.iter().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn a_protocol_is_served_where_its_section_stands_and_nfs_always() {
    assert_eq!(names(&load_line("{}", "line").unwrap()), ["nfs"]);
    let config = load_line("{ line: { listen: \"127.0.0.1:7\", width: 3 } }", "line").unwrap();
    assert_eq!(names(&config), ["nfs", "line"]);
    let options: &LineOptions = config.adapters.options("line").unwrap();
    assert_eq!((options.listen.port(), options.width), (7, 3));
    assert!(config.adapters.options::<NfsOptions>("line").is_none());
}

#[rstest]
#[case::unknown("{ line: { listen: \"127.0.0.1:7\", wide: 3 } }", "adapters.line.wide", "not known", "listen")]
#[case::missing("{ line: {} }", "adapters.line.listen", "is missing", "value")]
#[case::not_fitting("{ line: { listen: here } }", "adapters.line.listen", "can't be read", "documentation")]
#[case::no_section("{ line: loud }", "adapters.line", "not a mapping", "below it")]
#[case::another("{ word: {} }", "adapters.word", "not known", "admin, limits, line, nfs")]
fn what_its_section_says_is_checked(#[case] text: &str, #[case] key: &str, #[case] found: &str, #[case] fix: &str) {
    let all = problems(load_line(text, "line"));
    let hit = |problem: &Problem| problem.key == key && problem.found.contains(found) && problem.fix.contains(fix);
    assert!(all.iter().any(hit), "{all:#?}");
}

#[test]
fn a_program_without_it_refuses_its_section() {
    assert_refused(load_text("adapters: { line: {} }", &[]), "adapters.line", "not known", "admin, limits, nfs");
}

#[test]
fn a_protocol_takes_no_name_that_has_a_meaning() {
    assert_refused(load_line("{}", "limits"), "adapters.limits", "another meaning", "rename");
}

#[test]
fn options_that_say_the_same_are_equal() {
    let load = |width: u32| load_line(&format!("{{ line: {{ listen: \"127.0.0.1:7\", width: {width} }} }}"), "line");
    let (one, other) = (load(1).unwrap(), load(2).unwrap());
    assert_eq!(one.adapters, load(1).unwrap().adapters);
    assert_ne!(one.adapters, other.adapters);
    assert_ne!(one.adapters, load_line("{}", "line").unwrap().adapters);
}
