use proptest::prelude::*;

use super::*;

fn fold(character: char) -> char {
    character.to_uppercase().next().unwrap_or(character)
}

fn matches(pattern: &str, name: &str) -> bool {
    Pattern::new(pattern, &fold).unwrap().matches(name, &fold)
}

/// The rules of MS-FSA, tried one after the other, in exponential time.
fn naive(pattern: &[char], name: &[char]) -> bool {
    let Some((wildcard, rest)) = pattern.split_first() else { return name.is_empty() };
    let next = name.first().copied();
    let behind = name.get(1..).unwrap_or_default();
    match wildcard {
        '*' => naive(rest, name) || next.is_some() && naive(pattern, behind),
        '?' => next.is_some() && naive(rest, behind),
        '<' => {
            let is_last_dot = next == Some('.') && !behind.contains(&'.');
            naive(rest, name) || next.is_some() && naive(if is_last_dot { rest } else { pattern }, behind)
        }
        '>' if next.is_none() || next == Some('.') => naive(rest, name),
        '>' => naive(rest, behind),
        '"' if next.is_none() => naive(rest, name),
        '"' => next == Some('.') && naive(rest, behind),
        literal => next.is_some_and(|next| fold(next) == fold(*literal)) && naive(rest, behind),
    }
}

#[test]
fn wildcards_match_as_the_standard_says() {
    let cases = [
        ("*", "a.b.c", true),
        ("*.*", "without", true),
        ("*.txt", "a.TXT", true),
        ("*.txt", "a.txt.b", false),
        ("*a*b*", "xaxbx", true),
        ("*a*b*", "xbxax", false),
        ("??", "ab", true),
        ("??", "a", false),
        ("a?c", "abc", true),
        ("a?c", "a.c", true),
        // DOS_STAR: `dir *.` lists names without an extension.
        ("<", "name", true),
        ("<", "name.txt", false),
        ("<.txt", "a.b.txt", true),
        ("<.txt", "a.txt.b", false),
        ("<\"*", "name", true),
        ("<\"*", "name.txt", true),
        ("<c", "a.b.c", true),
        // DOS_QM: up to as many characters, but none of them a dot.
        (">>>>", "abc", true),
        (">>>>", "abcde", false),
        (">>>>.txt", "ab.txt", true),
        ("a>>c", "ac", false),
        // DOS_DOT: a dot, or the end.
        ("name\"", "name", true),
        ("name\"", "name.", true),
        ("name\"txt", "name.txt", true),
        ("name\"txt", "nametxt", false),
        ("File", "fILE", true),
        ("ärger", "ÄRGER", true),
        ("File", "Files", false),
        ("*", "", false),
        ("", "a", false),
        ("", "", true),
    ];
    for (pattern, name, expected) in cases {
        assert_eq!(matches(pattern, name), expected, "{pattern} and {name}");
    }
}

#[test]
fn the_caller_decides_what_case_means() {
    let exact = |character| character;
    assert!(!Pattern::new("a*", &exact).unwrap().matches("A", &exact));
    assert!(Pattern::new("a*", &fold).unwrap().matches("A", &fold));
}

#[test]
fn a_pattern_knows_whether_it_has_wildcards() {
    for (pattern, has_wildcards, matches_all) in
        [("a.b", false, false), ("a?", true, false), ("*", true, true), ("*.*", true, true), ("<", true, false)]
    {
        let pattern = Pattern::new(pattern, &fold).unwrap();
        assert_eq!((pattern.has_wildcards(), pattern.matches_all()), (has_wildcards, matches_all));
    }
}

#[test]
fn a_pattern_has_a_limit() {
    assert!(Pattern::new(&"?".repeat(PATTERN_LENGTH_MAX), &fold).is_ok());
    assert_eq!(Pattern::new(&"?".repeat(PATTERN_LENGTH_MAX + 1), &fold), Err(PatternTooLong));
}

/// A matcher that tried all ways would never come to an end here.
#[test]
fn a_pattern_made_to_take_long_does_not() {
    let name = "a".repeat(255);
    for wildcards in ["*a", "<a", "*?", "<>", "*<", ">\""] {
        assert!(!matches(&format!("{}b", wildcards.repeat(500)), &name));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]
    #[test]
    fn matches_what_a_naive_matcher_does(pattern in "[aAb.*?<>\"]{0,8}", name in "[aAb.]{0,8}") {
        let (pattern_chars, name_chars): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
        let expected = match pattern.as_str() {
            "*" | "*.*" => !name.is_empty(),
            "" => name.is_empty(),
            _ => !name.is_empty() && naive(&pattern_chars, &name_chars),
        };
        prop_assert_eq!(matches(&pattern, &name), expected);
    }

    #[test]
    fn a_name_without_wildcards_matches_itself_only(name in "[aAb.]{1,8}", other in "[aAb.]{1,8}") {
        prop_assert_eq!(matches(&name, &other), name.eq_ignore_ascii_case(&other));
    }
}
