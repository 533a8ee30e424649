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
    assert_eq!(config.log.levels, LogLevels::of(LogLevel::Trace));
    assert_eq!(config.journal.size, ByteSize(2 << 30));
    assert_eq!(nfs_of(&config).listen.to_string(), "[::1]:0");
    assert_eq!(config.adapters.limits.connections, 7);
    assert!(config.shares[0].read_only);
    assert_eq!(config.shares[0].clients[0].to_string(), "192.168.0.0/16");
}

fn load_without_file(environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
    load_on(Some(Path::new(DATA)), None, owned(environment), &StoreKinds::built_in(), &Protocols::built_in())
}

#[test]
fn variables_override_the_defaults_where_there_is_no_file() {
    let environment = [("DITTOFS_LOG__FORMAT", "json"), ("DITTOFS_SHARES__0__READ_ONLY", "true")];
    let config = load_without_file(&environment).unwrap();
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!((config.shares[0].name.as_str(), config.shares[0].read_only), ("/export", true));
}

#[test]
fn a_server_can_be_configured_by_variables_alone() {
    let environment = [
        ("DITTOFS_CONTENT__STORES__CLOUD__TYPE", "s3"),
        ("DITTOFS_CONTENT__STORES__CLOUD__S3__BUCKET", "007"),
        ("DITTOFS_CONTENT__STORES__CLOUD__S3__TRANSFER__REQUESTS", "7"),
        ("DITTOFS_CONTENT__STORES__CLOUD__S3__TRANSFER__PART_SIZE", "16MiB"),
        ("DITTOFS_CONTENT__STORES__CLOUD__S3__CREDENTIALS__FROM", "keys"),
        ("DITTOFS_CONTENT__STORES__CLOUD__S3__CREDENTIALS__ACCESS_KEY_ID", "12e5"),
        ("DITTOFS_CONTENT__STORES__CLOUD__S3__CREDENTIALS__SECRET_ACCESS_KEY", "0123456789"),
        // The environment has no order.
        ("DITTOFS_SHARES__2__METADATA_STORE", "local"),
        ("DITTOFS_SHARES__2__CONTENT_STORE", "local"),
        ("DITTOFS_SHARES__2__NAME", "/two"),
        ("DITTOFS_SHARES__1__NAME", "/one"),
        ("DITTOFS_SHARES__1__CONTENT_STORE", "cloud"),
        ("DITTOFS_SHARES__1__METADATA_STORE", "local"),
    ];
    let config = load_without_file(&environment).unwrap();
    let names: Vec<&str> = config.shares.iter().map(|share| share.name.as_str()).collect();
    assert_eq!(names, ["/export", "/one", "/two"]);
    let options: dittofs_object_store::S3Options = config.content["cloud"].options.read().unwrap();
    assert_eq!((options.bucket.as_str(), options.transfer.requests), ("007", 7));
    assert_eq!(options.transfer.part_size, 16 << 20);
    let keys = dittofs_object_store::S3Credentials::Keys {
        access_key_id: "12e5".to_owned(),
        secret_access_key: dittofs_object_store::Secret::new("0123456789"),
    };
    assert_eq!(options.credentials, keys);
}

#[rstest]
#[case("DITTOFS_SERVICE_HOST")]
#[case("DITTOFS_SERVICE_PORT")]
#[case("DITTOFS_SERVICE_PORT_NFS")]
#[case("DITTOFS_NFS_SERVICE_HOST")]
#[case("DITTOFS_PORT")]
#[case("DITTOFS_PORT_12049_TCP")]
#[case("DITTOFS_PORT_12049_TCP_PROTO")]
#[case("DITTOFS_PORT_12049_TCP_PORT")]
#[case("DITTOFS_NFS_PORT_12049_TCP_ADDR")]
#[case("DITTOFS_PORT_111_UDP")]
fn variables_of_an_orchestrator_are_not_ours(#[case] variable: &str) {
    load_text(SAMPLE, &[(variable, "tcp://10.0.0.1:12049")]).unwrap();
}

#[rstest]
#[case::a_key("DITTOFS_ADAPTERS__NFS__PORT", "adapters.nfs.PORT")]
#[case::no_number("DITTOFS_PORT_X_TCP", "PORT_X_TCP")]
#[case::no_form("DITTOFS_PORTS", "PORTS")]
#[case::no_protocol("DITTOFS_PORT_1_FTP", "PORT_1_FTP")]
fn variables_that_only_look_alike_are_refused(#[case] variable: &str, #[case] key: &str) {
    assert_refused(load_text(SAMPLE, &[(variable, "1")]), &key.to_lowercase(), "not known", "");
}

#[test]
fn all_sections_are_known_to_the_reading_of_variables() {
    let problems = problems(load_text("colour: red", &[]));
    let known: Vec<&str> = problems[0].fix.strip_prefix("known here: ").unwrap().split(", ").collect();
    assert_eq!(known, environment::SECTIONS);
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

const ONE_DATABASE: &str = "metadata: { stores: { db: { type: postgres, postgres: { host: far } }, m: { type: memory } } }\n\
                            content: { stores: { c: { type: fs, fs: { path: /c } } } }\n\
                            shares: [{ name: /e, metadata_store: db, content_store: c }]\n";

#[test]
fn short_variables_set_the_options_of_the_only_postgresql_store() {
    let environment = [
        ("DITTOFS_METADATA_POSTGRES_HOST", "near"),
        ("DITTOFS_METADATA_POSTGRES_PORT", "6543"),
        ("DITTOFS_METADATA_POSTGRES_USER", "me"),
        ("DITTOFS_METADATA_POSTGRES_PASSWORD", "0123"),
        ("DITTOFS_METADATA_POSTGRES_DATABASE", "files"),
        ("DITTOFS_METADATA_POSTGRES_MAX_CONNECTIONS", "7"),
        ("DITTOFS_METADATA_POSTGRES_SSLMODE", "verify-full"),
        // An orchestrator's, for services that are called so.
        ("DITTOFS_METADATA_POSTGRES_SERVICE_HOST", "10.0.0.1"),
        ("DITTOFS_METADATA_POSTGRES_PORT_5432_TCP", "tcp://10.0.0.1:5432"),
    ];
    let config = load_text(ONE_DATABASE, &environment).unwrap();
    let options: dittofs_postgres::PostgresOptions = config.metadata["db"].options.read().unwrap();
    let expected = dittofs_postgres::PostgresOptions {
        host: Some("near".to_owned()),
        port: Some(6_543),
        user: Some("me".to_owned()),
        password: Some(dittofs_postgres::Secret::new("0123")),
        database: Some("files".to_owned()),
        max_connections: 7,
        sslmode: Some(dittofs_postgres::SslMode::VerifyFull),
        ..Default::default()
    };
    assert_eq!(options, expected);
    load_text(ONE_DATABASE, &[("DITTOFS_METADATA_POSTGRES_PORT", "tcp://10.0.0.1:5432")]).unwrap();
}

#[test]
fn short_variables_need_exactly_one_store_that_they_can_mean() {
    let host = [("DITTOFS_METADATA_POSTGRES_HOST", "near")];
    assert_refused(load_text(SAMPLE, &host), host[0].0, "no metadata store is of type `postgres`", "");
    let two = ONE_DATABASE.replace("m: { type: memory }", "two: { type: postgres, postgres: { host: far } }");
    assert_refused(load_text(&two, &host), host[0].0, "db, two", "");
    let unknown = [("DITTOFS_METADATA_POSTGRES_HOSTS", "near")];
    assert_refused(load_text(ONE_DATABASE, &unknown), "metadata.stores.db.postgres.hosts", "not known", "");
}
