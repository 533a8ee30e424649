use rstest::rstest;

use super::shown;

#[rstest]
#[case(0, "1970-01-01T00:00:00Z")]
#[case(-1, "1969-12-31T23:59:59Z")]
#[case(951_782_400, "2000-02-29T00:00:00Z")]
#[case(1_709_251_199, "2024-02-29T23:59:59Z")]
#[case(1_709_251_200, "2024-03-01T00:00:00Z")]
#[case(4_107_542_400, "2100-03-01T00:00:00Z")]
#[case(1_796_003_045, "2026-11-30T01:44:05Z")]
fn a_time_is_shown_as_its_date(#[case] seconds: i64, #[case] expected: &str) {
    assert_eq!(shown(seconds), expected);
}
