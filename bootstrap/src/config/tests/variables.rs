//! Variables of the environment.

use super::*;

#[test]
fn variables_override_single_fields() {
    let environment = [
        ("DITTOFS_LOG__LEVEL", "trace"),
        ("DITTOFS_JOURNAL__SIZE", "2GiB"),
        ("DITTOFS_ADAPTERS__NFS__LISTEN", "[::1]:0"),
        ("DITTOFS_ADAPTERS__LIMITS__CONNECTIONS", "7"),
        ("DITTOFS_SHARES__0__READ_ONLY", "true"),
        ("DITTOFS_SHARES__0__CLIENTS", "[10.0.0.0/8]"),
        ("DITTOFS_SHARES__0__CLIENTS__0", "192.168.0.0/16"),
        ("OTHER_LOG__LEVEL", "loud"),
    ];
    let text = SAMPLE.replace("level: info", "level: warn");
    let config = load_text(&text, &environment).unwrap();
    assert_eq!(config.log.level, LogLevel::Trace);
    assert_eq!(config.journal.size, ByteSize(2 << 30));
    assert_eq!(config.adapters.nfs.listen.to_string(), "[::1]:0");
    assert_eq!(config.adapters.limits.connections, 7);
    assert!(config.shares[0].read_only);
    assert_eq!(config.shares[0].clients[0].to_string(), "192.168.0.0/16");
}

#[test]
fn variables_override_the_defaults_where_there_is_no_file() {
    let environment = [("DITTOFS_LOG__FORMAT".to_owned(), "json".to_owned())];
    let config = load_on(Some(Path::new(DATA)), None, environment, &StoreKinds::built_in()).unwrap();
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(config.shares[0].name, "/export");
}

#[test]
fn a_problem_names_the_variable_that_set_the_value() {
    let environment = [("DITTOFS_LOG__LEVEL", "loud")];
    let error = load_text(SAMPLE, &environment).unwrap_err();
    assert_eq!(error.0[0].variable.as_deref(), Some("DITTOFS_LOG__LEVEL"));
    assert!(error.to_string().contains("set by DITTOFS_LOG__LEVEL"), "{error}");
}

#[rstest]
#[case::unknown("DITTOFS_COLOUR", "colour", "not known")]
#[case::no_such_item("DITTOFS_SHARES__5__READ_ONLY", "DITTOFS_SHARES__5__READ_ONLY", "has 1")]
#[case::below_a_value("DITTOFS_LOG__LEVEL__X", "DITTOFS_LOG__LEVEL__X", "below a plain value")]
#[case::empty_part("DITTOFS_LOG____LEVEL", "DITTOFS_LOG____LEVEL", "empty")]
fn a_variable_that_leads_nowhere_is_refused(#[case] variable: &str, #[case] key: &str, #[case] found: &str) {
    assert_refused(load_text(SAMPLE, &[(variable, "1")]), key, found, "");
}
